package providertest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Contract is what a vendor documents about one request, in a JSON file of the
// driver's testdata. A member that is not listed may not be sent.
type Contract struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	// Headers must be sent with these values, and OptionalHeaders may be.
	Headers         map[string]string `json:"headers"`
	OptionalHeaders []string          `json:"optional_headers"`
	// Query parameters must be sent with these values, and OptionalQuery may be.
	Query         map[string]string `json:"query"`
	OptionalQuery []string          `json:"optional_query"`
	// Body is json, multipart or none.
	Body string `json:"body"`
	// Fields are the body's members by their path: a.b for a member of an object,
	// a[] for the elements of an array.
	Fields map[string]Field `json:"fields"`
}

// Field is what a vendor documents about one member of a request's body.
type Field struct {
	// Type is string, integer, number, boolean, object, array, file or any.
	Type      string   `json:"type"`
	Required  bool     `json:"required"`
	Enum      []any    `json:"enum"`
	Min       *float64 `json:"min"`
	Max       *float64 `json:"max"`
	MaxLength int      `json:"max_length"`
}

func (h Harness) requests(t *testing.T) {
	for _, c := range h.Requests {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			reply := c.Reply
			if reply.Body == "" {
				reply = h.Submits[0].Replies[0]
			}
			s := scripted(t, reply)
			if _, err := h.New(s.client).Submit(t.Context(), h.call(s.url, c.Change)); err != nil {
				t.Fatalf("Submit: %v", err)
			}
			h.documented(t, s)
			sent := s.requests()[0]
			checkContract(t, s, readContract(t, c.Contract), sent, c.Want)
		})
	}
}

func readContract(t *testing.T, name string) Contract {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name)) //nolint:gosec // a constant of a test
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var c Contract
	if err := decoder.Decode(&c); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return c
}

func checkContract(t *testing.T, s *stage, c Contract, sent Recorded, want map[string]any) {
	t.Helper()
	for _, problem := range c.problems(t, sent) {
		t.Error(problem)
	}
	checkFrame(t, s, c, sent)
	fields := flatten(t, c.Body, sent)
	for path, value := range want {
		checkWanted(t, path, value, fields[path])
	}
}

// problems are what a request has that is not documented, and what it lacks.
func (c Contract) problems(t *testing.T, sent Recorded) (problems []string) {
	t.Helper()
	add := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if !c.is(sent) {
		add("sent %s %s, want %s %s", sent.Method, sent.Path, c.Method, c.Path)
	}
	for _, name := range undocumented(sent.Header, c.Headers, c.OptionalHeaders, usualHeaders()) {
		add("header %s is not documented", name)
	}
	for _, name := range undocumented(sent.Query, c.Query, c.OptionalQuery) {
		add("query parameter %s is not documented", name)
	}
	fields := flatten(t, c.Body, sent)
	for _, path := range slices.Sorted(maps.Keys(fields)) {
		documented, ok := c.Fields[path]
		if !ok {
			add("field %s is not documented", path)
			continue
		}
		for _, value := range fields[path] {
			if problem := documented.check(value, c.Body == "multipart"); problem != "" {
				add("field %s = %.80v: %s", path, value, problem)
			}
		}
	}
	for _, path := range slices.Sorted(maps.Keys(c.Fields)) {
		if c.Fields[path].Required && len(fields[path]) == 0 {
			add("field %s is missing", path)
		}
	}
	return problems
}

// undocumented are the names that were sent and are in none of the lists.
func undocumented(sent map[string][]string, must map[string]string, may ...[]string) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(sent)) {
		if _, ok := must[name]; !ok && !slices.Contains(slices.Concat(may...), name) {
			names = append(names, name)
		}
	}
	return names
}

// usualHeaders are those that every client sends.
func usualHeaders() []string {
	return []string{"Accept", "Accept-Encoding", "Content-Length", "Content-Type", "User-Agent"}
}

// is reports whether a request is the one that the contract is about: {} in its
// path stands for one part of a path.
func (c Contract) is(sent Recorded) bool {
	want, got := strings.Split(c.Path, "/"), strings.Split(sent.Path, "/")
	return sent.Method == c.Method && slices.EqualFunc(want, got, func(w, g string) bool {
		before, after, open := strings.Cut(w, "{}")
		return w == g || open && len(g) > len(before)+len(after) && strings.HasPrefix(g, before) && strings.HasSuffix(g, after)
	})
}

// documented compares whatever the driver sent in a test with what its vendor
// documents: every request must be one of the harness's contracts, and hold
// nothing else.
func (h Harness) documented(t *testing.T, s *stage) {
	t.Helper()
	contracts := slices.Clone(h.Contracts)
	for _, c := range h.Requests {
		contracts = append(contracts, c.Contract)
	}
	slices.Sort(contracts)
	contracts = slices.Compact(contracts)
	for _, sent := range s.requests() {
		problems := []string{fmt.Sprintf("%s %s is not documented", sent.Method, sent.Path)}
		for _, name := range contracts {
			c := readContract(t, name)
			if !c.is(sent) {
				continue
			}
			if problems = c.problems(t, sent); len(problems) == 0 {
				break
			}
			problems = append(problems, "in "+name)
		}
		for _, problem := range problems {
			t.Error(problem)
		}
	}
}

// checkFrame compares the headers and the query.
func checkFrame(t *testing.T, s *stage, c Contract, sent Recorded) {
	t.Helper()
	for name, value := range c.Headers {
		if got := sent.Header.Get(name); got != s.fill(value) {
			t.Errorf("header %s = %q, want %q", name, got, s.fill(value))
		}
	}
	for name, value := range c.Query {
		if got := sent.Query[name]; len(got) != 1 || got[0] != value {
			t.Errorf("query %s = %q, want %q", name, got, value)
		}
	}
}

// checkWanted compares one field; nil wants it absent.
func checkWanted(t *testing.T, path string, want any, got []any) {
	t.Helper()
	if want == nil {
		if len(got) != 0 {
			t.Errorf("field %s is sent: %v", path, got)
		}
		return
	}
	encoded, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var plain any
	_ = json.Unmarshal(encoded, &plain)
	if len(got) == 0 || !reflect.DeepEqual(got[0], plain) {
		t.Errorf("field %s = %v, want %v", path, got, plain)
	}
}

// flatten lists the body's members by path.
func flatten(t *testing.T, kind string, sent Recorded) map[string][]any {
	t.Helper()
	fields := make(map[string][]any)
	switch kind {
	case "json":
		var body any
		if err := json.Unmarshal(sent.Body, &body); err != nil {
			t.Fatalf("the body is not JSON: %v", err)
		}
		walk("", body, fields)
	case "multipart":
		readForm(t, sent, fields)
	default:
		if len(sent.Body) != 0 {
			t.Errorf("a body of %d bytes was sent", len(sent.Body))
		}
	}
	return fields
}

func walk(path string, value any, fields map[string][]any) {
	if path != "" {
		fields[path] = append(fields[path], value)
	}
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			walk(strings.TrimPrefix(path+"."+name, "."), member, fields)
		}
	case []any:
		for _, element := range v {
			walk(path+"[]", element, fields)
		}
	}
}

// file is how a file of a form appears among the fields.
type file struct {
	contentType string
	bytes       int
}

func readForm(t *testing.T, sent Recorded, fields map[string][]any) {
	t.Helper()
	mediaType, params, err := mime.ParseMediaType(sent.Header.Get("Content-Type"))
	if err != nil || mediaType != "multipart/form-data" {
		t.Fatalf("content type = %q", sent.Header.Get("Content-Type"))
	}
	reader := multipart.NewReader(bytes.NewReader(sent.Body), params["boundary"])
	for {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		data, _ := io.ReadAll(part)
		var value any = string(data)
		if part.FileName() != "" {
			value = file{contentType: part.Header.Get("Content-Type"), bytes: len(data)}
		}
		fields[part.FormName()] = append(fields[part.FormName()], value)
	}
}

func (f Field) check(value any, form bool) string {
	if text, ok := value.(string); ok && form {
		value = f.parse(text)
	}
	if problem := f.checkType(value); problem != "" {
		return problem
	}
	if len(f.Enum) > 0 && !slices.Contains(f.Enum, value) {
		return fmt.Sprintf("is none of %v", f.Enum)
	}
	if number, ok := value.(float64); ok {
		if (f.Min != nil && number < *f.Min) || (f.Max != nil && number > *f.Max) {
			return "is out of range"
		}
	}
	if text, ok := value.(string); ok && f.MaxLength > 0 && len([]rune(text)) > f.MaxLength {
		return "is too long"
	}
	return ""
}

// parse gives a form's text the type that the field should have.
func (f Field) parse(text string) any {
	switch f.Type {
	case "integer", "number":
		if number, err := strconv.ParseFloat(text, 64); err == nil {
			return number
		}
	case "boolean":
		if truth, err := strconv.ParseBool(text); err == nil {
			return truth
		}
	}
	return text
}

func (f Field) checkType(value any) string {
	got := "any"
	switch v := value.(type) {
	case string:
		got = "string"
	case bool:
		got = "boolean"
	case map[string]any:
		got = "object"
	case []any:
		got = "array"
	case file:
		got = "file"
	case nil:
		got = "null"
	case float64:
		got = "number"
		if f.Type == "integer" && v == float64(int64(v)) {
			got = "integer"
		}
	}
	if f.Type != "any" && got != f.Type {
		return "is a " + got + ", documented is " + f.Type
	}
	return ""
}
