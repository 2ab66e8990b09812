package app_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"easel/shared/app"
	"easel/shared/fault"
	"easel/shared/provider"
	"easel/shared/provider/cloudflare"
	"easel/shared/secret"
	"easel/shared/secrets"
	"easel/shared/settings"
)

func TestCheckDataNamesEveryMemberThatIsWrong(t *testing.T) {
	t.Parallel()
	const described = `"mode":"sync","submit":{"method":"POST","path":"/x","body":{"p":"{{prompt}}"}},"answer":{"outputs":"a"}`
	for _, c := range []struct{ provider, data, wrong string }{
		{"openai", ``, ""},
		{"openai", `{"models":{"a":"b"},"cloudflare":{"off":true},"options":{"x":1}}`, ""},
		{"openai", `{"models":{"a":""}}`, "config_data.models.a"},
		{"openai", `{"models":["a"]}`, "config_data.models"},
		{"openai", `{"cloudflare":{"of":true}}`, "config_data.cloudflare"},
		{"openai", `{"cloudflare":{"url":"gateway"}}`, "config_data.cloudflare.url"},
		{"openai", `{"cloudflare":{"slug":"a/b"}}`, "config_data.cloudflare.slug"},
		{"openai", `{"cloudflare":{"cache_text_seconds":-1}}`, "config_data.cloudflare.cache_text_seconds"},
		{"custom", `{` + described + `,"models":{"a":"b"},"cloudflare":{"slug":"custom-a"},"options":{"x":1}}`, ""},
		{"custom", `{` + described + `,"models":7}`, "config_data.models"},
		{"custom", `{"models":7}`, "config_data.mode config_data.submit config_data.models"},
		{"custom", ``, "config_data"},
	} {
		err := app.CheckData(c.provider, []byte(c.data))
		if c.wrong == "" {
			if err != nil {
				t.Errorf("%s %s: %v", c.provider, c.data, err)
			}
			continue
		}
		wrong, ok := errors.AsType[*fault.Error](err)
		if !ok || wrong.Code != fault.InvalidInput {
			t.Errorf("%s %s: %v", c.provider, c.data, err)
			continue
		}
		named := map[string]bool{}
		for _, field := range wrong.Fields {
			named[field.Name] = true
		}
		for name := range strings.FieldsSeq(c.wrong) {
			if !named[name] {
				t.Errorf("%s %s: %s is not named: %v", c.provider, c.data, name, err)
			}
		}
	}
}

func TestACustomAPIGoesThroughAGatewayUnderItsOwnSlug(t *testing.T) {
	t.Parallel()
	keys, err := secrets.OpenFile(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	through := app.Gateway{URL: "https://gateway.example/v1/a/g", Routes: cloudflare.DefaultRoutes(), Secrets: keys}
	prepare := func(data string) (string, error) {
		c := provider.Call{BaseURL: "https://api.luma.example/v1", Key: secret.New("key")}
		err := through.Prepare(context.Background(), &c, settings.Config{Data: []byte(data)})
		return c.BaseURL, err
	}
	if got, err := prepare(`{"cloudflare":{"slug":"custom-luma"}}`); err != nil || got != "https://gateway.example/v1/a/g/custom-luma/v1" {
		t.Errorf("with a slug: %s, %v", got, err)
	}
	if got, err := prepare(`{}`); err == nil {
		t.Errorf("without one it went to %s", got)
	}
	if got, err := prepare(`{"cloudflare":{"off":true}}`); err != nil || got != "https://api.luma.example/v1" {
		t.Errorf("when off: %s, %v", got, err)
	}
}
