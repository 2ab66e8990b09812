package promptapi

import (
	"context"
	_ "embed"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/httpapi"
	"easel/shared/preference"
)

// presetsJSON is the one place where a preset is added. English is required;
// other languages are used for callers who write in them.
//
//go:embed presets.json
var presetsJSON []byte

// preset is a task for a language model, said in several languages.
type preset struct {
	Title  map[string]string `json:"title"`
	System map[string]string `json:"system"`
}

type presets map[string]preset

// builtinPresets returns the presets that are built in. A test holds them valid.
func builtinPresets() presets {
	var p presets
	if err := json.Unmarshal(presetsJSON, &p); err != nil {
		return nil
	}
	return p
}

// applyPreset puts the preset that the request names before the request's own system
// text, in the language that the account prefers.
func (h *handler) applyPreset(ctx context.Context, account string, r *generation.Request) error {
	if r.Preset == "" {
		return nil
	}
	var set preference.Set
	if h.Preferences != nil {
		var err error
		if set, err = h.Preferences.Preferences(ctx, account); err != nil {
			return err
		}
	}
	return h.presets.apply(r, set.Language)
}

// apply puts the preset into the request, in the language; "" is the one that the
// caller writes in.
func (p presets) apply(r *generation.Request, language string) error {
	chosen, ok := p[r.Preset]
	if !ok {
		return fault.Invalid("preset", "is not known; use one of %s", strings.Join(slices.Sorted(maps.Keys(p)), ", "))
	}
	if language == "" {
		language = languageOf(wordsOf(r))
	}
	text := chosen.System[language]
	if text == "" {
		text = chosen.System["en"]
	}
	r.System = strings.TrimSpace(text + "\n\n" + r.System)
	return nil
}

func wordsOf(r *generation.Request) string {
	if n := len(r.Messages); n > 0 {
		return r.Messages[n-1].Content
	}
	return r.Prompt
}

// languageOf guesses what a text is written in from its script: kana is Japanese,
// hangul is Korean, Han without either is Chinese, and anything else English, in
// which a model is then told to answer in the caller's own language.
func languageOf(text string) string {
	han := false
	for _, r := range text {
		switch {
		case unicode.In(r, unicode.Hiragana, unicode.Katakana):
			return "ja"
		case unicode.Is(unicode.Hangul, r):
			return "ko"
		case unicode.Is(unicode.Han, r):
			han = true
		}
	}
	if han {
		return "zh"
	}
	return "en"
}

// presetView is a preset as callers see it.
type presetView struct {
	ID        string            `json:"id"`
	Object    string            `json:"object"`
	Title     map[string]string `json:"title"`
	Languages []string          `json:"languages"`
}

func (h *handler) listPresets(w http.ResponseWriter, _ *http.Request, _ httpapi.Caller) error {
	views := make([]presetView, 0, len(h.presets))
	for _, id := range slices.Sorted(maps.Keys(h.presets)) {
		p := h.presets[id]
		views = append(views, presetView{ID: id, Object: "preset", Title: p.Title, Languages: slices.Sorted(maps.Keys(p.System))})
	}
	return httpapi.Write(w, http.StatusOK, httpapi.PageOf(views, ""))
}
