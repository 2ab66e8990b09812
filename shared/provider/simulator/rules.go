package simulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// inputs are the members of a JSON object, or the fields of a form. Numbers
// are json.Number; everything in a form is formText.
type inputs map[string]any

// formText is the value of a form field, which may stand for a number.
type formText string

// words returns a value that may be read as text.
func words(v any) (string, bool) {
	switch s := v.(type) {
	case string:
		return s, true
	case formText:
		return string(s), true
	default:
		return "", false
	}
}

// Problem kinds, for vendors that answer differently to each.
const (
	problemMissing = "missing"
	problemUnknown = "unknown"
	problemType    = "type"
	problemRange   = "range"
	problemEnum    = "enum"
)

// problem is one thing wrong with a request.
type problem struct {
	field  string
	kind   string
	reason string // ends a sentence that begins with the field's name
}

// rule is what a vendor demands of one member.
type rule struct {
	name     string
	required bool
	check    func(v any) *problem
}

func must(name string, check func(any) *problem) rule { return rule{name, true, check} }
func may(name string, check func(any) *problem) rule  { return rule{name, false, check} }

// decodeObject reads a JSON object, keeping numbers exact.
func decodeObject(body []byte) (inputs, error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var in inputs
	if err := dec.Decode(&in); err != nil {
		return nil, err
	}
	if in == nil {
		return nil, errors.New("null is not an object")
	}
	return in, nil
}

// inspect returns what is wrong with in, in the order of the rules and then of
// the unknown names. Unknown names are wrong only when strict.
func inspect(in inputs, strict bool, rules ...rule) []problem {
	var found []problem
	known := make(map[string]bool, len(rules))
	for _, r := range rules {
		known[r.name] = true
		v, present := in[r.name]
		switch {
		case !present || v == nil:
			if r.required {
				found = append(found, problem{r.name, problemMissing, "is required"})
			}
		case r.check != nil:
			if p := r.check(v); p != nil {
				p.field = r.name
				found = append(found, *p)
			}
		}
	}
	if !strict {
		return found
	}
	var unknown []string
	for name := range in {
		if !known[name] {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	for _, name := range unknown {
		found = append(found, problem{name, problemUnknown, "is not a known parameter"})
	}
	return found
}

func text(least, most int) func(any) *problem {
	return func(v any) *problem {
		s, ok := words(v)
		if !ok {
			return &problem{kind: problemType, reason: "must be a string"}
		}
		if n := len(utf16.Encode([]rune(s))); n < least || n > most {
			return &problem{kind: problemRange, reason: fmt.Sprintf("must have from %d to %d characters", least, most)}
		}
		return nil
	}
}

func oneOf(choices ...string) func(any) *problem {
	return func(v any) *problem {
		s, ok := words(v)
		if !ok {
			return &problem{kind: problemType, reason: "must be a string"}
		}
		if !slices.Contains(choices, s) {
			return &problem{kind: problemEnum, reason: fmt.Sprintf("must be one of '%s'", strings.Join(choices, "', '"))}
		}
		return nil
	}
}

func whole(least, most float64) func(any) *problem {
	return func(v any) *problem {
		f, ok := number(v)
		if !ok || f != math.Trunc(f) {
			return &problem{kind: problemType, reason: "must be an integer"}
		}
		return bounded(f, least, most)
	}
}

func real(least, most float64) func(any) *problem {
	return func(v any) *problem {
		f, ok := number(v)
		if !ok {
			return &problem{kind: problemType, reason: "must be a number"}
		}
		return bounded(f, least, most)
	}
}

func bounded(f, least, most float64) *problem {
	if f >= least && f <= most {
		return nil
	}
	return &problem{kind: problemRange, reason: fmt.Sprintf("must be from %s to %s",
		strconv.FormatFloat(least, 'f', -1, 64), strconv.FormatFloat(most, 'f', -1, 64))}
}

func boolean(v any) *problem {
	if _, ok := v.(bool); !ok {
		return &problem{kind: problemType, reason: "must be a boolean"}
	}
	return nil
}

func anything(any) *problem { return nil }

// list checks the length of an array and each of its elements.
func list(least, most int, each func(any) *problem) func(any) *problem {
	return func(v any) *problem {
		items, ok := v.([]any)
		if !ok {
			return &problem{kind: problemType, reason: "must be an array"}
		}
		if len(items) < least || len(items) > most {
			return &problem{kind: problemRange, reason: fmt.Sprintf("must have from %d to %d items", least, most)}
		}
		for i, item := range items {
			if p := each(item); p != nil {
				p.reason = fmt.Sprintf("item %d %s", i, p.reason)
				return p
			}
		}
		return nil
	}
}

// either accepts what one of the checks accepts and reports the last problem.
func either(checks ...func(any) *problem) func(any) *problem {
	return func(v any) *problem {
		var last *problem
		for _, check := range checks {
			if last = check(v); last == nil {
				return nil
			}
		}
		return last
	}
}

func number(v any) (float64, bool) {
	var digits string
	switch n := v.(type) {
	case json.Number:
		digits = n.String()
	case formText:
		digits = string(n)
	case float64: // a job read back from its file
		return n, true
	default:
		return 0, false
	}
	f, err := strconv.ParseFloat(digits, 64)
	return f, err == nil && !math.IsNaN(f) && !math.IsInf(f, 0)
}

// str returns a string member, or def.
func (in inputs) str(name, def string) string {
	if s, ok := words(in[name]); ok && s != "" {
		return s
	}
	return def
}

// integer returns a number member, or def.
func (in inputs) integer(name string, def int64) int64 {
	f, ok := number(in[name])
	if !ok {
		return def
	}
	return int64(f)
}

func (in inputs) float(name string, def float64) float64 {
	if f, ok := number(in[name]); ok {
		return f
	}
	return def
}

func (in inputs) boolean(name string, def bool) bool {
	if b, ok := in[name].(bool); ok {
		return b
	}
	return def
}
