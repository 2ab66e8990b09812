package intake

import (
	"context"

	"easel/shared/generation"
	"easel/shared/lifecycle"
	"easel/shared/replycache"
	"easel/shared/task"
)

// Results finds what the same request was answered with before; *replycache.Cache
// is the one.
type Results interface {
	Find(ctx context.Context, key, account string) (e replycache.Entry, ok bool)
}

// Answerer begins and ends tasks whose result is there already; *lifecycle.Runner
// is the one.
type Answerer interface {
	Answer(ctx context.Context, o lifecycle.Order, r lifecycle.Result) (t task.Task, replayed bool, err error)
}

// remembered looks for the answer to an order, if its ticket has a cache, and notes
// in the order where its answer is to be remembered. Whatever goes wrong, there is
// no answer.
func (d *Desk) remembered(ctx context.Context, c Checked, o *lifecycle.Order) (e replycache.Entry, ok bool) {
	wish := c.Cache
	if d.Results == nil || wish.Seconds <= 0 {
		return e, false
	}
	key, ok := d.cacheKey(ctx, c, o.Request)
	if !ok {
		wish.Say(replycache.Bypass)
		return e, false
	}
	o.Caching = task.Caching{Key: key, Seconds: wish.Seconds}
	if wish.NoCache {
		wish.Say(replycache.Bypass)
		return e, false
	}
	if e, ok = d.Results.Find(ctx, key, c.Account); !ok {
		wish.Say(replycache.Miss)
	}
	return e, ok
}

// cacheKey names the answer to a request. ok is false for one whose answer may not
// be remembered, or that is not known to be the same the next time: a provider is to
// fetch its image from an address that may serve another one by then.
func (d *Desk) cacheKey(ctx context.Context, c Checked, r generation.Request) (key string, ok bool) {
	if !c.Cache.Remembers(r) || isHTTP(r.Image) || isHTTP(r.Mask) {
		return "", false
	}
	view, err := d.Views.View(ctx)
	if err != nil {
		return "", false
	}
	key, err = replycache.Subject{Account: c.Account, Request: r, Model: c.Model.Model, Configs: view.Configs}.Key()
	return key, err == nil
}

// answer begins and ends the order's task with what is remembered.
func (d *Desk) answer(ctx context.Context, c Checked, o lifecycle.Order, e replycache.Entry) (task.Task, bool, error) {
	t, replayed, err := d.Answerer.Answer(ctx, o, lifecycle.Result{Task: e.Task, Outputs: e.Outputs, Text: e.Text, Usage: e.Usage})
	if err == nil && !replayed {
		c.Cache.Say(replycache.Hit)
	}
	return t, replayed, err
}
