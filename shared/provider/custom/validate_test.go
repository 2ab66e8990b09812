package custom_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/provider/custom"
	"easel/shared/secret"
)

func TestValidateNamesTheMemberAtFault(t *testing.T) {
	t.Parallel()
	for member, replace := range map[string][2]string{
		"config_data.mode":               {`"mode": "async"`, `"mode":"later"`},
		"config_data.submits":            {`"submit":`, `"submits":`},
		"config_data.submit.pat":         {`"path": "/v1/generations",`, `"pat": "/v1/generations",`},
		"config_data.submit.method":      {`"method": "POST"`, `"method":"GET"`},
		"config_data.submit.path":        {`"/v1/generations",`, `"https://evil.example/x",`},
		"config_data.submit.body.prompt": {`"{{prompt}}"`, `"{{prompt"`},
		"config_data.poll.path":          {`/v1/generations/{{job.id}}`, `/v1/../{{job.id}}`},
		"config_data.job.id":             {`"job": {"id": "id"}`, `"job": {"id": "id["}`},
		"config_data.answer.status":      {`"status": "status"`, `"status": 7`},
		"config_data.answer.outputs":     {`"output[].url"`, `"` + strings.Repeat("a", 501) + `"`},
		"config_data.states.succeeded":   {`"succeeded": ["completed"],`, ``},
		"config_data.errors[0].class":    {`"class": "moderated"`, `"class": "bad"`},
		"config_data.errors[0]":          {`"codes": ["content_moderated"],`, ``},
		"config_data.allowed.length":     {`"duration": [`, `"length": [`},
		"config_data.poll_seconds":       {`"poll_seconds": 4`, `"poll_seconds": -1`},
		"config_data.auth.name":          {`"mode": "async"`, `"mode": "async", "auth": {"type":"header"}`},
		"config_data.headers.Host":       {`"mode": "async"`, `"mode": "async", "headers": {"Host":"evil.example"}`},
		"config_data.hosts[0]":           {`"mode": "async"`, `"mode": "async", "hosts": ["https://x"]`},
		"config_data.webhook.header":     {`"mode": "async"`, `"mode": "async", "webhook": {"signature":"hmac","job":"id"}`},
		"config_data.ok":                 {`"mode": "async"`, `"mode": "async", "ok": {"code":"code"}`},
	} {
		data := strings.Replace(string(described(t, "luma")), replace[0], replace[1], 1)
		if data == string(described(t, "luma")) {
			t.Fatalf("%s: nothing was replaced", member)
		}
		err := custom.Validate(json.RawMessage(data))
		wrong, ok := errors.AsType[*fault.Error](err)
		if !ok || wrong.Code != fault.InvalidInput {
			t.Errorf("%s: error = %v", member, err)
			continue
		}
		found := false
		for _, field := range wrong.Fields {
			found = found || field.Name == member
		}
		if !found {
			t.Errorf("%s is not named: %v", member, err)
		}
	}
}

func TestValidateRefusesWhatIsNoDescription(t *testing.T) {
	t.Parallel()
	for _, data := range []string{``, `null`, `[]`, `"x"`, `{}`, `{"mode":"sync"}`, `{"submit":null}`, `{`, `{"mode":"sync","submit":{"method":"POST","path":"/x","body":{"a":"{{job.id}}"}},"answer":{"outputs":"a"}}`} {
		if fault.CodeOf(custom.Validate(json.RawMessage(data))) != fault.InvalidInput {
			t.Errorf("%s: %v", data, custom.Validate(json.RawMessage(data)))
		}
	}
}

// FuzzDefinition checks that no description, however odd, makes the driver panic,
// change the host, or put the key into an error.
func FuzzDefinition(f *testing.F) {
	for _, api := range []string{"luma", "kling", "bfl", "sync_image", "sync_text"} {
		f.Add([]byte(read(f, api)), []byte(`{"id":"a","status":"completed","output":[{"url":"https://a.example"}]}`))
	}
	f.Fuzz(func(t *testing.T, data, body []byte) {
		if custom.Validate(data) != nil {
			return
		}
		var listed struct {
			Hosts []string `json:"hosts"`
		}
		_ = json.Unmarshal(data, &listed)
		p := custom.New(&http.Client{Transport: &canned{t: t, body: body, hosts: listed.Hosts}})
		c := provider.Call{
			BaseURL: "http://api.example/base", Key: secret.New("secret-key-1234"), Model: "m", Data: data,
			Request: generation.Request{Kind: generation.Image, Prompt: "x"},
		}
		if answer, err := p.Submit(t.Context(), c); err == nil && answer.State == provider.Pending {
			_, _ = p.Poll(t.Context(), c, answer.Job)
			_ = p.Cancel(t.Context(), c, answer.Job)
		} else if err != nil && strings.Contains(err.Error(), "secret-key") {
			t.Errorf("the key is in the error: %v", err)
		}
		_, _ = p.Notice(t.Context(), provider.Message{Header: func(string) string { return "" }, Body: body, Data: data})
	})
}

// canned answers every request with one body, and fails when one goes to a host
// that is neither the base URL's nor listed.
type canned struct {
	t     *testing.T
	body  []byte
	hosts []string
}

func (c *canned) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != "api.example" && !slices.Contains(c.hosts, r.URL.Host) {
		c.t.Errorf("a request went to %s", r.URL.Host)
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(c.body)), Request: r,
	}, nil
}
