package disk

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Signature Version 4, the verifying side: rebuild the text that the client
// signed, sign it with our copy of its key and compare.

const (
	algorithm  = "AWS4-HMAC-SHA256"
	timeLayout = "20060102T150405Z"
	maxSkew    = 15 * time.Minute
	maxExpires = 7 * 24 * time.Hour

	unsignedPayload = "UNSIGNED-PAYLOAD"
)

var (
	errUnsigned  = errors.New("the request is not signed")
	errMalformed = errors.New("the signature is malformed")
	errKey       = errors.New("the access key is unknown")
	errExpired   = errors.New("the request has expired")
	errTooEarly  = errors.New("the request is dated in the future")
	errMismatch  = errors.New("the signature does not match")
)

// signature is what a request says about its own signing.
type signature struct {
	credential string // access key/date/region/s3/aws4_request
	headers    string // names, lower case, joined by semicolons
	value      string // hex
	date       string
	payload    string        // hash of the body, or a word in its place
	life       time.Duration // after date
}

// verify reports why a request must not be served. The body is not compared with
// its hash: the one client runs on this machine.
func verify(r *http.Request, keys keyPair, now time.Time) error {
	target, err := url.ParseRequestURI(r.RequestURI) // as it was before a prefix was stripped
	if err != nil {
		target = r.URL
	}
	query := target.Query()
	signed, err := readSignature(r.Header, query)
	if err != nil {
		return err
	}
	scope := strings.Split(signed.credential, "/")
	if len(scope) != 5 || scope[3] != "s3" || scope[4] != "aws4_request" {
		return errMalformed
	}
	if !hmac.Equal([]byte(scope[0]), []byte(keys.AccessKey)) {
		return errKey
	}
	if err := checkDate(signed, scope[1], now); err != nil {
		return err
	}
	canonical, err := canonicalRequest(r, target.Path, query, signed)
	if err != nil {
		return err
	}
	key := []byte("AWS4" + keys.SecretKey)
	for _, part := range scope[1:] {
		key = sign(key, part)
	}
	hash := sha256.Sum256([]byte(canonical))
	text := strings.Join([]string{algorithm, signed.date, strings.Join(scope[1:], "/"), hex.EncodeToString(hash[:])}, "\n")
	if !hmac.Equal([]byte(hex.EncodeToString(sign(key, text))), []byte(signed.value)) {
		return errMismatch
	}
	return nil
}

// readSignature finds the signature in the query of a signed URL or in the
// Authorization header.
func readSignature(header http.Header, query url.Values) (signature, error) {
	if query.Get("X-Amz-Algorithm") == algorithm {
		seconds, err := strconv.Atoi(query.Get("X-Amz-Expires"))
		if err != nil || seconds < 1 || time.Duration(seconds) > maxExpires/time.Second {
			return signature{}, errMalformed
		}
		return signature{
			credential: query.Get("X-Amz-Credential"),
			headers:    query.Get("X-Amz-SignedHeaders"),
			value:      query.Get("X-Amz-Signature"),
			date:       query.Get("X-Amz-Date"),
			payload:    cmp.Or(query.Get("X-Amz-Content-Sha256"), unsignedPayload),
			life:       time.Duration(seconds) * time.Second,
		}, nil
	}
	fields, found := strings.CutPrefix(header.Get("Authorization"), algorithm)
	if !found {
		return signature{}, errUnsigned
	}
	signed := signature{date: header.Get("X-Amz-Date"), payload: header.Get("X-Amz-Content-Sha256"), life: maxSkew}
	for field := range strings.SplitSeq(fields, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		switch name {
		case "Credential":
			signed.credential = value
		case "SignedHeaders":
			signed.headers = value
		case "Signature":
			signed.value = value
		}
	}
	return signed, nil
}

func checkDate(signed signature, scopeDay string, now time.Time) error {
	date, err := time.Parse(timeLayout, signed.date)
	switch {
	case err != nil || date.Format("20060102") != scopeDay:
		return errMalformed
	case now.Before(date.Add(-maxSkew)):
		return errTooEarly
	case now.After(date.Add(signed.life)):
		return errExpired
	}
	return nil
}

func canonicalRequest(r *http.Request, path string, query url.Values, signed signature) (string, error) {
	names := strings.Split(signed.headers, ";")
	if !slices.Contains(names, "host") {
		return "", errMalformed
	}
	var headers strings.Builder
	for _, name := range names {
		headers.WriteString(name + ":" + headerValue(r, name) + "\n")
	}
	return strings.Join([]string{
		r.Method,
		escape(path, "/"),
		canonicalQuery(query),
		headers.String(),
		signed.headers,
		signed.payload,
	}, "\n"), nil
}

// headerValue returns a header as it is signed. The server keeps two of them
// outside the header map.
func headerValue(r *http.Request, name string) string {
	switch name {
	case "host":
		return r.Host
	case "content-length":
		return strconv.FormatInt(r.ContentLength, 10)
	}
	values := slices.Clone(r.Header.Values(name))
	for i, value := range values {
		values[i] = strings.Join(strings.Fields(value), " ")
	}
	return strings.Join(values, ",")
}

func canonicalQuery(query url.Values) string {
	pairs := make([]string, 0, len(query))
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if name == "X-Amz-Signature" {
			continue
		}
		for _, value := range slices.Sorted(slices.Values(query[name])) {
			pairs = append(pairs, escape(name, "")+"="+escape(value, ""))
		}
	}
	return strings.Join(pairs, "&")
}

// escape percent-encodes everything but letters, digits, "-._~" and the bytes in
// keep.
func escape(text, keep string) string {
	const hexDigits = "0123456789ABCDEF"
	var out strings.Builder
	for i := range len(text) {
		c := text[i]
		plain := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
			strings.IndexByte("-._~", c) >= 0 || strings.IndexByte(keep, c) >= 0
		if plain {
			out.WriteByte(c)
			continue
		}
		out.Write([]byte{'%', hexDigits[c>>4], hexDigits[c&15]})
	}
	return out.String()
}

func sign(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text)) // never fails
	return mac.Sum(nil)
}
