package moderation

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// fold brings a text into the form in which rules see it: compatibility forms
// such as full-width letters made plain, lower case, without the accents of
// alphabets and without characters that nobody sees.
func fold(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	last := ' ' // the last base character
	for _, r := range norm.NFKD.String(strings.Map(stop, text)) {
		switch {
		case invisible(r):
			continue
		case unicode.Is(unicode.Mn, r):
			if unicode.In(last, unicode.Latin, unicode.Greek, unicode.Cyrillic) {
				continue
			}
		default:
			last = r
		}
		b.WriteRune(unicode.ToLower(unicode.ToUpper(r)))
	}
	return norm.NFC.String(b.String())
}

// stop makes every full-width stop the same.
func stop(r rune) rune {
	if strings.ContainsRune("，！？；：", r) {
		return '、'
	}
	return r
}

// invisible reports whether a character shows nothing and joins what it stands
// between: zero-width spaces and joiners, soft hyphens, directions, variants, tags.
func invisible(r rune) bool {
	return unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r) ||
		r == '\u034f' || r == '\u115f' || r == '\u1160' || r == '\u3164' || r == '\uffa0'
}

// unspaced reports whether a character is of a script that is written without
// spaces between words, or in which parts of words carry their meaning.
func unspaced(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

func inWord(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)
}

// squeeze leaves only what words are made of, and the ends of sentences: so that
// a word whose characters are kept apart is whole again, and the end of one
// sentence makes no word with the beginning of the next.
func squeeze(folded string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case inWord(r):
			return r
		case strings.ContainsRune("。、!?;\n", r):
			return '\n'
		default:
			return -1
		}
	}, folded)
}

// words splits a folded text into words. Look-alike letters in words that are
// otherwise Latin are taken for what they look like.
func words(folded string) []string {
	list := strings.FieldsFunc(folded, func(r rune) bool { return !inWord(r) })
	for i, word := range list {
		list[i] = latin(word)
	}
	return list
}

// latin replaces look-alikes of Latin letters, in words that have Latin letters.
func latin(word string) string {
	if !strings.ContainsFunc(word, func(r rune) bool { return unicode.Is(unicode.Latin, r) }) {
		return word
	}
	return strings.Map(func(r rune) rune {
		if plain := lookalike(r); plain != 0 {
			return plain
		}
		return r
	}, word)
}

// lookalike returns the Latin letter that a Cyrillic or Greek one looks like, 0
// when it looks like none.
func lookalike(r rune) rune {
	const (
		strange = "аеіјорсухѕԁһкмтвнαορτυικν"
		plain   = "aeijopcyxsdhkmtbhaoptuikv"
	)
	n := 0
	for _, s := range strange {
		if s == r {
			return rune(plain[n])
		}
		n++
	}
	return 0
}

// spelled joins runs of three and more single letters, as in "w o r d". It is
// empty when there is no such run.
func spelled(list []string) []string {
	var found []string
	run := ""
	for i := 0; i <= len(list); i++ {
		if i < len(list) && len([]rune(list[i])) == 1 {
			run += list[i]
			continue
		}
		if len([]rune(run)) >= 3 {
			found = append(found, run)
		}
		run = ""
	}
	return found
}

// disguised returns the words in which digits or signs stand for letters, as
// they would be read: "w0rd" and "$hop". A 1 and an l both read as an i.
func disguised(folded string) []string {
	var found []string
	for _, word := range strings.FieldsFunc(folded, func(r rune) bool { return !inWord(r) && sign(r) == 0 }) {
		word = strings.TrimRight(word, "!|+")
		letters := strings.ContainsFunc(word, unicode.IsLetter)
		signs := strings.ContainsFunc(word, func(r rune) bool { return sign(r) != 0 })
		if letters && signs {
			found = append(found, plainSigns(latin(word)))
		}
	}
	return found
}

// plainSigns reads signs as letters, and an l as an i.
func plainSigns(word string) string {
	return strings.Map(func(r rune) rune {
		if letter := sign(r); letter != 0 {
			return letter
		}
		if r == 'l' {
			return 'i'
		}
		return r
	}, word)
}

func sign(r rune) rune {
	const (
		signs   = "013457@$!|+8"
		letters = "oieastasiitb"
	)
	if i := strings.IndexRune(signs, r); i >= 0 {
		return rune(letters[i])
	}
	return 0
}
