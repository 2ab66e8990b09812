package rehearsal

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"easel/shared/assets/disk"
	"easel/shared/dynamo"
	"easel/shared/dynamo/engine"
	"easel/shared/env"
	"easel/shared/provider/simulator"
	"easel/shared/queue"
	"easel/shared/safehttp"
)

const (
	// region is the one that the local bucket signs for.
	region = "us-east-1"
	// defaultEnvironments caps each function where the caller does not.
	defaultEnvironments = 8
	headerTimeout       = 10 * time.Second
)

var errNotHandled = errors.New("the worker asks for the message again")

// Options say what is rehearsed, and how. Template, Binaries and Folder are required.
type Options struct {
	Template *Template
	// Binaries holds <function>/bootstrap for this machine; a function without one
	// is left out.
	Binaries string
	// Folder is where objects are kept; the caller removes it.
	Folder string
	// Engine is the database engine's program; empty looks for it.
	Engine string
	// Environments caps the environments of each function; 0 is 8.
	Environments int
	// TickEvery is how often the schedule fires; 0 leaves it to [Deployment.Tick].
	TickEvery time.Duration
	// Latency is that of the simulated providers.
	Latency time.Duration
	// Log receives what the functions write; nil drops it.
	Log io.Writer
}

// Deployment is a running rehearsal. Close it when done.
type Deployment struct {
	// URL is the API's base URL, with the stage and without a final slash.
	URL string
	// Functions holds what is there, by name.
	Functions map[string]*Function
	// Simulator is the set of providers; SimulatorURL is where they are.
	Simulator    *simulator.Server
	SimulatorURL string
	// Store is the functions' store, for setting the stage and for looking behind it.
	Store *dynamo.Store
	// Queue is the worker's queue.
	Queue *queue.Local

	options  Options
	meter    meter
	calls    calls
	log      io.Writer
	secrets  *secretsManager
	sqs      *sqs
	lambda   lambdaAPI
	operator []string
	api      *runtimeAPI
	tick     string
	prefix   string          // of secrets
	context  context.Context //nolint:containedctx // the deployment's own lifetime
	stop     context.CancelFunc
	running  sync.WaitGroup
	cleanups []func() error
}

// Start runs a deployment and returns when it answers. ctx bounds the start alone.
func Start(ctx context.Context, o Options) (*Deployment, error) {
	d := &Deployment{options: o, secrets: newSecretsManager(), api: newRuntimeAPI(), Functions: map[string]*Function{}}
	d.log = &serialWriter{w: io.MultiWriter(&d.meter, cmp.Or(o.Log, io.Discard))}
	d.context, d.stop = context.WithCancel(context.WithoutCancel(ctx))
	if err := d.start(ctx); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func (d *Deployment) start(ctx context.Context) error {
	t := d.options.Template
	work, err := t.queue()
	if err != nil {
		return err
	}
	d.Queue = queue.NewLocal(queue.LocalOptions{
		Visibility: work.visibility, MaxReceives: work.maxReceives, Workers: work.concurrency,
	})
	d.sqs = &sqs{queue: d.Queue, dead: work.dead}
	near, err := d.startServices(ctx, work)
	if err != nil {
		return err
	}
	if err := d.startFront(ctx, near); err != nil {
		return err
	}
	return d.startWork(ctx, work)
}

// services are where the functions find what they talk to.
type services struct {
	variables []string
	// runtime is the host of the Runtime API, tables the address of the tables.
	runtime, tables string
}

// startServices starts what the functions talk to.
func (d *Deployment) startServices(ctx context.Context, work queueSpec) (s services, err error) {
	running, err := engine.Start(ctx, engine.Options{Binary: d.options.Engine, Memory: true})
	if err != nil {
		return s, err
	}
	d.cleanups = append(d.cleanups, running.Stop)
	endpoint, err := url.Parse(running.Endpoint())
	if err != nil {
		return s, err
	}
	s.tables, err = d.serve(ctx, d.meter.dynamo(endpoint))
	if err != nil {
		return s, err
	}
	mux := http.NewServeMux()
	mux.Handle("/sqs/", d.sqs)
	mux.Handle("/secrets/", d.secrets)
	mux.Handle("GET /lambda/2015-03-31/functions/{name}/configuration", &d.lambda)
	mux.Handle(runtimePath, d.api)
	control, err := d.serve(ctx, mux)
	if err != nil {
		return s, err
	}
	keys, bucket, err := d.startBucket(ctx)
	if err != nil {
		return s, err
	}
	if err := d.startSimulator(ctx); err != nil {
		return s, err
	}
	t := d.options.Template
	t.values[work.id] = control + "/sqs/" + work.name
	s.runtime = strings.TrimPrefix(control, "http://")
	s.variables = []string{
		"AWS_REGION=" + region, "AWS_ACCESS_KEY_ID=" + keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + keys.SecretAccessKey,
		"AWS_ENDPOINT_URL_DYNAMODB=" + s.tables, "AWS_ENDPOINT_URL_SQS=" + control + "/sqs/",
		"AWS_ENDPOINT_URL_SECRETS_MANAGER=" + control + "/secrets/", "AWS_ENDPOINT_URL_S3=" + bucket,
		"AWS_EC2_METADATA_DISABLED=true",
	}
	d.operator = append(slices.Clone(s.variables), "AWS_ENDPOINT_URL_LAMBDA="+control+"/lambda/")
	return s, nil
}

// startBucket starts the bucket that the template names, and returns the keys
// that it accepts.
func (d *Deployment) startBucket(ctx context.Context) (aws.Credentials, string, error) {
	files, err := disk.New(filepath.Join(d.options.Folder, "bucket"))
	if err != nil {
		return aws.Credentials{}, "", err
	}
	address, err := d.serve(ctx, d.meter.bucket(files))
	if err != nil {
		return aws.Credentials{}, "", err
	}
	client := files.Client(address)
	keys, err := client.Options().Credentials.Retrieve(ctx)
	if err != nil {
		return aws.Credentials{}, "", fmt.Errorf("read the bucket's keys: %w", err)
	}
	t := d.options.Template
	for _, id := range t.ids(typeBucket) {
		name := t.text(t.resources[id].Properties["BucketName"])
		if name == "" {
			continue
		}
		t.values[id] = name
		if _, err := client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &name}); err != nil {
			return aws.Credentials{}, "", fmt.Errorf("make bucket %s: %w", name, err)
		}
	}
	return keys, address, nil
}

// startSimulator starts the simulated providers.
func (d *Deployment) startSimulator(ctx context.Context) error {
	handler := http.NotFoundHandler()
	address, err := d.serve(ctx, d.calls.watch(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) })))
	if err != nil {
		return err
	}
	d.SimulatorURL = address
	d.Simulator = simulator.New(simulator.Options{
		Latency: d.options.Latency, PublicURL: address,
		Client: safehttp.New(safehttp.Options{AllowLoopback: true, NoRedirect: true}),
	})
	handler = d.Simulator
	d.cleanups = append(d.cleanups, func() error { d.Simulator.Close(); return nil })
	return nil
}

// startFront starts the API and the functions behind it.
func (d *Deployment) startFront(ctx context.Context, near services) error {
	t := d.options.Template
	_, stage, err := t.one(typeStage)
	if err != nil {
		return err
	}
	apiID, api, err := t.one(typeAPI)
	if err != nil {
		return err
	}
	front := http.NotFoundHandler()
	address, err := d.serve(ctx, d.meter.requests(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { front.ServeHTTP(w, r) })))
	if err != nil {
		return err
	}
	// What the template calls the API's address is somewhere else here.
	deployed := t.text(map[string]any{"Fn::Join": []any{"", []any{
		"https://", map[string]any{"Ref": apiID}, ".execute-api.", map[string]any{"Ref": "AWS::Region"}, ".", map[string]any{"Ref": "AWS::URLSuffix"},
	}}})
	name := t.text(stage["StageName"])
	d.URL = address + "/" + name
	for _, spec := range t.functions() {
		for key, value := range spec.env {
			spec.env[key] = strings.ReplaceAll(value, deployed, address)
		}
		if spec.env[env.PublicURL] != d.URL {
			return fmt.Errorf("%w: %s of %s is not the API's address", ErrTemplate, env.PublicURL, spec.name)
		}
		d.prefix = spec.env[env.SecretPrefix]
		d.lambda.add(spec)
		d.addFunction(spec, near)
	}
	var binary []string
	types, _ := api["BinaryMediaTypes"].([]any)
	for _, kind := range types {
		binary = append(binary, t.text(kind))
	}
	front = newFront(name, t, d.Functions, binary)
	return d.openStore(ctx, near.tables)
}

func (d *Deployment) addFunction(spec functionSpec, near services) {
	binary := filepath.Join(d.options.Binaries, spec.name, "bootstrap")
	if !isFile(binary) {
		return
	}
	d.Functions[spec.name] = &Function{
		api: d.api, address: near.runtime, binary: binary, spec: spec, shared: near.variables,
		log: d.log, all: map[*environment]*invocation{},
		slots: make(chan struct{}, cmp.Or(d.options.Environments, defaultEnvironments)),
	}
}

// openStore makes the tables, and the secrets that the stack would make.
func (d *Deployment) openStore(ctx context.Context, tables string) error {
	prefix := ""
	for _, spec := range d.options.Template.functions() {
		prefix = spec.env[env.TablePrefix]
	}
	client := dynamodb.New(dynamodb.Options{
		BaseEndpoint: aws.String(tables), Region: region,
		Credentials: credentials.NewStaticCredentialsProvider("rehearsal", "rehearsal", ""),
	})
	d.Store = dynamo.New(client, dynamo.Options{Prefix: prefix})
	for _, name := range []string{env.WebhookSecret, env.AdminKeySecret} {
		d.PutSecret(name, (rand.Text() + rand.Text())[:44])
	}
	return d.Store.CreateTables(ctx)
}

// PutSecret stores a secret by its name below the deployment's prefix.
func (d *Deployment) PutSecret(name, value string) { d.secrets.put(d.prefix+name, value) }

// startWork starts the queue's mapping to the worker, and the schedule.
func (d *Deployment) startWork(_ context.Context, work queueSpec) error {
	_, schedule, err := d.options.Template.one(typeSchedule)
	if err != nil {
		return err
	}
	input := at(schedule["Target"], "Input")
	d.tick = d.options.Template.text(input)
	worker := d.Functions[env.Worker]
	if worker == nil {
		return fmt.Errorf("%w: the worker is not built", ErrTemplate)
	}
	arn := "arn:aws:sqs:" + region + ":111122223333:" + work.name
	d.running.Go(func() { d.Queue.Run(d.context, deliver(worker, arn)) })
	if d.options.TickEvery > 0 {
		d.running.Go(d.keepTime)
	}
	return nil
}

// keepTime fires the schedule until the deployment ends. A turn that fails is
// replaced by the next, as deployed.
func (d *Deployment) keepTime() {
	ticker := time.NewTicker(d.options.TickEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if err := d.Tick(d.context); err != nil && d.context.Err() == nil {
				slog.New(slog.NewJSONHandler(d.log, nil)).Error("tick failed", "error", err)
			}
		case <-d.context.Done():
			return
		}
	}
}

// Tick sends the worker the schedule's event once, and returns its failure.
func (d *Deployment) Tick(ctx context.Context) error {
	// The placeholders that EventBridge Scheduler fills in.
	event := strings.NewReplacer(
		"<aws.scheduler.scheduled-time>", time.Now().UTC().Format(time.RFC3339),
		"<aws.scheduler.execution-id>", rand.Text(),
		"<aws.scheduler.attempt-number>", "1",
		"<aws.scheduler.schedule-arn>", "arn:aws:scheduler:"+region+":111122223333:schedule/default/tick",
	).Replace(d.tick)
	return invokeJSON(ctx, d.Functions[env.Worker], []byte(event), nil)
}

// Routes returns the method and path of every way into a function that the
// template has, such as "GET /api/task/{id}".
func (d *Deployment) Routes() []string {
	routes := d.options.Template.routes()
	all := make([]string, 0, len(routes))
	for _, r := range routes {
		all = append(all, r.method+" "+r.path)
	}
	return all
}

// OperatorEnvironment returns the variables with which a program of the operator,
// such as `easel doctor`, finds the deployment's services for those of AWS.
func (d *Deployment) OperatorEnvironment() []string { return slices.Clone(d.operator) }

// Usage returns what was consumed since the last ResetUsage.
func (d *Deployment) Usage() Usage {
	u := d.meter.read()
	u.QueueSends = d.sqs.count()
	d.secrets.mu.Lock()
	defer d.secrets.mu.Unlock()
	u.SecretReads = d.secrets.reads
	return u
}

// ResetUsage forgets what was consumed, and every function's records.
func (d *Deployment) ResetUsage() {
	d.meter.reset()
	d.sqs.mu.Lock()
	d.sqs.sends = 0
	d.sqs.mu.Unlock()
	d.secrets.mu.Lock()
	d.secrets.reads = 0
	d.secrets.mu.Unlock()
	for _, f := range d.Functions {
		f.mu.Lock()
		f.records = nil
		f.mu.Unlock()
	}
}

// Calls returns the method and path of each request to a simulated provider that
// has been under way for at least so long.
func (d *Deployment) Calls(atLeast time.Duration) []string { return d.calls.list(atLeast) }

// Close stops everything at once, as a machine that is switched off would.
func (d *Deployment) Close() error {
	d.stop()
	for _, f := range d.Functions {
		f.close()
	}
	var errs []error
	for i := len(d.cleanups) - 1; i >= 0; i-- {
		errs = append(errs, d.cleanups[i]())
	}
	d.running.Wait()
	return errors.Join(errs...)
}

// serve serves a handler on a free port of this machine until Close.
func (d *Deployment) serve(ctx context.Context, h http.Handler) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("listen: %w", err)
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: headerTimeout}
	d.running.Go(func() { _ = server.Serve(listener) }) // ends with Close
	d.cleanups = append(d.cleanups, server.Close)
	return "http://" + listener.Addr().String(), nil
}

// invokeJSON runs one event whose answer is JSON.
func invokeJSON(ctx context.Context, f *Function, payload []byte, output any) error {
	a, err := f.invoke(ctx, payload)
	if err != nil {
		return err
	}
	defer func() { _ = a.body.Close() }()
	data, err := io.ReadAll(a.body)
	if err != nil {
		return err
	}
	if output == nil {
		return nil
	}
	return json.Unmarshal(data, output)
}
