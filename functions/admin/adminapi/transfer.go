package adminapi

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"easel/shared/audit"
	"easel/shared/catalog"
	"easel/shared/fault"
	"easel/shared/httpapi"
	"easel/shared/secret"
	"easel/shared/settings"
)

const (
	documentFormat  = "easel/config"
	documentVersion = 1
)

// document is the configuration without any key.
type document struct {
	Format     string          `json:"format"`
	Version    int             `json:"version"`
	ExportedAt time.Time       `json:"exported_at"`
	Configs    []configForm    `json:"configs"`
	Models     []catalog.Model `json:"models"`
	// Settings are nil in a document that says nothing of them.
	Settings *documentSettings `json:"settings,omitempty"`
}

func (h *handler) export(w http.ResponseWriter, r *http.Request) error {
	configs, err := h.Store.Configs(r.Context())
	if err != nil {
		return err
	}
	byOrder(configs)
	_, stored, err := h.models(r)
	if err != nil {
		return err
	}
	doc := document{Format: documentFormat, Version: documentVersion, ExportedAt: h.Now().UTC(), Configs: []configForm{}, Models: []catalog.Model{}}
	for _, c := range configs {
		doc.Configs = append(doc.Configs, formOf(c))
	}
	for _, m := range stored {
		doc.Models = append(doc.Models, m.Model)
	}
	if doc.Settings, err = h.exportSettings(r.Context()); err != nil {
		return err
	}
	return httpapi.Write(w, http.StatusOK, doc)
}

// formOf is a config as it could be written again, without what is secret.
func formOf(c settings.Config) configForm {
	c = audit.ConfigView(c)
	return configForm{
		ID: &c.ID, Name: &c.Name, Kind: &c.Kind, Provider: &c.Provider, Priority: &c.Priority, BaseURL: &c.BaseURL,
		Endpoint: &c.Endpoint, Model: &c.Model, MaxRetries: &c.MaxRetries, TimeoutSeconds: &c.TimeoutSeconds,
		RatePerMinute: &c.RatePerMinute, Concurrency: &c.Concurrency, Weight: &c.Weight, Active: &c.Active,
		Default: &c.Default, Data: c.Data,
	}
}

// difference is what an import does to one object.
type difference struct {
	Type   string          `json:"type"`
	ID     string          `json:"id"`
	Name   string          `json:"name"`
	Action string          `json:"action"`
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
}

// plan is what an import would write.
type plan struct {
	change   audit.Change
	changes  []difference
	warnings []fault.Field
	dropped  []string // names of secrets that no config needs any more
	// configs are those that there will be, by id; ids are theirs by the ids that
	// the document has for them.
	configs map[string]settings.Config
	ids     map[string]string
}

func (h *handler) importDocument(w http.ResponseWriter, r *http.Request) error {
	get, err := queryOf(r, "dry_run")
	if err != nil {
		return err
	}
	dry := get("dry_run") == "true"
	if text := get("dry_run"); text != "" && text != "true" && text != "false" {
		return fault.Invalid("dry_run", "must be true or false")
	}
	var body struct {
		Document *document `json:"document"`
		Prune    bool      `json:"prune"`
	}
	if err := decode(w, r, &body); err != nil {
		return err
	}
	if body.Document == nil {
		return fault.Invalid("document", "is required")
	}
	p, err := h.plan(r, *body.Document, body.Prune)
	if err != nil {
		return err
	}
	if !dry && p.change.Writes() > 0 {
		err := h.commit(r, "import.apply", audit.Object{Type: "configuration", ID: "import"}, nil, summary(p.changes), p.change)
		if err != nil {
			return err
		}
		for _, name := range p.dropped {
			h.dropSecret(r, name)
		}
	}
	return httpapi.Write(w, http.StatusOK, map[string]any{"dry_run": dry, "changes": p.changes, "warnings": p.warnings})
}

// summary is what the trail keeps of an import: which objects, not their contents,
// which an import of any size would not fit into one entry.
func summary(changes []difference) audit.Facts {
	facts := audit.Facts{}
	for _, action := range []string{"create", "update", "delete"} {
		var ids []string
		for _, c := range changes {
			if c.Action == action {
				ids = append(ids, c.Type+" "+c.ID)
			}
		}
		if ids != nil {
			facts[action] = ids
		}
	}
	return facts
}

func (h *handler) plan(r *http.Request, doc document, prune bool) (plan, error) {
	p := plan{changes: []difference{}, warnings: []fault.Field{}, configs: map[string]settings.Config{}, ids: map[string]string{}}
	var f fault.Fields
	f.Check(doc.Format == documentFormat, "document.format", "must be %q", documentFormat)
	f.Check(doc.Version == documentVersion, "document.version", "must be %d", documentVersion)
	if err := f.Err(); err != nil {
		return p, err
	}
	if err := h.planConfigs(r, &p, &f, doc.Configs, prune); err != nil {
		return p, err
	}
	if err := h.planModels(r, &p, &f, doc.Models, prune); err != nil {
		return p, err
	}
	if err := h.planSettings(r, &p, &f, doc.Settings, prune); err != nil {
		return p, err
	}
	if err := f.Err(); err != nil {
		return p, err
	}
	if n := p.change.Writes(); n > audit.MaxWrites {
		return p, fault.Invalid("document", "changes %d objects; an import writes all or nothing, and at most %d at once", n, audit.MaxWrites)
	}
	return p, nil
}

// add notes what is to be done to an object.
func (p *plan) add(kind, id, name, action string, before, after any) error {
	d := difference{Type: kind, ID: id, Name: name, Action: action}
	var err error
	if d.Before, err = audit.View(before); err != nil {
		return err
	}
	if d.After, err = audit.View(after); err != nil {
		return err
	}
	p.changes = append(p.changes, d)
	return nil
}

func (h *handler) planConfigs(r *http.Request, p *plan, f *fault.Fields, forms []configForm, prune bool) error {
	all, err := h.Store.Configs(r.Context())
	if err != nil {
		return err
	}
	byOrder(all)
	seen := map[string]bool{}
	defaults := map[string]string{}
	for i, form := range forms {
		at := "document.configs[" + itoa(i) + "]"
		f.Check(form.Key == nil, at+".key", "must not be in a document; set keys one by one")
		before := match(all, form)
		after := h.imported(form, before, all)
		if other := fieldsOf(f, at+".", h.checkConfig(after, "")); other != nil {
			return other
		}
		f.Check(!seen[after.ID], at, "is the same config as another one of the document")
		seen[after.ID] = true
		if after.Default {
			first := defaults[string(after.Kind)]
			f.Check(first == "", at+".default", "must be true for one %s config only, and is for %s already", after.Kind, first)
			defaults[string(after.Kind)] = at
		}
		p.configs[after.ID] = after
		if form.ID != nil {
			p.ids[*form.ID] = after.ID
		}
		if err := h.planConfig(p, at, before, after); err != nil {
			return err
		}
	}
	for _, c := range all {
		if seen[c.ID] {
			continue
		}
		if !prune {
			p.configs[c.ID] = c
		}
		if err := h.planRest(r, p, c, prune, defaults[string(c.Kind)] != ""); err != nil {
			return err
		}
	}
	return nil
}

// match finds the config that a form of a document means: by id, else by kind and name.
func match(all []settings.Config, form configForm) *settings.Config {
	for i, c := range all {
		if form.ID != nil && *form.ID == c.ID {
			return &all[i]
		}
	}
	for i, c := range all {
		if form.Kind != nil && form.Name != nil && *form.Kind == c.Kind && *form.Name == c.Name {
			return &all[i]
		}
	}
	return nil
}

// imported is the config that a form makes of the one it means, if any.
func (h *handler) imported(form configForm, before *settings.Config, all []settings.Config) settings.Config {
	c := h.blank(form, all)
	if before != nil {
		c.ID, c.CreatedAt, c.SecretName, c.KeyMask = before.ID, before.CreatedAt, before.SecretName, before.KeyMask
		c.UpdatedAt, c.Version, c.Data = before.UpdatedAt, before.Version, before.Data
	} else {
		c.ID, c.CreatedAt = h.NewID("cfg_"), h.Now().UTC()
	}
	c = form.apply(c)
	if len(form.Data) == 0 {
		c.Data = nil
	}
	return c
}

func (h *handler) planConfig(p *plan, at string, before *settings.Config, after settings.Config) error {
	if bytes.Contains(after.Data, []byte(secret.Redacted)) {
		p.warnings = append(p.warnings, fault.Field{Name: at + ".config_data", Message: "holds " + secret.Redacted + " where a secret was; set it before it is used"})
	}
	if after.SecretName == "" {
		p.warnings = append(p.warnings, fault.Field{Name: at, Message: "has no key; set one before it is used"})
	}
	if before == nil {
		after.UpdatedAt = h.Now().UTC()
		p.change.Configs = append(p.change.Configs, audit.ConfigWrite{Config: after})
		return p.add("config", after.ID, after.Name, "create", nil, after)
	}
	if same(*before, after) {
		return p.add("config", after.ID, after.Name, "unchanged", nil, nil)
	}
	after.UpdatedAt, after.Version = h.Now().UTC(), before.Version+1
	p.change.Configs = append(p.change.Configs, audit.ConfigWrite{Config: after, Expect: before.Version})
	return p.add("config", after.ID, after.Name, "update", *before, after)
}

// planRest decides about a config that the document does not mention.
func (h *handler) planRest(r *http.Request, p *plan, c settings.Config, prune, yields bool) error {
	switch {
	case prune:
		if err := h.unused(r, c.ID); err != nil {
			return err
		}
		p.change.Configs = append(p.change.Configs, audit.ConfigWrite{Config: c, Expect: c.Version, Delete: true})
		if c.SecretName != "" {
			p.dropped = append(p.dropped, c.SecretName)
		}
		return p.add("config", c.ID, c.Name, "delete", c, nil)
	case yields && c.Default:
		after := c
		after.Default, after.UpdatedAt, after.Version = false, h.Now().UTC(), c.Version+1
		p.change.Configs = append(p.change.Configs, audit.ConfigWrite{Config: after, Expect: c.Version})
		return p.add("config", c.ID, c.Name, "update", c, after)
	}
	return nil
}

// same reports whether two values say the same, spaces and order aside.
func same(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	if errX != nil || errY != nil {
		return false
	}
	var left, right any
	if json.Unmarshal(x, &left) != nil || json.Unmarshal(y, &right) != nil {
		return false
	}
	x, _ = json.Marshal(left) // decoded JSON always encodes
	y, _ = json.Marshal(right)
	return bytes.Equal(x, y)
}

func (h *handler) planModels(r *http.Request, p *plan, f *fault.Fields, models []catalog.Model, prune bool) error {
	views, stored, err := h.models(r)
	if err != nil {
		return err
	}
	models = slices.Clone(models)
	for i := range models {
		at := "document.models[" + itoa(i) + "]"
		models[i] = p.routed(at, models[i])
		m := models[i]
		if other := fieldsOf(f, at+".", h.checkModel(m, "")); other != nil {
			return other
		}
		f.Check(slices.IndexFunc(models, func(o catalog.Model) bool { return o.Name == m.Name }) == i, at+".name", "comes twice")
		if err := planModel(p, views, m); err != nil {
			return err
		}
	}
	written := make([]catalog.Model, 0, len(stored)+len(models))
	for _, m := range stored {
		mentioned := slices.ContainsFunc(models, func(o catalog.Model) bool { return o.Name == m.Name })
		if prune && !mentioned {
			p.change.Models = append(p.change.Models, audit.ModelWrite{Model: m.Model, Expect: m.Version, Delete: true})
			if err := p.add("model", m.Name, m.Title, "delete", m.Model, nil); err != nil {
				return err
			}
			continue
		}
		if !mentioned {
			written = append(written, m.Model)
		}
	}
	if f.Err() != nil {
		return f.Err()
	}
	builtin, err := catalog.Builtin()
	if err != nil {
		return err
	}
	return together("document.models", catalog.Overlay(builtin, append(written, models...)))
}

func planModel(p *plan, views []modelView, m catalog.Model) error {
	i := slices.IndexFunc(views, func(v modelView) bool { return v.Name == m.Name })
	switch {
	case i < 0:
		p.change.Models = append(p.change.Models, audit.ModelWrite{Model: m})
		return p.add("model", m.Name, m.Title, "create", nil, m)
	case same(views[i].Model, m):
		return p.add("model", m.Name, m.Title, "unchanged", nil, nil)
	default:
		p.change.Models = append(p.change.Models, audit.ModelWrite{Model: m, Expect: views[i].Version})
		return p.add("model", m.Name, m.Title, "update", views[i].Model, m)
	}
}
