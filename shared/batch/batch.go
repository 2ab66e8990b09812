// Package batch takes up to a thousand requests at once and carries them out as
// ordinary tasks, a few at a time.
//
// A [Batch] is one document: what was asked for as a whole, and how far each
// request is. The [Engine] moves it in steps that any process may make and repeat:
// a step writes down which requests it is about to begin, begins them, and writes
// down what came of it. A task's id follows from its batch and its place in it, so
// a request that was begun twice is one task, and is paid once.
package batch

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"time"

	"easel/shared/catalog"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/task"
)

// The limits of batches.
const (
	// MaxRequests is how many requests one batch may have.
	MaxRequests = 1000
	// MaxOpen is how many batches of an account may be open at once.
	MaxOpen = 10
	// Window is how many tasks of one batch are open at once, at most; with a key
	// that is limited itself, half of what it may have open.
	Window = 20
	// Deadline is how long a batch has to begin its requests. What has not begun by
	// then expires; what has begun ends in its own time.
	Deadline = 24 * time.Hour
	// MaxRequest is the size of one request as it is stored, in bytes of JSON.
	MaxRequest = chunkBytes
)

// Status is a batch's state as callers see it.
type Status string

// The statuses. The last two are final.
const (
	Queued     Status = "queued"     // nothing was begun yet
	Processing Status = "processing" // some requests are under way
	Canceling  Status = "canceling"  // nothing more begins; what is under way is being stopped
	Completed  Status = "completed"  // every request has ended, well or not
	Canceled   Status = "canceled"   // the same, after it was canceled
)

// Ended reports whether the status is final.
func (s Status) Ended() bool { return s == Completed || s == Canceled }

// ItemStatus is how far one request of a batch is.
type ItemStatus string

// The statuses of items. The last five are final.
const (
	ItemQueued ItemStatus = "queued"
	// ItemStarting is written before the request is begun, by the process that
	// holds the batch's lease. Callers see it as queued.
	ItemStarting  ItemStatus = "starting"
	ItemOpen      ItemStatus = "processing" // its task has not ended for good
	ItemSucceeded ItemStatus = "succeeded"
	ItemFailed    ItemStatus = "failed"
	ItemCanceled  ItemStatus = "canceled"
	ItemExpired   ItemStatus = "expired"
	ItemRefused   ItemStatus = "refused" // it could not begin; nothing was paid
)

// Ended reports whether the status is final.
func (s ItemStatus) Ended() bool {
	return s != ItemQueued && s != ItemStarting && s != ItemOpen
}

// ItemStatuses lists the statuses that callers see, in the order of an item's life.
func ItemStatuses() []ItemStatus {
	return []ItemStatus{ItemQueued, ItemOpen, ItemSucceeded, ItemFailed, ItemCanceled, ItemExpired, ItemRefused}
}

// Item is how far one request is.
type Item struct {
	Status ItemStatus `json:"status"`
	// Begun is true when its task exists; [TaskID] is its id.
	Begun bool `json:"begun,omitempty"`
	// Doubtful is true when somebody may have begun the request, or may still be
	// about to, without having written it down. Such an item ends only together with
	// a task.
	Doubtful bool `json:"doubtful,omitempty"`
	// Tries counts how often the request could not be begun.
	Tries int `json:"tries,omitempty"`
	// Charged is what the ended task paid.
	Charged int64 `json:"charged,omitempty"`
	// Error says why the item did not succeed.
	Error *task.Error `json:"error,omitempty"`
}

// Shown is the status that callers see.
func (i Item) Shown() ItemStatus {
	if i.Status == ItemStarting {
		return ItemQueued
	}
	return i.Status
}

// with returns the item as its task is. A task that expired while its provider may
// still deliver has not ended for good: a late success is a success, and is paid.
func (i Item) with(t task.Task) Item {
	i.Begun, i.Doubtful = true, false
	if !t.Status.Terminal() || t.Status == task.Expired && !t.LateUntil.IsZero() {
		i.Status = ItemOpen
		return i
	}
	i.Status, i.Charged, i.Error = ItemStatus(t.Status), t.Charged, nil
	if t.Status != task.Succeeded {
		i.Error = t.Error
	}
	return i
}

// without returns the item as it ends without a task that did any work.
func (i Item) without(s ItemStatus, code fault.Code, message string) Item {
	i.Status, i.Error = s, &task.Error{Code: code, Message: clip(message)}
	return i
}

// maxMessage bounds what a batch keeps of an error, in bytes.
const maxMessage = 200

func clip(message string) string {
	if len(message) <= maxMessage {
		return message
	}
	cut := 0
	for at := range message { // whole characters only
		if at <= maxMessage {
			cut = at
		}
	}
	return message[:cut] + "…"
}

// Request is one request of a batch, checked and priced when the batch was taken.
type Request struct {
	// CustomID is the caller's name for it, unique in its batch; "" is none.
	CustomID string `json:"custom_id,omitempty"`
	// User is the caller's own name for its end user.
	User        string             `json:"user,omitempty"`
	Request     generation.Request `json:"request"`
	Metadata    map[string]string  `json:"metadata,omitempty"`
	CallbackURL string             `json:"callback_url,omitempty"`
	// Quote is the price, frozen when the batch was taken.
	Quote catalog.Quote `json:"quote"`
}

// Batch is a set of requests and how far each is. The store keeps it whole and
// replaces it only when Version is the one that was read.
type Batch struct {
	ID      string `json:"id"`
	Account string `json:"account"`
	KeyID   string `json:"key_id,omitempty"`
	// KeyPlaces and UserPlaces are how many tasks the key, and each user, might have
	// open at once when the batch was taken; 0 is no limit.
	KeyPlaces  int `json:"key_places,omitempty"`
	UserPlaces int `json:"user_places,omitempty"`
	// RequestID is the HTTP request that made the batch.
	RequestID string `json:"request_id,omitempty"`

	Status Status `json:"status"`
	// Items are the requests in their order.
	Items []Item `json:"items"`
	// Chunks are the indexes of the first request of each chunk that the requests
	// are stored in.
	Chunks []int `json:"chunks"`
	// Named is true when a request has a custom id.
	Named bool `json:"named,omitempty"`
	// Quoted is the sum of the requests' prices.
	Quoted      int64             `json:"quoted"`
	Metadata    map[string]string `json:"metadata,omitempty"`
	CallbackURL string            `json:"callback_url,omitempty"`

	CreatedAt  time.Time `json:"created_at"`
	StartedAt  time.Time `json:"started_at,omitzero"`
	FinishedAt time.Time `json:"finished_at,omitzero"`
	UpdatedAt  time.Time `json:"updated_at"`
	// ExpiresAt is the end of [Deadline], and CancelAt when the caller canceled.
	ExpiresAt time.Time `json:"expires_at"`
	CancelAt  time.Time `json:"cancel_at,omitzero"`

	// DueAt is when the sweep must look at the batch; zero means never again.
	DueAt time.Time `json:"due_at,omitzero"`
	// Lease says who begins requests now.
	Lease task.Lease `json:"lease,omitzero"`
	// Quiet counts the steps in a row that moved nothing.
	Quiet int `json:"quiet,omitempty"`
	// Delivery is how far the report to CallbackURL is; it starts when the batch ends.
	Delivery task.Delivery `json:"delivery,omitzero"`
	// Version counts the writes, from 1.
	Version int64 `json:"version"`
}

// TaskID is the id of the task of a batch's request, whether it has begun or not.
// Whoever does not know the batch's id cannot guess it.
func TaskID(batchID string, index int) string {
	sum := sha256.Sum256([]byte(batchID + "/" + strconv.Itoa(index)))
	return "task_" + hex.EncodeToString(sum[:16])
}

// Counts say how many items are in which status. A starting item counts as queued.
type Counts struct {
	Queued     int `json:"queued"`
	Processing int `json:"processing"`
	Succeeded  int `json:"succeeded"`
	Failed     int `json:"failed"`
	Canceled   int `json:"canceled"`
	Expired    int `json:"expired"`
	Refused    int `json:"refused"`
}

// Counts counts the items.
func (b Batch) Counts() Counts {
	var c Counts
	for _, i := range b.Items {
		switch i.Status {
		case ItemQueued, ItemStarting:
			c.Queued++
		case ItemOpen:
			c.Processing++
		case ItemSucceeded:
			c.Succeeded++
		case ItemFailed:
			c.Failed++
		case ItemCanceled:
			c.Canceled++
		case ItemExpired:
			c.Expired++
		case ItemRefused:
			c.Refused++
		}
	}
	return c
}

// Charged is what the ended items paid.
func (b Batch) Charged() int64 {
	var sum int64
	for _, i := range b.Items {
		sum += i.Charged
	}
	return sum
}

// Chunk returns which chunk holds the request with the index, and where in it.
func (b Batch) Chunk(index int) (chunk, at int) {
	chunk, found := slices.BinarySearch(b.Chunks, index)
	if !found {
		chunk--
	}
	return chunk, index - b.Chunks[chunk]
}

// clone returns a copy that shares no item with b.
func (b Batch) clone() Batch {
	b.Items = slices.Clone(b.Items)
	return b
}

// stopping reports whether nothing more may begin.
func (b Batch) stopping(now time.Time) bool { return !b.CancelAt.IsZero() || !now.Before(b.ExpiresAt) }

// ending is how the items end that never began, once the batch is stopping.
func (b Batch) ending() (s ItemStatus, code fault.Code, message string) {
	if !b.CancelAt.IsZero() {
		return ItemCanceled, "canceled", "the caller canceled the batch"
	}
	return ItemExpired, fault.DeadlineExceeded, "the request had not begun by the batch's deadline"
}

// drop ends the items that nobody can have begun, once the batch is stopping.
func (b *Batch) drop(now time.Time) {
	if !b.stopping(now) {
		return
	}
	for n, i := range b.Items {
		if i.Status == ItemQueued && !i.Doubtful {
			b.Items[n] = i.without(b.ending())
		}
	}
}

// recover takes back what a process had claimed that lost its lease. It may still
// be at work, so what it claimed is in doubt.
func (b *Batch) recover() {
	for n := range b.Items {
		if i := &b.Items[n]; i.Status == ItemStarting {
			i.Status, i.Doubtful = ItemQueued, true
		}
	}
	b.Lease = task.Lease{}
}

// open counts the items whose tasks have not ended.
func (b Batch) open() int {
	n := 0
	for _, i := range b.Items {
		if i.Status == ItemOpen {
			n++
		}
	}
	return n
}

// window is how many tasks the batch may have open at once.
func (b Batch) window() int {
	if b.KeyPlaces > 0 {
		return min(Window, max(1, b.KeyPlaces/2)) // the rest is for calls that somebody waits for
	}
	return Window
}

// choose returns the items to begin now: those that were tried least often, in
// their order. Once the batch is stopping they are those that are in doubt.
func (b Batch) choose(now time.Time) []int {
	var waiting []int
	stopping := b.stopping(now)
	for n, i := range b.Items {
		if i.Status == ItemQueued && (!stopping || i.Doubtful) {
			waiting = append(waiting, n)
		}
	}
	slices.SortStableFunc(waiting, func(x, y int) int { return cmp.Compare(b.Items[x].Tries, b.Items[y].Tries) })
	room := max(0, b.window()-b.open())
	if stopping {
		room = Window
	}
	return waiting[:min(len(waiting), room)]
}

// ended reports whether every item has.
func (b Batch) ended() bool {
	for _, i := range b.Items {
		if !i.Status.Ended() {
			return false
		}
	}
	return true
}
