package custom

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"easel/shared/fault"
	"easel/shared/provider/httpcall"
)

// placeholder is {{name}}, {{name:type}}, {{name|default}} or {{name:type|default}}.
// The type is string or number.
var placeholder = regexp.MustCompile(`\{\{\s*([a-z_][a-z0-9_.]*)\s*(?::\s*(string|number)\s*)?(?:\|([^{}]*))?\}\}`)

// rawPath is a path that was filled before and is not to be escaped again.
type rawPath string

// fill puts values into a template. A string that is one placeholder becomes the
// value itself, of its own type; a placeholder within a string becomes text. What
// has no value, and no default, is left out: the member, element or string that
// needs it, with all that is around it up to the next object or list.
func fill(template any, vars map[string]any) (any, bool) {
	switch t := template.(type) {
	case string:
		return fillString(t, vars)
	case map[string]any:
		object := make(map[string]any, len(t))
		for member, inner := range t {
			if value, ok := fill(inner, vars); ok {
				object[member] = value
			}
		}
		return object, true
	case []any:
		list := make([]any, 0, len(t))
		for _, inner := range t {
			if value, ok := fill(inner, vars); ok {
				list = append(list, value)
			}
		}
		return list, true
	default:
		return template, true
	}
}

func fillString(template string, vars map[string]any) (any, bool) {
	if match := placeholder.FindStringSubmatch(template); match != nil && match[0] == template {
		return lookup(match, vars)
	}
	return fillText(template, vars)
}

// fillText fills a template that can only be text, such as a header.
func fillText(template string, vars map[string]any) (string, bool) {
	complete := true
	filled := placeholder.ReplaceAllStringFunc(template, func(found string) string {
		value, ok := lookup(placeholder.FindStringSubmatch(found), vars)
		if !ok {
			complete = false
			return ""
		}
		return asText(value)
	})
	return filled, complete
}

// fillPath fills a path. Values cannot leave their segment, let alone the host.
func fillPath(template string, vars map[string]any) (string, error) {
	var problem error
	filled := placeholder.ReplaceAllStringFunc(template, func(found string) string {
		match := placeholder.FindStringSubmatch(found)
		value, ok := lookup(match, vars)
		if own, raw := value.(rawPath); raw {
			return string(own)
		}
		text := asText(value)
		if !ok || text == "" || text == "." || text == ".." {
			problem = &fault.Failure{
				Class: fault.ClassUnsupported, Message: "the address of the request needs a value that is missing", Cause: fmt.Errorf("no %s", match[1]),
			}
			return ""
		}
		return url.PathEscape(text)
	})
	return filled, problem
}

// lookup finds the value of a matched placeholder.
func lookup(match []string, vars map[string]any) (any, bool) {
	name, kind, fallback := match[1], match[2], match[3]
	value, ok := vars[name]
	if !ok {
		if !strings.Contains(match[0], "|") {
			return nil, false
		}
		value = literal(strings.TrimSpace(fallback))
	}
	switch kind {
	case "string":
		return asText(value), true
	case "number":
		number, err := strconv.ParseFloat(asText(value), 64)
		return number, err == nil
	default:
		return value, true
	}
}

// literal reads a default: JSON where it is some, else text.
func literal(text string) any {
	var value any
	if json.Unmarshal([]byte(text), &value) == nil {
		return value
	}
	return text
}

func asText(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case rawPath:
		return string(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		encoded, err := json.Marshal(v)
		if err != nil {
			return ""
		}
		return strings.Trim(string(encoded), `"`)
	}
}

// fillBody builds the body of an operation, as JSON or as a form.
func fillBody(op *operation, vars map[string]any) (*httpcall.Body, error) {
	value, _ := fill(op.Body, vars)
	if op.Format != "form" {
		return httpcall.JSON(value)
	}
	members, _ := value.(map[string]any)
	form := new(httpcall.Form)
	for _, member := range slices.Sorted(maps.Keys(members)) {
		text := asText(members[member])
		if strings.HasPrefix(text, "data:") {
			data, err := httpcall.ParseDataURL(text)
			if err != nil {
				return nil, err
			}
			form.File(member, data)
			continue
		}
		form.Text(member, text)
	}
	return form.Body(), nil
}

// names lists the placeholders of a template.
func names(template any) []string {
	var found []string
	switch t := template.(type) {
	case string:
		for _, match := range placeholder.FindAllStringSubmatch(t, -1) {
			found = append(found, match[1])
		}
	case map[string]any:
		for _, inner := range t {
			found = append(found, names(inner)...)
		}
	case []any:
		for _, inner := range t {
			found = append(found, names(inner)...)
		}
	}
	return found
}
