package httpapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"

	"easel/shared/fault"
)

// IdempotencyHeader carries the caller's name for one creating request.
const IdempotencyHeader = "Idempotency-Key"

const maxIdempotencyKey = 255

// IdempotencyKey returns the request's Idempotency-Key, "" when it has none, or
// an InvalidInput error: it must have 1 to 255 visible ASCII characters.
func IdempotencyKey(r *http.Request) (string, error) {
	values := r.Header.Values(IdempotencyHeader)
	if len(values) == 0 {
		return "", nil
	}
	key := values[0]
	ok := len(values) == 1 && key != "" && len(key) <= maxIdempotencyKey
	for i := 0; ok && i < len(key); i++ {
		ok = key[i] > ' ' && key[i] <= '~'
	}
	if !ok {
		return "", fault.Invalid(IdempotencyHeader, "must have 1 to %d visible ASCII characters", maxIdempotencyKey)
	}
	return key, nil
}

// Fingerprint returns the hex SHA-256 of the request's method, path and decoded
// body, in which neither the order of members nor spaces count.
func Fingerprint(r *http.Request, body any) (string, error) {
	canonical, err := canonical(body)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	for _, part := range [][]byte{[]byte(r.Method), []byte(r.URL.Path), canonical} {
		_, _ = h.Write(part)
		_, _ = h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// canonical encodes v with the members of every object in order.
func canonical(v any) ([]byte, error) {
	encoded, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	decoder.UseNumber()
	var tree any
	if err := decoder.Decode(&tree); err != nil {
		return nil, err
	}
	return json.Marshal(tree)
}
