package app

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"

	"easel/shared/fault"
	"easel/shared/httpapi"
	"easel/shared/intake"
	"easel/shared/moderation"
	"easel/shared/moderation/openaimod"
	"easel/shared/secret"
	"easel/shared/secrets"
)

// contentFilter is the content filter as the operator has set it, which a change
// of the setting replaces within seconds.
type contentFilter struct {
	views   *Views
	keys    httpapi.KeyLookup
	secrets secrets.Store
	// client asks the moderation service; it follows no redirects.
	client *http.Client
	log    *slog.Logger

	mu      sync.Mutex
	version int64
	made    *moderation.Filter
}

var _ intake.Filter = (*contentFilter)(nil)

// Check refuses what the filter in force refuses. A setting that cannot be read
// refuses everything: a filter that is not there must not look like one that
// found nothing.
func (f *contentFilter) Check(ctx context.Context, t intake.Ticket) error {
	filter, err := f.filter(ctx)
	if err != nil {
		return err
	}
	return filter.Check(ctx, t)
}

// filter returns the compiled filter, and compiles it only when it has changed.
func (f *contentFilter) filter(ctx context.Context) (*moderation.Filter, error) {
	setting, err := f.views.Moderation(ctx)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.made != nil && f.version == setting.Version {
		return f.made, nil
	}
	config := moderation.Config{}
	if setting.Version > 0 {
		if config, err = moderation.Parse(setting.Value); err != nil {
			return nil, misset(err)
		}
	}
	made, err := moderation.New(config, moderation.Options{
		Remote: moderationService{f, config.Remote.Config}, PolicyOf: f.policyOf, Log: f.log,
	})
	if err != nil {
		return nil, misset(err)
	}
	f.made, f.version = made, setting.Version
	return made, nil
}

// misset says that the stored setting has a mistake, which is the operator's to
// mend and not the caller's, whatever code err has.
func misset(err error) error {
	return fault.New(fault.Unavailable, "the content check is not available; try again").Because(fmt.Errorf("read the setting of the content filter: %w", err))
}

// policyOf is the policy of the key that a request was made with. The key was
// looked up to let the request in, so it is remembered here.
func (f *contentFilter) policyOf(ctx context.Context, t intake.Ticket) moderation.Policy {
	if t.KeyID == "" {
		return ""
	}
	key, err := f.keys.Key(ctx, t.KeyID)
	if err != nil && !Missing(err) {
		f.log.WarnContext(ctx, "the deployment's content policy stands in for a key's, which could not be read", "key_id", t.KeyID, "error", err)
	}
	return moderation.Policy(key.Moderation)
}

// moderationService asks OpenAI's moderation with the base URL and key of a config.
type moderationService struct {
	*contentFilter

	config string
}

// Moderate asks the service. That the config is gone is an error like any other
// silence of the service: the setting says what it means for the request.
func (s moderationService) Moderate(ctx context.Context, texts []string) (moderation.Verdict, error) {
	view, err := s.views.View(ctx)
	if err != nil {
		return moderation.Verdict{}, err
	}
	for _, c := range view.Configs {
		if c.ID != s.config || c.Provider != openaimod.Provider {
			continue
		}
		client := openaimod.Client{BaseURL: c.BaseURL, HTTP: s.client, Key: func(ctx context.Context) (secret.Value, error) {
			return s.secrets.Get(ctx, c.SecretName)
		}}
		return client.Moderate(ctx, texts)
	}
	return moderation.Verdict{}, fmt.Errorf("there is no openai config %q to ask for moderation with", s.config)
}
