package intake_test

import (
	"context"
	"errors"
	"testing"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/intake"
	"easel/shared/intake/intaketest"
	"easel/shared/preference"
)

// prefers is what every account prefers.
type prefers struct {
	set preference.Set
	err error
}

func (p *prefers) Preferences(context.Context, string) (preference.Set, error) { return p.set, p.err }

func TestPreferencesFillWhatIsLeftOut(t *testing.T) {
	t.Parallel()
	g := intaketest.New(t)
	p := &prefers{set: preference.Set{
		Image:       preference.Defaults{Model: "painter", N: new(2), Size: "1024x1024"},
		Video:       preference.Defaults{Model: "mover", Duration: new(4)},
		Text:        preference.Defaults{MaxTokens: new(50)},
		CallbackURL: "https://example.com/done",
	}}
	g.Desk.Preferences = p
	check := func(ticket intake.Ticket) intake.Checked {
		t.Helper()
		ticket.Account = intaketest.Account
		c, err := g.Desk.Check(t.Context(), ticket)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := check(intake.Ticket{Request: generation.Request{Prompt: "a fox"}})
	if r := c.Request; r.Model != "painter" || r.N != 2 || r.Size != "1024x1024" || c.CallbackURL != "https://example.com/done" || c.Quote.Credits != 20 {
		t.Errorf("an image is %+v, %s for %d credits", r, c.CallbackURL, c.Quote.Credits)
	}
	c = check(intake.Ticket{Request: generation.Request{Kind: generation.Video, Prompt: "waves"}})
	if r := c.Request; r.Model != "mover" || r.Duration != 4 || r.N != 0 || c.Quote.Credits != 8 {
		t.Errorf("a video is %+v for %d credits", r, c.Quote.Credits)
	}
	c = check(intake.Ticket{Request: generation.Request{Kind: generation.Text, Prompt: "hello"}})
	if r := c.Request; r.Model != "auto-text" || r.MaxTokens != 50 || c.CallbackURL != "" {
		t.Errorf("a text is %+v, %q", r, c.CallbackURL)
	}
	c = check(intake.Ticket{
		Request: generation.Request{Model: "auto", Prompt: "a fox", N: 1}, CallbackURL: "https://example.com/mine", Blank: []string{"size"},
	})
	if r := c.Request; r.Model != "auto" || r.N != 1 || r.Size != "" || c.CallbackURL != "https://example.com/mine" {
		t.Errorf("what was given became %+v, %s", r, c.CallbackURL)
	}
	c = check(intake.Ticket{Request: generation.Request{Prompt: "a fox"}, Blank: []string{"model", "callback_url"}})
	if c.Request.Model != "auto" || c.CallbackURL != "" {
		t.Errorf("what was given as nothing became %+v, %s", c.Request, c.CallbackURL)
	}
	c = check(intake.Ticket{Request: generation.Request{Kind: generation.Image, Model: "auto", Prompt: "a fox"}, AsIs: true})
	if c.Request.N != 0 || c.CallbackURL != "" {
		t.Errorf("a request that is complete became %+v", c.Request)
	}
}

func TestAPreferredModelThatIsGoneIsNotReplaced(t *testing.T) {
	t.Parallel()
	g := intaketest.New(t)
	g.Desk.Preferences = &prefers{set: preference.Set{Image: preference.Defaults{Model: "gone"}}}
	_, err := g.Desk.Check(t.Context(), intake.Ticket{Account: intaketest.Account, Request: generation.Request{Prompt: "a"}})
	if wrong, ok := errors.AsType[*fault.Error](err); !ok || wrong.Code != fault.InvalidInput || wrong.Fields[0].Name != "model" {
		t.Errorf("error = %v", err)
	}
	down := errors.New("down")
	g.Desk.Preferences = &prefers{err: down}
	if _, err := g.Desk.Check(t.Context(), intake.Ticket{Account: intaketest.Account, Request: generation.Request{Prompt: "a"}}); !errors.Is(err, down) {
		t.Errorf("error = %v", err)
	}
}

// TestAReplayIsOneWhateverIsPreferredNow repeats a request after its account has
// come to prefer a model that would not accept it.
func TestAReplayIsOneWhateverIsPreferredNow(t *testing.T) {
	t.Parallel()
	g := intaketest.New(t)
	p := &prefers{set: preference.Set{Image: preference.Defaults{Model: "painter", Size: "512x512"}}}
	g.Desk.Preferences = p
	ticket := image(generation.Request{N: 3})
	ticket.IdempotencyKey, ticket.Hash = "k", "h"
	first, err := place(t, g, ticket)
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range []preference.Set{
		{Image: preference.Defaults{Model: "auto", Size: "256x256"}}, // other parameters, another price
		{Image: preference.Defaults{Model: "orphan"}},                // takes one image only
		{Image: preference.Defaults{Model: "gone"}},
	} {
		p.set = set
		again, err := place(t, g, ticket)
		if err != nil || !again.Replayed || again.Task.ID != first.Task.ID {
			t.Errorf("%+v: task %s, replayed %t, %v", set, again.Task.ID, again.Replayed, err)
		}
		other := ticket
		other.Hash = "other"
		if _, err := place(t, g, other); err == nil {
			t.Errorf("%+v: another body under the same key was accepted", set)
		}
	}
	if b := g.Balance(t); b.Reserved != 30 {
		t.Errorf("balance = %+v, want one reservation", b)
	}
}

func TestAWrongRequestUnderANewKeyIsStillWrong(t *testing.T) {
	t.Parallel()
	g := intaketest.New(t)
	ticket := image(generation.Request{N: 300})
	ticket.IdempotencyKey, ticket.Hash = "k", "h"
	if _, err := place(t, g, ticket); fault.CodeOf(err) != fault.InvalidInput {
		t.Errorf("error = %v", err)
	}
	g.WantUntouched(t)
}
