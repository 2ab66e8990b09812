package adminapi

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"easel/shared/audit"
	"easel/shared/credits"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/httpapi"
	"easel/shared/intake"
	"easel/shared/journal"
	"easel/shared/stats"
	"easel/shared/task"
)

// retryOf is the member of a task's metadata that names the task it repeats.
const retryOf = "easel_retry_of"

// taskView is a task as operators see it: the caller's form with more around it.
type taskView struct {
	httpapi.Task

	Attempts  []attemptView    `json:"attempts"`
	Account   string           `json:"account"`
	KeyID     string           `json:"key_id,omitempty"`
	User      string           `json:"user,omitempty"`
	Loss      bool             `json:"loss"`
	UpdatedAt time.Time        `json:"updated_at"`
	Usage     generation.Usage `json:"usage"`
}

type taskDetail struct {
	taskView

	Request     generation.Request `json:"request"`
	Price       int64              `json:"price"`
	PriceLines  []task.PriceLine   `json:"price_lines"`
	Ledger      []credits.Entry    `json:"ledger"`
	CallbackURL string             `json:"callback_url,omitempty"`
	Delivery    *deliveryView      `json:"delivery,omitempty"`
	RequestID   string             `json:"request_id,omitempty"`
	DueAt       time.Time          `json:"due_at,omitzero"`
	Lease       *task.Lease        `json:"lease,omitempty"`
	LateUntil   time.Time          `json:"late_until,omitzero"`
	Version     int64              `json:"version"`
	RetryOf     string             `json:"retry_of,omitempty"`
}

func (h *handler) taskView(r *http.Request, t task.Task, names map[string]string) (taskView, error) {
	view, err := httpapi.TaskOf(r.Context(), t, h.Signer)
	return taskView{
		Task: view, Attempts: attemptViews(t.Attempts, names), Account: t.Account, KeyID: t.KeyID, User: t.User,
		Loss: t.Loss, UpdatedAt: t.UpdatedAt, Usage: t.Usage,
	}, err
}

func (h *handler) answerTask(w http.ResponseWriter, r *http.Request, status int, t task.Task) error {
	view, err := h.taskView(r, t, h.configNames(r))
	if err != nil {
		return err
	}
	ledger, err := h.Store.TaskLedger(r.Context(), t.Account, t.ID)
	if err != nil {
		return err
	}
	detail := taskDetail{
		taskView: view, Request: shortened(t.Request), Price: t.Price, PriceLines: append([]task.PriceLine{}, t.PriceLines...),
		Ledger: ledger, CallbackURL: plainURL(t.CallbackURL), RequestID: t.RequestID, DueAt: t.DueAt, LateUntil: t.LateUntil,
		Version: t.Version, RetryOf: t.Metadata[retryOf],
	}
	if t.Lease.Owner != "" {
		detail.Lease = &t.Lease
	}
	if t.CallbackURL != "" {
		d := deliveryOf(t)
		if err := h.noteDisabled(r.Context(), &d); err != nil {
			return err
		}
		detail.Delivery = &d
	}
	return httpapi.Write(w, status, detail)
}

func (h *handler) listTasks(w http.ResponseWriter, r *http.Request) error {
	get, err := queryOf(r, "q", "status", "kind", "model", "account", "from", "to", "cursor", "limit")
	if err != nil {
		return err
	}
	var f fault.Fields
	filter := stats.TaskFilter{
		From: timeOf(get, "from", &f), To: timeOf(get, "to", &f), Status: task.Status(get("status")),
		Kind: generation.Kind(get("kind")), Model: get("model"), Account: get("account"),
	}
	checkStatus(&f, filter.Status)
	checkKind(&f, filter.Kind)
	if err := f.Err(); err != nil {
		return err
	}
	if err := stats.CheckWindow(filter.From, filter.To); err != nil {
		return err
	}
	n, err := limit(r)
	if err != nil {
		return err
	}
	var tasks []task.Task
	next := ""
	if q := strings.TrimSpace(get("q")); q != "" {
		tasks, err = h.search(r.Context(), q)
	} else {
		tasks, next, err = h.Store.RecentTasks(r.Context(), filter, get("cursor"), n)
	}
	if err != nil {
		return err
	}
	return h.answerTasks(w, r, tasks, next)
}

func (h *handler) answerTasks(w http.ResponseWriter, r *http.Request, tasks []task.Task, next string) error {
	names := h.configNames(r)
	views := make([]taskView, len(tasks))
	for i, t := range tasks {
		var err error
		if views[i], err = h.taskView(r, t, names); err != nil {
			return err
		}
	}
	return page(w, views, next)
}

// searchPages bounds how far back a search for another id than a task's looks.
const searchPages = 5

// search finds the tasks that have q as their id, their request's id, or a
// provider's job or request id. The last three have no index: it looks at the
// unfinished tasks and at the newest 500 that ended.
func (h *handler) search(ctx context.Context, q string) ([]task.Task, error) {
	t, err := h.Store.Task(ctx, q)
	if err == nil {
		return []task.Task{t}, nil
	}
	if !errors.Is(err, journal.ErrNotFound) {
		return nil, err
	}
	open, _, err := h.Store.OpenTasks(ctx)
	if err != nil {
		return nil, err
	}
	tasks := slices.DeleteFunc(open, func(t task.Task) bool { return t.RequestID != q && !attempted(t.Attempts, q) })
	ended, err := h.searchEnded(ctx, q)
	for _, t := range ended {
		if !slices.ContainsFunc(tasks, func(o task.Task) bool { return o.ID == t.ID }) {
			tasks = append(tasks, t)
		}
	}
	return tasks, err
}

// searchEnded looks through the newest records for q.
func (h *handler) searchEnded(ctx context.Context, q string) ([]task.Task, error) {
	var tasks []task.Task
	cursor := ""
	for range searchPages {
		records, next, err := h.Store.UsageLog(ctx, stats.UsageFilter{}, cursor, storeLimit)
		if err != nil {
			return nil, err
		}
		for _, record := range records {
			if record.RequestID != q && !attempted(record.Attempts, q) {
				continue
			}
			t, err := h.Store.Task(ctx, record.ID)
			if err == nil {
				tasks = append(tasks, t)
			} else if !errors.Is(err, journal.ErrNotFound) {
				return nil, err
			}
		}
		if cursor = next; next == "" {
			break
		}
	}
	return tasks, nil
}

func attempted(attempts []task.Attempt, q string) bool {
	for _, a := range attempts {
		if a.Job == q || a.RequestID == q || a.ID == q {
			return true
		}
	}
	return false
}

func (h *handler) task(r *http.Request) (task.Task, error) {
	t, err := h.Store.Task(r.Context(), r.PathValue("id"))
	return t, found(err, "task")
}

func (h *handler) getTask(w http.ResponseWriter, r *http.Request) error {
	t, err := h.task(r)
	if err != nil {
		return err
	}
	return h.answerTask(w, r, http.StatusOK, t)
}

func taskObject(t task.Task) audit.Object { return audit.Object{Type: "task", ID: t.ID} }

func (h *handler) cancelTask(w http.ResponseWriter, r *http.Request) error {
	t, err := h.task(r)
	if err != nil {
		return err
	}
	if t.Status.Terminal() {
		return fault.New(fault.Conflict, "the task has already ended: it is %s", t.Status)
	}
	var next task.Task
	err = h.act(r, "task.cancel", taskObject(t), t, func(ctx context.Context) (any, error) {
		next, err = h.Canceler.Cancel(ctx, t)
		return next, err
	})
	if err != nil {
		return err
	}
	return h.answerTask(w, r, http.StatusOK, next)
}

// retryTask begins a new task with the same request, for the same account and at
// today's price, as if the caller had asked again.
func (h *handler) retryTask(w http.ResponseWriter, r *http.Request) error {
	t, err := h.task(r)
	if err != nil {
		return err
	}
	if !t.Status.Terminal() || t.Status == task.Succeeded {
		return fault.New(fault.Conflict, "only a task that ended without success can be retried; this one is %s", t.Status)
	}
	ticket, err := h.ticketOf(r, t)
	if err != nil {
		return err
	}
	checked, err := h.checkAgain(r.Context(), ticket)
	if err != nil {
		return err
	}
	var placed intake.Placed
	err = h.act(r, "task.retry", taskObject(t), t, func(ctx context.Context) (any, error) {
		placed, err = h.Desk.Place(ctx, checked)
		return audit.Facts{"task": placed.Task.ID}, err
	})
	if err != nil {
		return err
	}
	return h.answerTask(w, r, http.StatusCreated, placed.Task)
}

// standIn takes the place of an input image that is in the bucket already, and
// that was checked when it came in.
const standIn = "data:image/png;base64,AAAA"

// checkAgain prices a request that was taken in once. Where that left a reference
// to the bucket in the place of an image, the desk checks a stand-in instead,
// because it lets no caller send such a reference.
func (h *handler) checkAgain(ctx context.Context, ticket intake.Ticket) (intake.Checked, error) {
	image, mask := ticket.Request.Image, ticket.Request.Mask
	for _, input := range []*string{&ticket.Request.Image, &ticket.Request.Mask} {
		if *input != "" && !strings.HasPrefix(*input, "https://") && !strings.HasPrefix(*input, "http://") {
			*input = standIn
		}
	}
	checked, err := h.Desk.Check(ctx, ticket)
	checked.Request.Image, checked.Request.Mask = image, mask
	return checked, err
}

func (h *handler) ticketOf(r *http.Request, t task.Task) (intake.Ticket, error) {
	metadata := maps.Clone(t.Metadata)
	if metadata == nil {
		metadata = map[string]string{}
	}
	metadata[retryOf] = t.ID
	ticket := intake.Ticket{
		Account: t.Account, KeyID: t.KeyID, User: t.User, RequestID: httpapi.RequestID(r.Context()),
		Request: t.Request, AsIs: true, Metadata: metadata, CallbackURL: t.CallbackURL,
	}
	key, err := httpapi.IdempotencyKey(r)
	if err != nil || key == "" {
		return ticket, err
	}
	ticket.IdempotencyKey = "retry:" + t.ID + ":" + key
	ticket.Hash, err = httpapi.Fingerprint(r, t.Request)
	return ticket, err
}
