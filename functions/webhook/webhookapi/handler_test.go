package webhookapi_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"easel/functions/webhook/webhookapi"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/intake"
	"easel/shared/intake/intaketest"
	"easel/shared/provider"
	"easel/shared/secret"
	"easel/shared/settings"
	"easel/shared/task"
)

type bundle struct {
	*intaketest.Gateway

	handler http.Handler
	task    task.Task
	path    string
	now     time.Time
	lags    []time.Duration
}

// signed is the header by which the tests' provider knows its own reports.
const signed = "good"

type secrets struct{ err error }

func (s *secrets) WebhookSecret(context.Context, settings.Config) (secret.Value, error) {
	return secret.New(signed), s.err
}

// setup returns a gateway with one task whose attempt the provider has accepted.
func setup(t *testing.T, keys *secrets) *bundle {
	t.Helper()
	g := intaketest.New(t)
	g.Provider.Jobs = true
	g.Provider.OnPoll = func(context.Context, provider.Job) (provider.Answer, error) {
		return intaketest.Delivered(generation.Request{Kind: generation.Image}), nil
	}
	g.Provider.OnNotice = notice
	b := &bundle{Gateway: g, now: time.Now().Truncate(time.Second)}
	b.handler = webhookapi.New(webhookapi.Deps{
		Tasks: g.Store, Views: &g.Config, Providers: map[string]provider.Provider{intaketest.ProviderName: g.Provider},
		Secrets: keys, Queue: g.Queue, Log: g.Log.Logger(), Now: func() time.Time { return b.now },
		Heard: func(_ string, lag time.Duration) { b.lags = append(b.lags, lag) },
	})
	checked, err := g.Desk.Check(t.Context(), intake.Ticket{
		Account: intaketest.Account, Request: generation.Request{Prompt: "a"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Desk.Place(t.Context(), checked); err != nil {
		t.Fatal(err)
	}
	m, _ := g.Queue.Next()
	if b.task, err = g.Runner.Advance(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	for ok := true; ok; {
		_, ok = g.Queue.Next() // the look-up that would come by itself
	}
	b.path = "/api/webhooks/fake?task=" + b.task.ID + "&attempt=" + b.task.Attempts[0].ID
	return b
}

// notice reads reports of the form "<job>", "<job> final" or "<job> final ended 7s ago".
func notice(m provider.Message) (provider.Notice, error) {
	if m.Header("X-Signature") != m.Secret.Reveal() {
		return provider.Notice{}, &fault.Failure{Class: fault.ClassAuth, Detail: "wrong signature"}
	}
	job, final, _ := strings.Cut(string(m.Body), " ")
	if job == "garbage" {
		return provider.Notice{}, &fault.Failure{Class: fault.ClassInvalidInput}
	}
	final, ended, _ := strings.Cut(final, " ended ")
	n := provider.Notice{ID: "n", Job: job, Final: final == "final"}
	if ago, err := time.ParseDuration(strings.TrimSuffix(ended, " ago")); err == nil {
		n.EndedAt = m.Now.Add(-ago)
	}
	return n, nil
}

func (b *bundle) report(t *testing.T, path, body, signature string) int {
	t.Helper()
	return b.Do(t, b.handler, http.MethodPost, path, body, "X-Signature", signature, "Authorization", "").Code
}

func (b *bundle) wantQuiet(t *testing.T) {
	t.Helper()
	if m, ok := b.Queue.Next(); ok {
		t.Errorf("the worker was asked: %+v", m)
	}
	now, err := b.Store.Task(t.Context(), b.task.ID)
	if err != nil || now.Version != b.task.Version {
		t.Errorf("the task was changed: %+v, %v", now, err)
	}
}

func TestASignedReportEndsTheTask(t *testing.T) {
	t.Parallel()
	b := setup(t, &secrets{})
	if status := b.report(t, b.path, "job_1 final", signed); status != http.StatusAccepted {
		t.Fatalf("status = %d, want 202", status)
	}
	b.Work(t)
	now, err := b.Store.Task(t.Context(), b.task.ID)
	if err != nil || now.Status != task.Succeeded || b.Balance(t).Spent != 10 {
		t.Fatalf("task = %+v, %v", now, err)
	}
	for range 3 { // duplicates change nothing
		b.task = now
		if status := b.report(t, b.path, "job_1 final", signed); status != http.StatusOK {
			t.Errorf("status of a duplicate = %d, want 200", status)
		}
		b.wantQuiet(t)
	}
}

// TestAReportAfterTheEndIsCounted has a look-up find the end of a job before its
// report comes.
func TestAReportAfterTheEndIsCounted(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		late time.Duration
		body string
		want bool
	}{
		"soon after":                          {time.Minute, "job_1 final", true},
		"long after":                          {time.Hour, "job_1 final", false},
		"about something that is not the end": {time.Minute, "job_1", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, &secrets{})
			ended, err := b.Runner.Advance(t.Context(), task.Message{Task: b.task.ID})
			if err != nil || ended.Status != task.Succeeded {
				t.Fatalf("%+v, %v", ended, err)
			}
			b.task, b.now = ended, ended.FinishedAt.Add(test.late)
			for n := range 3 { // of several the first
				if status := b.report(t, b.path, test.body, signed); status != http.StatusOK {
					t.Errorf("status = %d, want 200", status)
				}
				m, told := b.Queue.Next()
				if told != (test.want && n == 0) || told && (m.Reason != task.ReasonLate || m.Attempt != ended.Attempts[0].ID) {
					t.Errorf("report %d told the worker %+v (%v)", n+1, m, told)
				}
				b.wantQuiet(t)
			}
		})
	}
}

func TestHowLateAReportIsIsTold(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		body, stamp string
		want        []time.Duration
	}{
		"since the job's end":                {"job_1 final ended 7s ago", "", []time.Duration{7 * time.Second}},
		"that rather than since the sending": {"job_1 final ended 7s ago", "2s", []time.Duration{7 * time.Second}},
		"since the sending":                  {"job_1 final", "2s", []time.Duration{2 * time.Second}},
		"by a clock that is ahead":           {"job_1 final", "-2s", []time.Duration{0}},
		"by a clock that is wrong":           {"job_1 final", "25h", nil},
		"without a time":                     {"job_1 final", "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, &secrets{})
			stamp := ""
			if ago, err := time.ParseDuration(test.stamp); err == nil {
				stamp = strconv.FormatInt(b.now.Add(-ago).Unix(), 10)
			}
			b.Do(t, b.handler, http.MethodPost, b.path, test.body, "X-Signature", signed, "Authorization", "", "Webhook-Timestamp", stamp)
			if !slices.Equal(b.lags, test.want) {
				t.Errorf("told %v, want %v", b.lags, test.want)
			}
		})
	}
}

func TestReportsThatChangeNothing(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		path      func(b *bundle) string
		body      string
		signature string
		status    int
	}{
		"a forged one":              {nil, "job_1 final", "bad", http.StatusUnauthorized},
		"one without signature":     {nil, "job_1 final", "", http.StatusUnauthorized},
		"a malformed one":           {nil, "garbage", signed, http.StatusBadRequest},
		"one about another job":     {nil, "job_2 final", signed, http.StatusOK},
		"one that is not the end":   {nil, "job_1", signed, http.StatusOK},
		"one over the limit":        {nil, strings.Repeat("x", 1<<20+1), signed, http.StatusRequestEntityTooLarge},
		"an unknown provider":       {func(b *bundle) string { return strings.Replace(b.path, "fake", "other", 1) }, "job_1 final", signed, http.StatusNotFound},
		"an unknown task":           {func(b *bundle) string { return "/api/webhooks/fake?task=task_nothing&attempt=att_1" }, "job_1 final", signed, http.StatusNotFound},
		"no task":                   {func(*bundle) string { return "/api/webhooks/fake" }, "job_1 final", signed, http.StatusNotFound},
		"an unknown attempt":        {func(b *bundle) string { return b.path + "x" }, "job_1 final", signed, http.StatusNotFound},
		"a forged one, and unknown": {func(b *bundle) string { return b.path + "x" }, "job_1 final", "bad", http.StatusNotFound},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, &secrets{})
			path := b.path
			if c.path != nil {
				path = c.path(b)
			}
			if status := b.report(t, path, c.body, c.signature); status != c.status {
				t.Errorf("status = %d, want %d", status, c.status)
			}
			b.wantQuiet(t)
		})
	}
}

func TestAReportThatCannotBeTakenIsAskedForAgain(t *testing.T) {
	t.Parallel()
	t.Run("when the queue is down", func(t *testing.T) {
		t.Parallel()
		b := setup(t, &secrets{})
		b.Queue.Fail = errors.New("down")
		if status := b.report(t, b.path, "job_1 final", signed); status != http.StatusServiceUnavailable {
			t.Errorf("status = %d, want 503", status)
		}
	})
	t.Run("when the secret cannot be read", func(t *testing.T) {
		t.Parallel()
		b := setup(t, &secrets{err: errors.New("down")})
		if status := b.report(t, b.path, "job_1 final", signed); status != http.StatusServiceUnavailable {
			t.Errorf("status = %d, want 503", status)
		}
		b.wantQuiet(t)
	})
}

func TestAReportResolvesAnUnknownSubmit(t *testing.T) {
	t.Parallel()
	b := setup(t, &secrets{})
	b.Provider.OnSubmit = func(context.Context, provider.Call) (provider.Answer, error) {
		return provider.Answer{}, &fault.Failure{Class: fault.ClassTimeout, Unknown: true}
	}
	checked, err := b.Desk.Check(t.Context(), intake.Ticket{Account: intaketest.Account, Request: generation.Request{Prompt: "b"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Desk.Place(t.Context(), checked); err != nil {
		t.Fatal(err)
	}
	m, _ := b.Queue.Next()
	doubtful, err := b.Runner.Advance(t.Context(), m)
	if err != nil || doubtful.Attempts[0].Outcome != task.Unknown {
		t.Fatalf("task = %+v, %v", doubtful, err)
	}
	path := "/api/webhooks/fake?task=" + doubtful.ID + "&attempt=" + doubtful.Attempts[0].ID
	if status := b.report(t, path, "job_9 final", signed); status != http.StatusAccepted {
		t.Fatalf("status = %d, want 202", status)
	}
	b.Work(t)
	now, err := b.Store.Task(t.Context(), doubtful.ID)
	if err != nil || now.Status != task.Succeeded || len(now.Attempts) != 1 || now.Attempts[0].Job != "job_9" {
		t.Errorf("task = %+v, %v; want one attempt that delivered", now, err)
	}
}
