package adminapi

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"

	"easel/shared/audit"
	"easel/shared/env"
	"easel/shared/fault"
	"easel/shared/httpapi"
	"easel/shared/secret"
	"easel/shared/settings"
)

// storeKey puts a provider's key into the secret store under a name that was
// never used, and returns the config that knows its name and mask. Nothing reads
// the key before the config is written with that name, so a replacement takes
// effect at one moment, is in the trail with it, and is noticed by every instance
// as soon as the config is, whatever it remembers of the old key.
func (h *handler) storeKey(r *http.Request, c settings.Config, key secret.Value) (settings.Config, error) {
	c.SecretName = env.ConfigSecrets + c.ID + "-" + strings.ToLower(rand.Text()[:12])
	if err := h.Secrets.Put(r.Context(), c.SecretName, key); err != nil {
		return c, fmt.Errorf("store a key: %w", err)
	}
	c.KeyMask = key.Mask()
	return c, nil
}

// dropSecret removes a key that no config names any more. A failure costs money
// at most, so it is only logged.
func (h *handler) dropSecret(r *http.Request, name string) {
	if name == "" {
		return
	}
	if err := h.Secrets.Delete(context.WithoutCancel(r.Context()), name); err != nil {
		h.Log.WarnContext(r.Context(), "a key that is not used any more could not be removed", "secret_name", name, "error", err)
	}
}

func (h *handler) putConfigKey(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Key string `json:"key"`
	}
	if err := decode(w, r, &body); err != nil {
		return err
	}
	if body.Key == "" || len(body.Key) > maxKey {
		return fault.Invalid("key", "must have 1 to %d bytes", maxKey)
	}
	return h.changeKey(w, r, func(c settings.Config) (settings.Config, error) {
		return h.storeKey(r, c, secret.New(body.Key))
	})
}

func (h *handler) deleteConfigKey(w http.ResponseWriter, r *http.Request) error {
	return h.changeKey(w, r, func(c settings.Config) (settings.Config, error) {
		c.SecretName, c.KeyMask = "", ""
		return c, nil
	})
}

// changeKey writes a config that has another key, or none, and removes the old
// key afterwards.
func (h *handler) changeKey(w http.ResponseWriter, r *http.Request, change func(settings.Config) (settings.Config, error)) error {
	before, err := h.config(r)
	if err != nil {
		return err
	}
	if r.Header.Get("If-Match") != "" {
		if err := checkVersion(r, before.Version, h.configView(before)); err != nil {
			return err
		}
	}
	after, err := change(before)
	if err != nil {
		return err
	}
	after.UpdatedAt, after.Version = h.Now().UTC(), before.Version+1
	err = h.commit(r, "config.key", configObject(after), before, after,
		audit.Change{Configs: []audit.ConfigWrite{{Config: after, Expect: before.Version}}})
	if err != nil {
		if after.SecretName != before.SecretName && fault.CodeOf(err) == fault.StaleVersion {
			h.dropSecret(r, after.SecretName)
		}
		return withCurrent(r.Context(), err, func(ctx context.Context) (any, error) {
			now, err := h.Store.Config(ctx, before.ID)
			return h.configView(now), err
		})
	}
	h.dropSecret(r, before.SecretName)
	h.mended(r, after)
	return h.answerConfig(w, http.StatusOK, after)
}

// revealConfigKey answers with a stored key, where the deployment allows it, and
// only after the trail has taken note.
func (h *handler) revealConfigKey(w http.ResponseWriter, r *http.Request) error {
	if !h.AllowReveal {
		return fault.New(fault.Forbidden, "this deployment does not show stored keys; replace the key instead")
	}
	c, err := h.config(r)
	if err != nil {
		return err
	}
	if c.SecretName == "" {
		return fault.New(fault.NotFound, "the config has no key")
	}
	var key secret.Value
	err = h.act(r, "config.reveal", configObject(c), nil, func(ctx context.Context) (any, error) {
		key, err = h.Secrets.Get(ctx, c.SecretName)
		return audit.Facts{"key_mask": c.KeyMask}, err
	})
	if err != nil {
		return err
	}
	return httpapi.Write(w, http.StatusOK, map[string]string{"key": key.Reveal()})
}
