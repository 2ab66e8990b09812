package lifecycle

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode"

	"easel/shared/fault"
	"easel/shared/generation"
)

const (
	// echoRunes is how many letters in a row of a request's own words are no accident.
	echoRunes = 16
	// echoLeast is the shortest text that is looked for as a whole.
	echoLeast = 4
	// echoMark stands for what was taken out.
	echoMark = "[prompt]"
)

// withoutEcho returns what a provider said without what it repeats of the
// request's words, whole or in part, also in the escapes of JSON: an operator's
// log shall say why a request failed, not what its caller wrote. Parts of fewer
// than 16 letters may stay.
func withoutEcho(said string, r generation.Request) string {
	if said == "" {
		return ""
	}
	letters := folded(said)
	hidden := make([]bool, len(letters))
	for _, text := range wordsOf(r) {
		for _, spelling := range spellings(text) {
			hide(hidden, letters, folded(spelling))
		}
	}
	var out strings.Builder
	for i, letter := range []rune(said) {
		switch {
		case !hidden[i]:
			out.WriteRune(letter)
		case i == 0 || !hidden[i-1]:
			out.WriteString(echoMark)
		}
	}
	return out.String()
}

// wordsOf are the texts that a request's caller wrote.
func wordsOf(r generation.Request) []string {
	texts := append(make([]string, 0, 3+len(r.Messages)), r.Prompt, r.NegativePrompt, r.System)
	for _, m := range r.Messages {
		texts = append(texts, m.Content)
	}
	return texts
}

// spellings are a text as it is, as JSON has it, and as JSON in ASCII has it.
func spellings(text string) []string {
	list := []string{text}
	if quoted, err := json.Marshal(text); err == nil {
		if inner := string(quoted[1 : len(quoted)-1]); inner != text {
			list = append(list, inner)
		}
	}
	if ascii := strings.Trim(strconv.QuoteToASCII(text), `"`); ascii != text {
		list = append(list, ascii)
	}
	return list
}

// folded are a text's letters without the difference of case, as many as it has.
func folded(text string) []rune {
	letters := []rune(text)
	for i, letter := range letters {
		letters[i] = unicode.ToLower(letter)
	}
	return letters
}

// hide marks the letters that repeat a text, or so many of it in a row.
func hide(hidden []bool, letters, text []rune) {
	size := min(len(text), echoRunes)
	if size < echoLeast {
		return
	}
	parts := make(map[string]bool, len(text))
	for i := 0; i+size <= len(text); i++ {
		parts[string(text[i:i+size])] = true
	}
	for i := 0; i+size <= len(letters); i++ {
		if parts[string(letters[i:i+size])] {
			for n := i; n < i+size; n++ {
				hidden[n] = true
			}
		}
	}
}

// echoless returns the failure with a detail that repeats nothing of the request.
// Where it has none, its cause is the detail.
func echoless(f *fault.Failure, r generation.Request) *fault.Failure {
	clean := *f
	if clean.Detail == "" && clean.Cause != nil {
		clean.Detail = clean.Cause.Error()
	}
	clean.Detail = withoutEcho(clean.Detail, r)
	return &clean
}
