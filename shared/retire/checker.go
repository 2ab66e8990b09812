package retire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"time"

	"easel/shared/audit"
	"easel/shared/catalog"
	"easel/shared/fault"
	"easel/shared/provider"
	"easel/shared/secret"
	"easel/shared/settings"
)

// Store keeps the last report, and sees to it that of all processes only one
// checks at a time; *dynamo.Store is the one.
type Store interface {
	// ClaimCheck takes the check until the given moment if it is due at now. When it
	// is not, ok is false and next says when it will be.
	ClaimCheck(ctx context.Context, now, until time.Time) (ok bool, next time.Time, err error)
	// SaveCheck replaces the report and makes the next check due.
	SaveCheck(ctx context.Context, r Report, next time.Time) error
	// LastCheck returns the last report, the zero one when there is none.
	LastCheck(ctx context.Context) (Report, error)
}

// Trail keeps entries for operators; *dynamo.Store is the one.
type Trail interface {
	Note(ctx context.Context, e audit.Entry) error
}

// Views gives what the operator has configured.
type Views interface {
	View(ctx context.Context) (catalog.View, error)
}

// Keys gives the providers' keys by their names in the secret store.
type Keys interface {
	Get(ctx context.Context, name string) (secret.Value, error)
}

// Parts are what a Checker works with. All are required but where it says so.
type Parts struct {
	Store     Store
	Views     Views
	Providers map[string]provider.Provider
	Keys      Keys
	// Trail may be nil: then findings are in the report and the log alone.
	Trail Trail
	// Prepare completes a call for its config, such as for a proxy; nil does nothing.
	Prepare func(ctx context.Context, c *provider.Call, config settings.Config) error
	// Delay is how long after its making a Checker checks first.
	Delay time.Duration
	Now   func() time.Time
	NewID func(prefix string) string
	Log   *slog.Logger
}

const (
	every = 24 * time.Hour
	// claim is how long others leave a check alone that somebody began and did not end.
	claim = time.Hour
	// checkTime bounds a check, and listTime one vendor's list.
	checkTime = 30 * time.Second
	listTime  = 10 * time.Second
	// maxConfigs is how many configs one check looks at.
	maxConfigs = 100
)

// Checker makes the daily check. It is safe for concurrent use, in one process or many.
type Checker struct {
	Parts

	mu   sync.Mutex
	next time.Time
}

// New returns a checker of the parts.
func New(p Parts) *Checker { return &Checker{Parts: p, next: p.Now().Add(p.Delay)} }

// Check looks at every active config, if no process did so within a day. It asks
// each vendor once for each key, which costs nothing there, for at most half a
// minute. Between checks it costs nothing at all: a process asks the store only
// when it knows of no later time. An error says that the check could not be made;
// a vendor that cannot be asked is a part of the report.
func (c *Checker) Check(ctx context.Context) error {
	now := c.Now()
	if !c.due(now) {
		return nil
	}
	ok, next, err := c.Store.ClaimCheck(ctx, now, now.Add(claim))
	if err != nil {
		return fmt.Errorf("claim the check of models: %w", err)
	}
	if !ok {
		c.wait(next)
		return nil
	}
	c.wait(now.Add(claim))
	report, fresh, err := c.report(ctx, now)
	if err != nil {
		return err
	}
	if err := c.Store.SaveCheck(ctx, report, now.Add(every)); err != nil {
		return fmt.Errorf("save the check of models: %w", err)
	}
	c.wait(now.Add(every))
	c.tell(ctx, report, fresh)
	return nil
}

func (c *Checker) due(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !now.Before(c.next)
}

func (c *Checker) wait(next time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next = next
}

func (c *Checker) report(ctx context.Context, now time.Time) (r Report, fresh []Finding, err error) {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	view, err := c.Views.View(ctx)
	if err != nil {
		return r, nil, fmt.Errorf("read the configuration: %w", err)
	}
	before, err := c.Store.LastCheck(ctx)
	if err != nil {
		return r, nil, fmt.Errorf("read the last check of models: %w", err)
	}
	models := view.Models.Models()
	r = Report{CheckedAt: now, Findings: dated(models, now), Skipped: []Skip{}}
	lists := &lists{checker: c, known: map[source]list{}}
	for _, config := range view.Configs {
		lister, ok := c.Providers[config.Provider].(provider.Lister)
		if !ok || !config.Active {
			continue
		}
		if r.Configs+len(r.Skipped) == maxConfigs {
			c.Log.WarnContext(ctx, "not every config was compared with its vendor's models", "most", maxConfigs)
			break
		}
		listed, err := lists.of(ctx, lister, config)
		if err != nil {
			r.Skipped = append(r.Skipped, Skip{Config: config.ID, Provider: config.Provider, Reason: reason(err)})
			continue
		}
		r.Configs++
		r.Findings = append(r.Findings, compare(demands(models, config), listed, config, now)...)
	}
	if r.Findings == nil {
		r.Findings = []Finding{}
	}
	return r, settle(&r, before), nil
}

// reason is why a list could not be had, without a vendor's words.
func reason(err error) string {
	if errors.Is(err, errEmpty) {
		return err.Error()
	}
	if f, ok := errors.AsType[*fault.Failure](err); ok {
		return f.Class.Public()
	}
	return "the config's key could not be read, or the call not prepared"
}

// tell logs what the check came to, and puts what is new into the trail.
func (c *Checker) tell(ctx context.Context, r Report, fresh []Finding) {
	level := slog.LevelInfo
	if len(r.Findings) > 0 {
		level = slog.LevelWarn
	}
	c.Log.Log(ctx, level, "compared the catalog with the vendors' models",
		"configs", r.Configs, "findings", len(r.Findings), "new", len(fresh), "skipped", len(r.Skipped))
	for _, f := range fresh {
		c.Log.WarnContext(ctx, "a model needs an operator", "problem", f.Problem, "model", f.Model,
			"upstream", f.Upstream, "config", f.Config, "retires_at", f.RetiresAt)
		if c.Trail == nil {
			continue
		}
		if err := c.Trail.Note(ctx, c.entry(f)); err != nil {
			c.Log.WarnContext(ctx, "a finding is not in the trail", "model", f.Model, "error", err)
		}
	}
}

func (c *Checker) entry(f Finding) audit.Entry {
	after, err := json.Marshal(f)
	if err != nil { // a year beyond 9999
		after = []byte(strconv.Quote(string(f.Problem)))
	}
	return audit.Entry{
		ID: c.NewID("audit_"), At: f.Since, Action: "model." + string(f.Problem), After: after,
		Actor:  audit.Actor{Type: "system", ID: "model-check", Name: "daily check of models"},
		Object: audit.Object{Type: "model", ID: f.Model, Name: f.Model},
	}
}

// source is one vendor's list as one key sees it.
type source struct{ provider, baseURL, key string }

type list struct {
	models []provider.Model
	err    error
}

// lists asks every source once.
type lists struct {
	checker *Checker
	known   map[source]list
}

// errEmpty is a list that cannot be right: it would declare every model missing.
var errEmpty = errors.New("the vendor's list of models is empty")

func (l *lists) of(ctx context.Context, lister provider.Lister, config settings.Config) ([]provider.Model, error) {
	key, err := l.key(ctx, config)
	if err != nil {
		return nil, err
	}
	from := source{config.Provider, config.BaseURL, key.Reveal()}
	known, ok := l.known[from]
	if !ok {
		known.models, known.err = l.ask(ctx, lister, config, key)
		l.known[from] = known
	}
	return slices.Clone(known.models), known.err
}

func (l *lists) key(ctx context.Context, config settings.Config) (secret.Value, error) {
	if config.SecretName == "" {
		return secret.Value{}, nil
	}
	return l.checker.Keys.Get(ctx, config.SecretName)
}

func (l *lists) ask(ctx context.Context, lister provider.Lister, config settings.Config, key secret.Value) ([]provider.Model, error) {
	ctx, cancel := context.WithTimeout(ctx, listTime)
	defer cancel()
	c := l.checker
	now := c.Now()
	call := provider.Call{BaseURL: config.BaseURL, Key: key, Data: config.Data, StartedAt: now, ExpiresAt: now.Add(listTime)}
	if c.Prepare != nil {
		if err := c.Prepare(ctx, &call, config); err != nil {
			return nil, err
		}
	}
	models, err := lister.Models(ctx, call)
	if err == nil && len(models) == 0 {
		err = errEmpty
	}
	return models, err
}
