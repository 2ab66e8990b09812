// Package adminapi is the operator's half of the HTTP API: everything under
// /api/admin, as docs/admin-api.md describes it.
//
// One guard in front of all routes decides who may do what: a viewer may read, an
// admin may do everything, and a caller's key may do nothing here. Every change is
// written together with its entry in the audit trail; see trail.go.
package adminapi

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"time"

	"easel/shared/apikey"
	"easel/shared/audit"
	"easel/shared/catalog"
	"easel/shared/credits"
	"easel/shared/endpoint"
	"easel/shared/failover"
	"easel/shared/fault"
	"easel/shared/httpapi"
	"easel/shared/intake"
	"easel/shared/lifecycle"
	"easel/shared/preference"
	"easel/shared/provider"
	"easel/shared/retire"
	"easel/shared/secret"
	"easel/shared/settings"
	"easel/shared/stats"
	"easel/shared/task"
	"easel/shared/usage"
)

// ConfigReader reads configs. Config returns journal.ErrNotFound.
type ConfigReader interface {
	Configs(ctx context.Context) ([]settings.Config, error)
	Config(ctx context.Context, id string) (settings.Config, error)
}

// ModelReader reads the models that operators wrote.
type ModelReader interface {
	ModelRecords(ctx context.Context) ([]audit.Model, error)
	// LastCheck returns what the daily check of models found last, the zero report
	// when there was none.
	LastCheck(ctx context.Context) (retire.Report, error)
}

// KeyReader reads API keys. Key returns journal.ErrNotFound.
type KeyReader interface {
	Key(ctx context.Context, id string) (apikey.Key, error)
	Keys(ctx context.Context, cursor string, limit int) ([]apikey.Key, string, error)
	KeysByAccount(ctx context.Context, account, cursor string, limit int) ([]apikey.Key, string, error)
}

// AccountReader reads accounts and their ledgers. AccountRecord returns journal.ErrNotFound.
type AccountReader interface {
	AccountRecord(ctx context.Context, id string) (audit.Account, error)
	AccountRecords(ctx context.Context, prefix, cursor string, limit int) ([]audit.Account, string, error)
	MonthCharges(ctx context.Context, accounts []string, month time.Time) (map[string]int64, error)
	Ledger(ctx context.Context, account, cursor string, limit int) ([]credits.Entry, string, error)
	TaskLedger(ctx context.Context, account, taskID string) ([]credits.Entry, error)
}

// TaskReader reads tasks of all accounts. Task returns journal.ErrNotFound.
type TaskReader interface {
	Task(ctx context.Context, id string) (task.Task, error)
	OpenTasks(ctx context.Context) (tasks []task.Task, more bool, err error)
	RecentTasks(ctx context.Context, f stats.TaskFilter, cursor string, limit int) ([]task.Task, string, error)
	UsageLog(ctx context.Context, f stats.UsageFilter, cursor string, limit int) ([]usage.Record, string, error)
}

// SettingReader reads the deployment's settings; one that nobody wrote has version 0.
type SettingReader interface {
	Setting(ctx context.Context, name string) (settings.Setting, error)
}

// EndpointReader reads what is known of an account's endpoints.
type EndpointReader interface {
	Endpoints(ctx context.Context, account string) (endpoint.Book, error)
}

// PreferenceReader reads what accounts prefer; what nobody wrote has version 0.
type PreferenceReader interface {
	Preferences(ctx context.Context, account string) (preference.Record, error)
}

// Trail writes operators' changes and keeps the audit trail.
type Trail interface {
	Commit(ctx context.Context, c audit.Change) error
	Note(ctx context.Context, e audit.Entry) error
	Audit(ctx context.Context, f audit.Filter, cursor string, limit int) ([]audit.Entry, string, error)
}

// Store is what the handlers read and write; *dynamo.Store is the one.
type Store interface {
	ConfigReader
	ModelReader
	KeyReader
	AccountReader
	TaskReader
	SettingReader
	PreferenceReader
	EndpointReader
	NoticeReader
	Trail
	stats.Source
}

// Secrets keeps the providers' keys by name.
type Secrets interface {
	Get(ctx context.Context, name string) (secret.Value, error)
	Put(ctx context.Context, name string, value secret.Value) error
	Delete(ctx context.Context, name string) error
}

// Desk takes requests in, as for a caller; *intake.Desk is the one.
type Desk interface {
	CheckPreferences(ctx context.Context, s preference.Set) error
	Check(ctx context.Context, t intake.Ticket) (intake.Checked, error)
	Place(ctx context.Context, c intake.Checked) (intake.Placed, error)
}

// Views gives what is configured, as the gateway sees it.
type Views interface {
	View(ctx context.Context) (catalog.View, error)
}

// Canceler ends a task; *lifecycle.Runner is the one.
type Canceler interface {
	Cancel(ctx context.Context, t task.Task) (task.Task, error)
}

// Redeliverer makes an ended task's report due again; *lifecycle.Engine is the one.
type Redeliverer interface {
	Redeliver(ctx context.Context, t task.Task) (task.Task, error)
}

// Login is how people log in with an identity provider (authorization code, PKCE).
type Login interface {
	// Describe says where the browser goes.
	Describe() LoginForm
	// Exchange trades the code for a token that the API accepts.
	Exchange(ctx context.Context, code, verifier, redirectURI string) (token string, expires time.Time, err error)
}

// LoginForm is what a browser needs to begin a login.
type LoginForm struct {
	AuthorizationEndpoint string `json:"authorization_endpoint"`
	ClientID              string `json:"client_id"`
	Scope                 string `json:"scope"`
}

var (
	_ Canceler    = (*lifecycle.Runner)(nil)
	_ Redeliverer = (*lifecycle.Engine)(nil)
	_ Desk        = (*intake.Desk)(nil)
)

// Deps are what the handlers work with. All are required but where it says so.
type Deps struct {
	Auth     httpapi.Authenticator
	Store    Store
	Secrets  Secrets
	Desk     Desk
	Canceler Canceler
	Reports  Redeliverer
	// Notices sends what the operator's endpoint is told.
	Notices Courier
	// Endpoints are the accounts' webhooks.
	Endpoints Endpoints
	Queue     lifecycle.Queue
	Signer    httpapi.Signer
	Prober    Prober
	// Health may be nil: then the health of a config is read from its last attempts.
	Health Health
	// Monitor closes breakers and says what is ready; nil shares no health.
	Monitor Monitor
	// Views and Latencies explain routing; Latencies may be nil.
	Views     Views
	Latencies failover.Latencies
	// Login may be nil: then there are keys only.
	Login Login
	// Providers are the protocols that a config may speak.
	Providers []provider.Description
	// CheckURL says what is wrong with a base URL, in words that follow the
	// field's name; it is where loopback is allowed in local mode only.
	CheckURL func(raw string) error
	// CheckData says what is wrong with the data of a provider's config; nil accepts all.
	CheckData func(providerName string, data json.RawMessage) error
	// Simulated says which configs talk to a built-in simulator; nil means none.
	Simulated func(c settings.Config) bool
	// AllowReveal lets admins read stored keys back.
	AllowReveal bool
	// Simulator is true when the /simulator routes exist.
	Simulator bool
	Facts     Facts
	Now       func() time.Time
	NewID     func(prefix string) string
	Log       *slog.Logger
}

type handler struct{ Deps }

// Patterns are the paths that [New] serves, for a mux that holds several functions.
func Patterns() []string { return []string{"/api/admin/"} }

// New returns the function's handler.
func New(d Deps) http.Handler {
	h := &handler{d}
	open := httpapi.NewMux()
	open.Handle("GET /api/admin/login", httpapi.Handler(h.login))
	open.Handle("POST /api/admin/login/oidc", httpapi.Handler(h.exchange))
	open.Handle("/", h.guarded(h.routes()))
	return httpapi.Wrap(open, d.Log)
}

// routes serves every route that needs a role.
func (h *handler) routes() http.Handler {
	mux := httpapi.NewMux()
	for pattern, f := range h.table() {
		mux.Handle(pattern, httpapi.Handler(f))
	}
	return mux
}

// table holds every route that needs a role.
func (h *handler) table() map[string]httpapi.HandlerFunc {
	table := h.settingTable()
	maps.Copy(table, h.objectTable())
	return table
}

// objectTable are the routes of what the operator keeps and of what is done.
func (h *handler) objectTable() map[string]httpapi.HandlerFunc {
	return map[string]httpapi.HandlerFunc{
		"GET /api/admin/session":   h.session,
		"GET /api/admin/settings":  h.settings,
		"GET /api/admin/providers": h.providers,
		"GET /api/admin/health":    h.health,
		"GET /api/admin/stats":     h.stats,
		"GET /api/admin/audit":     h.audit,
		"GET /api/admin/export":    h.export,
		"POST /api/admin/import":   h.importDocument,

		"GET /api/admin/configs":                 h.listConfigs,
		"POST /api/admin/configs":                h.createConfig,
		"GET /api/admin/configs/{id}":            h.getConfig,
		"PUT /api/admin/configs/{id}":            h.putConfig,
		"PATCH /api/admin/configs/{id}":          h.patchConfig,
		"DELETE /api/admin/configs/{id}":         h.deleteConfig,
		"POST /api/admin/configs/reorder":        h.reorderConfigs,
		"POST /api/admin/configs/test":           h.testDraft,
		"POST /api/admin/configs/{id}/duplicate": h.duplicateConfig,
		"PUT /api/admin/configs/{id}/key":        h.putConfigKey,
		"POST /api/admin/configs/{id}/reset":     h.resetHealth,
		"POST /api/admin/route":                  h.route,
		"DELETE /api/admin/configs/{id}/key":     h.deleteConfigKey,
		"POST /api/admin/configs/{id}/reveal":    h.revealConfigKey,
		"POST /api/admin/configs/{id}/test":      h.testConfig,

		"GET /api/admin/usage":              h.listUsage,
		"GET /api/admin/usage/{id}":         h.getUsage,
		"GET /api/admin/tasks":              h.listTasks,
		"GET /api/admin/tasks/{id}":         h.getTask,
		"POST /api/admin/tasks/{id}/cancel": h.cancelTask,
		"POST /api/admin/tasks/{id}/retry":  h.retryTask,

		"GET /api/admin/accounts":                   h.listAccounts,
		"POST /api/admin/accounts":                  h.createAccount,
		"GET /api/admin/accounts/{id}":              h.getAccount,
		"PATCH /api/admin/accounts/{id}":            h.patchAccount,
		"POST /api/admin/accounts/{id}/grants":      h.grant,
		"POST /api/admin/accounts/{id}/adjustments": h.adjust,
		"GET /api/admin/accounts/{id}/ledger":       h.ledger,

		"GET /api/admin/accounts/{id}/webhooks":         h.getWebhooks,
		"POST /api/admin/accounts/{id}/webhooks/rotate": h.rotateWebhooks,
		"POST /api/admin/accounts/{id}/webhooks/enable": h.enableEndpoint,

		"GET /api/admin/accounts/{id}/preferences":   h.getPreferences,
		"PUT /api/admin/accounts/{id}/preferences":   h.putPreferences,
		"PATCH /api/admin/accounts/{id}/preferences": h.patchPreferences,

		"GET /api/admin/keys":              h.listKeys,
		"POST /api/admin/keys":             h.createKey,
		"GET /api/admin/keys/{id}":         h.getKey,
		"PATCH /api/admin/keys/{id}":       h.patchKey,
		"POST /api/admin/keys/{id}/revoke": h.revokeKey,
		"POST /api/admin/keys/{id}/rotate": h.rotateKey,

		"GET /api/admin/models":           h.listModels,
		"GET /api/admin/models/findings":  h.modelFindings,
		"PUT /api/admin/models/{name}":    h.putModel,
		"DELETE /api/admin/models/{name}": h.deleteModel,

		"GET /api/admin/deliveries":                 h.listDeliveries,
		"GET /api/admin/deliveries/{id}":            h.getDelivery,
		"POST /api/admin/deliveries/{id}/redeliver": h.redeliver,
	}
}

// settingTable are the routes of what the whole deployment is told.
func (h *handler) settingTable() map[string]httpapi.HandlerFunc {
	return map[string]httpapi.HandlerFunc{
		"GET /api/admin/settings/moderation":            h.getModeration,
		"PUT /api/admin/settings/moderation":            h.putModeration,
		"GET /api/admin/settings/notifications":         h.getNotifications,
		"PUT /api/admin/settings/notifications":         h.putNotifications,
		"POST /api/admin/settings/notifications/secret": h.rotateNotifications,
		"POST /api/admin/settings/notifications/test":   h.testNotifications,
		"GET /api/admin/notifications":                  h.listNotifications,
		"POST /api/admin/notifications/{id}/redeliver":  h.redeliverNotification,
	}
}

type callerKey struct{}

// guarded lets viewers read and admins do everything; it knows no route, so no
// route can forget it.
func (h *handler) guarded(next http.Handler) http.Handler {
	return httpapi.Guarded(h.Auth, apikey.Viewer, func(w http.ResponseWriter, r *http.Request, c httpapi.Caller) error {
		reads := r.Method == http.MethodGet || r.Method == http.MethodHead
		if !reads && !c.May(apikey.Admin) {
			return fault.New(fault.Forbidden, "a viewer may read, and change nothing; this needs the scope %q", apikey.Admin)
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, c)))
		return nil
	})
}

// callerOf returns who makes the request; behind the guard there always is one.
func callerOf(r *http.Request) httpapi.Caller {
	c, _ := r.Context().Value(callerKey{}).(httpapi.Caller)
	return c
}
