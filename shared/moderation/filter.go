package moderation

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"unicode"
	"unicode/utf8"

	"easel/shared/fault"
	"easel/shared/intake"
)

// Verdict is what a moderation service says.
type Verdict struct {
	Flagged bool
	// Categories are the service's own words for why, for the log.
	Categories []string
}

// Remote is a moderation service.
type Remote interface {
	Moderate(ctx context.Context, texts []string) (Verdict, error)
}

// Options are what a filter works with besides its config. The zero value is
// ready to use.
type Options struct {
	// Remote is the moderation service; nil is none.
	Remote Remote
	// PolicyOf gives a request's policy; "" leaves it to the config. nil is the same.
	PolicyOf func(ctx context.Context, t intake.Ticket) Policy
	// Log hears of refusals; nil is silent.
	Log *slog.Logger
}

// Filter checks requests. It is safe for concurrent use, and an intake.Filter.
type Filter struct {
	config  Config
	options Options
	matcher *matcher
	scripts []*unicode.RangeTable
}

var _ intake.Filter = (*Filter)(nil)

// New returns a filter of the config, or the error of its Validate.
func New(c Config, o Options) (*Filter, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	m, err := newMatcher(c.Rules)
	if err != nil {
		return nil, err
	}
	scripts, err := c.scriptTables()
	if err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Filter{config: c, options: o, matcher: m, scripts: scripts}, nil
}

// Check returns nil when the request may go on. Errors: InvalidInput that names
// the field that is too long or of another script, ContentRejected when a rule or
// the service refuses, and Unavailable when the service does not answer and the
// config says to refuse then.
func (f *Filter) Check(ctx context.Context, t intake.Ticket) error {
	list := collect(t.Request)
	if err := f.checkForm(list); err != nil {
		return err
	}
	policy := f.policy(ctx, t)
	if policy == Off {
		return nil
	}
	var kept []string
	for _, one := range list {
		if one.unwanted && policy != Strict {
			continue
		}
		kept = append(kept, one.text)
		if rule, found := f.matcher.find(one.text, policy); found {
			return f.refuse(ctx, t, one.text, "rule "+rule.ID, one.field)
		}
	}
	return f.ask(ctx, t, kept, policy)
}

func (f *Filter) policy(ctx context.Context, t intake.Ticket) Policy {
	chosen := Policy("")
	if f.options.PolicyOf != nil {
		chosen = f.options.PolicyOf(ctx, t)
	}
	if !chosen.valid() {
		chosen = cmp.Or(f.config.Policy, Default)
	}
	return chosen
}

// checkForm checks length and script, which hold under every policy.
func (f *Filter) checkForm(list []part) error {
	var wrong fault.Fields
	for _, one := range list {
		if most := f.config.MaxCharacters; most > 0 && utf8.RuneCountInString(one.text) > most {
			wrong.Add(one.field, "must have at most %d characters", most)
		} else if !f.written(one.text) {
			wrong.Add(one.field, "must be written in %s", strings.Join(f.config.Scripts, ", "))
		}
	}
	return wrong.Err()
}

// written reports whether every letter is of a script that is allowed. Letters
// that belong to no script, and those of several, always are.
func (f *Filter) written(text string) bool {
	if len(f.scripts) == 0 {
		return true
	}
	for _, r := range text {
		if unicode.IsLetter(r) && !unicode.In(r, unicode.Common, unicode.Inherited) && !unicode.In(r, f.scripts...) {
			return false
		}
	}
	return true
}

// ask asks the moderation service, where the policy wants that.
func (f *Filter) ask(ctx context.Context, t intake.Ticket, texts []string, policy Policy) error {
	remote := f.config.Remote
	if f.options.Remote == nil || remote.Policy == "" || !policy.includes(remote.Policy) || len(texts) == 0 {
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, remote.timeout())
	defer cancel()
	verdict, err := f.options.Remote.Moderate(limited, texts)
	switch {
	case err != nil && ctx.Err() != nil:
		return fmt.Errorf("ask for moderation: %w", ctx.Err())
	case err != nil && remote.OnError == refuse:
		f.options.Log.WarnContext(ctx, "no moderation: the request is refused", "request_id", t.RequestID, "error", err)
		return fault.New(fault.Unavailable, "the content check is not available; try again").Because(err)
	case err != nil:
		f.options.Log.WarnContext(ctx, "no moderation: the request goes on", "request_id", t.RequestID, "error", err)
		return nil
	case verdict.Flagged:
		return f.refuse(ctx, t, strings.Join(texts, "\n"), "service "+strings.Join(verdict.Categories, ","), "")
	default:
		return nil
	}
}

// ErrRefused is the cause of every ContentRejected error of a filter.
var ErrRefused = errors.New("refused by the deployment's content filter")

// refuse logs which rule was broken, and by what, as a hash: so that the same
// text is recognised when it comes again, and cannot be read.
func (f *Filter) refuse(ctx context.Context, t intake.Ticket, text, reason, field string) error {
	sum := sha256.Sum256([]byte(text))
	f.options.Log.WarnContext(ctx, "content refused", "reason", reason, "field", field, "sha256", hex.EncodeToString(sum[:8]),
		"characters", utf8.RuneCountInString(text), "account", t.Account, "key_id", t.KeyID, "request_id", t.RequestID)
	err := fault.New(fault.ContentRejected, "the request was refused by a content policy of this service").Because(ErrRefused)
	if field != "" {
		return err.With("field", field)
	}
	return err
}
