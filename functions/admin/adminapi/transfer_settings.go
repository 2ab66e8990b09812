package adminapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"easel/shared/catalog"
	"easel/shared/fault"
	"easel/shared/moderation"
	"easel/shared/moderation/openaimod"
	"easel/shared/settings"
)

// documentSettings are the choices of the whole deployment in a document; nil is
// one that nobody has made.
type documentSettings struct {
	Moderation *moderation.Config `json:"moderation,omitempty"`
}

func (h *handler) exportSettings(ctx context.Context) (*documentSettings, error) {
	s := &documentSettings{}
	view, stored, err := h.moderation(ctx)
	if err == nil && stored.Version > 0 {
		s.Moderation = &view.Config
	}
	return s, err
}

// here is the id that a config of the document has in this deployment, where new
// ones get new ids.
func (p *plan) here(id string) string {
	if mapped, ok := p.ids[id]; ok {
		return mapped
	}
	return id
}

// routed returns the model with the configs that its routing names as they are
// called here. It warns of those that there are not.
func (p *plan) routed(at string, m catalog.Model) catalog.Model {
	arms := make([]catalog.Arm, len(m.Routing.Arms))
	for i, arm := range m.Routing.Arms {
		arm.Config = p.here(arm.Config)
		if _, ok := p.configs[arm.Config]; !ok {
			name := at + ".routing.arms[" + itoa(i) + "].config"
			p.warnings = append(p.warnings, fault.Field{Name: name, Message: "is no config of this deployment; nothing goes there"})
		}
		arms[i] = arm
	}
	if len(arms) > 0 {
		m.Routing.Arms = arms
	}
	return m
}

// planSettings decides about the deployment's settings. A document without any
// leaves them as they are; with prune, one that lacks a setting resets it.
func (h *handler) planSettings(r *http.Request, p *plan, f *fault.Fields, doc *documentSettings, prune bool) error {
	if doc == nil {
		return nil
	}
	before, stored, err := h.moderation(r.Context())
	if err != nil {
		return err
	}
	after := doc.Moderation
	if after == nil {
		if !prune || stored.Version == 0 {
			return nil
		}
		after = &moderation.Config{}
	}
	const at = "document.settings.moderation"
	if other := fieldsOf(f, at+".", after.Validate()); other != nil {
		return other
	}
	p.checkService(f, at+".remote.config", &after.Remote)
	value, err := json.Marshal(after)
	if err != nil {
		return fmt.Errorf("encode the content filter: %w", err)
	}
	f.Check(len(value) <= settings.MaxSetting, at+".rules", "must be shorter: the whole filter may have %d KB", settings.MaxSetting>>10)
	return p.addModeration(before, stored, *after, value)
}

func (p *plan) addModeration(before moderationView, stored settings.Setting, after moderation.Config, value json.RawMessage) error {
	if same(before.Config, after) {
		return p.add("setting", moderation.Setting, "", "unchanged", nil, nil)
	}
	next := settings.Setting{Name: moderation.Setting, Value: value}
	p.change.Settings = append(p.change.Settings, settingWrite(next, stored.Version))
	if stored.Version == 0 {
		return p.add("setting", moderation.Setting, "", "create", nil, next)
	}
	return p.add("setting", moderation.Setting, "", "update", stored, next)
}

// checkService names the moderation service as it is called here, and checks that
// it could be asked. A document has no keys, so a missing one is only worth a warning.
func (p *plan) checkService(f *fault.Fields, at string, remote *moderation.RemoteConfig) {
	if remote.Policy == "" && remote.Config == "" {
		return
	}
	remote.Config = p.here(remote.Config)
	c, ok := p.configs[remote.Config]
	f.Check(ok && c.Provider == openaimod.Provider, at, "must be the id of a config of the provider %s", openaimod.Provider)
	if ok && c.SecretName == "" {
		p.warnings = append(p.warnings, fault.Field{Name: at, Message: "has no key; set one, or the service is not asked"})
	}
}
