package preference

import (
	"errors"
	"slices"

	"easel/shared/catalog"
	"easel/shared/fault"
	"easel/shared/generation"
)

// Filled is a request with preferences in the place of what it left out.
type Filled struct {
	generation.Request

	// Names are the fields that were filled, as a request names them.
	Names []string
}

// rounds bounds how often fields that do not fit are taken back: each round takes
// back all that are known, and one can make another known.
const rounds = 3

// Fill returns the request with the defaults for the fields that it leaves out.
// blank names fields that the caller gave, and gave as nothing: they stay so. A
// default that the model would not accept in this request stays out, because the
// request names another model than the one that it was chosen for. The request's
// own mistakes are for [catalog.Model.Check] to tell.
func (d Defaults) Fill(r generation.Request, blank []string, m catalog.Model) Filled {
	filled := d.apply(r, blank)
	for range rounds {
		if len(filled.Names) == 0 {
			return filled
		}
		out := slices.Clone(blank)
		for _, field := range fieldsOf(m.Check(filled.Request)) {
			if slices.Contains(filled.Names, field.Name) {
				out = append(out, field.Name)
			}
		}
		if len(out) == len(blank) {
			return filled
		}
		blank = out
		filled = d.apply(r, blank)
	}
	return Filled{Request: r}
}

// all is apply to a request that leaves everything out.
func (d Defaults) all(r generation.Request) Filled { return d.apply(r, nil) }

// apply fills without looking at the model. A size and an aspect ratio say the
// same thing, so none is filled where the request has the other.
func (d Defaults) apply(r generation.Request, blank []string) Filled {
	f := filler{Filled{Request: r}, blank}
	f.text("negative_prompt", &f.NegativePrompt, d.NegativePrompt)
	f.number("n", &f.N, d.N)
	if r.Size == "" && r.AspectRatio == "" {
		f.text("size", &f.Size, d.Size)
		f.text("aspect_ratio", &f.AspectRatio, d.AspectRatio)
	}
	f.text("quality", &f.Quality, d.Quality)
	f.text("format", &f.Format, d.Format)
	f.number("duration", &f.Duration, d.Duration)
	f.number("fps", &f.FPS, d.FPS)
	f.number("max_tokens", &f.MaxTokens, d.MaxTokens)
	if f.Temperature == nil && d.Temperature != nil && !slices.Contains(blank, "temperature") {
		value := *d.Temperature
		f.Temperature, f.Names = &value, append(f.Names, "temperature")
	}
	return f.Filled
}

// filler fills fields and notes their names.
type filler struct {
	Filled

	blank []string
}

func (f *filler) text(name string, field *string, value string) {
	if *field == "" && value != "" && !slices.Contains(f.blank, name) {
		*field, f.Names = value, append(f.Names, name)
	}
}

func (f *filler) number(name string, field *int, value *int) {
	if *field == 0 && value != nil && !slices.Contains(f.blank, name) {
		*field, f.Names = *value, append(f.Names, name)
	}
}

// fieldsOf returns what an InvalidInput error names.
func fieldsOf(err error) []fault.Field {
	if e, ok := errors.AsType[*fault.Error](err); ok && e.Code == fault.InvalidInput {
		return e.Fields
	}
	return nil
}
