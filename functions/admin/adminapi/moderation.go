package adminapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"easel/shared/audit"
	"easel/shared/fault"
	"easel/shared/httpapi"
	"easel/shared/moderation"
	"easel/shared/moderation/openaimod"
	"easel/shared/settings"
)

// moderationView is the content filter as operators read it. Version 0 is the
// filter that refuses nothing, which nobody has changed.
type moderationView struct {
	moderation.Config

	Version int64 `json:"version"`
}

func (h *handler) moderation(ctx context.Context) (moderationView, settings.Setting, error) {
	stored, err := h.Store.Setting(ctx, moderation.Setting)
	view := moderationView{Version: stored.Version}
	if err == nil && stored.Version > 0 {
		if err = json.Unmarshal(stored.Value, &view.Config); err != nil {
			err = fmt.Errorf("read the setting of the content filter: %w", err)
		}
	}
	return view, stored, err
}

func (h *handler) getModeration(w http.ResponseWriter, r *http.Request) error {
	view, _, err := h.moderation(r.Context())
	if err != nil {
		return err
	}
	etag(w, view.Version)
	return httpapi.Write(w, http.StatusOK, view)
}

func (h *handler) putModeration(w http.ResponseWriter, r *http.Request) error {
	config, value, err := h.moderationOf(w, r)
	if err != nil {
		return err
	}
	before, stored, err := h.moderation(r.Context())
	if err != nil {
		return err
	}
	if err := checkVersion(r, before.Version, before); err != nil {
		return err
	}
	after := settings.Setting{Name: moderation.Setting, Value: value}
	var old any
	if before.Version > 0 {
		old = stored
	}
	object := audit.Object{Type: "setting", ID: moderation.Setting}
	err = h.commit(r, "settings.moderation", object, old, after, audit.Change{
		Settings: []audit.SettingWrite{settingWrite(after, before.Version)},
	})
	if err != nil {
		return withCurrent(r.Context(), err, func(ctx context.Context) (any, error) {
			current, _, err := h.moderation(ctx)
			return current, err
		})
	}
	view := moderationView{Config: config, Version: before.Version + 1}
	etag(w, view.Version)
	return httpapi.Write(w, http.StatusOK, view)
}

func settingWrite(s settings.Setting, expect int64) audit.SettingWrite {
	return audit.SettingWrite{Setting: s, Expect: expect}
}

// moderationOf reads a content filter from the body and checks all of it. value
// is the same as it is stored.
func (h *handler) moderationOf(w http.ResponseWriter, r *http.Request) (c moderation.Config, value json.RawMessage, err error) {
	if err := decode(w, r, &c); err != nil {
		return c, nil, err
	}
	var f fault.Fields
	if other := fieldsOf(&f, "", c.Validate()); other != nil {
		return c, nil, other
	}
	if err := h.checkService(r.Context(), &f, c.Remote); err != nil {
		return c, nil, err
	}
	if value, err = json.Marshal(c); err != nil {
		return c, nil, fmt.Errorf("encode the content filter: %w", err)
	}
	f.Check(len(value) <= settings.MaxSetting, "rules", "must be shorter: the whole filter may have %d KB", settings.MaxSetting>>10)
	return c, value, f.Err()
}

// checkService adds an error when the moderation service is switched on and could
// not be asked.
func (h *handler) checkService(ctx context.Context, f *fault.Fields, remote moderation.RemoteConfig) error {
	if remote.Policy == "" && remote.Config == "" {
		return nil
	}
	c, err := h.Store.Config(ctx, remote.Config)
	if err = found(err, "config"); err != nil && fault.CodeOf(err) != fault.NotFound {
		return err
	}
	usable := err == nil && c.Provider == openaimod.Provider && c.SecretName != ""
	f.Check(usable, "remote.config", "must be the id of a config of the provider %s that has a key", openaimod.Provider)
	return nil
}
