package migrate

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// maxDump is the largest dump that is read.
const maxDump = 32 << 20

var errEmpty = errors.New("the dump has no rows")

// FromTable translates a dump of the api_configs table: CSV with a header line,
// a JSON array of objects, an object with one such array in it, or JSON objects
// one after another. Columns may be spelled in the ways that docs/migration.md lists; those
// that mean nothing to Easel are noted once.
func FromTable(r io.Reader) (Plan, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxDump+1))
	if err != nil {
		return Plan{}, fmt.Errorf("read the dump: %w", err)
	}
	if len(data) > maxDump {
		return Plan{}, fmt.Errorf("the dump is larger than %d bytes", maxDump)
	}
	data = bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\uFEFF")))
	var rows []map[string]any
	if len(data) > 0 && (data[0] == '[' || data[0] == '{') {
		rows, err = jsonRows(data)
	} else {
		rows, err = csvRows(data)
	}
	if err != nil {
		return Plan{}, err
	}
	if len(rows) == 0 {
		return Plan{}, errEmpty
	}
	return translate(rows), nil
}

func csvRows(data []byte) ([]map[string]any, error) {
	reader := csv.NewReader(bytes.NewReader(data))
	reader.LazyQuotes = false
	lines, err := reader.ReadAll()
	if err != nil {
		if wrong, ok := errors.AsType[*csv.ParseError](err); ok {
			return nil, fmt.Errorf("the dump's line %d is not CSV: %w", wrong.Line, wrong.Err)
		}
		return nil, fmt.Errorf("the dump is not CSV: %w", err)
	}
	if len(lines) == 0 {
		return nil, errEmpty
	}
	rows := make([]map[string]any, 0, len(lines)-1)
	for _, line := range lines[1:] {
		row := map[string]any{}
		for i, name := range lines[0] {
			if value := line[i]; value != "" && value != `\N` && !strings.EqualFold(value, "null") {
				row[name] = value
			}
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func jsonRows(data []byte) ([]map[string]any, error) {
	var rows []map[string]any
	if data[0] == '[' {
		return rows, decodeJSON(data, &rows)
	}
	var whole map[string]any
	if decodeJSON(data, &whole) == nil {
		for _, name := range slices.Sorted(maps.Keys(whole)) {
			if list, ok := whole[name].([]any); ok {
				return objects(list)
			}
		}
		return []map[string]any{whole}, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	for {
		var row map[string]any
		err := decoder.Decode(&row)
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, errNotJSON
		}
		rows = append(rows, row)
	}
}

// errNotJSON says no more, because the decoder's own words may quote a key.
var errNotJSON = errors.New("the dump is not JSON objects with one row each")

func decodeJSON(data []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil || decoder.More() {
		return errNotJSON
	}
	return nil
}

func objects(list []any) ([]map[string]any, error) {
	rows := make([]map[string]any, 0, len(list))
	for _, one := range list {
		row, ok := one.(map[string]any)
		if !ok {
			return nil, errNotJSON
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// translate turns rows into a plan.
func translate(rows []map[string]any) Plan {
	var p Plan
	unmapped := map[string]bool{}
	for i, raw := range rows {
		r := newRow(raw, unmapped)
		r.source = fmt.Sprintf("row %d", i+1)
		e, ok := r.entry(&p)
		if !ok {
			continue
		}
		p.Add(Plan{Entries: []Entry{e}})
	}
	for _, name := range slices.Sorted(maps.Keys(unmapped)) {
		p.note("column "+name, "means nothing to Easel and is left out")
	}
	onlyOneDefault(&p)
	return p
}

// onlyOneDefault keeps the first default of each kind, since there is one.
func onlyOneDefault(p *Plan) {
	seen := map[string]bool{}
	for i := range p.Entries {
		c := &p.Entries[i].Config
		if c.Default == nil || !*c.Default {
			continue
		}
		if kind := string(c.Kind); seen[kind] {
			c.Default = nil
			p.note(p.Entries[i].Source, "is not the default: another %s config is", kind)
		} else {
			seen[kind] = true
		}
	}
}
