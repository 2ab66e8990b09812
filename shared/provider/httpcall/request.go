package httpcall

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/secret"
)

const maxEdge = 1 << 20

// For returns a Request with what every call of c has in common.
func For(c provider.Call) Request {
	r := Request{Extra: c.Headers, MaxBytes: c.MaxBytes, Secrets: []secret.Value{c.Key}}
	for name, value := range c.Headers {
		if isCredential(name) {
			r.Secrets = append(r.Secrets, secret.New(strings.TrimPrefix(value, "Bearer ")))
		}
	}
	return r
}

// isCredential reports whether a header's name says that its value is a secret.
func isCredential(name string) bool {
	name = strings.ToLower(name)
	return strings.Contains(name, "auth") || strings.Contains(name, "key") || strings.Contains(name, "token") || strings.Contains(name, "secret")
}

// JSON decodes the body into the value that into points to. What cannot be read
// is a Failure of class bad_answer, of an unknown outcome where the call submits.
func (r *Response) JSON(into any) error {
	if err := json.Unmarshal(r.Body, into); err != nil {
		return r.Bad("the provider's answer is not the JSON that it documents", err)
	}
	return nil
}

// AfterPieces marks a stream's Failure as unknown when pieces of the answer have
// already been passed on. Other errors, and nil, pass.
func AfterPieces(err error, passed bool) error {
	failure, ok := errors.AsType[*fault.Failure](err)
	if !ok || !passed || failure.Unknown {
		return err
	}
	marked := *failure
	marked.Unknown = true
	return &marked
}

// Messages is the conversation of a text request: its system prompt first, then
// its messages, and the prompt as the user's last turn.
func Messages(req generation.Request) []generation.Message {
	messages := make([]generation.Message, 0, len(req.Messages)+2)
	if req.System != "" {
		messages = append(messages, generation.Message{Role: "system", Content: req.System})
	}
	messages = append(messages, req.Messages...)
	if req.Prompt != "" {
		messages = append(messages, generation.Message{Role: "user", Content: req.Prompt})
	}
	return messages
}

// HashUser turns a user's id into what a vendor may see: the same for the same
// user, and of no other use. "" stays "".
func HashUser(user string) string {
	if user == "" {
		return ""
	}
	sum := sha256.Sum256([]byte("easel user " + user))
	return hex.EncodeToString(sum[:16])
}

// ParsePair reads two positive numbers, such as 1024x768 or 16:9.
func ParsePair(text, separator string) (a, b int, ok bool) {
	left, right, found := strings.Cut(text, separator)
	a, errA := strconv.Atoi(left)
	b, errB := strconv.Atoi(right)
	ok = found && errA == nil && errB == nil && a > 0 && b > 0 && a <= maxEdge && b <= maxEdge
	return a, b, ok
}
