package env

import (
	"errors"
	"os"
	"regexp"
	"time"

	"easel/shared/secret"
)

// The variables of local mode. Docs: README.md.
const (
	// Addr is where `easel serve` listens.
	Addr = "EASEL_ADDR"
	// AdminKey and APIKey are fixed keys instead of generated ones.
	AdminKey = "EASEL_ADMIN_KEY"
	APIKey   = "EASEL_API_KEY" //nolint:gosec // a name, not a key
	// Data is the folder that survives a restart; empty is a temporary one.
	Data = "EASEL_DATA"
	// SimulatorLatency is how long simulated providers take, in milliseconds.
	SimulatorLatency = "EASEL_SIMULATOR_LATENCY_MS"
	// Engine is the path of the embedded database engine; empty looks for it.
	Engine = "EASEL_DYNOXIDE"
	// DynamoEndpoint is the URL of another DynamoDB than the embedded one.
	DynamoEndpoint = "AWS_ENDPOINT_URL_DYNAMODB"
)

// The variables that switch a provider from simulated to real, and the seed
// documents' further names.
const (
	OpenAIKey              = "OPENAI_API_KEY"
	ReplicateToken         = "REPLICATE_API_TOKEN"
	ReplicateWebhookSecret = "REPLICATE_WEBHOOK_SECRET"
	StabilityKey           = "STABILITY_API_KEY"
	GeminiKey              = "GEMINI_API_KEY"
	GeminiModel            = "GEMINI_MODEL"
	RunwaySecret           = "RUNWAYML_API_SECRET" //nolint:gosec // a name, not a key
	FalKey                 = "FAL_KEY"
	CloudflareGatewayToken = "CLOUDFLARE_AI_GATEWAY_TOKEN" //nolint:gosec // a name, not a key
)

// DefaultAddr is where local mode listens unless it is told otherwise.
const DefaultAddr = "127.0.0.1:8787"

// Local is what local mode is told by its environment.
type Local struct {
	Addr             string
	AdminKey, APIKey secret.Value
	Data             string
	// SimulatorLatency is nil where the environment does not say.
	SimulatorLatency *time.Duration
	// ProviderKeys holds the keys of real providers by the providers' names.
	ProviderKeys map[string]secret.Value
	// ReplicateWebhookSecret is zero where the environment does not say.
	ReplicateWebhookSecret secret.Value
	GeminiModel            string
	CloudflareGatewayURL   string
	CloudflareGatewayToken secret.Value
	// OIDC lets people into the console beside the admin key; see [Deployment].
	OIDC OIDC
	// PriceCapMicroUSD is as in [Deployment].
	PriceCapMicroUSD int64
	// Engine and DynamoEndpoint are empty where the environment does not say.
	Engine, DynamoEndpoint string
}

// LoadLocal reads the environment of local mode. Its error names every variable
// that is wrong, and no value.
func LoadLocal() (Local, error) { return loadLocal(os.LookupEnv) }

// keyForm is apikey's form of a whole key; this package may not import it.
var keyForm = regexp.MustCompile(`^esl_[A-Za-z0-9]{12}_[A-Za-z0-9]{32,128}$`)

func loadLocal(lookup func(string) (string, bool)) (Local, error) {
	r := &reader{lookup: lookup}
	l := Local{
		Addr: r.text(Addr), AdminKey: r.key(AdminKey), APIKey: r.key(APIKey), Data: r.text(Data),
		ProviderKeys: map[string]secret.Value{}, ReplicateWebhookSecret: secret.New(r.text(ReplicateWebhookSecret)),
		GeminiModel: r.text(GeminiModel), CloudflareGatewayURL: r.text(CloudflareGatewayURL),
		CloudflareGatewayToken: secret.New(r.text(CloudflareGatewayToken)),
		OIDC:                   r.oidc(),
		PriceCapMicroUSD:       r.number(PriceCap),
		Engine:                 r.text(Engine), DynamoEndpoint: r.text(DynamoEndpoint),
	}
	if l.Addr == "" {
		l.Addr = DefaultAddr
	}
	if r.text(SimulatorLatency) != "" {
		latency := time.Duration(r.number(SimulatorLatency)) * time.Millisecond
		l.SimulatorLatency = &latency
	}
	for provider, name := range map[string]string{
		"openai": OpenAIKey, "replicate": ReplicateToken, "stability": StabilityKey,
		"gemini": GeminiKey, "runway": RunwaySecret, "fal": FalKey,
	} {
		if key := secret.New(r.text(name)); !key.IsZero() {
			l.ProviderKeys[provider] = key
		}
	}
	return l, errors.Join(r.problems...)
}

func (r *reader) key(name string) secret.Value {
	value := r.text(name)
	if value != "" && !keyForm.MatchString(value) {
		r.wrong(name, "must have the form esl_<12 letters or digits>_<32 or more>")
	}
	return secret.New(value)
}
