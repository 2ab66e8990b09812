package moderation_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/intake"
	"easel/shared/moderation"
)

const rules = `{"rules":[
	{"id":"swear","words":["Frobnicate","gore fest","crème","kill"]},
	{"id":"chinese","words":["色情","法轮"]},
	{"id":"japanese","words":["ヌード"]},
	{"id":"russian","words":["порно"]},
	{"id":"pattern","patterns":["celebrity\\s+(nude|naked)"]},
	{"id":"narrow","words":["blood"],"policy":"strict"}]}`

func newFilter(t *testing.T, config string, o moderation.Options) *moderation.Filter {
	t.Helper()
	c, err := moderation.Parse([]byte(config))
	if err != nil {
		t.Fatal(err)
	}
	f, err := moderation.New(c, o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func prompt(text string) intake.Ticket {
	return intake.Ticket{Account: "acct_1", KeyID: "key", RequestID: "req_1", Request: generation.Request{Prompt: text}}
}

func TestWords(t *testing.T) {
	t.Parallel()
	f := newFilter(t, rules, moderation.Options{})
	for text, refused := range map[string]bool{
		"please frobnicate it":          true,
		"FROBNICATE!":                   true,
		"(frobnicate)":                  true,
		"unfrobnicated":                 false,
		"frobnicates":                   false,
		"frob nicate":                   false,
		"f\u200brob\u200dnic\u00adate":  true,
		"ｆｒｏｂｎｉｃａｔｅ":                    true,
		"𝐟𝐫𝐨𝐛𝐧𝐢𝐜𝐚𝐭𝐞":                    true,
		"fröbnìcâte":                    true,
		"frobnic\u0430te":               true, // a Cyrillic а
		"fr0bn1c@t3":                    true,
		"fr0bn1c@t3!":                   true,
		"f r o b n i c a t e":           true,
		"f.r.o.b.n.i.c.a.t.e now":       true,
		"f-r-0-b-n-1-c-a-t-3":           true,
		"a gore  fest, tonight":         true,
		"gore\nfest":                    true,
		"gore and a fest":               false,
		"creme brûlée":                  true,
		"k1ll":                          true,
		"kiII":                          false, // capital i's spell another word
		"a skilled painter, 4k, f1":     false,
		"1girl, 8k, masterpiece":        false,
		"色情图片":                          true,
		"一幅色 情的画":                       true,
		"色.情":                           true,
		"色\u200b情":                      true,
		"色。情":                           false, // two sentences
		"颜色，情绪":                         false,
		"景色很美":                          false,
		"一座灯塔在黄昏":                       false,
		"ヌード写真":                         true,
		"ﾇｰﾄﾞ":                          true,
		"порно":                         true,
		"ПОРНО":                         true,
		"celebrity   naked":             true,
		"a naked mole rat, a celebrity": false,
		"blood":                         false, // strict only
		"":                              false,
		"\xff\xfe":                      false,
	} {
		err := f.Check(t.Context(), prompt(text))
		if refused != errors.Is(err, moderation.ErrRefused) || refused != (fault.CodeOf(err) == fault.ContentRejected) || (!refused && err != nil) {
			t.Errorf("%q: got %v, want refused %t", text, err, refused)
		}
	}
}

func TestEveryTextIsChecked(t *testing.T) {
	t.Parallel()
	f := newFilter(t, rules, moderation.Options{})
	for field, request := range map[string]generation.Request{
		"prompt":                      {Prompt: "kill"},
		"system":                      {System: "kill"},
		"messages[1].content":         {Messages: []generation.Message{{Content: "hello"}, {Content: "kill"}}},
		"options.replicate.prompt[0]": {Options: map[string]json.RawMessage{"replicate": json.RawMessage(`{"n":1,"prompt":["kill"]}`)}},
	} {
		err := f.Check(t.Context(), intake.Ticket{Request: request})
		if e, ok := errors.AsType[*fault.Error](err); !ok || e.Details["field"] != field {
			t.Errorf("%s: got %v", field, err)
		}
	}
	unwanted := intake.Ticket{Request: generation.Request{
		Prompt: "a cat", NegativePrompt: "kill", Options: map[string]json.RawMessage{"x": json.RawMessage(`{"negative_prompt":"kill","image":"data:image/png;base64,kill"}`)},
	}}
	if err := f.Check(t.Context(), unwanted); err != nil {
		t.Errorf("what a picture is to leave out: got %v", err)
	}
	f = newFilter(t, rules, moderation.Options{PolicyOf: func(context.Context, intake.Ticket) moderation.Policy { return moderation.Strict }})
	if err := f.Check(t.Context(), unwanted); !errors.Is(err, moderation.ErrRefused) {
		t.Errorf("the same under the strict policy: got %v", err)
	}
}

func TestPolicies(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		// deployment is the config's policy, and key that of the request's key.
		deployment, key moderation.Policy
		text            string
		refused         bool
	}{
		{"", "", "kill", true},
		{"", "", "blood", false},
		{moderation.Off, "", "kill", false},
		{moderation.Strict, "", "blood", true},
		{moderation.Strict, moderation.Off, "blood", false},
		{moderation.Off, moderation.Strict, "blood", true},
		{"", "nonsense", "kill", true},
	} {
		c, err := moderation.Parse([]byte(rules))
		if err != nil {
			t.Fatal(err)
		}
		c.Policy = test.deployment
		f, err := moderation.New(c, moderation.Options{PolicyOf: func(context.Context, intake.Ticket) moderation.Policy { return test.key }})
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Check(t.Context(), prompt(test.text)); (err != nil) != test.refused {
			t.Errorf("%+v: got %v", test, err)
		}
	}
}

func TestLengthAndScript(t *testing.T) {
	t.Parallel()
	f := newFilter(t, `{"max_characters":10,"scripts":["Latin","Han"],"policy":"off"}`, moderation.Options{})
	for text, ok := range map[string]bool{
		"0123456789": true, "一二三四五六七八九十": true, "0123456789x": false,
		"灯塔 at 6 🌊!": true, "ﬁne": true, "маяк": false, "灯台の": false, "42 — ½": true,
	} {
		err := f.Check(t.Context(), prompt(text))
		e, isFault := errors.AsType[*fault.Error](err)
		if (err == nil) != ok || (err != nil && (!isFault || e.Code != fault.InvalidInput || e.Fields[0].Name != "prompt")) {
			t.Errorf("%q: got %v, want ok %t", text, err, ok)
		}
	}
}

type service struct {
	verdict moderation.Verdict
	err     error
	asked   []string
	hang    bool
}

func (s *service) Moderate(ctx context.Context, texts []string) (moderation.Verdict, error) {
	s.asked = texts
	if s.hang {
		<-ctx.Done()
		return moderation.Verdict{}, ctx.Err()
	}
	return s.verdict, s.err
}

func TestService(t *testing.T) {
	t.Parallel()
	const open, shut = `{"remote":{"policy":"default"}}`, `{"remote":{"policy":"default","on_error":"refuse","timeout_ms":100}}`
	for name, test := range map[string]struct {
		config  string
		service service
		code    fault.Code
		asked   []string
	}{
		"passes":                    {open, service{}, "", []string{"a cat"}},
		"flags":                     {open, service{verdict: moderation.Verdict{Flagged: true}}, fault.ContentRejected, []string{"a cat"}},
		"fails and it goes on":      {open, service{err: errors.New("down")}, "", []string{"a cat"}},
		"fails and it is refused":   {shut, service{err: errors.New("down")}, fault.Unavailable, []string{"a cat"}},
		"hangs and it is refused":   {shut, service{hang: true}, fault.Unavailable, []string{"a cat"}},
		"is for strict keys only":   {`{"remote":{"policy":"strict"}}`, service{verdict: moderation.Verdict{Flagged: true}}, "", nil},
		"is off":                    {`{}`, service{verdict: moderation.Verdict{Flagged: true}}, "", nil},
		"is not asked without need": {`{"remote":{"policy":"default"},"rules":[{"id":"r","words":["cat"]}]}`, service{}, fault.ContentRejected, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFilter(t, test.config, moderation.Options{Remote: &test.service})
			err := f.Check(t.Context(), prompt("a cat"))
			if fault.CodeOf(err) != test.code || !slices.Equal(test.service.asked, test.asked) {
				t.Errorf("got %v; asked %q", err, test.service.asked)
			}
		})
	}
}

func TestRefusalsAreLoggedWithoutTheWords(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	f := newFilter(t, rules, moderation.Options{Log: slog.New(slog.NewJSONHandler(&out, nil))})
	err := f.Check(t.Context(), prompt("my canary wants to kill"))
	line := out.String()
	for _, want := range []string{`"reason":"rule swear"`, `"sha256":"10c314d8e8235f60"`, `"request_id":"req_1"`, `"key_id":"key"`} {
		if !strings.Contains(line, want) {
			t.Errorf("the log lacks %s: %s", want, line)
		}
	}
	for _, text := range []string{line, err.Error()} {
		if strings.Contains(text, "canary") || strings.Contains(text, "kill") {
			t.Errorf("it tells the prompt: %s", text)
		}
	}
}

func TestWrongConfigsNameTheField(t *testing.T) {
	t.Parallel()
	for config, field := range map[string]string{
		`[]`:                              "moderation",
		`{} {}`:                           "moderation",
		`{"word":1}`:                      "word",
		`{"max_characters":"x"}`:          "max_characters",
		`{"max_characters":-1}`:           "max_characters",
		`{"scripts":["Latin","Klingon"]}`: "scripts[1]",
		`{"policy":"lax"}`:                "policy",
		`{"rules":[{"words":["a"]}]}`:     "rules[0].id",
		`{"rules":[{"id":"a"}]}`:          "rules[0].words",
		`{"rules":[{"id":"a","words":["x"," !"]}]}`:                     "rules[0].words[1]",
		`{"rules":[{"id":"a","patterns":["("]}]}`:                       "rules[0].patterns[0]",
		`{"rules":[{"id":"a","patterns":["a*"]}]}`:                      "rules[0].patterns[0]",
		`{"rules":[{"id":"a","words":["x"],"policy":"off"}]}`:           "rules[0].policy",
		`{"rules":[{"id":"a","words":["x"]},{"id":"a","words":["y"]}]}`: "rules[1].id",
		`{"remote":{"policy":"off"}}`:                                   "remote.policy",
		`{"remote":{"on_error":"panic"}}`:                               "remote.on_error",
		`{"remote":{"timeout_ms":5}}`:                                   "remote.timeout_ms",
	} {
		_, err := moderation.Parse([]byte(config))
		e, ok := errors.AsType[*fault.Error](err)
		if !ok || len(e.Fields) == 0 || e.Fields[0].Name != field {
			t.Errorf("%s: got %v, want an error about %s", config, err, field)
		}
	}
	if _, err := moderation.New(moderation.Config{Policy: "lax"}, moderation.Options{}); err == nil {
		t.Error("New took a wrong config")
	}
}

func TestNothingIsRefusedByDefault(t *testing.T) {
	t.Parallel()
	f := newFilter(t, `{}`, moderation.Options{})
	if err := f.Check(t.Context(), prompt(strings.Repeat("anything ", 10_000))); err != nil {
		t.Error(err)
	}
}

// FuzzHiding checks that nothing invisible hides a word, and that no text breaks
// the filter.
func FuzzHiding(f *testing.F) {
	for _, seed := range []string{"", "a lighthouse at dusk", "一座灯塔", "f\u200brob", "\xff", "e\u0301", "𝐟𝐫", "🏴\U000e0067\U000e007f", "色.情", "1l|!"} {
		f.Add(seed, uint8(3))
	}
	c, err := moderation.Parse([]byte(rules))
	if err != nil {
		f.Fatal(err)
	}
	filter, err := moderation.New(c, moderation.Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string, place uint8) {
		_ = filter.Check(t.Context(), prompt(text))
		for _, word := range []string{"frobnicate", "色情"} {
			runes := []rune(word)
			cut := 1 + int(place)%(len(runes)-1)
			for _, hidden := range []string{"\u200b", "\u200d\u2060", "\u00ad", "\ufeff", "\ufe0f"} {
				whole := "x " + text + "\n" + string(runes[:cut]) + hidden + string(runes[cut:]) + "\n"
				if err := filter.Check(t.Context(), prompt(whole)); !errors.Is(err, moderation.ErrRefused) {
					t.Errorf("%q passed", whole)
				}
			}
		}
	})
}
