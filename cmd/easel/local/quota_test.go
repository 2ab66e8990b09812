package local_test

import (
	"encoding/json"
	"net/http"
	"sync"
	"testing"
	"time"

	"easel/cmd/easel/local"
	"easel/shared/audit"
	"easel/shared/catalog"
	"easel/shared/provider/simulator"
)

// limited lets every user of the gateway have so many tasks of a model a month.
func limited(t *testing.T, g *gateway, name string, monthly int) {
	t.Helper()
	models, err := catalog.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range models {
		if m.Name == name {
			m.MonthlyPerUser = monthly
			if err := g.App.Store.PutModel(t.Context(), m); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// quotas are what /api/account says about the monthly limits.
type quotas struct {
	MonthlyCredits *int64    `json:"monthly_credits"`
	Month          string    `json:"month"`
	ResetsAt       time.Time `json:"resets_at"`
	Limits         []struct {
		Unit              string
		Model, User       string
		Limit, Used, Left int64
	} `json:"limits"`
}

func (g *gateway) quotas(user string) quotas {
	g.t.Helper()
	var answer struct{ Quotas quotas }
	_, body := g.call(http.MethodGet, "/api/account?user="+user, nil)
	if err := json.Unmarshal(body, &answer); err != nil {
		g.t.Fatal(err)
	}
	return answer.Quotas
}

func TestExactlyTheMonthlyLimitIsAdmitted(t *testing.T) {
	t.Parallel()
	g := start(t)
	const callers, monthly = 30, 7
	limited(t, g, "flux-freeSchnell", monthly)
	statuses := make(chan int, callers)
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			status, _ := g.call(http.MethodPost, "/api/generate", map[string]any{"prompt": "a", "model": "flux-freeSchnell", "user": "ann"})
			statuses <- status
		})
	}
	all.Wait()
	close(statuses)
	counts := map[int]int{}
	for s := range statuses {
		counts[s]++
	}
	if counts[http.StatusAccepted] != monthly || counts[http.StatusTooManyRequests] != callers-monthly {
		t.Errorf("answers = %v, want %d accepted and the rest refused", counts, monthly)
	}
	if q := g.quotas("ann"); len(q.Limits) != 1 || q.Limits[0].Used != monthly || q.Limits[0].Left != 0 || q.Limits[0].User != "ann" {
		t.Errorf("quotas = %+v", q)
	}
	if q := g.quotas("bob"); len(q.Limits) != 1 || q.Limits[0].Left != monthly {
		t.Errorf("quotas of another user = %+v", q)
	}
}

func TestAFailedTaskGivesItsCountBack(t *testing.T) {
	t.Parallel()
	g := start(t)
	limited(t, g, "flux-freeSchnell", 1)
	g.fault(simulator.Replicate, simulator.Fault{Fault: simulator.JobFails, Times: 1})
	if v := g.create(map[string]any{"prompt": "a", "model": "flux-freeSchnell"}); v.Status != "failed" {
		t.Fatalf("task = %+v", v)
	}
	if v := g.create(map[string]any{"prompt": "a", "model": "flux-freeSchnell"}); v.Status != "succeeded" {
		t.Fatalf("task = %+v", v)
	}
	status, body := g.call(http.MethodPost, "/api/generate", map[string]any{"prompt": "a", "model": "flux-freeSchnell"})
	var problem struct {
		Code        string
		Limit, Used int64
		ResetsAt    time.Time `json:"resets_at"`
	}
	if err := json.Unmarshal(body, &problem); err != nil {
		t.Fatal(err)
	}
	if status != http.StatusTooManyRequests || problem.Code != "quota_exceeded" || problem.Limit != 1 || problem.Used != 1 || !problem.ResetsAt.After(time.Now()) {
		t.Errorf("the third is answered %d: %s", status, body)
	}
}

func TestAnAccountSpendsItsMonthlyCreditsAndNoMore(t *testing.T) {
	t.Parallel()
	g := start(t)
	account, err := g.App.Store.AccountRecord(t.Context(), g.Account)
	if err != nil {
		t.Fatal(err)
	}
	account.MonthlyQuota = 25
	entry := audit.Entry{ID: "limit", At: time.Now(), Action: "account.update"}
	if err := g.App.Store.Commit(t.Context(), audit.Change{Entry: entry, Accounts: []audit.AccountWrite{{Account: account.Account, Expect: account.Version}}}); err != nil {
		t.Fatal(err)
	}
	const callers = 6 // at 10 credits each
	statuses := make(chan int, callers)
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			status, _ := g.call(http.MethodPost, "/api/generate", map[string]any{"prompt": "a", "model": "flux-dev"})
			statuses <- status
		})
	}
	all.Wait()
	close(statuses)
	accepted := 0
	for s := range statuses {
		if s == http.StatusAccepted {
			accepted++
		}
	}
	q := g.quotas("")
	if accepted != 2 || *q.MonthlyCredits != 25 || q.Limits[0].Unit != "credits" || q.Limits[0].Used != 20 || q.Limits[0].Left != 5 {
		t.Errorf("%d were accepted; quotas = %+v", accepted, q)
	}
	if b := g.balance(); b.Spent+b.Reserved != 20 || b.Available != local.DemoCredits-20 {
		t.Errorf("balance = %+v", b)
	}
}
