package moderation

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"easel/shared/generation"
)

// part is one text of a request.
type part struct {
	field, text string
	// unwanted is true for what a picture is to leave out: people write there what
	// they do not want.
	unwanted bool
}

// collect returns every text of a request that can reach a provider.
func collect(r generation.Request) []part {
	list := append(make([]part, 0, 3+len(r.Messages)+len(r.Options)),
		part{field: "prompt", text: r.Prompt},
		part{field: "negative_prompt", text: r.NegativePrompt, unwanted: true},
		part{field: "system", text: r.System})
	for i, m := range r.Messages {
		list = append(list, part{field: at("messages", i) + ".content", text: m.Content})
	}
	for _, name := range slices.Sorted(maps.Keys(r.Options)) {
		list = append(list, inJSON("options."+name, r.Options[name])...)
	}
	return slices.DeleteFunc(list, func(p part) bool { return p.text == "" })
}

// inJSON returns the texts inside a JSON value.
func inJSON(field string, raw json.RawMessage) []part {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return nil
	}
	return inValue(field, v)
}

func inValue(field string, v any) []part {
	switch v := v.(type) {
	case string:
		if strings.HasPrefix(v, "data:") && strings.Contains(v[:min(len(v), 100)], ";base64,") {
			return nil // a file
		}
		return []part{{field: field, text: v, unwanted: strings.HasSuffix(field, ".negative_prompt")}}
	case []any:
		var list []part
		for i, one := range v {
			list = append(list, inValue(at(field, i), one)...)
		}
		return list
	case map[string]any:
		var list []part
		for _, name := range slices.Sorted(maps.Keys(v)) {
			list = append(list, inValue(field+"."+name, v[name])...)
		}
		return list
	default:
		return nil
	}
}
