package local

import (
	"context"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"easel/shared/app"
	"easel/shared/assets"
	"easel/shared/assets/disk"
	"easel/shared/dynamo"
	"easel/shared/provider"
	"easel/shared/provider/fal"
	"easel/shared/provider/openai"
	"easel/shared/provider/replicate"
	"easel/shared/provider/runway"
	"easel/shared/provider/simulator"
	"easel/shared/provider/stability"
	"easel/shared/safehttp"
	"easel/shared/secrets"
	"easel/shared/settings"
)

const (
	// workers is how many tasks are worked on at once.
	workers = 16
	// region is what the local engine is told; it does not matter.
	region = "us-east-1"
	// simulatorPath is where the simulated providers are mounted.
	simulatorPath = "/simulated"
	// longestCall is more than any config's timeout.
	longestCall = 310 * time.Second
)

// dynamoClient talks to a DynamoDB-compatible engine on this machine.
func dynamoClient(endpoint string) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		BaseEndpoint: aws.String(endpoint), Region: region,
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
		HTTPClient:  awshttp.NewBuildableClient(),
	})
}

// parts are the gateway's parts on this machine.
func (g *Gateway) parts(keys *secrets.File) app.Parts {
	g.Simulator = simulator.New(g.simulatorOptions())
	safe := safehttp.Options{AllowLoopback: true, HeaderTimeout: longestCall}
	calls := safe
	calls.AnyPort = true
	deliver := safe
	deliver.NoRedirect = true
	return app.Parts{
		Store:   dynamo.New(g.client, dynamo.Options{Prefix: tablePrefix}),
		Secrets: keys,
		Assets: assets.New(g.disk.Client(g.URL), assets.Options{
			Bucket: disk.Bucket, SpoolDir: g.folder,
		}),
		Queue: g.Queue, Providers: g.providers(safehttp.New(calls)),
		Fetch: safehttp.New(safe), Deliver: safehttp.New(deliver),
		CheckURL:  func(raw string) error { return safehttp.CheckURL(raw, safe) },
		PublicURL: g.URL, Prepare: g.prepare, Now: time.Now, Log: g.options.Log,
	}
}

func (g *Gateway) simulatorOptions() simulator.Options {
	o := simulator.Options{
		Latency: simulator.Lifelike, PublicURL: g.URL + simulatorPath, WebhookSecret: simulatorSecret,
		Client: safehttp.New(safehttp.Options{AllowLoopback: true, NoRedirect: true}), Logger: g.options.Log,
		Dir: filepath.Join(g.folder, "simulator"),
	}
	if g.options.SimulatorLatency != nil {
		o.Latency = *g.options.SimulatorLatency
	}
	return o
}

// simulatorSecret signs the simulated providers' webhooks. It guards nothing:
// whoever can reach local mode can also ask the simulator.
//
//nolint:gosec // see above
const simulatorSecret = "whsec_c2ltdWxhdGVkLXByb3ZpZGVycy1zaWduLXdpdGgtdGhpcw=="

func (g *Gateway) providers(client *http.Client) map[string]provider.Provider {
	list := map[string]provider.Provider{}
	for _, p := range []provider.Provider{
		openai.New(client), stability.New(client), replicate.New(client), runway.New(client), fal.New(client),
	} {
		list[p.Describe().Name] = p
	}
	return list
}

// prepare keeps a real provider from being told of a webhook that it cannot
// reach: this gateway listens on a loopback address.
func (g *Gateway) prepare(_ context.Context, c *provider.Call, config settings.Config) error {
	if !strings.HasPrefix(config.BaseURL, g.URL) {
		c.CallbackURL = ""
	}
	return nil
}
