package migrate_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"easel/shared/migrate"
)

func lookup(values map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := values[name]
		return value, ok
	}
}

// brief shows a plan in one line per entry and note.
func brief(p migrate.Plan) string {
	var b strings.Builder
	for _, e := range p.Entries {
		c, err := json.Marshal(e.Config)
		if err != nil {
			panic(err)
		}
		fmt.Fprintf(&b, "%s key=%t %s\n", c, !e.Key.IsZero(), e.Source)
	}
	for _, n := range p.Notes {
		fmt.Fprintf(&b, "! %s %s\n", n.Source, n.Message)
	}
	return b.String()
}

func TestFromEnvironmentKnowsTheOldNames(t *testing.T) {
	t.Parallel()
	p := migrate.FromEnvironment(lookup(map[string]string{
		"OPENAI_API_KEY": "sk-1", "STABILITY_API_KEY": " ", "REPLICATE_API_TOKEN": "r8_1", "RUNWAY_API_KEY": "rw",
		"GEMINI_API_KEY": "g", "GEMINI_MODEL": "gemini-pro", "REPLICATE_WEBHOOK_SECRET": "whsec_x",
		"CLOUDFLARE_AI_GATEWAY_URL": "https://gateway.ai.cloudflare.com/v1/a/b", "CLOUDFLARE_AI_GATEWAY_TOKEN": "cf",
	}))
	got := make([]string, 0, len(p.Entries))
	for _, e := range p.Entries {
		got = append(got, e.Config.Provider+":"+e.Config.Model+":"+e.Key.Reveal())
	}
	want := "openai:gpt-image-2:sk-1 replicate:black-forest-labs/flux-schnell:r8_1 runway:gen4.5:rw gemini:gemini-pro:g"
	if strings.Join(got, " ") != want {
		t.Errorf("entries = %s\nwant %s", strings.Join(got, " "), want)
	}
	if len(p.Notes) != 3 {
		t.Errorf("notes = %+v, want one each for what belongs elsewhere", p.Notes)
	}
	if text := brief(p); strings.Contains(text, "whsec_x") || strings.Contains(text, "sk-1") {
		t.Errorf("a secret shows in %s", text)
	}
}

func TestFromTable(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, dump, want string }{
		{
			"CSV with the usual columns",
			"id,name,api_type,api_url,api_key,model,max_retries,timeout,rate_limit,priority,is_active,is_default,config_data\n" +
				`7,DALL-E,openai,https://api.openai.com/v1/images/generations,sk-x,dall-e-3,3,60,50,1,t,t,"{""quality"":""hd""}"` + "\n",
			`{"name":"DALL-E","kind":"image","provider":"openai","priority":1,"model":"dall-e-3","max_retries":3,"timeout_seconds":60,` +
				`"rate_per_minute":50,"active":true,"default":true,"config_data":{"quality":"hd"}} key=true row 1 (DALL-E)` + "\n" +
				"! row 1 (DALL-E) base_url is the vendor's own; Easel's usual one is used, and its path is left out\n",
		},
		{
			"other spellings, and numbers out of range",
			`[{"apiName":"Gen","provider":"RunwayML","apiKey":null,"timeout_ms":900000,"retries":99,"enabled":0,"colour":"red"}]`,
			`{"name":"Gen","kind":"video","provider":"runway","max_retries":10,"timeout_seconds":300,"active":false} key=false row 1 (Gen)` + "\n" +
				"! row 1 (Gen) max_retries becomes 10, within 0 to 10\n" +
				"! row 1 (Gen) timeout becomes 300, within 10 to 300\n" +
				"! column colour means nothing to Easel and is left out\n",
		},
		{
			"a host of one's own is kept",
			`{"api_configs":[{"name":"Ours","type":"image","provider":"openai","base_url":"https://images.example.com/v1/","endpoint":"/images"}]}`,
			`{"name":"Ours","kind":"image","provider":"openai","base_url":"https://images.example.com/v1","endpoint":"/images"} key=false row 1 (Ours)` + "\n",
		},
		{
			"one default of a kind, one config of a name",
			`{"name":"A","provider":"stability","is_default":true}` + "\n" + `{"name":"B","provider":"openai","is_default":"yes"}` + "\n" + `{"name":"A","provider":"stability"}`,
			`{"name":"A","kind":"image","provider":"stability","default":true} key=false row 1 (A)` + "\n" +
				`{"name":"B","kind":"image","provider":"openai"} key=false row 2 (B)` + "\n" +
				`! row 3 (A) is left out: there is a config "A" of kind image already` + "\n" +
				"! row 2 (B) is not the default: another image config is\n",
		},
		{
			"a provider that Easel does not speak",
			"name,provider,timeout\nmine,midjourney,soon\nFLUX,replicate_flux,soon\n",
			`{"name":"FLUX","kind":"image","provider":"replicate"} key=false row 2 (FLUX)` + "\n" +
				`! row 1 is left out: no provider of Easel's is named "midjourney"; describe it as a custom one in the console` + "\n" +
				"! row 2 (FLUX) timeout is no number and is left out\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, err := migrate.FromTable(strings.NewReader(tt.dump))
			if err != nil {
				t.Fatal(err)
			}
			if got := brief(p); got != tt.want {
				t.Errorf("got\n%swant\n%s", got, tt.want)
			}
		})
	}
}

func TestABadDumpIsRefusedWithoutItsContent(t *testing.T) {
	t.Parallel()
	for _, dump := range []string{"", "a,b\n", `[{"api_key":"sk-secret"`, "name,api_key\nx,\"sk-secret", `["sk-secret"]`, "a,b\n1,sk-secret,3\n"} {
		_, err := migrate.FromTable(strings.NewReader(dump))
		if err == nil || strings.Contains(err.Error(), "sk-secret") {
			t.Errorf("%q: error = %v", dump, err)
		}
	}
}

func TestDotenv(t *testing.T) {
	t.Parallel()
	values, err := migrate.Dotenv(strings.NewReader("# keys\nA=1\nexport B=\"two words\" # why\nC='x'\nD=bare # note\nE=\n\nF=a=b"))
	want := map[string]string{"A": "1", "B": "two words", "C": "x", "D": "bare", "E": "", "F": "a=b"}
	if err != nil || fmt.Sprint(values) != fmt.Sprint(want) {
		t.Errorf("values = %v, %v; want %v", values, err, want)
	}
	if _, err := migrate.Dotenv(strings.NewReader("A=1\nsk-secret\n")); err == nil || !strings.Contains(err.Error(), "line 2") || strings.Contains(err.Error(), "sk-secret") {
		t.Errorf("error = %v", err)
	}
}

func TestADocumentGivesEachConfigItsPlace(t *testing.T) {
	t.Parallel()
	p := migrate.FromEnvironment(lookup(map[string]string{"OPENAI_API_KEY": "a", "REPLICATE_API_TOKEN": "b", "GEMINI_API_KEY": "c"}))
	d := p.Document()
	got := make([]int, 0, len(d.Configs))
	for _, c := range d.Configs {
		got = append(got, *c.Priority)
	}
	if fmt.Sprint(got) != "[10 20 10]" || d.Format != "easel/config" || d.Version != 1 {
		t.Errorf("priorities = %v of %+v", got, d)
	}
	if p.Entries[0].Config.Priority != nil {
		t.Error("the plan itself was changed")
	}
}
