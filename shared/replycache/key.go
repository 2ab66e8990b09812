package replycache

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"easel/shared/catalog"
	"easel/shared/generation"
	"easel/shared/settings"
)

// Subject is all that an answer depends on.
type Subject struct {
	Account string
	// Request is the effective one: its model resolved, preferences and presets
	// filled in, and its images in the form of references to their content.
	Request generation.Request
	// Model is the catalog's, whole: an edited model answers anew.
	Model catalog.Model
	// Configs are those of the deployment. The active ones of the request's kind
	// count, each with its version: another provider or setting answers anew.
	Configs []settings.Config
}

// Key returns the hex SHA-256 of the subject, in which neither spaces nor the order
// of members count. Two subjects of one key are the same.
func (s Subject) Key() (string, error) {
	type config struct {
		ID      string
		Version int64
	}
	form := struct {
		Form    int // of this very struct
		Account string
		Request generation.Request
		Model   catalog.Model
		Configs []config
	}{Form: 1, Account: s.Account, Request: s.Request, Model: s.Model}
	for _, c := range s.Configs {
		if c.Active && c.Kind == s.Request.Kind {
			form.Configs = append(form.Configs, config{c.ID, c.Version})
		}
	}
	encoded, err := json.Marshal(form)
	if err != nil {
		return "", fmt.Errorf("encode a request: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(encoded)) // options come as their caller wrote them
	decoder.UseNumber()
	var tree any
	if err := decoder.Decode(&tree); err != nil {
		return "", fmt.Errorf("read an encoded request: %w", err)
	}
	if encoded, err = json.Marshal(tree); err != nil {
		return "", fmt.Errorf("encode a request: %w", err)
	}
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:]), nil
}
