// Package moderation refuses requests for what they say, before anything is
// reserved for them: by the deployment's own words and patterns, by length and
// script, and, where that is switched on, by a moderation service.
//
// What it refuses is logged with the rule and a hash, never with the words.
package moderation

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"easel/shared/fault"
)

// Policy is how strictly a key's requests are checked.
type Policy string

// The policies.
const (
	// Off checks nothing but length and script.
	Off Policy = "off"
	// Default applies the rules that are not for Strict only.
	Default Policy = "default"
	// Strict applies every rule, also to what a picture is to leave out.
	Strict Policy = "strict"
)

func (p Policy) valid() bool { return p == Off || p == Default || p == Strict }

// includes reports whether what is meant for the policy least applies under p.
func (p Policy) includes(least Policy) bool {
	return p == Strict || (p == Default && least != Strict)
}

// Rule is one reason to refuse.
type Rule struct {
	// ID names the rule in the log.
	ID string `json:"id"`
	// Words are words or phrases. One in a script with spaces between words is found
	// as whole words only, in any case, with accents or without; one in Chinese,
	// Japanese, Korean or Thai is found anywhere. Invisible characters, full-width
	// forms, look-alike letters, digits for letters and s p a c e d letters do not
	// hide a word.
	Words []string `json:"words,omitempty"`
	// Patterns are regular expressions in Go's syntax, which take linear time. They
	// see the text in lower case, without accents and invisible characters.
	Patterns []string `json:"patterns,omitempty"`
	// Policy is the least strict policy under which the rule applies: default or
	// strict; "" is default.
	Policy Policy `json:"policy,omitempty"`
}

// RemoteConfig says when a moderation service is asked.
type RemoteConfig struct {
	// Policy is the least strict policy under which it is asked; "" is never.
	Policy Policy `json:"policy,omitempty"`
	// Config is the id of the provider config whose base URL and key the service is
	// asked with.
	Config string `json:"config,omitempty"`
	// OnError is "allow" or "refuse" when the service does not answer; "" is allow.
	OnError string `json:"on_error,omitempty"`
	// TimeoutMS bounds one question, in milliseconds, 100 to 10,000; 0 is 2,000.
	TimeoutMS int `json:"timeout_ms,omitempty"`
}

const (
	allow  = "allow"
	refuse = "refuse"
)

func (r RemoteConfig) timeout() time.Duration {
	if r.TimeoutMS == 0 {
		return 2 * time.Second
	}
	return time.Duration(r.TimeoutMS) * time.Millisecond
}

// Setting is the name under which a deployment keeps its Config.
const Setting = "moderation"

// Config is a deployment's content filter as data. The zero value refuses nothing.
type Config struct {
	// MaxCharacters is the most characters of one text; 0 is no limit.
	MaxCharacters int `json:"max_characters,omitempty"`
	// Scripts are the scripts that letters may be of, as Unicode names them: Latin,
	// Han, Cyrillic, …; empty is all.
	Scripts []string `json:"scripts,omitempty"`
	// Policy is that of every key without one of its own; "" is default.
	Policy Policy       `json:"policy,omitempty"`
	Rules  []Rule       `json:"rules,omitempty"`
	Remote RemoteConfig `json:"remote,omitzero"`
}

// The limits of a config.
const (
	maxRules    = 500
	maxWords    = 20_000
	maxWord     = 100
	maxPatterns = 500
	maxPattern  = 500
)

// Parse reads a config from JSON and checks it. The error names every wrong field.
func Parse(data []byte) (Config, error) {
	var c Config
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&c); err != nil {
		field := "moderation"
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
			return c, fault.Invalid(wrong.Field, "must not be a %s", wrong.Value).Because(err)
		}
		if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
			return c, fault.Invalid(strings.Trim(name, `"`), "is not known").Because(err)
		}
		return c, fault.Invalid(field, "must be a JSON object").Because(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return c, fault.Invalid("moderation", "must be one JSON object and nothing else")
	}
	return c, c.Validate()
}

// Validate returns one InvalidInput error that names every wrong field, or nil.
func (c Config) Validate() error {
	var f fault.Fields
	f.Check(c.MaxCharacters >= 0, "max_characters", "must be 0 or more; 0 is no limit")
	for i, name := range c.Scripts {
		_, ok := unicode.Scripts[name]
		f.Check(ok, at("scripts", i), "must be a Unicode script's name, such as Latin or Han")
	}
	f.Check(c.Policy == "" || c.Policy.valid(), "policy", "must be off, default or strict")
	c.checkRules(&f)
	r := c.Remote
	f.Check(r.Policy == "" || r.Policy == Default || r.Policy == Strict, "remote.policy", "must be default or strict, or absent")
	f.Check(r.OnError == "" || r.OnError == allow || r.OnError == refuse, "remote.on_error", "must be allow or refuse")
	f.Check(r.TimeoutMS == 0 || (r.TimeoutMS >= 100 && r.TimeoutMS <= 10_000), "remote.timeout_ms", "must be 100 to 10000")
	return f.Err()
}

func (c Config) checkRules(f *fault.Fields) {
	f.Check(len(c.Rules) <= maxRules, "rules", "must be at most %d", maxRules)
	words, patterns, seen := 0, 0, map[string]bool{}
	for i, r := range c.Rules {
		name := at("rules", i)
		f.Check(r.ID != "" && !seen[r.ID], name+".id", "must be there, and no other rule's")
		seen[r.ID] = true
		f.Check(len(r.Words)+len(r.Patterns) > 0, name+".words", "must not be empty where there are no patterns")
		f.Check(r.Policy == "" || r.Policy == Default || r.Policy == Strict, name+".policy", "must be default or strict")
		for n, word := range r.Words {
			f.Check(len(word) <= maxWord && len(compileWord(word).tokens) > 0, at(name+".words", n), "must hold a letter or digit and at most %d bytes", maxWord)
		}
		for n, pattern := range r.Patterns {
			checkPattern(f, at(name+".patterns", n), pattern)
		}
		words, patterns = words+len(r.Words), patterns+len(r.Patterns)
	}
	f.Check(words <= maxWords, "rules", "must have at most %d words in all", maxWords)
	f.Check(patterns <= maxPatterns, "rules", "must have at most %d patterns in all", maxPatterns)
}

func checkPattern(f *fault.Fields, field, pattern string) {
	if pattern == "" || len(pattern) > maxPattern {
		f.Add(field, "must have 1 to %d bytes", maxPattern)
		return
	}
	compiled, err := regexp.Compile(pattern)
	if err != nil {
		f.Add(field, "is no regular expression: %s", err.Error())
		return
	}
	f.Check(!compiled.MatchString(""), field, "must not match an empty text, because then it refuses everything")
}

func at(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }

// scriptTables returns the ranges of the scripts that letters may be of.
func (c Config) scriptTables() ([]*unicode.RangeTable, error) {
	var tables []*unicode.RangeTable
	for _, name := range c.Scripts {
		table, ok := unicode.Scripts[name]
		if !ok {
			return nil, fmt.Errorf("no script named %q", name)
		}
		tables = append(tables, table)
	}
	return slices.Clip(tables), nil
}
