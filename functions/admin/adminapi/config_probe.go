package adminapi

import (
	"context"
	"net/http"

	"easel/shared/audit"
	"easel/shared/failover"
	"easel/shared/fault"
	"easel/shared/httpapi"
	"easel/shared/secret"
	"easel/shared/settings"
)

const maxProbePrompt = 4000

// testForm is a test; Config, Key and ID are for a config that is not saved yet.
type testForm struct {
	Mode   string      `json:"mode"`
	Prompt string      `json:"prompt"`
	Model  string      `json:"model"`
	Config *configForm `json:"config"`
	Key    *string     `json:"key"`
	ID     *string     `json:"id"`
}

func (f testForm) check(saved bool) error {
	var fields fault.Fields
	fields.Check(f.Mode == ModeProbe || f.Mode == ModeGenerate, "mode", "must be probe or generate")
	fields.Check(len(f.Prompt) <= maxProbePrompt, "prompt", "must have at most %d bytes", maxProbePrompt)
	fields.Check(len(f.Model) <= 200, "model", "must have at most 200 bytes")
	if saved {
		fields.Check(f.Config == nil, "config", "is not a known field")
		fields.Check(f.Key == nil, "key", "is not a known field")
		fields.Check(f.ID == nil, "id", "is not a known field")
	} else {
		fields.Check(f.Config != nil, "config", "is required")
		fields.Check(f.Key == nil || *f.Key != "" && len(*f.Key) <= maxKey, "key", "must have 1 to %d bytes", maxKey)
	}
	return fields.Err()
}

// testConfig makes a real call with a stored config.
func (h *handler) testConfig(w http.ResponseWriter, r *http.Request) error {
	var form testForm
	if err := decode(w, r, &form); err != nil {
		return err
	}
	if err := form.check(true); err != nil {
		return err
	}
	c, err := h.config(r)
	if err != nil {
		return err
	}
	key, err := h.storedKey(r, c)
	if err != nil {
		return err
	}
	return h.probe(w, r, c, key, form)
}

// testDraft makes a real call with a config as it stands in a form. A stored key
// is used only with the base URL that it was stored for: an operator who may not
// read keys must not be able to have one sent elsewhere.
func (h *handler) testDraft(w http.ResponseWriter, r *http.Request) error {
	var form testForm
	if err := decode(w, r, &form); err != nil {
		return err
	}
	if err := form.check(false); err != nil {
		return err
	}
	if form.Config.ID != nil || form.Config.Key != nil {
		return fault.Invalid("config", "must not hold id or key; give them beside it")
	}
	c := h.blank(*form.Config, nil)
	var key secret.Value
	if form.ID != nil {
		stored, err := h.Store.Config(r.Context(), *form.ID)
		if err != nil {
			return found(err, "config")
		}
		c.ID, c.Data = stored.ID, stored.Data
		if form.Key == nil {
			if key, err = h.storedKey(r, stored); err != nil {
				return err
			}
		}
		c = form.Config.apply(c)
		if !key.IsZero() && (c.BaseURL != stored.BaseURL || c.Provider != stored.Provider) {
			return fault.Invalid("key", "is required to test another provider or base_url: the stored key is only sent where it was stored for")
		}
	} else {
		c = form.Config.apply(c)
	}
	if form.Key != nil {
		key = secret.New(*form.Key)
	}
	if c.Name == "" {
		c.Name = "test"
	}
	if err := h.checkConfig(c, "config."); err != nil {
		return err
	}
	return h.probe(w, r, c, key, form)
}

func (h *handler) storedKey(r *http.Request, c settings.Config) (secret.Value, error) {
	if c.SecretName == "" {
		return secret.Value{}, nil
	}
	return h.Secrets.Get(r.Context(), c.SecretName)
}

// withUpstream gives a config without a model of its own the first one of the
// catalog that it serves, so that any config can be tested.
func (h *handler) withUpstream(r *http.Request, c settings.Config, model string) (settings.Config, string, error) {
	if model != "" || c.Model != "" {
		return c, model, nil
	}
	models, _, err := h.models(r)
	if err != nil {
		return c, model, err
	}
	active := c
	active.Active = true
	for _, m := range models {
		if served := failover.Candidates(m.Model, []settings.Config{active}); len(served) > 0 {
			c.Endpoint = served[0].Endpoint
			return c, served[0].Model, nil
		}
	}
	return c, model, nil
}

func (h *handler) probe(w http.ResponseWriter, r *http.Request, c settings.Config, key secret.Value, form testForm) error {
	c, model, err := h.withUpstream(r, c, form.Model)
	if err != nil {
		return err
	}
	var result ProbeResult
	object := configObject(c)
	err = h.act(r, "config.test", object, nil, func(ctx context.Context) (any, error) {
		result = h.Prober.Probe(ctx, Probe{Config: c, Key: key, Mode: form.Mode, Prompt: form.Prompt, Model: model})
		return audit.Facts{"mode": result.Mode, "ok": result.OK, "class": result.Class, "status": result.Status, "latency_ms": result.LatencyMS}, nil
	})
	if err != nil {
		return err
	}
	return httpapi.Write(w, http.StatusOK, result)
}
