package moderation

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// word is one word or phrase of a rule, ready to be looked for.
type word struct {
	rule int
	// tokens are its words; anywhere is set instead where it is found inside words.
	tokens   []string
	anywhere string
}

func compileWord(text string) word {
	folded := fold(text)
	w := word{tokens: words(folded)}
	if strings.ContainsFunc(folded, unspaced) {
		w.anywhere = strings.ReplaceAll(squeeze(folded), "\n", "")
	}
	return w
}

// matcher finds the rules that a text breaks. It is safe for concurrent use.
type matcher struct {
	rules    []Rule
	byFirst  map[string][]word  // whole words, by their first token
	disguise map[string]int     // single words as disguised ones read, to their rule
	anywhere map[rune][]word    // by their first character
	patterns [][]*regexp.Regexp // by rule
}

func newMatcher(rules []Rule) (*matcher, error) {
	m := &matcher{rules: rules, byFirst: map[string][]word{}, disguise: map[string]int{}, anywhere: map[rune][]word{}, patterns: make([][]*regexp.Regexp, len(rules))}
	for i, r := range rules {
		for _, text := range r.Words {
			m.add(i, compileWord(text))
		}
		for _, pattern := range r.Patterns {
			compiled, err := regexp.Compile(pattern)
			if err != nil {
				return nil, fmt.Errorf("pattern of rule %s: %w", r.ID, err)
			}
			m.patterns[i] = append(m.patterns[i], compiled)
		}
	}
	return m, nil
}

func (m *matcher) add(rule int, w word) {
	w.rule = rule
	switch {
	case w.anywhere != "":
		first, _ := utf8.DecodeRuneInString(w.anywhere)
		m.anywhere[first] = append(m.anywhere[first], w)
	case len(w.tokens) > 0:
		m.byFirst[w.tokens[0]] = append(m.byFirst[w.tokens[0]], w)
		if read := plainSigns(strings.Join(w.tokens, "")); len([]rune(read)) >= 3 {
			if other, taken := m.disguise[read]; !taken || m.stricter(other, rule) {
				m.disguise[read] = rule
			}
		}
	}
}

// stricter reports whether rule a applies under fewer policies than rule b.
func (m *matcher) stricter(a, b int) bool {
	return m.rules[a].Policy == Strict && m.rules[b].Policy != Strict
}

// find returns the first rule that the text breaks under the policy.
func (m *matcher) find(text string, policy Policy) (Rule, bool) {
	if len(m.rules) == 0 {
		return Rule{}, false
	}
	folded := fold(text)
	for _, search := range []func(string, Policy) int{m.inWords, m.inDisguise, m.inside, m.inPatterns} {
		if rule := search(folded, policy); rule >= 0 {
			return m.rules[rule], true
		}
	}
	return Rule{}, false
}

func (m *matcher) applies(rule int, policy Policy) bool {
	return policy.includes(m.rules[rule].Policy)
}

func (m *matcher) inWords(folded string, policy Policy) int {
	list := words(folded)
	for i, token := range list {
		for _, w := range m.byFirst[token] {
			if m.applies(w.rule, policy) && begins(list[i:], w.tokens) {
				return w.rule
			}
		}
	}
	return -1
}

func begins(list, tokens []string) bool {
	if len(list) < len(tokens) {
		return false
	}
	for i, token := range tokens {
		if list[i] != token {
			return false
		}
	}
	return true
}

// inDisguise looks for words that are spelled out or written with signs.
func (m *matcher) inDisguise(folded string, policy Policy) int {
	list := disguised(folded)
	for _, run := range spelled(words(folded)) {
		list = append(list, plainSigns(run))
	}
	for _, read := range list {
		if rule, ok := m.disguise[read]; ok && m.applies(rule, policy) {
			return rule
		}
	}
	return -1
}

func (m *matcher) inside(folded string, policy Policy) int {
	if len(m.anywhere) == 0 {
		return -1
	}
	squeezed := squeeze(folded)
	for i, r := range squeezed {
		for _, w := range m.anywhere[r] {
			if m.applies(w.rule, policy) && strings.HasPrefix(squeezed[i:], w.anywhere) {
				return w.rule
			}
		}
	}
	return -1
}

func (m *matcher) inPatterns(folded string, policy Policy) int {
	for rule, patterns := range m.patterns {
		if !m.applies(rule, policy) {
			continue
		}
		for _, p := range patterns {
			if p.MatchString(folded) {
				return rule
			}
		}
	}
	return -1
}
