package catalog

import (
	_ "embed"
	"encoding/json"
	"fmt"
)

// builtinJSON is the one place where a model is added; see docs/providers.md.
//
//go:embed models.json
var builtinJSON []byte

// Builtin returns the models that Easel ships with: the seed models with their
// seed prices, today's successors, and the default model of each kind. An
// operator's own models are laid over them with [Overlay].
func Builtin() ([]Model, error) {
	var file struct {
		Models []Model `json:"models"`
	}
	if err := json.Unmarshal(builtinJSON, &file); err != nil {
		return nil, fmt.Errorf("built-in models: %w", err)
	}
	return file.Models, nil
}

// Overlay returns base with each of the others in the place of the model of the
// same name, or added.
func Overlay(base, others []Model) []Model {
	list := append([]Model(nil), base...)
	for _, m := range others {
		replaced := false
		for i := range list {
			if list[i].Name == m.Name {
				list[i], replaced = m, true
			}
		}
		if !replaced {
			list = append(list, m)
		}
	}
	return list
}
