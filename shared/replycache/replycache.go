// Package replycache remembers what requests were answered with, so that exactly
// the same request of the same account can be answered again without a provider.
// Only what succeeded is remembered, only for requests whose key opts in, and only
// for as long as the key says. Whatever fails here, the request goes on without it.
package replycache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"easel/shared/generation"
	"easel/shared/journal"
	"easel/shared/task"
)

// Entry is a remembered answer. It holds neither the request nor who sent it, but
// for the account.
type Entry struct {
	Account string `json:"account"`
	// Task is the one that was answered first.
	Task    string             `json:"task"`
	Outputs []generation.Asset `json:"outputs,omitempty"`
	Text    string             `json:"text,omitempty"`
	// Usage is what the answer consumed when it was made, without its cost.
	Usage     generation.Usage `json:"usage,omitzero"`
	ExpiresAt time.Time        `json:"expires_at"`
}

// Store keeps entries; *dynamo.Store is the one. Reply returns journal.ErrNotFound
// for a key without an entry, and may return one that is over.
type Store interface {
	Reply(ctx context.Context, key string) (Entry, error)
	PutReply(ctx context.Context, key string, e Entry) error
}

// Files knows which outputs are still there; *assets.Store is the one.
type Files interface {
	Exists(ctx context.Context, key string) (bool, error)
}

// Cache finds and keeps answers. It is safe for concurrent use.
type Cache struct {
	Store Store
	Files Files
	Now   func() time.Time
	Log   *slog.Logger
}

const (
	// patience is how long a request waits for the cache.
	patience = 2 * time.Second
	// MaxSeconds is the longest time that an answer is remembered.
	MaxSeconds = 30 * 24 * 60 * 60
)

// Find returns the account's answer under the key. ok is false when there is none,
// when it is over, when one of its files is gone, and when that cannot be found out.
func (c *Cache) Find(ctx context.Context, key, account string) (e Entry, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	e, err := c.Store.Reply(ctx, key)
	switch {
	case errors.Is(err, journal.ErrNotFound):
		return Entry{}, false
	case err != nil:
		c.Log.WarnContext(ctx, "the cache of answers could not be read", "error", err)
		return Entry{}, false
	case e.Account != account || !c.Now().Before(e.ExpiresAt):
		return Entry{}, false
	}
	if err := c.there(ctx, e.Outputs); err != nil {
		c.Log.InfoContext(ctx, "a remembered answer cannot be used", "task", e.Task, "reason", err)
		return Entry{}, false
	}
	return e, true
}

func (c *Cache) there(ctx context.Context, outputs []generation.Asset) error {
	for _, o := range outputs {
		ok, err := c.Files.Exists(ctx, o.Key)
		if err != nil {
			return fmt.Errorf("look for an output: %w", err)
		}
		if !ok {
			return errors.New("one of its files is gone")
		}
	}
	return nil
}

// Keep remembers what the task was answered with, if its key asks for it: when it
// succeeded with all that was asked for, and was not itself answered from here.
func (c *Cache) Keep(ctx context.Context, t task.Task) {
	if t.Caching.Key == "" || t.Caching.From != "" || t.Status != task.Succeeded || !whole(t) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	e := Entry{Account: t.Account, Task: t.ID, Outputs: t.Outputs, Text: t.Text, Usage: t.Usage}
	e.Usage.CostMicroUSD = 0
	e.ExpiresAt = c.Now().Add(time.Duration(min(t.Caching.Seconds, MaxSeconds)) * time.Second)
	if err := c.Store.PutReply(ctx, t.Caching.Key, e); err != nil {
		c.Log.WarnContext(ctx, "an answer could not be remembered", "task", t.ID, "error", err)
	}
}

// whole reports whether nothing is missing that was asked for.
func whole(t task.Task) bool {
	if t.Kind == generation.Text {
		return t.Text != ""
	}
	return len(t.Outputs) >= t.Request.Count()
}
