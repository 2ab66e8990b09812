package intake_test

import (
	"context"
	"testing"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/intake"
	"easel/shared/intake/intaketest"
	"easel/shared/task"
)

// recaller counts how often the memory of keys is asked.
type recaller struct {
	next  intake.Replays
	asked int
}

func (r *recaller) Recall(ctx context.Context, account, key, hash string) (task.Task, bool, error) {
	r.asked++
	return r.next.Recall(ctx, account, key, hash)
}

func TestARepeatedRequestNeedsItsImagesNoMore(t *testing.T) {
	t.Parallel()
	g := intaketest.New(t)
	u := &uploads{kept: map[string]string{}}
	g.Desk.Uploads = u
	ticket := func(image, mask, key, hash string) intake.Ticket {
		return intake.Ticket{
			Account: intaketest.Account, IdempotencyKey: key, Hash: hash,
			Request: generation.Request{Kind: generation.Image, Model: "painter", Prompt: "a", Image: image, Mask: mask},
		}
	}
	const url = "https://example.com/a.png"
	first, err := place(t, g, ticket(url, "", "k", "h"))
	if err != nil || first.Replayed {
		t.Fatalf("placed %+v, %v", first, err)
	}
	u.err = fault.Invalid("image", "could not be fetched") // it is gone
	again, err := place(t, g, ticket(url, "", "k", "h"))
	if err != nil || !again.Replayed || again.Task.ID != first.Task.ID {
		t.Errorf("the repeat is %+v, %v", again, err)
	}
	if _, err := place(t, g, ticket(url, "", "k", "other")); fault.CodeOf(err) != fault.IdempotencyMismatch {
		t.Errorf("another request under the key: %v", err)
	}
	if _, err := place(t, g, ticket(url, "", "new", "h")); fault.CodeOf(err) != fault.InvalidInput {
		t.Errorf("a new request whose image is gone: %v", err)
	}
	if b := g.Balance(t); b.Spent+b.Reserved != first.Task.Price {
		t.Errorf("balance = %+v, one task costs %d", b, first.Task.Price)
	}
}

func TestOnlyRepeatsThatWouldFetchAreLookedUp(t *testing.T) {
	t.Parallel()
	g := intaketest.New(t)
	r := &recaller{next: g.Desk.Replays}
	g.Desk.Replays, g.Desk.Uploads = r, &uploads{kept: map[string]string{}}
	const url = "https://example.com/a.png"
	for i, tt := range []struct {
		image, mask, key string
		asked            int
	}{{"", "", "a", 0}, {data("x"), "", "b", 0}, {url, "", "", 0}, {url, "", "c", 1}, {data("x"), url, "d", 2}} {
		_, err := place(t, g, intake.Ticket{
			Account: intaketest.Account, IdempotencyKey: tt.key, Hash: "h",
			Request: generation.Request{Kind: generation.Image, Model: "painter", Prompt: "a", Image: tt.image, Mask: tt.mask},
		})
		if err != nil || r.asked != tt.asked {
			t.Errorf("request %d: the memory was asked %d times, want %d; %v", i, r.asked, tt.asked, err)
		}
	}
}
