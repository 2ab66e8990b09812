package adminapi

import (
	"net/http"
	"strings"
	"time"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/httpapi"
	"easel/shared/secret"
	"easel/shared/stats"
	"easel/shared/task"
	"easel/shared/usage"
)

// attemptView is an attempt as operators see it. It leaves out the provider's own
// URLs, which may carry tokens.
type attemptView struct {
	No         int              `json:"no"`
	ID         string           `json:"id"`
	Config     string           `json:"config"`
	ConfigName string           `json:"config_name,omitempty"`
	Provider   string           `json:"provider"`
	Model      string           `json:"model,omitempty"`
	Outcome    task.Outcome     `json:"outcome"`
	Class      fault.Class      `json:"class,omitempty"`
	Message    string           `json:"message,omitempty"`
	Detail     string           `json:"detail,omitempty"`
	Status     int              `json:"status,omitempty"`
	RequestID  string           `json:"request_id,omitempty"`
	Job        string           `json:"job,omitempty"`
	Polls      int              `json:"polls,omitempty"`
	StartedAt  time.Time        `json:"started_at"`
	EndedAt    time.Time        `json:"ended_at,omitzero"`
	LatencyMS  int64            `json:"latency_ms"`
	Usage      generation.Usage `json:"usage"`
}

func attemptViews(attempts []task.Attempt, names map[string]string) []attemptView {
	redactor := secret.NewRedactor() // drivers redact what they know; this is the last line of defence
	views := make([]attemptView, len(attempts))
	for i, a := range attempts {
		views[i] = attemptView{
			No: a.No, ID: a.ID, Config: a.Config, ConfigName: names[a.Config], Provider: a.Provider, Model: a.Model,
			Outcome: a.Outcome, Class: a.Class, Message: redactor.String(a.Message), Detail: redactor.String(a.Detail),
			Status: a.Status, RequestID: redactor.String(a.RequestID), Job: a.Job, Polls: a.Polls,
			StartedAt: a.StartedAt, EndedAt: a.EndedAt, LatencyMS: a.LatencyMS, Usage: a.Usage,
		}
	}
	return views
}

// recordView is a line of the usage log. Its attempts replace the record's own.
type recordView struct {
	usage.Record

	Attempts []attemptView       `json:"attempts"`
	Request  *generation.Request `json:"request,omitempty"`
	Error    *task.Error         `json:"error,omitempty"`
}

func (h *handler) listUsage(w http.ResponseWriter, r *http.Request) error {
	get, err := queryOf(r, "from", "to", "status", "kind", "model", "provider", "config", "account", "key", "code", "cursor", "limit")
	if err != nil {
		return err
	}
	var f fault.Fields
	filter := stats.UsageFilter{
		From: timeOf(get, "from", &f), To: timeOf(get, "to", &f),
		Status: task.Status(get("status")), Kind: generation.Kind(get("kind")), Model: get("model"),
		Provider: get("provider"), Config: get("config"), Account: get("account"), Key: get("key"), Code: get("code"),
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
	records, next, err := h.Store.UsageLog(r.Context(), filter, get("cursor"), n)
	if err != nil {
		return err
	}
	names := h.configNames(r)
	views := make([]recordView, len(records))
	for i, record := range records {
		views[i] = recordView{Record: record, Attempts: attemptViews(record.Attempts, names)}
	}
	return page(w, views, next)
}

func checkStatus(f *fault.Fields, s task.Status) {
	f.Check(s == "" || s.Valid(), "status", "must be queued, processing, succeeded, failed, canceled or expired")
}

func checkKind(f *fault.Fields, k generation.Kind) {
	f.Check(k == "" || k.Valid(), "kind", "must be image, video or text")
}

// getUsage shows one record with what was asked for. It is made from the task,
// which is kept at least as long as its record, by the rule that made the record.
func (h *handler) getUsage(w http.ResponseWriter, r *http.Request) error {
	t, err := h.Store.Task(r.Context(), r.PathValue("id"))
	if err != nil {
		return found(err, "usage record")
	}
	if !t.Status.Terminal() {
		return fault.New(fault.NotFound, "the task has not ended, so it is not in the usage log yet")
	}
	record := usage.Of(t)
	request := shortened(t.Request)
	return httpapi.Write(w, http.StatusOK, recordView{
		Record: record, Attempts: attemptViews(record.Attempts, h.configNames(r)), Request: &request, Error: t.Error,
	})
}

const shownData = 64

// shortened returns the request with its data URLs cut to their beginning.
func shortened(r generation.Request) generation.Request {
	r.Image, r.Mask = shortData(r.Image), shortData(r.Mask)
	return r
}

func shortData(url string) string {
	if strings.HasPrefix(url, "data:") && len(url) > shownData {
		return url[:shownData] + "…"
	}
	return url
}
