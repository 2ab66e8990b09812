package migrate

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"easel/shared/env"
	"easel/shared/generation"
	"easel/shared/secret"
)

// known is a config that a variable with a key stands for.
type known struct {
	variables []string // the first one that is set counts
	config    Config
}

// knownConfigs are in the order of the old gateway's fallback.
func knownConfigs() []known {
	return []known{
		{[]string{env.OpenAIKey}, Config{Name: "OpenAI Images", Kind: generation.Image, Provider: "openai", Model: "gpt-image-2"}},
		{[]string{env.StabilityKey, "STABILITY_AI_API_KEY"}, Config{Name: "Stability AI", Kind: generation.Image, Provider: "stability", Model: "core"}},
		{[]string{env.ReplicateToken, "REPLICATE_API_KEY"}, Config{Name: "Replicate FLUX", Kind: generation.Image, Provider: "replicate", Model: "black-forest-labs/flux-schnell"}},
		{runwayNames(), Config{Name: "Runway", Kind: generation.Video, Provider: "runway", Model: "gen4.5"}},
		{falNames(), Config{Name: "Pika on fal", Kind: generation.Video, Provider: "fal", Model: "fal-ai/pika/v2.2/text-to-video"}},
		{[]string{env.GeminiKey, "GOOGLE_API_KEY"}, Config{Name: "Gemini text", Kind: generation.Text, Provider: "gemini", Model: "gemini-3.8-flash"}},
	}
}

func runwayNames() []string {
	return []string{env.RunwaySecret, "RUNWAY_API_KEY", "RUNWAYML_API_KEY", "RUNWAY_API_SECRET"}
}

func falNames() []string { return []string{env.FalKey, "FAL_API_KEY", "PIKA_API_KEY"} }

// FromEnvironment translates the old gateway's variables. Lookup is as
// os.LookupEnv; empty values count as not set.
func FromEnvironment(lookup func(name string) (string, bool)) Plan {
	value := func(name string) string {
		text, _ := lookup(name)
		return strings.TrimSpace(text)
	}
	var p Plan
	for _, k := range knownConfigs() {
		for _, name := range k.variables {
			key := value(name)
			if key == "" {
				continue
			}
			e := Entry{Config: k.config, Key: secret.New(key), Source: name}
			if model := value(env.GeminiModel); k.config.Provider == "gemini" && model != "" {
				e.Config.Model = model
			}
			p.Entries = append(p.Entries, e)
			break
		}
	}
	if value("PIKA_API_KEY") != "" && value(env.FalKey) == "" {
		p.note("PIKA_API_KEY", "is sent to fal, which serves Pika now; a key of Pika's own does not work there")
	}
	if value(env.CloudflareGatewayURL) != "" {
		p.note(env.CloudflareGatewayURL, "belongs to the deployment: cdk deploy -c cloudflareGatewayUrl=…, or the same variable for easel serve")
	}
	if value(env.CloudflareGatewayToken) != "" {
		p.note(env.CloudflareGatewayToken, "belongs into the secret %q below the deployment's prefix", env.CloudflareTokenSecret)
	}
	if value(env.ReplicateWebhookSecret) != "" {
		p.note(env.ReplicateWebhookSecret, "belongs into the secret %q below the deployment's prefix", env.ConfigSecrets+"webhook-replicate")
	}
	return p
}

const maxLine = 64 << 10

// Dotenv reads NAME=value lines. Blank lines and lines that begin with # are
// skipped, a leading "export " and one pair of quotes around a value are dropped;
// nothing is expanded. The error names the line and never its content.
func Dotenv(r io.Reader) (map[string]string, error) {
	values := map[string]string{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\uFEFF"))
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, found := strings.Cut(strings.TrimPrefix(line, "export "), "=")
		name = strings.TrimSpace(name)
		if !found || name == "" || strings.ContainsAny(name, " \t\"'") {
			return nil, fmt.Errorf("line %d is not of the form NAME=value", n)
		}
		values[name] = unquote(strings.TrimSpace(value))
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read the variables: %w", err)
	}
	return values, nil
}

// unquote drops the quotes around a value, or the comment after a bare one.
func unquote(value string) string {
	if n := len(value); n >= 2 && (value[0] == '"' || value[0] == '\'') {
		if end := strings.IndexByte(value[1:], value[0]); end >= 0 {
			return value[1 : end+1]
		}
	}
	bare, _, _ := strings.Cut(value, " #")
	return strings.TrimSpace(bare)
}
