package chaos_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"easel/cmd/easel/local"
	"easel/shared/dynamo/engine"
	"easel/shared/env"
	"easel/shared/intake/intaketest"
)

// The canaries have no known provider's form, so that only what knows them can
// hide them.
const (
	firstKey  = "canary.first.3c1f.key"
	secondKey = "canary.second.77ab.key"
)

// parrot is a provider that repeats its caller's key in every kind of bad answer,
// one after the other.
func parrot(t *testing.T) string {
	t.Helper()
	var mu sync.Mutex
	next := 0
	answers := []func(w http.ResponseWriter, key string){
		func(w http.ResponseWriter, key string) {
			http.Error(w, `{"error":{"message":"overloaded, `+key+`"}}`, http.StatusServiceUnavailable)
		},
		func(w http.ResponseWriter, key string) {
			http.Error(w, "<html>"+key, http.StatusInternalServerError)
		},
		func(w http.ResponseWriter, key string) { _, _ = io.WriteString(w, `{"data":[{"b64_json":"`+key) },
		func(w http.ResponseWriter, key string) {
			_, _ = io.WriteString(w, `{"data":[{"url":"https://`+key+`@127.0.0.1/x.png"}]}`)
		},
		func(w http.ResponseWriter, key string) {
			http.Error(w, `{"error":{"message":"no credit for `+key+`","code":"`+key+`","type":"`+key+`"}}`, http.StatusPaymentRequired)
		},
		func(w http.ResponseWriter, key string) {
			w.Header().Set("X-Request-Id", key)
			w.Header().Set("Location", "https://127.0.0.1/?key="+key)
			w.WriteHeader(http.StatusTemporaryRedirect)
		},
		func(w http.ResponseWriter, key string) {
			http.Error(w, `{"error":{"message":"bad prompt `+key+`","code":"moderation_blocked"}}`, http.StatusBadRequest)
		},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		mu.Lock()
		answer := answers[next%len(answers)]
		next++
		mu.Unlock()
		answer(w, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestChaosKeysDoNotLeak puts keys in by the admin API, replaces one, and lets a
// provider repeat them in every kind of bad answer, to callers and to an
// operator's tests. No answer, log line or row holds a key afterwards.
func TestChaosKeysDoNotLeak(t *testing.T) {
	t.Parallel()
	lines := &intaketest.Log{}
	var store *dynamodb.Client
	g := start(t, func(o *local.Options) {
		running, err := engine.Start(t.Context(), engine.Options{Binary: o.Engine, Memory: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = running.Stop() })
		store = dynamodb.New(dynamodb.Options{
			BaseEndpoint: aws.String(running.Endpoint()), Region: "us-east-1",
			Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
		})
		// No redactor behind the log: what it hides must not come so far.
		o.Log = slog.New(slog.NewJSONHandler(lines, &slog.HandlerOptions{Level: slog.LevelDebug}))
		o.DynamoEndpoint = running.Endpoint()
	})
	places := map[string]string{"an answer": g.provoke(parrot(t))}
	places["the log"] = lines.String()
	for _, table := range env.Tables() {
		places["the table "+table.Suffix] = rows(t, store, local.TablePrefix+table.Suffix)
	}
	for place, text := range places {
		if text == "" {
			t.Errorf("%s is empty: nothing was looked at", place)
		}
		for _, key := range []string{firstKey, secondKey} {
			if i := strings.Index(text, key); i >= 0 {
				t.Errorf("%s holds a key: %s", place, text[max(0, i-300):i+60])
			}
		}
	}
}

// provoke makes the gateway call the parrot in many ways and returns all answers.
func (g *gateway) provoke(provider string) string {
	g.t.Helper()
	var answers strings.Builder
	do := func(key, method, path string, body any, headers ...string) int {
		status, answer := g.call(key, method, path, body, headers...)
		fmt.Fprintf(&answers, "%s %s: %d %s\n", method, path, status, answer)
		return status
	}
	config := map[string]any{
		"name": "parrot", "kind": "image", "provider": "openai", "model": "gpt-image-2", "base_url": provider,
		"priority": 0, "timeout_seconds": 30, "active": true, "key": firstKey,
	}
	if status := do(g.AdminKey, http.MethodPost, "/api/admin/configs", config); status != http.StatusCreated {
		g.t.Fatalf("the config was answered %d: %s", status, answers.String())
	}
	id := between(answers.String(), `"id":"`, `"`)
	test := func() {
		for range 7 {
			if status := do(g.AdminKey, http.MethodPost, "/api/admin/configs/"+id+"/test", map[string]any{"mode": "generate"}); status != http.StatusOK {
				g.t.Errorf("the test was answered %d", status)
			}
		}
	}
	test()
	if status := do(g.AdminKey, http.MethodPut, "/api/admin/configs/"+id+"/key", map[string]any{"key": secondKey}); status != http.StatusOK {
		g.t.Errorf("the new key was answered %d", status)
	}
	test()
	asked := 0
	for n := range 8 {
		task := g.ask(map[string]any{"prompt": fmt.Sprint("picture ", n)}).ID
		v := g.until(task, func(v view) bool { return len(v.Attempts) > 0 && v.Attempts[0].Outcome != "started" })
		if v.Attempts[0].Config == id {
			asked++
		}
		do(g.APIKey, http.MethodGet, "/api/task/"+task, nil)
		do(g.AdminKey, http.MethodGet, "/api/admin/tasks/"+task, nil)
	}
	if asked == 0 {
		g.t.Error("no task came to the provider")
	}
	for _, path := range []string{"configs", "configs/" + id, "usage", "tasks", "audit", "export", "health", "deliveries"} {
		do(g.AdminKey, http.MethodGet, "/api/admin/"+path, nil)
	}
	return answers.String()
}

func between(text, before, after string) string {
	_, text, _ = strings.Cut(text, before)
	text, _, _ = strings.Cut(text, after)
	return text
}

// rows returns a table's items as text.
func rows(t *testing.T, store *dynamodb.Client, table string) string {
	t.Helper()
	var text strings.Builder
	pages := dynamodb.NewScanPaginator(store, &dynamodb.ScanInput{TableName: aws.String(table)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			for name, value := range item {
				fmt.Fprintf(&text, "%s %#v\n", name, value)
			}
		}
	}
	return text.String()
}
