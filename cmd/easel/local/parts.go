package local

import (
	"context"
	"fmt"
	"io"
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
	"easel/shared/provider/cloudflare"
	"easel/shared/provider/fal"
	"easel/shared/provider/simulator"
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
		Store:   dynamo.New(g.client, dynamo.Options{Prefix: TablePrefix, Counter: g.options.Counter}),
		Secrets: keys,
		Assets: assets.New(g.disk.Client(g.URL), assets.Options{
			Bucket: disk.Bucket, SpoolDir: g.folder,
		}),
		Queue: g.Queue, Providers: g.providers(app.ThroughGateways(safehttp.New(calls))),
		Fetch: safehttp.New(safe), Deliver: safehttp.New(deliver),
		CheckURL:  func(raw string) error { return safehttp.CheckURL(raw, safe) },
		PublicURL: g.URL, Prepare: g.prepare, Health: g.options.Health, PriceCap: g.options.PriceCapMicroUSD, Now: time.Now, Log: g.options.Log,
	}
}

func (g *Gateway) simulatorOptions() simulator.Options {
	o := simulator.Options{
		Latency: simulator.Lifelike, PublicURL: g.URL + simulatorPath, WebhookSecret: simulatorSecret,
		Client: safehttp.New(safehttp.Options{AllowLoopback: true, NoRedirect: true}), Logger: g.options.Log,
		Dir: filepath.Join(g.folder, "simulator"), Draft: g.options.Draft,
	}
	if g.options.Draft {
		o.Shrink = 4
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

// providers are the real drivers; fal's webhooks are verified with the keys of
// whichever fal is asked.
func (g *Gateway) providers(client *http.Client) map[string]provider.Provider {
	if _, isReal := g.options.ProviderKeys[simulator.Fal]; isReal {
		return app.Providers(client)
	}
	return app.Providers(client, fal.WithKeys(func(ctx context.Context) ([]byte, error) {
		return fetch(ctx, client, g.URL+simulatorPath+"/fal/rest/.well-known/jwks.json")
	}))
}

const maxKeys = 1 << 20

func fetch(ctx context.Context, client *http.Client, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("fetch keys: %w", err)
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("fetch keys: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetch keys: status %d", response.StatusCode)
	}
	return io.ReadAll(io.LimitReader(response.Body, maxKeys))
}

// prepare keeps a real provider from being told of a webhook that it cannot
// reach: this gateway listens on a loopback address.
func (g *Gateway) prepare(ctx context.Context, c *provider.Call, config settings.Config) error {
	simulated := strings.HasPrefix(config.BaseURL, g.URL)
	through := app.Gateway{URL: g.options.CloudflareGatewayURL, Routes: cloudflare.DefaultRoutes(), Secrets: g.App.Secrets}
	if simulated {
		// A simulated vendor is not behind the real gateway, but may be put behind the
		// simulated one by its config's data.
		through.URL, through.Routes = "", g.simulatedRoutes()
	} else {
		c.CallbackURL = ""
	}
	return through.Prepare(ctx, c, config)
}

// simulatedRoutes are the simulated AI Gateway's names of the simulated vendors.
func (g *Gateway) simulatedRoutes() []cloudflare.Route {
	base := g.URL + simulatorPath
	return []cloudflare.Route{
		{Base: base + "/openai/v1", Slug: "openai"},
		{Base: base + "/replicate/v1", Slug: "replicate"},
		{Base: base + "/gemini", Slug: "google-ai-studio"},
		{Base: base + "/fal/queue", Slug: "fal", Target: true},
		{Base: base + "/stability", Slug: "custom-stability"},
		{Base: base + "/runway", Slug: "custom-runway"},
	}
}
