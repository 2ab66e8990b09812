package generateapi

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"easel/shared/batch"
	"easel/shared/fault"
	"easel/shared/httpapi"
)

// Batches takes and cancels batches; *batch.Engine is the one.
type Batches interface {
	Recall(ctx context.Context, account, idempotencyKey, hash string) (b batch.Batch, found bool, err error)
	Take(ctx context.Context, d batch.Draft) (b batch.Batch, replayed bool, err error)
	Cancel(ctx context.Context, b batch.Batch) (batch.Batch, error)
}

// BatchList reads batches. BatchesByAccount returns one page, newest first; next
// is "" on the last one. BatchNames returns the custom ids of a batch's requests in
// their order, nil when none has one.
type BatchList interface {
	httpapi.BatchReader
	BatchesByAccount(ctx context.Context, account, cursor string, limit int) (batches []batch.Batch, next string, err error)
	BatchNames(ctx context.Context, id string) ([]string, error)
}

const (
	defaultBatchPage = 20
	defaultItemPage  = 100
	// batchRetryAfter is how long a caller should wait before it looks at a batch
	// again, in seconds.
	batchRetryAfter = "10"
)

// createBatch takes a batch: 202 with the batch, of which nothing has begun.
func (h *handler) createBatch(w http.ResponseWriter, r *http.Request, c httpapi.Caller) error {
	body, draft, err := readBatchBody(w, r, c)
	if err != nil {
		return err
	}
	// What was taken before is right, whatever has changed since.
	b, replayed, err := h.Batches.Recall(r.Context(), c.Account, draft.IdempotencyKey, draft.Hash)
	if err != nil {
		return err
	}
	if !replayed {
		if draft, err = h.checkBatch(r, c, body, draft); err != nil {
			return err
		}
		if b, replayed, err = h.Batches.Take(r.Context(), draft); err != nil {
			return err
		}
	}
	w.Header().Set("Location", "/api/batches/"+b.ID)
	if replayed {
		w.Header().Set("Idempotent-Replayed", "true")
	}
	return answerBatch(w, http.StatusAccepted, b)
}

func answerBatch(w http.ResponseWriter, status int, b batch.Batch) error {
	if !b.Status.Ended() {
		w.Header().Set("Retry-After", batchRetryAfter)
	}
	return httpapi.Write(w, status, httpapi.BatchOf(b))
}

func (h *handler) readBatch(w http.ResponseWriter, r *http.Request, c httpapi.Caller) error {
	b, err := httpapi.OwnBatch(r.Context(), h.BatchList, r.PathValue("id"), c.Account)
	if err != nil {
		return err
	}
	return answerBatch(w, http.StatusOK, b)
}

func (h *handler) listBatches(w http.ResponseWriter, r *http.Request, c httpapi.Caller) error {
	limit, err := httpapi.Limit(r, defaultBatchPage, maxPage)
	if err != nil {
		return err
	}
	batches, next, err := h.BatchList.BatchesByAccount(r.Context(), c.Account, r.URL.Query().Get("cursor"), limit)
	if err != nil {
		return err
	}
	views := make([]httpapi.Batch, len(batches))
	for n, b := range batches {
		views[n] = httpapi.BatchOf(b)
	}
	return httpapi.Write(w, http.StatusOK, httpapi.PageOf(views, next))
}

// cancelBatch ends a batch. What is under way is canceled by the worker, so the
// answer's status is canceling unless nothing has begun.
func (h *handler) cancelBatch(w http.ResponseWriter, r *http.Request, c httpapi.Caller) error {
	b, err := httpapi.OwnBatch(r.Context(), h.BatchList, r.PathValue("id"), c.Account)
	if err != nil {
		return err
	}
	if b, err = h.Batches.Cancel(r.Context(), b); err != nil {
		return err
	}
	return answerBatch(w, http.StatusOK, b)
}

// batchItems answers with a page of a batch's requests, in their order, of one
// status where that is asked for.
func (h *handler) batchItems(w http.ResponseWriter, r *http.Request, c httpapi.Caller) error {
	query := r.URL.Query()
	status := batch.ItemStatus(query.Get("status"))
	var fields fault.Fields
	fields.Check(status == "" || slices.Contains(batch.ItemStatuses(), status), "status", "must be %s", statusList())
	first, ok := openItemCursor(query.Get("cursor"))
	fields.Check(ok, "cursor", "must be the next_cursor of an earlier page of the same list, unchanged")
	if err := fields.Err(); err != nil {
		return err
	}
	limit, err := httpapi.Limit(r, defaultItemPage, maxPage)
	if err != nil {
		return err
	}
	b, err := httpapi.OwnBatch(r.Context(), h.BatchList, r.PathValue("id"), c.Account)
	if err != nil {
		return err
	}
	names := make([]string, len(b.Items))
	if b.Named {
		if names, err = h.BatchList.BatchNames(r.Context(), b.ID); err != nil {
			return err
		}
	}
	views, next := itemPage(b, names, status, first, limit)
	return httpapi.Write(w, http.StatusOK, httpapi.PageOf(views, next))
}

// itemPage returns at most limit items from the first index on.
func itemPage(b batch.Batch, names []string, status batch.ItemStatus, first, limit int) (views []httpapi.BatchItem, next string) {
	for n := first; n < len(b.Items); n++ {
		if status != "" && b.Items[n].Shown() != status {
			continue
		}
		if len(views) == limit {
			return views, itemCursor + strconv.Itoa(n)
		}
		name := ""
		if n < len(names) {
			name = names[n]
		}
		views = append(views, httpapi.BatchItemOf(b, n, name))
	}
	return views, ""
}

// itemCursor precedes the index of the next item in a cursor.
const itemCursor = "i"

// openItemCursor returns the index in a cursor, 0 for the first page.
func openItemCursor(cursor string) (first int, ok bool) {
	if cursor == "" {
		return 0, true
	}
	text, ok := strings.CutPrefix(cursor, itemCursor)
	n, err := strconv.Atoi(text)
	return n, ok && err == nil && n >= 0 && n < batch.MaxRequests
}

func statusList() string {
	all := batch.ItemStatuses()
	words := make([]string, len(all))
	for n, s := range all {
		words[n] = string(s)
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
