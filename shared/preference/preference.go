// Package preference is what an account prefers: the values of a request's fields
// that its callers leave out. A preference never replaces what a request says. But
// for the model, which has a price, none spoils a request that would do without it.
package preference

import (
	"net/url"
	"slices"
	"strings"

	"easel/shared/catalog"
	"easel/shared/fault"
	"easel/shared/generation"
)

// Set is all that one account prefers. The zero value prefers nothing.
type Set struct {
	// Image, Video and Text are for requests of their kind.
	Image Defaults `json:"image,omitzero"`
	Video Defaults `json:"video,omitzero"`
	Text  Defaults `json:"text,omitzero"`
	// CallbackURL is where the ends of images and videos are reported.
	CallbackURL string `json:"callback_url,omitempty"`
	// Language is the one of presets, whatever language the caller writes in; see
	// [Languages].
	Language string `json:"language,omitempty"`
}

// Defaults are the preferred values of a request's fields; "" and nil prefer
// nothing. Which of them make sense for a kind is the catalog's matter.
type Defaults struct {
	Model          string   `json:"model,omitempty"`
	NegativePrompt string   `json:"negative_prompt,omitempty"`
	N              *int     `json:"n,omitempty"`
	Size           string   `json:"size,omitempty"`
	AspectRatio    string   `json:"aspect_ratio,omitempty"`
	Quality        string   `json:"quality,omitempty"`
	Format         string   `json:"format,omitempty"`
	Duration       *int     `json:"duration,omitempty"`
	FPS            *int     `json:"fps,omitempty"`
	MaxTokens      *int     `json:"max_tokens,omitempty"`
	Temperature    *float64 `json:"temperature,omitempty"`
}

// Languages are those that presets are written in. A preset without one of them is
// in English.
func Languages() []string { return []string{"en", "ja", "zh"} }

// Of returns the defaults of a kind.
func (s Set) Of(k generation.Kind) Defaults {
	switch k {
	case generation.Video:
		return s.Video
	case generation.Text:
		return s.Text
	default:
		return s.Image
	}
}

// maxModelName is the longest name of a model, in bytes.
const maxModelName = 100

// Check returns one InvalidInput error that names every field which the models do
// not accept, such as "image.size", or nil. Each kind's fields are checked against
// its preferred model, the kind's default model without one. checkURL says what is
// wrong with a URL; nil accepts every one.
func (s Set) Check(models catalog.Catalog, checkURL func(raw string) error) error {
	var f fault.Fields
	for _, k := range generation.Kinds() {
		s.Of(k).check(&f, k, models)
	}
	if s.CallbackURL != "" && checkURL != nil {
		if err := checkURL(s.CallbackURL); err != nil {
			f.Add("callback_url", "%s", err.Error())
		}
	}
	f.Check(s.Language == "" || slices.Contains(Languages(), s.Language), "language", "must be one of %s", strings.Join(Languages(), ", "))
	return f.Err()
}

func (d Defaults) check(f *fault.Fields, k generation.Kind, models catalog.Catalog) {
	at := string(k) + "."
	for _, n := range []struct {
		name  string
		value *int
	}{{"n", d.N}, {"duration", d.Duration}, {"fps", d.FPS}, {"max_tokens", d.MaxTokens}} {
		f.Check(n.value == nil || *n.value > 0, at+n.name, "must be 1 or more")
	}
	if len(d.Model) > maxModelName {
		f.Add(at+"model", "must have at most %d bytes", maxModelName)
		return
	}
	model, err := models.Resolve(k, d.Model)
	if err != nil {
		addAll(f, at, fieldsOf(err), nil)
		return
	}
	filled := d.all(generation.Request{Kind: k, Model: model.Name, Prompt: "a"})
	addAll(f, at, fieldsOf(model.Check(filled.Request)), filled.Names)
}

// addAll takes over those of the fields that are among the names; nil is all.
func addAll(f *fault.Fields, prefix string, fields []fault.Field, names []string) {
	for _, field := range fields {
		if names == nil || slices.Contains(names, field.Name) {
			f.Add(prefix+field.Name, "%s", field.Message)
		}
	}
}

// WithoutSecrets returns the set as a trail may keep it: of a URL its address
// alone, and of words how many there are.
func (s Set) WithoutSecrets() Set {
	if u, err := url.Parse(s.CallbackURL); err == nil && u.Host != "" {
		s.CallbackURL = u.Scheme + "://" + u.Host
	} else if s.CallbackURL != "" {
		s.CallbackURL = "…"
	}
	for _, d := range []*Defaults{&s.Image, &s.Video, &s.Text} {
		if d.NegativePrompt != "" {
			d.NegativePrompt = "…"
		}
	}
	return s
}
