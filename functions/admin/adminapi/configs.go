package adminapi

import (
	"context"
	"net/http"
	"slices"

	"easel/shared/audit"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/httpapi"
	"easel/shared/secret"
	"easel/shared/settings"
)

func configObject(c settings.Config) audit.Object {
	return audit.Object{Type: "config", ID: c.ID, Name: c.Name}
}

func (h *handler) answerConfig(w http.ResponseWriter, status int, c settings.Config) error {
	etag(w, c.Version)
	if status == http.StatusCreated {
		w.Header().Set("Location", "/api/admin/configs/"+c.ID)
	}
	return httpapi.Write(w, status, h.configView(c))
}

func (h *handler) listConfigs(w http.ResponseWriter, r *http.Request) error {
	get, err := queryOf(r, "kind")
	if err != nil {
		return err
	}
	kind := generation.Kind(get("kind"))
	if kind != "" && !kind.Valid() {
		return fault.Invalid("kind", "must be image, video or text")
	}
	all, err := h.Store.Configs(r.Context())
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(c settings.Config) bool { return kind != "" && c.Kind != kind })
	byOrder(all)
	return list(w, h.configViews(all))
}

func (h *handler) config(r *http.Request) (settings.Config, error) {
	c, err := h.Store.Config(r.Context(), r.PathValue("id"))
	return c, found(err, "config")
}

func (h *handler) getConfig(w http.ResponseWriter, r *http.Request) error {
	c, err := h.config(r)
	if err != nil {
		return err
	}
	return h.answerConfig(w, http.StatusOK, c)
}

// saving is a config about to be written, with those that must give way.
type saving struct {
	before *settings.Config
	after  settings.Config
	all    []settings.Config
}

// save checks and writes the config, and takes "default" from the others of its
// kind in the same transaction.
func (h *handler) save(r *http.Request, action string, s saving) (settings.Config, error) {
	if err := h.checkConfig(s.after, ""); err != nil {
		return s.after, err
	}
	s.after.UpdatedAt = h.Now().UTC()
	s.after.Version = 1
	var before any
	if s.before != nil {
		s.after.Version, before = s.before.Version+1, *s.before
	}
	change := audit.Change{Configs: append(
		[]audit.ConfigWrite{{Config: s.after, Expect: s.after.Version - 1}}, h.yielding(s.after, s.all)...)}
	err := h.commit(r, action, configObject(s.after), before, s.after, change)
	return s.after, withCurrent(r.Context(), err, func(ctx context.Context) (any, error) {
		c, err := h.Store.Config(ctx, s.after.ID)
		return h.configView(c), err
	})
}

// yielding are the writes that take "default" from the other configs of a kind.
func (h *handler) yielding(to settings.Config, all []settings.Config) []audit.ConfigWrite {
	var writes []audit.ConfigWrite
	for _, c := range all {
		if to.Default && c.Default && c.Kind == to.Kind && c.ID != to.ID {
			expect := c.Version
			c.Default, c.UpdatedAt = false, h.Now().UTC()
			writes = append(writes, audit.ConfigWrite{Config: c, Expect: expect})
		}
	}
	return writes
}

func (h *handler) createConfig(w http.ResponseWriter, r *http.Request) error {
	form, err := configFormOf(w, r, true)
	if err != nil {
		return err
	}
	id, repeatable, err := h.newID(r, "cfg_")
	if err != nil {
		return err
	}
	all, err := h.Store.Configs(r.Context())
	if err != nil {
		return err
	}
	if repeatable {
		if c, err := h.Store.Config(r.Context(), id); err == nil {
			return h.answerConfig(w, http.StatusCreated, c)
		}
	}
	c := form.apply(h.blank(form, all))
	c.ID, c.CreatedAt = id, h.Now().UTC()
	if err := h.checkConfig(c, ""); err != nil {
		return err
	}
	if form.Key != nil {
		if c, err = h.storeKey(r, c, secret.New(*form.Key)); err != nil {
			return err
		}
	}
	if c, err = h.save(r, "config.create", saving{after: c, all: all}); err != nil {
		return err
	}
	return h.answerConfig(w, http.StatusCreated, c)
}

func (h *handler) putConfig(w http.ResponseWriter, r *http.Request) error {
	return h.update(w, r, func(f configForm, before settings.Config, all []settings.Config) settings.Config {
		c := h.blank(f, all)
		c.ID, c.CreatedAt, c.SecretName, c.KeyMask = before.ID, before.CreatedAt, before.SecretName, before.KeyMask
		c.Data = before.Data
		c = f.apply(c)
		if len(f.Data) == 0 {
			c.Data = nil
		}
		if f.Priority == nil {
			c.Priority = before.Priority
		}
		return c
	})
}

func (h *handler) patchConfig(w http.ResponseWriter, r *http.Request) error {
	return h.update(w, r, func(f configForm, before settings.Config, _ []settings.Config) settings.Config {
		return f.apply(before)
	})
}

func (h *handler) update(w http.ResponseWriter, r *http.Request, edit func(configForm, settings.Config, []settings.Config) settings.Config) error {
	form, err := configFormOf(w, r, false)
	if err != nil {
		return err
	}
	before, err := h.config(r)
	if err != nil {
		return err
	}
	if err := checkVersion(r, before.Version, h.configView(before)); err != nil {
		return err
	}
	all, err := h.Store.Configs(r.Context())
	if err != nil {
		return err
	}
	after, err := h.save(r, "config.update", saving{before: &before, after: edit(form, before, all), all: all})
	if err != nil {
		return err
	}
	return h.answerConfig(w, http.StatusOK, after)
}

// deleteConfig refuses while tasks may still need the config: to look their job
// up, to cancel it, or to settle it late.
func (h *handler) deleteConfig(w http.ResponseWriter, r *http.Request) error {
	c, err := h.config(r)
	if err != nil {
		return err
	}
	if err := checkVersion(r, c.Version, h.configView(c)); err != nil {
		return err
	}
	if err := h.unused(r, c.ID); err != nil {
		return err
	}
	write := audit.ConfigWrite{Config: c, Expect: c.Version, Delete: true}
	err = h.commit(r, "config.delete", configObject(c), c, nil, audit.Change{Configs: []audit.ConfigWrite{write}})
	if err != nil {
		return withCurrent(r.Context(), err, func(ctx context.Context) (any, error) {
			now, err := h.Store.Config(ctx, c.ID)
			return h.configView(now), err
		})
	}
	h.dropSecret(r, c.SecretName)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// unused returns a Conflict error while unfinished tasks use the config.
func (h *handler) unused(r *http.Request, id string) error {
	tasks, more, err := h.Store.OpenTasks(r.Context())
	if err != nil {
		return err
	}
	count := 0
	for _, t := range tasks {
		if i, open := t.Open(); open && t.Attempts[i].Config == id {
			count++
		}
	}
	switch {
	case count > 0:
		return fault.New(fault.Conflict, "%d unfinished tasks use this config; switch it off and delete it when they have ended", count).With("tasks", count)
	case more:
		return fault.New(fault.Conflict, "more than %d tasks are unfinished, too many to see that none uses this config; switch it off and try again later", len(tasks)).
			With("tasks", len(tasks))
	}
	return nil
}

func (h *handler) reorderConfigs(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Kind generation.Kind `json:"kind"`
		IDs  []string        `json:"ids"`
	}
	if err := decode(w, r, &body); err != nil {
		return err
	}
	if !body.Kind.Valid() {
		return fault.Invalid("kind", "must be image, video or text")
	}
	all, err := h.Store.Configs(r.Context())
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(c settings.Config) bool { return c.Kind != body.Kind })
	byOrder(all)
	before := idsOf(all)
	if !slices.Equal(slices.Sorted(slices.Values(before)), slices.Sorted(slices.Values(body.IDs))) {
		return fault.New(fault.Conflict, "ids must name every %s config once; the list has changed meanwhile", body.Kind).
			With("current", h.configViews(all))
	}
	var change audit.Change
	for i := range all {
		priority := (slices.Index(body.IDs, all[i].ID) + 1) * priorityStep
		if all[i].Priority != priority {
			expect := all[i].Version
			all[i].Priority, all[i].Version, all[i].UpdatedAt = priority, expect+1, h.Now().UTC()
			change.Configs = append(change.Configs, audit.ConfigWrite{Config: all[i], Expect: expect})
		}
	}
	byOrder(all)
	if len(change.Configs) > 0 {
		err := h.commit(r, "config.reorder", audit.Object{Type: "configs", ID: string(body.Kind)},
			audit.Facts{"ids": before}, audit.Facts{"ids": body.IDs}, change)
		if err != nil {
			return err
		}
	}
	return list(w, h.configViews(all))
}

func idsOf(configs []settings.Config) []string {
	ids := make([]string, len(configs))
	for i, c := range configs {
		ids[i] = c.ID
	}
	return ids
}

func (h *handler) duplicateConfig(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Name string `json:"name"`
	}
	if r.ContentLength != 0 {
		if err := decode(w, r, &body); err != nil {
			return err
		}
	}
	from, err := h.config(r)
	if err != nil {
		return err
	}
	id, repeatable, err := h.newID(r, "cfg_")
	if err != nil {
		return err
	}
	if repeatable {
		if c, err := h.Store.Config(r.Context(), id); err == nil {
			return h.answerConfig(w, http.StatusCreated, c)
		}
	}
	all, err := h.Store.Configs(r.Context())
	if err != nil {
		return err
	}
	c := from
	c.ID, c.CreatedAt, c.Active, c.Default = id, h.Now().UTC(), false, false
	c.SecretName, c.KeyMask, c.Priority = "", "", lastPriority(all, c.Kind)
	if c.Name = body.Name; c.Name == "" {
		c.Name = copyName(from.Name)
	}
	if err := h.checkConfig(c, ""); err != nil {
		return err
	}
	if from.SecretName != "" {
		key, err := h.Secrets.Get(r.Context(), from.SecretName)
		if err != nil {
			return err
		}
		if c, err = h.storeKey(r, c, key); err != nil {
			return err
		}
	}
	if c, err = h.save(r, "config.duplicate", saving{after: c, all: all}); err != nil {
		return err
	}
	return h.answerConfig(w, http.StatusCreated, c)
}

// copyName keeps within the limit of a name, and within its characters.
func copyName(name string) string {
	const most = 90
	for i := range name {
		if i > most {
			name = name[:i]
			break
		}
	}
	return name + " (copy)"
}
