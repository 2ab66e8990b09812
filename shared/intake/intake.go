// Package intake takes a caller's request in, whatever route it came by: it
// finds the model, checks everything that can be checked before money moves,
// prices the request, and hands it to the lifecycle. Nothing is reserved for a
// request that it refuses.
package intake

import (
	"context"
	"time"

	"easel/shared/apikey"
	"easel/shared/catalog"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/lifecycle"
	"easel/shared/replycache"
	"easel/shared/task"
)

// Views gives what the operator has configured, from a short cache.
type Views interface {
	View(ctx context.Context) (catalog.View, error)
}

// Server begins tasks; *lifecycle.Runner is the one. It returns the task as far
// as it came within wait, and whether it was there before.
type Server interface {
	Serve(ctx context.Context, o lifecycle.Order, wait time.Duration) (task.Task, bool, error)
}

// Replays finds the task of a repeated request before anything is done for it;
// *lifecycle.Runner is the one.
type Replays interface {
	Recall(ctx context.Context, account, idempotencyKey, hash string) (t task.Task, found bool, err error)
}

// Reader reads one task as it is now.
type Reader interface {
	Task(ctx context.Context, id string) (task.Task, error)
}

// Filter refuses requests for what they say: with a ContentRejected error, or
// another *fault.Error. It runs before anything is reserved.
type Filter interface {
	Check(ctx context.Context, t Ticket) error
}

// Uploads keeps an image that came inside a request, or that a URL in it names,
// and returns the reference by which a provider call finds it again. What is no
// image, or cannot be fetched, is an InvalidInput error about the field.
type Uploads interface {
	Upload(ctx context.Context, account, field string, data []byte) (reference string, err error)
	Fetch(ctx context.Context, account, field, url string) (reference string, err error)
}

// Quotas knows the monthly limits that a task counts against; *quota.Book is the one.
type Quotas interface {
	Limits(ctx context.Context, account, user string, m catalog.Model, price int64) ([]task.Quota, error)
}

// Desk takes requests in. It is safe for concurrent use.
type Desk struct {
	Views  Views
	Server Server
	// Streamer may be nil; then text comes in one piece.
	Streamer Streamer
	// Replays may be nil; then the images of a repeated request are fetched again
	// before it is known to be one.
	Replays Replays
	Tasks   Reader
	// CheckURL says what is wrong with a URL that a caller chose, in words that
	// follow the field's name; nil accepts every URL.
	CheckURL func(raw string) error
	// Filter may be nil.
	Filter Filter
	// Uploads may be nil; then only small images can come inside a request, and
	// providers fetch URLs by themselves.
	Uploads Uploads
	// Quotas may be nil; then there are no monthly limits.
	Quotas Quotas
	// Preferences may be nil; then nothing is filled into what a request leaves out.
	Preferences Preferences
	// Results may be nil; then no answer is remembered. With it, Answerer is required.
	Results  Results
	Answerer Answerer
	Now      func() time.Time
}

// Ticket is one request and who makes it.
type Ticket struct {
	Account, KeyID, RequestID string
	// TaskID is the id that the task shall have; a ticket whose task has begun before
	// finds it. "" makes one.
	TaskID string
	// KeyPlaces is how many tasks the key may have open at once; 0 is no limit.
	KeyPlaces int
	// UserPlaces is how many tasks the account's User may have open at once; 0 is no limit.
	UserPlaces int
	// User is the caller's own name for its end user; it may be empty.
	User   string
	Scopes []apikey.Scope
	// Request is what is asked for. Its model is a name as the caller wrote it;
	// its kind may be empty where a model says it.
	Request generation.Request
	// Blank names the fields that the caller gave and gave as nothing, so that no
	// preference of the account fills them.
	Blank []string
	// AsIs is true for a request that was filled before, or that nothing may fill.
	AsIs bool
	// IdempotencyKey is the caller's, "" for none; Hash is of the whole request.
	IdempotencyKey, Hash string
	Metadata             map[string]string
	CallbackURL          string
	// Cache is what the caller wants of the cache of answers.
	Cache replycache.Wish
	// Wait is how long the caller waits for the task's end; 0 is not at all.
	Wait time.Duration
}

// Checked is a ticket that may be placed, with its model and price.
type Checked struct {
	Ticket

	Model catalog.Resolved
	Quote catalog.Quote

	// replay is the task that the ticket's idempotency key made before, where it
	// had to be looked up.
	replay *task.Task
}

// Placed is a task as it is when the wait is over.
type Placed struct {
	Task  task.Task
	Model catalog.Resolved
	// Replayed is true when the idempotency key had made the task before.
	Replayed bool
}

// Check fills in what the account prefers, finds the ticket's model, checks the
// request, and prices it. The ticket of the answer has the effective request. Errors:
// InvalidInput that names every wrong field, Unavailable when the model has no
// known price. The repeat of a request that was accepted under its idempotency key
// is right whatever the account prefers by now.
func (d *Desk) Check(ctx context.Context, t Ticket) (Checked, error) {
	c, err := d.check(ctx, t)
	if fault.CodeOf(err) != fault.InvalidInput || d.Replays == nil || t.IdempotencyKey == "" {
		return c, err
	}
	return d.accepted(ctx, t, err)
}

// accepted returns the ticket as it was accepted before, or why it cannot be now.
func (d *Desk) accepted(ctx context.Context, t Ticket, wrong error) (Checked, error) {
	replay, found, err := d.Replays.Recall(ctx, t.Account, t.IdempotencyKey, t.Hash)
	if err != nil || !found {
		return Checked{}, wrong
	}
	view, err := d.Views.View(ctx)
	if err != nil {
		return Checked{}, err
	}
	t.Request = replay.Request
	model, err := view.Models.Resolve(replay.Kind, replay.Model)
	if err != nil {
		return Checked{}, wrong
	}
	return Checked{Ticket: t, Model: model, replay: &replay}, nil
}

func (d *Desk) check(ctx context.Context, t Ticket) (Checked, error) {
	view, err := d.Views.View(ctx)
	if err != nil {
		return Checked{}, err
	}
	t, model, err := d.prefer(ctx, t, view.Models)
	if err != nil {
		return Checked{}, err
	}
	if err := d.checkFields(t, model.Model); err != nil {
		return Checked{}, err
	}
	if tokens := model.Price.Tokens(t.Request); tokens > 0 {
		t.Request.MaxTokens = int(tokens) // no answer outgrows what is reserved for it
	}
	quote, err := model.Quote(t.Request)
	if err != nil {
		return Checked{}, err
	}
	return Checked{Ticket: t, Model: model, Quote: quote}, nil
}

// Place reserves the price of a checked ticket, begins its task, and waits for
// the task's end as long as the ticket says. Further errors: ContentRejected,
// QuotaExceeded, InsufficientCredits, IdempotencyMismatch, and Unavailable when no active
// config serves the model.
func (d *Desk) Place(ctx context.Context, c Checked) (Placed, error) {
	started := d.Now()
	t, replayed, err := d.recall(ctx, c)
	if err == nil && !replayed {
		t, replayed, err = d.begin(ctx, c)
	}
	if err != nil {
		return Placed{}, err
	}
	placed := Placed{Task: t, Model: c.Model, Replayed: replayed}
	if left := c.Wait - d.Now().Sub(started); left > 0 {
		placed.Task = Await(ctx, d.Tasks, t, left)
	}
	return placed, nil
}

// recall finds the task of a repeated request whose images would have to be
// fetched: what their URLs named may be gone by now. For every other request a
// replay is found without a read of its own, when the task begins.
func (d *Desk) recall(ctx context.Context, c Checked) (task.Task, bool, error) {
	if c.replay != nil {
		return *c.replay, true, nil
	}
	t := c.Ticket
	fetches := d.Uploads != nil && (isHTTP(t.Request.Image) || isHTTP(t.Request.Mask))
	if d.Replays == nil || t.IdempotencyKey == "" || !fetches {
		return task.Task{}, false, nil
	}
	return d.Replays.Recall(ctx, t.Account, t.IdempotencyKey, t.Hash)
}

func (d *Desk) begin(ctx context.Context, c Checked) (task.Task, bool, error) {
	order, err := d.order(ctx, c)
	if err != nil {
		return task.Task{}, false, err
	}
	if entry, ok := d.remembered(ctx, c, &order); ok {
		return d.answer(ctx, c, order, entry)
	}
	return d.Server.Serve(ctx, order, c.Wait)
}

// order makes the last checks, those that cost something, and returns what the
// lifecycle needs to know.
func (d *Desk) order(ctx context.Context, c Checked) (lifecycle.Order, error) {
	if d.Filter != nil {
		if err := d.Filter.Check(ctx, c.Ticket); err != nil {
			return lifecycle.Order{}, err
		}
	}
	var quotas []task.Quota
	if d.Quotas != nil {
		var err error
		if quotas, err = d.Quotas.Limits(ctx, c.Account, c.User, c.Model.Model, c.Quote.Credits); err != nil {
			return lifecycle.Order{}, err
		}
	}
	request, err := d.storeImages(ctx, c.Account, c.Request)
	if err != nil {
		return lifecycle.Order{}, err
	}
	return lifecycle.Order{
		ID: c.TaskID, Account: c.Account, KeyID: c.KeyID, KeyPlaces: c.KeyPlaces, UserPlaces: c.UserPlaces, User: c.User, RequestID: c.RequestID, Request: request,
		Quote: c.Quote, ChargeModerated: c.Model.ChargeModerated, IdempotencyKey: c.IdempotencyKey, Hash: c.Hash,
		Metadata: c.Metadata, CallbackURL: c.CallbackURL, Deadline: time.Duration(c.Model.DeadlineSeconds) * time.Second,
		Quotas: quotas,
	}, nil
}

// checkFields collects what is wrong with the request and with what comes along.
func (d *Desk) checkFields(t Ticket, model catalog.Model) error {
	var f fault.Fields
	if err := model.Check(t.Request); err != nil {
		if !merge(&f, err) {
			return err
		}
	}
	f.Check(len(t.User) <= maxUser, "user", "must have at most %d bytes", maxUser)
	checkMetadata(&f, t.Metadata)
	d.checkURL(&f, "callback_url", t.CallbackURL)
	if !isData(t.Request.Image) {
		d.checkURL(&f, "image", t.Request.Image)
	}
	if !isData(t.Request.Mask) {
		d.checkURL(&f, "mask", t.Request.Mask)
	}
	for i, l := range t.Request.Loras {
		if isHTTP(l.Path) {
			d.checkURL(&f, loraField(i), l.Path)
		}
	}
	return f.Err()
}
