package local_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"easel/cmd/easel/local"
	"easel/shared/apikey"
	"easel/shared/app"
	"easel/shared/dynamo/engine"
	"easel/shared/env"
	"easel/shared/generation"
	"easel/shared/intake/intaketest"
	"easel/shared/provider/simulator"
	"easel/shared/secret"
	"easel/shared/settings"
)

// What must not appear where it does not belong. None has the shape of a known
// provider's key, so that only what knows them can hide them.
const (
	canaryPrompt   = "a-canary-sings-9f31"
	canaryUser     = "canary-person-41d7"
	canaryProvider = "canary.provider.5be2.key"
	canaryAPI      = "esl_CanaryCaller_" + "canaryAPI7c1d0123456789abcdefghij"
	canaryAdmin    = "esl_CanaryAdmins_" + "canaryAdmin2e8b0123456789abcdefgh"
)

func canaryKeys() []string {
	return []string{canaryProvider, "canaryAPI7c1d", "canaryAdmin2e8b"}
}

// canaries is a gateway that is fed with canaries, and everything that came out.
type canaries struct {
	*gateway
	log     *intaketest.Log
	store   *dynamodb.Client
	answers strings.Builder
}

func startCanaries(t *testing.T) *canaries {
	t.Helper()
	options, err := local.FromEnvironment()
	if err != nil {
		t.Fatal(err)
	}
	running, err := engine.Start(t.Context(), engine.Options{Binary: options.Engine, Memory: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = running.Stop() })
	c := &canaries{log: &intaketest.Log{}, store: dynamodb.New(dynamodb.Options{
		BaseEndpoint: aws.String(running.Endpoint()), Region: "us-east-1",
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	})}
	c.gateway = startWith(t, func(o *local.Options) {
		// No redactor behind the log: what it hides must not come so far.
		o.Log = slog.New(app.WithIDs(slog.NewJSONHandler(c.log, &slog.HandlerOptions{Level: slog.LevelDebug})))
		o.APIKey, o.AdminKey = secret.New(canaryAPI), secret.New(canaryAdmin)
		o.DynamoEndpoint = running.Endpoint()
	})
	// Users are counted, and answers remembered, in items of their own.
	c.editKey(func(k *apikey.Key) {
		k.UserRatePerMinute, k.UserConcurrency, k.CacheTTLSeconds, k.CacheUnseeded = 1000, 100, 600, true
	})
	return c
}

// send is call that keeps the answer.
func (c *canaries) send(method, path string, body any, headers ...string) (int, []byte) {
	c.t.Helper()
	status, answer := c.call(method, path, body, headers...)
	fmt.Fprintf(&c.answers, "%s %s: %d %s\n", method, path, status, answer)
	return status, answer
}

// rude adds a config before all others whose provider repeats its key in its errors.
func (c *canaries) rude() {
	c.t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		sent := r.Header.Get("Authorization")
		_, _ = fmt.Fprintf(w, `{"error":{"message":"Incorrect key %s, also known as %s","code":"invalid_api_key"}}`, sent, strings.TrimPrefix(sent, "Bearer "))
	}))
	c.t.Cleanup(server.Close)
	name := app.KeySecret("cfg_rude")
	if err := c.App.Secrets.Put(c.t.Context(), name, secret.New(canaryProvider)); err != nil {
		c.t.Fatal(err)
	}
	if err := c.App.Store.PutConfig(c.t.Context(), settings.Config{
		ID: "cfg_rude", Name: "rude", Kind: generation.Image, Provider: "openai", Model: "gpt-image-2", Priority: -1,
		BaseURL: server.URL, SecretName: name, TimeoutSeconds: 60, Weight: 100, Active: true, CreatedAt: time.Now(),
	}, 0); err != nil {
		c.t.Fatal(err)
	}
	c.App.Views.Forget()
}

// items returns a table's items as text.
func (c *canaries) items(table string) string {
	c.t.Helper()
	var text strings.Builder
	pages := dynamodb.NewScanPaginator(c.store, &dynamodb.ScanInput{TableName: aws.String(local.TablePrefix + table)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(c.t.Context())
		if err != nil {
			c.t.Fatal(err)
		}
		for _, item := range page.Items {
			for name, value := range item {
				fmt.Fprintf(&text, "%s %#v\n", name, value)
			}
		}
	}
	return text.String()
}

// feed takes every main path once.
func (c *canaries) feed() {
	c.t.Helper()
	ask := map[string]any{"prompt": canaryPrompt, "negative_prompt": canaryPrompt, "user": canaryUser}
	status, answer := c.send(http.MethodPost, "/api/generate", ask, "Prefer", "wait=60")
	v := parse(c.t, answer)
	if status != http.StatusOK || !strings.Contains(v.outcomes(), "auth") {
		c.t.Fatalf("the rude provider was not asked: %d, %s", status, v.outcomes())
	}
	c.send(http.MethodPost, "/api/prompt", map[string]any{"prompt": canaryPrompt})
	c.send(http.MethodPost, "/api/prompt", map[string]any{"messages": []map[string]string{{"role": "user", "content": canaryPrompt}}, "stream": true})
	c.send(http.MethodPost, "/v1/chat/completions", map[string]any{"model": "auto-text", "messages": []map[string]string{{"role": "user", "content": canaryPrompt}}})
	c.send(http.MethodPost, "/api/generate", map[string]any{"prompt": canaryPrompt, "size": "huge"})
	c.send(http.MethodPost, "/api/generate", map[string]any{"prompt": canaryPrompt, "model": "no-such-model"})
	for _, name := range []string{simulator.OpenAI, simulator.Stability, simulator.Replicate} {
		c.fault(name, simulator.Fault{Fault: simulator.Moderated})
	}
	c.send(http.MethodPost, "/api/generate", ask, "Prefer", "wait=60")
	c.send(http.MethodPost, "/v1/images/generations", map[string]any{"prompt": canaryPrompt})
	c.fault(simulator.OpenAI, simulator.Fault{Fault: simulator.Hang})
	query := "?task=" + v.ID + "&attempt=att_forged"
	c.send(http.MethodPost, "/api/webhooks/replicate"+query, map[string]any{"id": canaryPrompt}, "Webhook-Signature", "v1,"+canaryProvider)
	c.send(http.MethodGet, "/api/account", nil)
	c.send(http.MethodGet, "/api/admin/configs", nil)
	for _, path := range []string{"configs", "usage", "tasks", "keys", "audit", "export", "health", "accounts", "settings", "session"} {
		c.send(http.MethodGet, "/api/admin/"+path, nil, "Authorization", "Bearer "+canaryAdmin)
	}
	c.send(http.MethodGet, "/api/task/"+v.ID, nil, "Authorization", "Bearer "+canaryAPI+"x")
}

func TestCanariesAreNowhereButWhereTheyBelong(t *testing.T) {
	t.Parallel()
	c := startCanaries(t)
	c.rude()
	c.feed()
	places := map[string]string{"the log": c.log.String(), "an answer": c.answers.String()}
	for _, table := range env.Tables() {
		places["the table "+table.Suffix] = c.items(table.Suffix)
	}
	for place, text := range places {
		if text == "" {
			t.Errorf("%s is empty: nothing was looked at", place)
		}
		for _, key := range canaryKeys() {
			if i := strings.Index(text, key); i >= 0 {
				t.Errorf("%s holds a key: %s", place, text[max(0, i-300):i+80])
			}
		}
	}
	for _, place := range []string{"the log", "the table " + env.UsageTable} {
		if i := strings.Index(places[place], canaryPrompt); i >= 0 {
			t.Errorf("%s holds a prompt: %s", place, places[place][max(0, i-300):i+80])
		}
	}
	volatile := places["the table "+env.VolatileTable]
	if strings.Contains(volatile, canaryUser) || !strings.Contains(volatile, "REPLY#") || !strings.Contains(volatile, "RATE#user#") {
		t.Error("the table of counts names a user, or holds neither counts nor answers")
	}
	if !strings.Contains(places["the table "+env.CoreTable], canaryPrompt) {
		t.Error("no task holds its prompt: the search would find nothing")
	}
	if !strings.Contains(places["the log"], "request_id") {
		t.Error("the log names no request")
	}
}
