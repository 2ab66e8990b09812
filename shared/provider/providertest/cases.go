package providertest

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"easel/shared/fault"
	"easel/shared/provider"
)

// run makes the call of a case at a stage.
type run func(ctx context.Context, s *stage, p provider.Provider, c provider.Call) (provider.Answer, error)

func (h Harness) submit(ctx context.Context, _ *stage, p provider.Provider, c provider.Call) (provider.Answer, error) {
	return p.Submit(ctx, c)
}

func (h Harness) poll(ctx context.Context, s *stage, p provider.Provider, c provider.Call) (provider.Answer, error) {
	return p.Poll(ctx, c, h.job(s))
}

func (h Harness) cancel(ctx context.Context, s *stage, p provider.Provider, c provider.Call) (provider.Answer, error) {
	return provider.Answer{}, p.Cancel(ctx, c, h.job(s))
}

// cases runs each case in its own sub-test.
func (h Harness) cases(t *testing.T, cases []Case, call run) {
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			s := scripted(t, c.Replies...)
			made := h.call(s.url, c.Change)
			before := clone(made)
			got, err := call(t.Context(), s, h.New(s.client), made)
			assertUnchanged(t, before, made)
			h.documented(t, s)
			c.Want.check(t, h, s, got, err)
		})
	}
}

func (w Want) check(t *testing.T, h Harness, s *stage, got provider.Answer, err error) {
	t.Helper()
	if n, want := len(s.requests()), w.requests(); n != want {
		t.Errorf("the driver sent %d requests, want %d", n, want)
	}
	if w.State == "" && w.Class != "" {
		w.checkFailure(t, h, s, err)
		return
	}
	if err != nil {
		t.Fatalf("unexpected error: %v", err)
	}
	w.checkAnswer(t, h, s, got)
}

func (w Want) checkAnswer(t *testing.T, h Harness, s *stage, got provider.Answer) {
	t.Helper()
	if got.State != w.State || got.Job.ID != w.Job || len(got.Files) != w.Files || got.Text != w.Text {
		t.Errorf("answer = state %q, job %q, %d files, text %q; want %q, %q, %d, %q",
			got.State, got.Job.ID, len(got.Files), got.Text, w.State, w.Job, w.Files, w.Text)
	}
	if math.Abs(got.Progress-w.Progress) > 1e-9 {
		t.Errorf("progress = %v, want %v", got.Progress, w.Progress)
	}
	if w.RequestID != "" && got.RequestID != w.RequestID {
		t.Errorf("request id = %q, want %q", got.RequestID, w.RequestID)
	}
	if w.Model != "" && got.Model != w.Model {
		t.Errorf("model = %q, want %q", got.Model, w.Model)
	}
	if w.PollAfter != 0 && got.PollAfter != w.PollAfter {
		t.Errorf("poll after = %v, want %v", got.PollAfter, w.PollAfter)
	}
	if (got.Failure != nil) != (got.State == provider.Failed) {
		t.Errorf("state %q with failure %v", got.State, got.Failure)
	}
	if got.Failure != nil {
		if got.Failure.Class != w.Class || got.Failure.Unknown {
			t.Errorf("failure = %v, want class %q and known", got.Failure, w.Class)
		}
		assertClean(t, h, s, got.Failure)
	}
	for i, file := range got.Files {
		if len(file.Data) == 0 && file.URL == "" {
			t.Errorf("file %d is empty", i)
		}
	}
	if w.Check != nil {
		w.Check(t, got)
	}
}

func (w Want) checkFailure(t *testing.T, h Harness, s *stage, err error) {
	t.Helper()
	failure, ok := errors.AsType[*fault.Failure](err)
	if !ok {
		t.Fatalf("error = %v, want a *fault.Failure of class %q", err, w.Class)
	}
	if failure.Class != w.Class || failure.Unknown != w.Unknown {
		t.Errorf("failure = %v; want class %q, unknown %v", failure, w.Class, w.Unknown)
	}
	if w.RetryAfter != 0 && failure.RetryAfter != w.RetryAfter {
		t.Errorf("retry after = %v, want %v", failure.RetryAfter, w.RetryAfter)
	}
	if w.RequestID != "" && failure.RequestID != w.RequestID {
		t.Errorf("request id = %q, want %q", failure.RequestID, w.RequestID)
	}
	assertClean(t, h, s, failure)
}

func (w Want) requests() int {
	switch w.Requests {
	case 0:
		return 1
	case None:
		return 0
	default:
		return w.Requests
	}
}

// assertClean checks what a Failure may say, and to whom.
func assertClean(t *testing.T, h Harness, s *stage, f *fault.Failure) {
	t.Helper()
	text := f.Error() + f.Message + f.Detail + f.RequestID
	if strings.Contains(text, canary) || strings.Contains(text, canary[:12]) {
		t.Errorf("the failure holds the key: %s", text)
	}
	if f.Message == "" {
		t.Error("the failure has no message for the caller")
	}
	d := h.New(s.client).Describe()
	for _, word := range []string{d.Name, d.Title, h.Call.Request.Prompt} {
		if d.Name != "custom" && word != "" && strings.Contains(strings.ToLower(f.Message), strings.ToLower(word)) {
			t.Errorf("the message for the caller holds %q: %s", word, f.Message)
		}
	}
	if len(f.Detail) > 2<<10 {
		t.Errorf("the detail has %d bytes", len(f.Detail))
	}
	if f.RetryAfter < 0 {
		t.Errorf("retry after = %v", f.RetryAfter)
	}
}

func (h Harness) jobs(t *testing.T) {
	if len(h.Polls) == 0 {
		t.Run("a protocol without jobs says so", func(t *testing.T) {
			t.Parallel()
			s := scripted(t, Reply{})
			got, err := h.poll(t.Context(), s, h.New(s.client), h.call(s.url, nil))
			Want{Class: fault.ClassUnsupported, Requests: None}.check(t, h, s, got, err)
		})
		return
	}
	t.Run("poll", func(t *testing.T) {
		t.Parallel()
		h.cases(t, h.Polls, h.poll)
		if h.UnknownWord.Body != "" { // a protocol without status words has none
			h.cases(t, []Case{{
				Name:    "an unknown status word is pending",
				Replies: []Reply{h.UnknownWord},
				Want:    Want{State: provider.Pending, Job: h.Job.ID},
			}}, h.poll)
		}
		h.cases(t, []Case{{
			Name:    "a job that is not known",
			Replies: []Reply{{Status: 404, Body: "<html>nothing here</html>"}},
			Want:    Want{Class: fault.ClassNotFound},
		}, {
			Name:    "an answer that is not JSON",
			Replies: []Reply{{Body: "<html>hello</html>"}},
			Want:    Want{Class: fault.ClassBadAnswer},
		}, {
			Name:    "a proxy's error",
			Replies: []Reply{{Status: 502, Body: "<html>bad gateway</html>"}},
			Want:    Want{Class: fault.ClassUnavailable},
		}}, h.poll)
		h.reset(t, "a reset is never unknown", h.poll, Want{Class: fault.ClassTimeout})
	})
	t.Run("cancel", func(t *testing.T) {
		t.Parallel()
		if len(h.Cancels) == 0 {
			return // an API that cannot
		}
		h.cases(t, h.Cancels, h.cancel)
		h.reset(t, "a reset is never unknown", h.cancel, Want{Class: fault.ClassTimeout})
	})
}

func (h Harness) notices(t *testing.T) {
	for _, c := range h.Notices {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			s := scripted(t, Reply{})
			got, err := h.New(s.client).Notice(t.Context(), c.Message)
			if c.Class == "" {
				if err != nil || got != c.Want {
					t.Errorf("notice = %+v, %v; want %+v", got, err, c.Want)
				}
				return
			}
			Want{Class: c.Class, Requests: None}.checkFailure(t, h, s, err)
		})
	}
}

func (h Harness) lookups(t *testing.T) {
	for _, c := range h.Finds {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			s := scripted(t, c.Replies...)
			finder, _ := h.New(s.client).(provider.Finder)
			job, found, err := finder.Find(t.Context(), h.call(s.url, c.Change))
			h.documented(t, s)
			if c.Want.Class != "" {
				c.Want.checkFailure(t, h, s, err)
				return
			}
			if err != nil || found != c.Want.Found || job.ID != c.Want.Job {
				t.Errorf("Find = %q, %v, %v; want %q, %v", job.ID, found, err, c.Want.Job, c.Want.Found)
			}
		})
	}
	for _, c := range h.Lists {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			s := scripted(t, c.Replies...)
			lister, _ := h.New(s.client).(provider.Lister)
			models, err := lister.Models(t.Context(), h.call(s.url, c.Change))
			h.documented(t, s)
			if c.Want.Class != "" {
				c.Want.checkFailure(t, h, s, err)
				return
			}
			var names []string
			for _, model := range models {
				names = append(names, model.Name)
			}
			if err != nil || !slices.Equal(names, c.Want.Names) {
				t.Errorf("Models = %v, %v; want %v", names, err, c.Want.Names)
			}
		})
	}
}

func (h Harness) checks(t *testing.T) {
	for _, c := range h.Checks {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			s := scripted(t, c.Replies...)
			checker, _ := h.New(s.client).(provider.Checker)
			funded, err := checker.Check(t.Context(), h.call(s.url, c.Change))
			h.documented(t, s)
			if c.Want.Class != "" {
				c.Want.checkFailure(t, h, s, err)
				return
			}
			if err != nil || funded != c.Want.Funded {
				t.Errorf("Check = %v, %v; want %v", funded, err, c.Want.Funded)
			}
		})
	}
}
