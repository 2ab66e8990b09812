package httpapi_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"easel/shared/fault"
	"easel/shared/httpapi"
)

type picture struct {
	Size string `json:"size,omitempty"`
	N    *int   `json:"n,omitempty"`
}

type patched struct {
	Image picture `json:"image,omitzero"`
	Name  string  `json:"name,omitempty"`
}

// wrongFields are the names that an error speaks of.
func wrongFields(err error) string {
	var names []string
	if e, ok := errors.AsType[*fault.Error](err); ok {
		for _, f := range e.Fields {
			names = append(names, f.Name)
		}
	}
	return strings.Join(names, " ")
}

func TestAPatchChangesWhatItNames(t *testing.T) {
	t.Parallel()
	before := patched{Image: picture{Size: "a", N: new(2)}, Name: "x"}
	for body, want := range map[string]string{
		`{}`:                               `{"image":{"size":"a","n":2},"name":"x"}`,
		`{"name":"y"}`:                     `{"image":{"size":"a","n":2},"name":"y"}`,
		`{"image":{"n":null}}`:             `{"image":{"size":"a"},"name":"x"}`,
		`{"image":null,"name":null}`:       `{}`,
		`{"image":{"n":3,"size":"b"}}`:     `{"image":{"size":"b","n":3},"name":"x"}`,
		`{"other":1}`:                      "other",
		`{"image":{"n":"3","size":7}}`:     "image.n image.size",
		`{"image":{"wide":1}}`:             "image.wide",
		`{"name":"a","name":"b"}`:          "name",
		`[1]`:                              "",
		`{"image":{"n":9007199254740993}}`: `{"image":{"size":"a","n":9007199254740993},"name":"x"}`,
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPatch, "/", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/merge-patch+json")
		patch, err := httpapi.ReadPatch(httptest.NewRecorder(), r, 1000)
		var after patched
		if err == nil {
			err = patch.Apply(before, &after)
		}
		if fault.CodeOf(err) == fault.InvalidInput {
			if strings.HasPrefix(want, "{") || !strings.Contains(wrongFields(err), want) {
				t.Errorf("%s: %v", body, err)
			}
			continue
		}
		got, encodeErr := json.Marshal(after)
		if err != nil || encodeErr != nil || string(got) != want {
			t.Errorf("%s: %s, %v; want %s", body, got, err, want)
		}
	}
	if *before.Image.N != 2 || before.Name != "x" {
		t.Errorf("what was patched has changed itself: %+v", before)
	}
}

func TestIfMatch(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]struct {
		asked bool
		code  fault.Code
	}{
		"": {false, ""}, "*": {false, ""}, `"3"`: {true, ""}, `"2"`: {true, fault.StaleVersion}, "3": {true, fault.InvalidInput}, `"x"`: {true, fault.InvalidInput},
	} {
		r := request("")
		if header != "" {
			r.Header.Set("If-Match", header)
		}
		if asked, err := httpapi.IfMatch(r, 3); asked != want.asked || fault.CodeOf(err) != want.code {
			t.Errorf("%q: %t, %v", header, asked, err)
		}
	}
}
