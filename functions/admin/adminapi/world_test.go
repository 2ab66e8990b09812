package adminapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"easel/functions/admin/adminapi"
	"easel/shared/apikey"
	"easel/shared/app"
	"easel/shared/credits"
	"easel/shared/dynamo"
	"easel/shared/dynamo/engine/enginetest"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/intake/intaketest"
	"easel/shared/journal"
	"easel/shared/provider"
	"easel/shared/secrets"
	"easel/shared/settings"
	"easel/shared/task"
	"easel/shared/usage"
)

// canary is the provider key of every config in these tests. It must never come
// out, but by reveal.
const canary = "sk-canary-0123456789abcdefghijklmnop"

// vendor is a provider that works without a network.
type vendor struct {
	mu      sync.Mutex
	failure *fault.Failure
}

func (v *vendor) fail(f *fault.Failure) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.failure = f
}

func (v *vendor) err() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.failure == nil {
		return nil
	}
	return v.failure
}

func (v *vendor) Describe() provider.Description {
	return provider.Description{
		Name: "openai", Title: "OpenAI", BaseURL: "https://api.openai.com",
		Kinds: []generation.Kind{generation.Image, generation.Text}, Features: []string{"size"},
	}
}

func (v *vendor) Models(_ context.Context, c provider.Call) ([]provider.Model, error) {
	if c.Key.IsZero() {
		return nil, &fault.Failure{Class: fault.ClassAuth, Status: 401}
	}
	return []provider.Model{{Name: "gpt-image-2"}}, v.err()
}

func (v *vendor) Submit(context.Context, provider.Call) (provider.Answer, error) {
	return provider.Answer{State: provider.Pending, Job: provider.Job{ID: "job_1"}}, v.err()
}

func (v *vendor) Poll(context.Context, provider.Call, provider.Job) (provider.Answer, error) {
	return provider.Answer{
		State: provider.Succeeded, Files: []provider.File{{Data: []byte("png")}}, Usage: generation.Usage{CostMicroUSD: 7},
	}, v.err()
}

func (v *vendor) Cancel(context.Context, provider.Call, provider.Job) error { return nil }

func (v *vendor) Notice(context.Context, provider.Message) (provider.Notice, error) {
	return provider.Notice{}, errors.New("no webhooks")
}

// shelf keeps no files and signs every key.
type shelf struct{}

func (shelf) Keep(_ context.Context, key string, _ generation.Kind, f provider.File) (generation.Asset, error) {
	return generation.Asset{Key: key, ContentType: "image/png", Bytes: int64(len(f.Data)), SHA256: "00"}, nil
}

func (shelf) Sign(_ context.Context, key string, _ time.Duration) (string, error) {
	return "https://assets.example.com/" + key + "?signed", nil
}

// sent counts the messages to the worker.
type sent struct {
	mu   sync.Mutex
	list []string
}

func (s *sent) Send(_ context.Context, body []byte, _ time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, string(body))
	return nil
}

type world struct {
	t       *testing.T
	store   *dynamo.Store
	app     *app.App
	secrets *secrets.File
	vendor  *vendor
	queue   *sent
	log     *intaketest.Log
	handler http.Handler
	// admin, viewer and caller are the keys of each role.
	admin, viewer, caller string
	counter               *dynamo.Counter
	// session is every answer that was given, for the canary.
	session *intaketest.Log
}

type option func(*adminapi.Deps)

func newWorld(t *testing.T, options ...option) *world {
	t.Helper()
	keys := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
	})
	client := dynamodb.New(dynamodb.Options{Region: "us-east-1", BaseEndpoint: aws.String(enginetest.Endpoint(t)), Credentials: keys})
	w := &world{t: t, vendor: &vendor{}, queue: &sent{}, log: &intaketest.Log{}, counter: &dynamo.Counter{}, session: &intaketest.Log{}}
	w.store = dynamo.New(client, dynamo.Options{Prefix: enginetest.TablePrefix(t), Counter: w.counter})
	var err error
	if w.secrets, err = secrets.OpenFile(""); err != nil {
		t.Fatal(err)
	}
	if err := w.store.CreateTables(t.Context()); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewJSONHandler(w.log, nil))
	providers := map[string]provider.Provider{"openai": w.vendor}
	w.app = app.New(app.Parts{
		Store: w.store, Secrets: w.secrets, Queue: w.queue, Providers: providers, Now: time.Now, Log: log,
		CheckURL: func(string) error { return nil },
	})
	deps := adminapi.Deps{
		Auth: w.app.Auth(), Store: w.store, Secrets: w.secrets, Desk: w.app.Desk, Canceler: w.app.Runner,
		Reports: app.Redeliverer{Engine: w.app.Engine, Endpoints: w.app.Endpoints}, Endpoints: w.app.Endpoints, Notices: w.app.Notices, Queue: app.Queue{Sender: w.queue}, Signer: shelf{},
		Prober:    &adminapi.Caller{Providers: providers, Keeper: shelf{}, Signer: shelf{}, Now: time.Now, NewID: app.NewID},
		Providers: []provider.Description{w.vendor.Describe()},
		CheckURL: func(raw string) error {
			if strings.Contains(raw, "169.254.") {
				return errors.New("must not be a private address")
			}
			return nil
		},
		Facts: adminapi.Facts{Version: "0.0.1", Local: true}, Now: time.Now, NewID: app.NewID, Log: log,
	}
	for _, o := range options {
		o(&deps)
	}
	w.handler = adminapi.New(deps)
	w.account("demo", 1000)
	w.admin = w.newKey("", apikey.Admin)
	w.viewer = w.newKey("", apikey.Viewer)
	w.caller = w.newKey("demo", apikey.Generate, apikey.Read, apikey.ActAs)
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) account(id string, grant int64) {
	w.t.Helper()
	w.must(w.store.CreateAccount(w.t.Context(), credits.Account{ID: id, CreatedAt: time.Now()}))
	if grant > 0 {
		w.must(w.store.Post(w.t.Context(), credits.ForGrant(id, "first", grant, "", "test", time.Now())))
	}
}

func (w *world) newKey(account string, scopes ...apikey.Scope) string {
	w.t.Helper()
	text, id, hash := apikey.New()
	w.must(w.store.PutKey(w.t.Context(), apikey.Key{
		ID: id, Name: string(scopes[0]), Account: account, Scopes: scopes, Hash: hash, CreatedAt: time.Now(),
	}, 0))
	return text
}

// answer is what came back.
type answer struct {
	t      *testing.T
	Status int
	Header http.Header
	Body   []byte
}

// into decodes the body.
func (a answer) into(v any) {
	a.t.Helper()
	if err := json.Unmarshal(a.Body, v); err != nil {
		a.t.Fatalf("%s: %v", a.Body, err)
	}
}

// object decodes the body as an object.
func (a answer) object() map[string]any {
	a.t.Helper()
	m := map[string]any{}
	a.into(&m)
	return m
}

func (a answer) want(status int) answer {
	a.t.Helper()
	if a.Status != status {
		a.t.Fatalf("status %d, want %d: %s", a.Status, status, a.Body)
	}
	return a
}

// data returns the list in the body.
func (a answer) data() []map[string]any {
	a.t.Helper()
	var list struct {
		Data []map[string]any `json:"data"`
	}
	a.into(&list)
	return list.Data
}

// code is the problem's code.
func (a answer) code() string {
	s, _ := a.object()["code"].(string)
	return s
}

// fields are the names of the problem's fields.
func (a answer) fields() string {
	a.t.Helper()
	var p struct {
		Errors []fault.Field `json:"errors"`
	}
	a.into(&p)
	names := make([]string, len(p.Errors))
	for i, f := range p.Errors {
		names[i] = f.Name
	}
	return strings.Join(names, " ")
}

// as makes a request with a key. A header is "Name: value".
func (w *world) as(key, method, path, body string, headers ...string) answer {
	w.t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequestWithContext(w.t.Context(), method, path, reader)
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	recorder := httptest.NewRecorder()
	w.handler.ServeHTTP(recorder, r)
	a := answer{t: w.t, Status: recorder.Code, Header: recorder.Header(), Body: recorder.Body.Bytes()}
	_, _ = w.session.Write(a.Body)
	return a
}

// do makes a request as an admin.
func (w *world) do(method, path, body string, headers ...string) answer {
	w.t.Helper()
	return w.as(w.admin, method, path, body, headers...)
}

// newConfig creates a config with the canary as its key and returns its id.
func (w *world) newConfig(name string) string {
	w.t.Helper()
	body := `{"name":"` + name + `","kind":"image","provider":"openai","model":"gpt-image-2","key":"` + canary + `"}`
	id, _ := w.do("POST", "/api/admin/configs", body).want(http.StatusCreated).object()["id"].(string)
	return id
}

// ended stores a task that ended, with its record; edit changes it first.
func (w *world) ended(id, config string, edit func(*task.Task)) task.Task {
	w.t.Helper()
	now := time.Now().UTC().Add(-time.Minute)
	one := task.Task{
		ID: id, Account: "demo", KeyID: "key", Kind: generation.Image, Model: "flux-dev", Status: task.Failed, Price: 10,
		Request:   generation.Request{Kind: generation.Image, Model: "auto", Prompt: "a lighthouse"},
		RequestID: "req_" + id, CreatedAt: now, FinishedAt: now.Add(2 * time.Second), UpdatedAt: now, ExpiresAt: now.Add(time.Hour),
		Error: &task.Error{Code: fault.ProviderFailed, Message: "failed"}, Version: 1,
		Attempts: []task.Attempt{{
			No: 1, ID: "att_" + id, Config: config, Provider: "openai", Outcome: task.Rejected, Class: fault.ClassRateLimited,
			Job: "job_" + id, Detail: "Bearer " + canary + " is limited", StartedAt: now, EndedAt: now.Add(time.Second),
			Handle: map[string]string{"poll": "https://example.com/?token=" + canary},
		}},
	}
	if edit != nil {
		edit(&one)
	}
	change := journal.Change{Task: one}
	if one.Status.Terminal() {
		record := usage.Of(one)
		change.Usage = &record
	}
	w.must(w.store.Apply(w.t.Context(), change))
	return one
}

// configOf reads a config from the store.
func (w *world) configOf(id string) settings.Config {
	w.t.Helper()
	c, err := w.store.Config(w.t.Context(), id)
	w.must(err)
	return c
}
