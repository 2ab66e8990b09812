package adminapi

import (
	"net/http"

	"easel/shared/audit"
	"easel/shared/fault"
	"easel/shared/httpapi"
	"easel/shared/secret"
	"easel/shared/settings"
)

// storeKey puts a provider's key into the secret store and returns the config
// that knows its name and mask. The key itself goes nowhere else.
func (h *handler) storeKey(r *http.Request, c settings.Config, key secret.Value) (settings.Config, error) {
	if c.SecretName == "" {
		c.SecretName = "config/" + c.ID
	}
	if err := h.Secrets.Put(r.Context(), c.SecretName, key); err != nil {
		return c, h.secretError(err)
	}
	c.KeyMask = "…" + key.Mask()
	return c, nil
}

func (h *handler) secretError(err error) error {
	if h.SecretFixed != nil && h.SecretFixed(err) {
		return fault.New(fault.Conflict, "this key is set by the environment of the gateway; change it there").Because(err)
	}
	return err
}

// dropSecret removes a key that no config names any more. A failure costs money
// at most, so it is only logged.
func (h *handler) dropSecret(r *http.Request, name string) {
	if name == "" {
		return
	}
	if err := h.Secrets.Delete(r.Context(), name); err != nil {
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
		if c.SecretName != "" {
			if err := h.Secrets.Delete(r.Context(), c.SecretName); err != nil {
				return c, h.secretError(err)
			}
		}
		c.SecretName, c.KeyMask = "", ""
		return c, nil
	})
}

// changeKey reaches into the secret store and then writes the config; the trail
// knows of it before either.
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
	e, err := h.intend(r, "config.key", configObject(before), before)
	if err != nil {
		return err
	}
	after, err := change(before)
	if err == nil {
		after, err = h.writeKeyed(r, after, e)
	}
	if err != nil {
		h.finish(r, e, nil, err)
		return err
	}
	return h.answerConfig(w, http.StatusOK, after)
}

// writeKeyed writes the name and mask of a key into the config as it is now:
// another operator's edit of anything else must not undo what the secret store has.
// Its transaction replaces the entry that told of the intention.
func (h *handler) writeKeyed(r *http.Request, keyed settings.Config, e audit.Entry) (settings.Config, error) {
	const tries = 5
	var err error
	for range tries {
		var c settings.Config
		if c, err = h.Store.Config(r.Context(), keyed.ID); err != nil {
			return keyed, found(err, "config")
		}
		expect := c.Version
		c.SecretName, c.KeyMask, c.UpdatedAt, c.Version = keyed.SecretName, keyed.KeyMask, h.Now().UTC(), expect+1
		if e.After, err = audit.View(c); err != nil {
			return c, err
		}
		err = h.Store.Commit(r.Context(), audit.Change{Entry: e, Configs: []audit.ConfigWrite{{Config: c, Expect: expect}}})
		if fault.CodeOf(err) != fault.StaleVersion {
			return c, err
		}
	}
	return keyed, err
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
	err = h.act(r, "config.reveal", configObject(c), nil, func() (any, error) {
		key, err = h.Secrets.Get(r.Context(), c.SecretName)
		return audit.Facts{"key_mask": c.KeyMask}, err
	})
	if err != nil {
		return err
	}
	return httpapi.Write(w, http.StatusOK, map[string]string{"key": key.Reveal()})
}
