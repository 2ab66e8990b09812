// Package generateapi is the HTTP side of the generate function: it takes image
// and video requests in, on the gateway's own routes and on those that OpenAI's
// clients know, and says what models there are and what they cost.
package generateapi

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"easel/shared/apikey"
	"easel/shared/catalog"
	"easel/shared/credits"
	"easel/shared/endpoint"
	"easel/shared/httpapi"
	"easel/shared/intake"
	"easel/shared/lifecycle"
	"easel/shared/preference"
	"easel/shared/quota"
	"easel/shared/secret"
	"easel/shared/task"
)

// Desk takes requests in; *intake.Desk is the one.
type Desk interface {
	CheckPreferences(ctx context.Context, s preference.Set) error
	Check(ctx context.Context, t intake.Ticket) (intake.Checked, error)
	Place(ctx context.Context, c intake.Checked) (intake.Placed, error)
	CheckBeside(ctx context.Context, t intake.Ticket) (intake.Ticket, error)
}

// Views gives what the operator has configured.
type Views interface {
	View(ctx context.Context) (catalog.View, error)
}

// Accounts reads balances and ledgers. Account returns journal.ErrNotFound for
// one that does not exist; Ledger's next is "" on the last page.
type Accounts interface {
	Account(ctx context.Context, id string) (credits.Account, error)
	Ledger(ctx context.Context, account, cursor string, limit int) (entries []credits.Entry, next string, err error)
}

// Quotas reads how far monthly limits are used; *quota.Book is the one.
type Quotas interface {
	Report(ctx context.Context, a credits.Account, user string, models []catalog.Model) (quota.Report, error)
}

// Endpoints knows what signs an account's reports; *endpoint.Registry is the one.
type Endpoints interface {
	Book(ctx context.Context, account string) (endpoint.Book, error)
	Rotate(ctx context.Context, account string) (secret.Value, endpoint.Book, error)
}

// Preferences keeps what accounts prefer; *preference.Book is the one. Save returns
// an error that matches journal.ErrStale when the stored version is not expect.
type Preferences interface {
	Current(ctx context.Context, account string) (preference.Record, error)
	Save(ctx context.Context, account string, s preference.Set, expect int64) error
}

// Files reads stored outputs. The caller closes the reader.
type Files interface {
	OpenFile(ctx context.Context, key string) (io.ReadCloser, error)
}

// Canceler ends a task at its caller's wish; *lifecycle.Runner is the one.
type Canceler interface {
	Cancel(ctx context.Context, t task.Task) (task.Task, error)
}

var _ Canceler = (*lifecycle.Runner)(nil)

// Deps are what the handlers work with. All are required but where it says so.
type Deps struct {
	Auth      httpapi.Authenticator
	Desk      Desk
	Views     Views
	Accounts  Accounts
	Quotas    Quotas
	Endpoints Endpoints
	// Preferences are what accounts prefer.
	Preferences Preferences
	// Batches take sets of requests, and BatchList reads them.
	Batches   Batches
	BatchList BatchList
	Tasks     httpapi.TaskReader
	Canceler  Canceler
	Signer    httpapi.Signer
	Files     Files
	// MaxWait is the longest that a request waits for its task; 0 is five minutes.
	MaxWait time.Duration
	Log     *slog.Logger
	Now     func() time.Time
}

// defaultMaxWait is the most that Prefer: wait can ask for.
const defaultMaxWait = 300 * time.Second

type handler struct{ Deps }

// Patterns are the paths that [New] serves, for a mux that holds several functions.
func Patterns() []string {
	return []string{
		"/api/generate", "/api/generate/", "/api/batches", "/api/batches/", "/api/quote", "/api/models", "/api/account", "/api/account/",
		"/v1/images/", "/v1/models", "/v1/models/", "/v1/videos", "/v1/videos/",
	}
}

// New returns the function's handler.
func New(d Deps) http.Handler {
	if d.MaxWait == 0 {
		d.MaxWait = defaultMaxWait
	}
	h := &handler{d}
	mux := httpapi.NewMux()
	route := func(pattern string, scope apikey.Scope, f httpapi.CallerFunc) {
		mux.Handle(pattern, httpapi.Guarded(d.Auth, scope, f))
	}
	creating := func(pattern string, f httpapi.CallerFunc) { mux.Handle(pattern, httpapi.CreatingPerUser(d.Auth, f)) }
	creating("POST /api/generate", h.generate)
	creating("POST /api/generate/image", h.seedImage)
	creating("POST /api/generate/video", h.seedVideo)
	mux.Handle("POST /api/batches", httpapi.Creating(d.Auth, h.createBatch))
	route("GET /api/batches", apikey.Read, h.listBatches)
	route("GET /api/batches/{id}", apikey.Read, h.readBatch)
	route("GET /api/batches/{id}/items", apikey.Read, h.batchItems)
	route("POST /api/batches/{id}/cancel", apikey.Generate, h.cancelBatch)
	route("POST /api/quote", apikey.Read, h.quote)
	route("GET /api/models", apikey.Read, h.models)
	route("GET /api/account", apikey.Read, h.account)
	route("GET /api/account/ledger", apikey.Read, h.ledger)
	route("GET /api/account/webhook-secret", apikey.Read, h.webhookSecret)
	route("POST /api/account/webhook-secret/rotate", apikey.Generate, h.rotateWebhookSecret)
	route("GET /api/account/preferences", apikey.Read, h.preferences)
	route("PUT /api/account/preferences", apikey.Generate, h.putPreferences)
	route("PATCH /api/account/preferences", apikey.Generate, h.patchPreferences)
	creating("POST /v1/images/generations", h.openAIGenerate)
	creating("POST /v1/images/edits", h.openAIEdit)
	route("GET /v1/models", apikey.Read, h.openAIModels)
	route("GET /v1/models/{model}", apikey.Read, h.openAIModel)
	creating("POST /v1/videos", h.createVideo)
	route("GET /v1/videos/{id}", apikey.Read, h.readVideo)
	route("GET /v1/videos/{id}/content", apikey.Read, h.videoContent)
	route("DELETE /v1/videos/{id}", apikey.Generate, h.deleteVideo)
	return httpapi.Wrap(mux, d.Log)
}
