package lifecycle_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"easel/shared/catalog"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/lifecycle"
	"easel/shared/provider"
	"easel/shared/task"
)

// parrot is a vendor that repeats prompts in its refusals, in every way.
type parrot struct {
	failingJobs

	say func(prompt string) *fault.Failure
}

func (p parrot) Submit(_ context.Context, c provider.Call) (provider.Answer, error) {
	return provider.Answer{}, p.say(c.Request.Prompt)
}

func TestAProvidersWordsAreKeptWithoutThePrompt(t *testing.T) {
	t.Parallel()
	refused := func(detail string) *fault.Failure {
		return &fault.Failure{Class: fault.ClassUnavailable, Detail: detail}
	}
	const long = "Portrait of MY \"secret\" neighbour,\nstanding in the café of the third street"
	for name, test := range map[string]struct {
		prompt, system string
		say            func(prompt string) *fault.Failure
		want           string
	}{
		"whole":           {long, "", func(p string) *fault.Failure { return refused("the prompt '" + p + "' is bad") }, "the prompt '[prompt]' is bad"},
		"in lower case":   {long, "", func(p string) *fault.Failure { return refused("bad: " + strings.ToLower(p)) }, "bad: [prompt]"},
		"cut off":         {long, "", func(p string) *fault.Failure { return refused("bad: " + p[:30] + "…") }, "bad: [prompt]…"},
		"from its middle": {long, "", func(p string) *fault.Failure { return refused("near: " + p[20:60]) }, "near: [prompt]"},
		"as JSON": {long, "", func(string) *fault.Failure {
			return refused(`{"input":"Portrait of MY \"secret\" neighbour,\nstanding in the caf\u00e9 of the third street","code":7}`)
		}, `{"input":"[prompt]","code":7}`},
		"a short one": {"海边的灯塔在黄昏", "", func(p string) *fault.Failure { return refused("不允许：" + p) }, "不允许：[prompt]"},
		"as a cause": {long, "", func(p string) *fault.Failure {
			return &fault.Failure{Class: fault.ClassUnavailable, Cause: errors.New("read " + p)}
		}, "read [prompt]"},
		"the system's":  {long, "You are the butler of this family", func(string) *fault.Failure { return refused("you are the butler of this family?") }, "[prompt]?"},
		"nothing of it": {long, "", func(string) *fault.Failure { return refused("the street is overloaded") }, "the street is overloaded"},
		"a tiny prompt": {"cat", "", func(string) *fault.Failure { return refused("a category error") }, "a category error"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runner, _ := newCapped(t, 0, 0)
			heard := &listening{Health: runner.Health}
			runner.Health = heard
			for vendor := range runner.Providers {
				runner.Providers[vendor] = parrot{say: test.say}
			}
			one, _, err := runner.Serve(t.Context(), lifecycle.Order{
				Account: account, Quote: catalog.Quote{Credits: 7},
				Request: generation.Request{Kind: generation.Image, Model: "priced", Prompt: test.prompt, System: test.system},
			}, 0)
			if err == nil {
				one, err = runner.Advance(t.Context(), task.Message{Task: one.ID})
			}
			if err != nil || len(one.Attempts) != 3 {
				t.Fatalf("%+v, %v", one, err)
			}
			for _, a := range one.Attempts {
				if a.Detail != test.want || a.Class != fault.ClassUnavailable {
					t.Errorf("the attempt keeps %q, want %q", a.Detail, test.want)
				}
			}
			for _, detail := range heard.details {
				if detail != test.want {
					t.Errorf("health keeps %q, want %q", detail, test.want)
				}
			}
			if len(heard.details) != 3 {
				t.Errorf("health heard %d failures", len(heard.details))
			}
		})
	}
}
