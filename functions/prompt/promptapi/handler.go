// Package promptapi is the HTTP side of the prompt function: text, whole or as a
// stream, on the gateway's own route and on the one that OpenAI's clients know.
package promptapi

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"easel/shared/apikey"
	"easel/shared/httpapi"
	"easel/shared/intake"
)

// Desk takes requests in; *intake.Desk is the one.
type Desk interface {
	Check(ctx context.Context, t intake.Ticket) (intake.Checked, error)
	Place(ctx context.Context, c intake.Checked) (intake.Placed, error)
	Stream(ctx context.Context, c intake.Checked, emit func(text string) error) (intake.Placed, error)
}

// Deps are what the handlers work with. All are required but where it says so.
type Deps struct {
	Auth httpapi.Authenticator
	Desk Desk
	// Preferences may be nil; then a preset has the language that its caller writes in.
	Preferences intake.Preferences
	// MaxWait is the longest that a request waits for its text; 0 is four minutes,
	// more than a text task may take.
	MaxWait time.Duration
	Log     *slog.Logger
	Now     func() time.Time
}

const defaultMaxWait = 4 * time.Minute

type handler struct {
	Deps

	presets presets
}

// Patterns are the paths that [New] serves, for a mux that holds several functions.
func Patterns() []string { return []string{"/api/prompt", "/api/prompt/", "/v1/chat/"} }

// New returns the function's handler.
func New(d Deps) http.Handler {
	if d.MaxWait == 0 {
		d.MaxWait = defaultMaxWait
	}
	h := &handler{Deps: d, presets: builtinPresets()}
	mux := httpapi.NewMux()
	mux.Handle("POST /api/prompt", httpapi.CreatingPerUser(d.Auth, h.prompt))
	mux.Handle("GET /api/prompt/presets", httpapi.Guarded(d.Auth, apikey.Read, h.listPresets))
	mux.Handle("POST /v1/chat/completions", httpapi.CreatingPerUser(d.Auth, h.chat))
	return httpapi.Wrap(mux, d.Log)
}
