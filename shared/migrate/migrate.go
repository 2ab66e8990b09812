// Package migrate reads the configuration of the gateway that Easel replaces: its
// environment variables and dumps of its api_configs table. It only translates;
// what it returns is written through the admin API. docs/migration.md has the
// tables of what becomes what.
package migrate

import (
	"encoding/json"
	"fmt"

	"easel/shared/generation"
	"easel/shared/secret"
)

// Config is one config as the import of the admin API takes it. What is nil or
// empty is not sent, and becomes what the gateway uses for a new config.
type Config struct {
	Name           string          `json:"name"`
	Kind           generation.Kind `json:"kind"`
	Provider       string          `json:"provider"`
	Priority       *int            `json:"priority,omitempty"`
	BaseURL        string          `json:"base_url,omitempty"`
	Endpoint       string          `json:"endpoint,omitempty"`
	Model          string          `json:"model,omitempty"`
	MaxRetries     *int            `json:"max_retries,omitempty"`
	TimeoutSeconds *int            `json:"timeout_seconds,omitempty"`
	RatePerMinute  *int            `json:"rate_per_minute,omitempty"`
	Weight         *int            `json:"weight,omitempty"`
	Active         *bool           `json:"active,omitempty"`
	Default        *bool           `json:"default,omitempty"`
	Data           json.RawMessage `json:"config_data,omitempty"`
}

// Entry is a config and its key, which travels apart from it.
type Entry struct {
	Config Config
	// Key is zero where the source has none.
	Key secret.Value
	// Source says where it comes from: a variable's name, or a row's number.
	Source string
}

// Note is something that was not taken over as it stood, or at all. It holds no
// secret.
type Note struct {
	Source, Message string
}

// Plan is what a source becomes. The zero value is an empty one.
type Plan struct {
	Entries []Entry
	Notes   []Note
}

func (p *Plan) note(source, format string, args ...any) {
	p.Notes = append(p.Notes, Note{source, fmt.Sprintf(format, args...)})
}

// Add puts the entries and notes of another plan after its own. A config of a
// kind and name that is there already is left out and noted.
func (p *Plan) Add(other Plan) {
	p.Notes = append(p.Notes, other.Notes...)
	for _, e := range other.Entries {
		if p.has(e.Config) {
			p.note(e.Source, "is left out: there is a config %q of kind %s already", e.Config.Name, e.Config.Kind)
			continue
		}
		p.Entries = append(p.Entries, e)
	}
}

func (p *Plan) has(c Config) bool {
	for _, e := range p.Entries {
		if e.Config.Kind == c.Kind && e.Config.Name == c.Name {
			return true
		}
	}
	return false
}

// priorityStep is what the console puts between configs.
const priorityStep = 10

// Document is the plan in the form of the admin API's export and import. It has
// no keys. A config without a priority gets the one of its place among those of
// its kind, so that a second import changes nothing.
func (p *Plan) Document() Document {
	d := Document{Format: "easel/config", Version: 1, Configs: make([]Config, 0, len(p.Entries)), Models: []struct{}{}}
	places := map[generation.Kind]int{}
	for _, e := range p.Entries {
		places[e.Config.Kind] += priorityStep
		if e.Config.Priority == nil {
			e.Config.Priority = new(places[e.Config.Kind])
		}
		d.Configs = append(d.Configs, e.Config)
	}
	return d
}

// Document is an import of the admin API.
type Document struct {
	Format  string     `json:"format"`
	Version int        `json:"version"`
	Configs []Config   `json:"configs"`
	Models  []struct{} `json:"models"`
}
