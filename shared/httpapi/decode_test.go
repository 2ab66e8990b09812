package httpapi_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"easel/shared/fault"
	"easel/shared/httpapi"
)

type inner struct {
	Scale float64 `json:"scale"`
}

type sample struct {
	Name    string                     `json:"name"`
	Count   *int                       `json:"count"`
	Big     int64                      `json:"big"`
	On      bool                       `json:"on"`
	List    []inner                    `json:"list"`
	Words   []string                   `json:"words"`
	Tags    map[string]string          `json:"tags"`
	Raw     json.RawMessage            `json:"raw"`
	Options map[string]json.RawMessage `json:"options"`
	Inner   *inner                     `json:"inner"`
}

func decode(body string, headers ...string) (sample, error) {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	var s sample
	err := httpapi.Decode(httptest.NewRecorder(), r, 1000, &s)
	return s, err
}

func TestDecodeFillsEveryType(t *testing.T) {
	t.Parallel()
	got, err := decode(` {"name":"é\n","count":-3,"big":9007199254740993,"on":true,"list":[{"scale":1e-2},{}],
		"words":["a",""],"tags":{"k.x":"v"},"raw": [1, {"a":null}] ,"options":{"a":{"b":[1,2]},"n":null},"inner":{"scale":2}} `)
	if err != nil {
		t.Fatal(err)
	}
	three := -3
	want := sample{
		Name: "é\n", Count: &three, Big: 9007199254740993, On: true, List: []inner{{0.01}, {}}, Words: []string{"a", ""},
		Tags: map[string]string{"k.x": "v"}, Raw: json.RawMessage(`[1, {"a":null}]`),
		Options: map[string]json.RawMessage{"a": json.RawMessage(`{"b":[1,2]}`), "n": json.RawMessage(`null`)}, Inner: &inner{2},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestDecodeTakesNullForNothing(t *testing.T) {
	t.Parallel()
	got, err := decode(`{"name":null,"count":null,"list":null,"tags":null,"inner":null,"on":null}`)
	if err != nil || !reflect.DeepEqual(got, sample{}) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestDecodeNamesTheFieldAndWhatItShouldBe(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40)
	cases := map[string]struct {
		body    string
		field   string
		message string
	}{
		"an unknown member":             {`{"nme":"x"}`, "nme", "not a known field"},
		"another case":                  {`{"Name":"x"}`, "Name", "not a known field"},
		"an unknown member deep inside": {`{"list":[{},{"scal":1}]}`, "list[1].scal", "not a known field"},
		"a name that is not plain":      {`{"a b\n":1}`, `["a b\n"]`, "not a known field"},
		"a string for a number":         {`{"count":"1"}`, "count", "must be a whole number, not a string"},
		"a fraction":                    {`{"count":1.5}`, "count", "whole number"},
		"an exponent":                   {`{"count":1e2}`, "count", "whole number"},
		"a number out of range":         {`{"big":9223372036854775808}`, "big", "whole number"},
		"a float out of range":          {`{"inner":{"scale":1e999}}`, "inner.scale", "number"},
		"a number for a string":         {`{"name":1}`, "name", "must be a string, not a number"},
		"a number in a list of strings": {`{"words":["a",1]}`, "words[1]", "must be a string"},
		"an object for a list":          {`{"list":{}}`, "list", "must be an array, not an object"},
		"a list for an object":          {`{"inner":[]}`, "inner", "must be an object, not an array"},
		"a string for a boolean":        {`{"on":"yes"}`, "on", "true or false"},
		"a number in a map of strings":  {`{"tags":{"k":1}}`, "tags.k", "must be a string"},
		"null in a map of strings":      {`{"tags":{"k":null}}`, "tags.k", "must be a string"},
		"a member twice":                {`{"name":"a","name":"b"}`, "name", "occurs twice"},
		"a member twice inside":         {`{"options":{"a":{"b":1,"b":2}}}`, "options.a.b", "occurs twice"},
		"an escaped member twice":       {`{"name":"a","n\u0061me":"b"}`, "name", "occurs twice"},
		"nothing":                       {``, "", "empty"},
		"spaces":                        {"  \n", "", "empty"},
		"no object":                     {`"x"`, "", "must be a JSON object, not a string"},
		"null":                          {`null`, "", "must be a JSON object"},
		"half an object":                {`{"name":`, "", "not valid JSON"},
		"a trailing comma":              {`{"name":"a",}`, "", "not valid JSON"},
		"two values":                    {`{} {}`, "", "more data"},
		"rubbish after it":              {`{} x`, "", "more data"},
		"bytes that are no text":        {"{\"name\":\"\xff\"}", "", "UTF-8"},
		"deep nesting":                  {`{"raw":` + deep + `}`, "", "deeper"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := decode(c.body)
			e, ok := errors.AsType[*fault.Error](err)
			if !ok || e.Code != fault.InvalidInput || !strings.Contains(e.Message, c.message) {
				t.Fatalf("error = %v, want invalid input with %q", err, c.message)
			}
			if c.field != "" && (len(e.Fields) != 1 || e.Fields[0].Name != c.field) {
				t.Errorf("fields = %+v, want %s", e.Fields, c.field)
			}
		})
	}
}

func TestDecodeTellsSeveralFieldsButNotAll(t *testing.T) {
	t.Parallel()
	_, err := decode(`{"name":1,"on":2,"x":3}`)
	if e, ok := errors.AsType[*fault.Error](err); !ok || len(e.Fields) != 3 {
		t.Errorf("error = %v, want three fields", err)
	}
	_, err = decode(`{"words":[` + strings.Repeat("1,", 300) + `1]}`)
	if e, ok := errors.AsType[*fault.Error](err); !ok || len(e.Fields) != 20 {
		t.Errorf("error = %v, want twenty fields", err)
	}
}

func TestDecodeChecksSizeAndType(t *testing.T) {
	t.Parallel()
	if _, err := decode(`{"name":"` + strings.Repeat("a", 1000) + `"}`); fault.CodeOf(err) != fault.TooLarge {
		t.Errorf("a large body: %v", err)
	}
	for contentType, ok := range map[string]bool{
		"application/json": true, "application/json; charset=UTF-8": true, "application/merge-patch+json": true, "": true,
		"text/plain": false, "application/x-www-form-urlencoded": false, "application/json; charset=latin1": false, "json": false,
	} {
		_, err := decode(`{}`, "Content-Type", contentType)
		if want := fault.UnsupportedMedia; (err == nil) != ok || err != nil && fault.CodeOf(err) != want {
			t.Errorf("%q: %v", contentType, err)
		}
	}
}

func TestDecodeLooseIgnoresWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"name":"a","NAME":"b","extra":{"x":1}}`))
	var s sample
	if err := httpapi.DecodeLoose(httptest.NewRecorder(), r, 1000, &s); err != nil || s.Name != "a" {
		t.Errorf("got %+v, %v", s, err)
	}
}

type outer struct {
	inner

	Name string `json:"name"`
}

func TestDecodeFillsWhatIsEmbedded(t *testing.T) {
	t.Parallel()
	var got struct {
		List []outer `json:"list"`
	}
	read := func(body string) error {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		return httpapi.Decode(httptest.NewRecorder(), r, httpapi.MaxBody, &got)
	}
	if err := read(`{"list":[{"name":"a","scale":2},{"scale":3}]}`); err != nil || len(got.List) != 2 || got.List[0] != (outer{inner{2}, "a"}) || got.List[1].Scale != 3 {
		t.Errorf("got %+v, %v", got, err)
	}
	if e, ok := errors.AsType[*fault.Error](read(`{"list":[{},{"scale":"x","inner":{}}]}`)); !ok || len(e.Fields) != 2 || e.Fields[0].Name != "list[1].scale" || e.Fields[1].Name != "list[1].inner" {
		t.Errorf("got %v", e)
	}
}

func TestDecodeBoundsHowManyValuesThereAre(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"list":[`+strings.Repeat("{},", 300_000)+`{}]}`))
	var s sample
	if err := httpapi.Decode(httptest.NewRecorder(), r, httpapi.MaxBody, &s); fault.CodeOf(err) != fault.InvalidInput || !strings.Contains(err.Error(), "values") {
		t.Errorf("got %v", err)
	}
}

type upload struct {
	Image string `json:"image"`
	Text  string `json:"text"`
}

func (u *upload) Uploaded() int { return len(u.Image) }

func TestDecodeUploadLimitsWhatIsNoImage(t *testing.T) {
	t.Parallel()
	send := func(body string) error {
		return httpapi.DecodeUpload(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)), &upload{})
	}
	large := strings.Repeat("a", 2<<20)
	if err := send(`{"image":"` + large + `"}`); err != nil {
		t.Errorf("a large image: %v", err)
	}
	if err := send(`{"text":"` + large + `"}`); fault.CodeOf(err) != fault.TooLarge {
		t.Errorf("a large text: %v", err)
	}
	if err := send(`{"image":"` + strings.Repeat(large, 5) + `"}`); fault.CodeOf(err) != fault.TooLarge {
		t.Errorf("a huge image: %v", err)
	}
}

// What Decode accepts, encoding/json reads to the same values.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"name":"a","count":1,"list":[{"scale":1}],"raw":{"a":[1,2]},"options":{"x":"y"}}`,
		`{"name":"é\ud800","tags":{"":""}}`, `{"words":[null,"a"],"inner":null}`, `[`, `{"raw": 1.0e5 }`, `{"big":-0}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		got, err := decode(body)
		if err != nil {
			e, ok := errors.AsType[*fault.Error](err)
			if !ok {
				t.Fatalf("error %v is not a fault", err)
			}
			if e.Code != fault.InvalidInput && e.Code != fault.TooLarge {
				t.Fatalf("code %s", e.Code)
			}
			return
		}
		var want sample
		if err := json.Unmarshal([]byte(body), &want); err != nil {
			t.Fatalf("accepted what encoding/json refuses: %v", err)
		}
		a, err := json.Marshal(got)
		if err != nil {
			t.Fatalf("a raw value is not JSON: %v", err)
		}
		b, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		if string(a) != string(b) {
			t.Errorf("got %s, encoding/json has %s", a, b)
		}
	})
}
