package secret

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// minKnown is the length under which a known secret is not searched for: a
// shorter one would also blank ordinary words, and is too weak to be a key.
const minKnown = 8

// keyShapes matches credentials by their form. Where a form also occurs in
// harmless text the minimum length tells them apart: our own ids of API keys are
// "key_" and 32 to 36 characters, Runway's keys are longer.
//
// The first group, where there is one, is kept.
const keyShapes = `(?i:\b(bearer\s+)[a-z0-9._~+/=-]{8,})` +
	`|\bsk-[A-Za-z0-9_-]{12,}` +
	`|\br8_[A-Za-z0-9_-]{12,}` +
	`|\bkey_[A-Za-z0-9_-]{40,}` +
	`|\besl_[A-Za-z0-9]+_[A-Za-z0-9_-]{16,}` +
	`|\bAIza[A-Za-z0-9_-]{16,}` +
	`|\bAQ\.[A-Za-z0-9_.-]{16,}` +
	`|\bwhs(?:ec|k)_[A-Za-z0-9+/=_-]{16,}` +
	`|\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}` + // JSON web token
	`|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}:[0-9a-f]{16,}` + // fal: id, colon, secret
	`|(?i:(X-Amz-(?:Signature|Security-Token)=)[^&\s"'\\]+)`

// Redactor replaces secrets in text with [Redacted]: the ones it was told of, in
// plain, JSON, URL and base64 spelling, and anything that has the shape of a
// known provider's key. Create one with [NewRedactor]. It is safe for concurrent
// use.
//
// It guards against accidents, not against a sender who wants to leak: a secret
// that is cut in half or encoded in some other way passes.
type Redactor struct {
	shapes *regexp.Regexp

	mu    sync.RWMutex
	known map[string]struct{}
	plain *strings.Replacer
}

// NewRedactor returns a Redactor that knows the given secrets.
func NewRedactor(known ...Value) *Redactor {
	r := &Redactor{
		shapes: regexp.MustCompile(keyShapes),
		known:  make(map[string]struct{}),
		plain:  strings.NewReplacer(),
	}
	r.Add(known...)
	return r
}

// Add teaches r more secrets. Those under eight bytes are ignored, because
// replacing them would blank ordinary words. What was added stays for the life
// of r, so that a key which was rotated is still kept out of the logs.
func (r *Redactor) Add(secrets ...Value) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := len(r.known)
	for _, value := range secrets {
		if text := value.Reveal(); len(text) >= minKnown {
			for _, spelling := range spellings(text) {
				r.known[spelling] = struct{}{}
			}
		}
	}
	if len(r.known) != before {
		r.plain = newReplacer(r.known)
	}
}

// String returns text with every secret replaced.
func (r *Redactor) String(text string) string {
	r.mu.RLock()
	plain := r.plain
	r.mu.RUnlock()
	// Known values go first: a shape may match only a part of one.
	return r.shapes.ReplaceAllString(plain.Replace(text), "${1}${2}"+Redacted)
}

// Bytes returns a copy of data with every secret replaced.
func (r *Redactor) Bytes(data []byte) []byte { return []byte(r.String(string(data))) }

// Writer returns a writer that passes every Write on to next, redacted. Each
// Write is taken as a whole, as the slog handlers make it (one record, one
// Write); a secret spread over two of them is not recognised. The writer is as
// safe for concurrent use as next is.
func (r *Redactor) Writer(next io.Writer) io.Writer {
	return redactingWriter{redactor: r, next: next}
}

type redactingWriter struct {
	redactor *Redactor
	next     io.Writer
}

// Write reports len(data) on success, whatever the redacted length was, as the
// io.Writer contract asks.
func (w redactingWriter) Write(data []byte) (int, error) {
	clean := w.redactor.Bytes(data)
	written, err := w.next.Write(clean)
	if err != nil {
		return min(written, len(data)), err
	}
	if written < len(clean) {
		return min(written, len(data)), io.ErrShortWrite
	}
	return len(data), nil
}

// spellings returns the forms in which a secret may occur in a log line.
func spellings(text string) []string {
	raw := []byte(text)
	forms := []string{
		text,
		url.QueryEscape(text),
		url.PathEscape(text),
		base64.StdEncoding.EncodeToString(raw),
		base64.RawURLEncoding.EncodeToString(raw),
		jsonSpelling(text, true),
		jsonSpelling(text, false),
	}
	slices.Sort(forms)
	return slices.Compact(forms)
}

// jsonSpelling returns text as it stands between the quotes of a JSON string.
func jsonSpelling(text string, escapeHTML bool) string {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(escapeHTML)
	if err := encoder.Encode(text); err != nil {
		return text // a string always encodes
	}
	quoted := strings.TrimSuffix(buffer.String(), "\n")
	return quoted[1 : len(quoted)-1]
}

// newReplacer puts longer forms first, so that a secret which contains another
// one is replaced whole.
func newReplacer(known map[string]struct{}) *strings.Replacer {
	forms := make([]string, 0, len(known))
	for form := range known {
		forms = append(forms, form)
	}
	slices.SortFunc(forms, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	pairs := make([]string, 0, 2*len(forms))
	for _, form := range forms {
		pairs = append(pairs, form, Redacted)
	}
	return strings.NewReplacer(pairs...)
}
