// Package secret keeps credentials out of everything that prints.
//
// [Value] is the type in which a credential travels through the program:
// formatting, JSON, text and structured logging all show a placeholder, and
// only [Value.Reveal] gives the credential back. [Redactor] is the last line of
// defence behind it: it removes credentials from text that came from elsewhere,
// such as a provider's error message.
package secret

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

// Redacted is what is printed in place of a secret.
const Redacted = "[redacted]"

const (
	maskVisible = 4  // characters that Mask shows
	maskMinimum = 12 // shorter secrets are not shown at all
)

// Value holds one secret. The zero value holds none.
//
// Every fmt verb, JSON, text marshalling and slog show [Redacted]. The secret is
// kept behind a pointer to a string because fmt ignores methods on the
// unexported fields of a struct: there it prints the pointer's address and never
// follows it. A Value is immutable and safe for concurrent use; compare two with
// [Value.Equal], since == compares pointers.
type Value struct {
	text *string
}

// New returns a Value that holds text. An empty text gives the zero Value.
func New(text string) Value {
	if text == "" {
		return Value{}
	}
	return Value{text: &text}
}

// Reveal returns the secret itself, or "" for the zero Value. Call it only where
// the secret leaves the program, such as in a request header.
func (v Value) Reveal() string {
	if v.text == nil {
		return ""
	}
	return *v.text
}

// Mask returns the last four characters, so that an operator can tell two keys
// apart, or "" when the secret is shorter than 12 characters and four of them
// would give too much away.
func (v Value) Mask() string {
	runes := []rune(v.Reveal())
	if len(runes) < maskMinimum {
		return ""
	}
	return string(runes[len(runes)-maskVisible:])
}

// IsZero reports whether v holds no secret. JSON's omitzero honours it.
func (v Value) IsZero() bool { return v.text == nil }

// Equal reports whether both hold the same secret. The time it takes tells
// neither where they differ nor how long either is beyond what hashing both
// costs. Two zero Values are equal: check IsZero where "no key" must not match.
func (v Value) Equal(other Value) bool {
	a, b := sha256.Sum256([]byte(v.Reveal())), sha256.Sum256([]byte(other.Reveal()))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// String returns [Redacted].
func (v Value) String() string { return Redacted }

// GoString returns [Redacted].
func (v Value) GoString() string { return Redacted }

// Format writes [Redacted] for every verb and flag, %x and %d included.
func (v Value) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, Redacted) }

// MarshalText returns [Redacted]; it also serves map keys and XML.
func (v Value) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

// MarshalJSON returns [Redacted] as a JSON string.
func (v Value) MarshalJSON() ([]byte, error) { return []byte(`"` + Redacted + `"`), nil }

// LogValue returns [Redacted] for slog.
func (v Value) LogValue() slog.Value { return slog.StringValue(Redacted) }
