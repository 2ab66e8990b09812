package local_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"easel/shared/endpoint"
	"easel/shared/env"
	"easel/shared/journal"
	"easel/shared/secret"
	"easel/shared/task"
	"easel/shared/webhook"
)

// report is one report that an endpoint got.
type report struct {
	header http.Header
	body   []byte
}

func (r report) verify(key string) error {
	return webhook.Verify(secret.New(key), r.header.Get, r.body, time.Now())
}

// listen is a caller's endpoint, which refuses while closed is set.
func listen(t *testing.T) (url string, reports chan report, closed *atomic.Bool) {
	t.Helper()
	reports, closed = make(chan report, 100), &atomic.Bool{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if closed.Load() {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		body, _ := io.ReadAll(r.Body)
		reports <- report{r.Header, body}
	}))
	t.Cleanup(server.Close)
	return server.URL + "/hook", reports, closed
}

// secretView is what a caller sees of its webhook secret.
type secretView struct {
	Own           bool
	Secret        string
	PreviousUntil time.Time `json:"previous_until"`
	Disabled      []struct {
		Endpoint string
	} `json:"disabled_endpoints"`
}

func (g *gateway) webhookSecret(method, path string, want int) secretView {
	g.t.Helper()
	status, body := g.call(method, "/api/account/webhook-secret"+path, nil)
	if status != want {
		g.t.Fatalf("%s %s answered %d: %s", method, path, status, body)
	}
	var v secretView
	if err := json.Unmarshal(body, &v); err != nil {
		g.t.Fatal(err)
	}
	return v
}

func TestAnAccountHasAWebhookSecretOfItsOwn(t *testing.T) {
	t.Parallel()
	g := start(t)
	url, reports, _ := listen(t)
	next := func() report {
		t.Helper()
		v := g.create(map[string]any{"prompt": "a lighthouse", "callback_url": url})
		for late := time.After(30 * time.Second); ; {
			select {
			case r := <-reports:
				if strings.Contains(string(r.body), v.ID) { // an older one may come twice
					return r
				}
			case <-late:
				t.Fatal("no report came")
			}
		}
	}
	shared, err := g.App.Secrets.Get(t.Context(), env.WebhookSecret)
	if err != nil {
		t.Fatal(err)
	}
	if v := g.webhookSecret(http.MethodGet, "", http.StatusOK); v.Own || v.Secret != "" {
		t.Errorf("before: %+v", v)
	}
	if err := next().verify(shared.Reveal()); err != nil {
		t.Errorf("the deployment's secret does not verify: %v", err)
	}
	first := g.webhookSecret(http.MethodPost, "/rotate", http.StatusCreated)
	second := g.webhookSecret(http.MethodPost, "/rotate", http.StatusCreated)
	got := next()
	for name, key := range map[string]string{"the new": second.Secret, "the one before": first.Secret, "the deployment's": shared.Reveal()} {
		if err := got.verify(key); err != nil {
			t.Errorf("within the overlap %s secret does not verify: %v", name, err)
		}
	}
	if n := len(strings.Fields(got.header.Get(webhook.HeaderSignature))); n != 3 {
		t.Errorf("%d signatures, want 3", n)
	}
	if v := g.webhookSecret(http.MethodGet, "", http.StatusOK); !v.Own || v.Secret != "" || !v.PreviousUntil.After(time.Now()) || first.Secret == second.Secret {
		t.Errorf("after: %+v", v)
	}
}

func TestWebhookSecretsAreTheirAccounts(t *testing.T) {
	t.Parallel()
	g := start(t)
	g.operate(http.StatusCreated, http.MethodPost, "/api/admin/accounts", map[string]any{"id": "other@example.com"})
	made := g.operate(http.StatusCreated, http.MethodPost, "/api/admin/keys", map[string]any{
		"name": "reader", "account": "other@example.com", "scopes": []string{"read"},
	})
	reader, _ := made["secret"].(string)
	g.webhookSecret(http.MethodPost, "/rotate", http.StatusCreated)
	status, body := g.call(http.MethodGet, "/api/account/webhook-secret", nil, "Authorization", "Bearer "+reader)
	if status != http.StatusOK || strings.Contains(string(body), `"own":true`) {
		t.Errorf("the other account sees %d: %s", status, body)
	}
	if status, body = g.call(http.MethodPost, "/api/account/webhook-secret/rotate", nil, "Authorization", "Bearer "+reader); status != http.StatusForbidden {
		t.Errorf("a key that may only read changes the secret: %d: %s", status, body)
	}
	if status, body = g.call(http.MethodPost, "/api/account/webhook-secret/rotate", nil, "Authorization", "Bearer "+g.AdminKey, "X-Easel-Account", "nobody"); status != http.StatusNotFound {
		t.Errorf("an account that does not exist gets a secret: %d: %s", status, body)
	}
}

func TestADeadEndpointIsDisabledUntilARedelivery(t *testing.T) {
	t.Parallel()
	g := start(t)
	url, reports, closed := listen(t)
	for n := range endpoint.Patience - 1 {
		if err := g.App.Endpoints.GaveUp(t.Context(), g.Account, url, strconv.Itoa(n)); err != nil {
			t.Fatal(err)
		}
	}
	closed.Store(true)
	last := g.create(map[string]any{"prompt": "a lighthouse", "callback_url": url + "?token=1"})
	g.giveUp(last.ID)
	if v := g.delivery(last.ID, "failed"); v.Status != http.StatusInternalServerError || v.DisabledAt.IsZero() || len(v.Log) < 2 || v.Log[0].Status != http.StatusInternalServerError {
		t.Errorf("the last straw: %+v", v)
	}
	if v := g.webhookSecret(http.MethodGet, "", http.StatusOK); len(v.Disabled) != 1 || !strings.HasSuffix(url, v.Disabled[0].Endpoint) {
		t.Errorf("the caller sees %+v, want %s", v.Disabled, url)
	}
	closed.Store(false)
	quiet := g.create(map[string]any{"prompt": "a lighthouse", "callback_url": url + "?token=2"})
	if v := g.delivery(quiet.ID, "failed"); v.Tries != 1 || !strings.Contains(v.Error, "takes no reports") || len(reports) != 0 {
		t.Errorf("a disabled endpoint: %+v, it got %d reports", v, len(reports))
	}
	g.operate(http.StatusOK, http.MethodPost, "/api/admin/deliveries/"+quiet.ID+"/redeliver", nil)
	if v := g.delivery(quiet.ID, "delivered"); !v.DisabledAt.IsZero() || len(v.Log) != 2 || len(reports) == 0 {
		t.Errorf("redelivered: %+v, it got %d reports", v, len(reports))
	}
}

// delivered is a delivery as operators see it.
type delivered struct {
	State      string
	Tries      int
	Status     int
	Error      string
	DisabledAt time.Time `json:"disabled_at"`
	Log        []task.Try
}

// delivery reads a task's delivery until it is in the state.
func (g *gateway) delivery(id, state string) delivered {
	g.t.Helper()
	var v delivered
	for deadline := time.Now().Add(5 * time.Minute); time.Now().Before(deadline); <-time.After(20 * time.Millisecond) {
		_, body := g.call(http.MethodGet, "/api/admin/deliveries/"+id, nil, "Authorization", "Bearer "+g.AdminKey)
		if err := json.Unmarshal(body, &v); err != nil {
			g.t.Fatal(err)
		}
		if v.State == state {
			return v
		}
		v = delivered{}
	}
	g.t.Fatalf("the delivery of %s is never %s", id, state)
	return v
}

// giveUp lets a task's reports have failed for a day, but for the last one.
func (g *gateway) giveUp(id string) {
	g.t.Helper()
	for {
		t, err := g.App.Store.Task(g.t.Context(), id)
		if err != nil {
			g.t.Fatal(err)
		}
		if t.Delivery.Tries == 0 {
			<-time.After(20 * time.Millisecond)
			continue
		}
		t.Delivery.Tries, t.Delivery.NextAt, t.DueAt = 10, time.Now(), time.Now()
		t.Version++
		if err := g.App.Store.Apply(g.t.Context(), journal.Change{Task: t}); err == nil {
			break
		}
	}
	if err := g.App.Runner.Queue.Send(g.t.Context(), task.Message{Task: id, Reason: "report"}, 0); err != nil {
		g.t.Fatal(err)
	}
}
