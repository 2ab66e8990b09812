package intake_test

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"easel/shared/catalog"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/intake"
	"easel/shared/intake/intaketest"
	"easel/shared/provider"
	"easel/shared/task"
)

func place(t *testing.T, g *intaketest.Gateway, ticket intake.Ticket) (intake.Placed, error) {
	t.Helper()
	ticket.Account = intaketest.Account
	checked, err := g.Desk.Check(t.Context(), ticket)
	if err != nil {
		return intake.Placed{}, err
	}
	return g.Desk.Place(t.Context(), checked)
}

func image(r generation.Request) intake.Ticket {
	if r.Prompt == "" {
		r.Prompt = "a fox"
	}
	return intake.Ticket{Request: r}
}

func TestAliasesBecomeTheModelsName(t *testing.T) {
	t.Parallel()
	g := intaketest.New(t)
	placed, err := place(t, g, image(generation.Request{Model: "old-painter"}))
	if err != nil || placed.Task.Model != "painter" || !placed.Model.Retired || placed.Model.Asked != "old-painter" {
		t.Errorf("placed = %+v, %v", placed, err)
	}
}

func TestAModelsOwnDeadline(t *testing.T) {
	t.Parallel()
	g := intaketest.New(t)
	g.Config.Models[0].DeadlineSeconds = 77
	placed, err := place(t, g, image(generation.Request{}))
	if got := placed.Task.ExpiresAt.Sub(placed.Task.CreatedAt); err != nil || got != 77*time.Second {
		t.Errorf("deadline = %s, %v", got, err)
	}
}

func TestAnAnswerPaidByTokensIsBoundedByWhatIsReserved(t *testing.T) {
	t.Parallel()
	g := intaketest.New(t)
	price := &g.Config.Models[3].Price
	check := func(maxTokens int) (int, int64) {
		checked, err := g.Desk.Check(t.Context(), intake.Ticket{Request: generation.Request{
			Kind: generation.Text, Model: "writer", Prompt: "a", MaxTokens: maxTokens,
		}})
		if err != nil {
			t.Fatal(err)
		}
		return checked.Request.MaxTokens, checked.Quote.Credits
	}
	if tokens, credits := check(0); tokens != 0 || credits != 1 {
		t.Errorf("paid by request: %d tokens for %d credits", tokens, credits)
	}
	for _, c := range []struct {
		usual   int64
		asked   int
		tokens  int
		credits int64
	}{{1500, 0, 1500, 2}, {1500, 10, 10, 1}, {1500, 4000, 4000, 4}, {0, 0, 1000, 1}} {
		price.Unit, price.DefaultTokens = catalog.PerTokens, c.usual
		if tokens, credits := check(c.asked); tokens != c.tokens || credits != c.credits {
			t.Errorf("%d asked, usually %d: %d tokens for %d credits, want %d for %d", c.asked, c.usual, tokens, credits, c.tokens, c.credits)
		}
	}
}

// uploads keeps what it is given.
type uploads struct {
	kept map[string]string
	err  error
}

func (u *uploads) Upload(_ context.Context, _, field string, data []byte) (string, error) {
	if u.err != nil {
		return "", u.err
	}
	u.kept[field] = string(data)
	return "asset:" + field, nil
}

func (u *uploads) Fetch(_ context.Context, _, field, url string) (string, error) {
	if u.err != nil {
		return "", u.err
	}
	u.kept[field] = url
	return "asset:" + field, nil
}

func data(text string) string {
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString([]byte(text))
}

func TestImagesInsideARequestAreKeptElsewhere(t *testing.T) {
	t.Parallel()
	g := intaketest.New(t)
	u := &uploads{kept: map[string]string{}}
	g.Desk.Uploads = u
	placed, err := place(t, g, image(generation.Request{Model: "painter", Image: data("one"), Mask: data("two")}))
	r := placed.Task.Request
	if err != nil || r.Image != "asset:image" || r.Mask != "asset:mask" || u.kept["image"] != "one" || u.kept["mask"] != "two" {
		t.Errorf("request = %+v, kept %v, %v", r, u.kept, err)
	}
}

func TestImagesByURLAreFetchedWhereThereIsAPlaceForThem(t *testing.T) {
	t.Parallel()
	g := intaketest.New(t)
	const url = "https://example.com/a.png"
	placed, err := place(t, g, image(generation.Request{Model: "painter", Image: url}))
	if err != nil || placed.Task.Request.Image != url {
		t.Errorf("request = %+v, %v", placed.Task.Request, err)
	}
	u := &uploads{kept: map[string]string{}}
	g.Desk.Uploads = u
	placed, err = place(t, g, image(generation.Request{Model: "painter", Image: url, Mask: data("two")}))
	if err != nil || placed.Task.Request.Image != "asset:image" || u.kept["image"] != url || placed.Task.Request.Mask != "asset:mask" {
		t.Errorf("request = %+v, kept %v, %v", placed.Task.Request, u.kept, err)
	}
}

func TestAnImageThatCannotBeKeptReservesNothing(t *testing.T) {
	t.Parallel()
	g := intaketest.New(t)
	g.Desk.Uploads = &uploads{err: fault.Invalid("image", "is not an image")}
	for _, picture := range []string{data("x"), "https://example.com/a.png"} {
		if _, err := place(t, g, image(generation.Request{Model: "painter", Image: picture})); fault.CodeOf(err) != fault.InvalidInput {
			t.Errorf("error = %v", err)
		}
	}
	g.WantUntouched(t)
	g.Desk.Uploads = nil
	large := data(strings.Repeat("x", 200<<10))
	if _, err := place(t, g, image(generation.Request{Model: "painter", Image: large})); fault.CodeOf(err) != fault.TooLarge {
		t.Errorf("error = %v", err)
	}
	g.WantUntouched(t)
}

func TestPlaceReturnsTheTaskWhenTheWaitIsOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := intaketest.New(t)
		g.Provider.Jobs = true // a submit is quick, and the job goes on
		started := time.Now()
		ticket := image(generation.Request{})
		ticket.Wait = 7 * time.Second
		placed, err := place(t, g, ticket)
		if took := time.Since(started); err != nil || took != 7*time.Second || placed.Task.Status != task.Processing {
			t.Errorf("placed = %+v, %v after %s", placed.Task, err, took)
		}
	})
}

// flaky fails every other read, and counts them all.
type flaky struct {
	intake.Reader

	reads int
}

func (f *flaky) Task(ctx context.Context, id string) (task.Task, error) {
	if f.reads++; f.reads%2 == 0 {
		return task.Task{}, errors.New("down")
	}
	return f.Reader.Task(ctx, id)
}

func TestAwaitLooksSeldomAndEndures(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := intaketest.New(t)
		placed, err := place(t, g, image(generation.Request{}))
		if err != nil {
			t.Fatal(err)
		}
		reader := &flaky{Reader: g.Store}
		go func() {
			<-time.After(20 * time.Second)
			g.Work(t)
		}()
		got := intake.Await(t.Context(), reader, placed.Task, time.Minute)
		if got.Status != task.Succeeded || reader.reads > 35 {
			t.Errorf("status %s after %d reads in 20 s", got.Status, reader.reads)
		}
	})
}

func TestAwaitEndsBeforeTheRequestsOwnDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := intaketest.New(t)
		placed, err := place(t, g, image(generation.Request{}))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		started := time.Now()
		got := intake.Await(ctx, g.Store, placed.Task, time.Minute)
		if took := time.Since(started); took != 9*time.Second || got.ID != placed.Task.ID {
			t.Errorf("waited %s, want a second less than the deadline", took)
		}
		cancel()
		if got := intake.Await(ctx, g.Store, placed.Task, time.Minute); got.ID != placed.Task.ID {
			t.Errorf("task = %+v", got)
		}
	})
}

func TestStreamHandsOverAReplayedTextInOnePiece(t *testing.T) {
	t.Parallel()
	g := intaketest.New(t)
	g.Desk.Streamer = g.Runner
	ticket := intake.Ticket{
		Account: intaketest.Account, Request: generation.Request{Kind: generation.Text, Prompt: "hello"},
		IdempotencyKey: "k", Hash: "h", Wait: time.Minute,
	}
	for i := range 2 {
		checked, err := g.Desk.Check(t.Context(), ticket)
		if err != nil {
			t.Fatal(err)
		}
		var pieces []string
		placed, err := g.Desk.Stream(t.Context(), checked, func(text string) error {
			pieces = append(pieces, text)
			return nil
		})
		if err != nil || strings.Join(pieces, "") != "some words" || placed.Replayed != (i == 1) {
			t.Errorf("stream %d = %q, %+v, %v", i, pieces, placed, err)
		}
	}
	if len(g.Provider.Calls()) != 1 || g.Balance(t).Spent != 1 {
		t.Errorf("%d calls, balance %+v", len(g.Provider.Calls()), g.Balance(t))
	}
}

func TestStreamEmitsNothingForAFailedText(t *testing.T) {
	t.Parallel()
	g := intaketest.New(t)
	g.Provider.OnSubmit = func(context.Context, provider.Call) (provider.Answer, error) {
		return provider.Answer{}, &fault.Failure{Class: fault.ClassModerated}
	}
	checked, err := g.Desk.Check(t.Context(), intake.Ticket{
		Account: intaketest.Account, Request: generation.Request{Kind: generation.Text, Prompt: "a"}, Wait: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	placed, err := g.Desk.Stream(t.Context(), checked, func(string) error {
		t.Error("a failed text has a piece")
		return nil
	})
	if err != nil || placed.Task.Status != task.Failed {
		t.Errorf("placed = %+v, %v", placed, err)
	}
}
