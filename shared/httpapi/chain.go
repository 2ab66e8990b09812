package httpapi

import (
	"net/http"
	"strings"
)

// keyPrefix begins every API key.
const keyPrefix = "esl_"

// Either returns an Authenticator that takes what has the form of an API key to
// keys and every other token to tokens. Where tokens is nil everything is taken to
// keys. Where keys is a [Meter], it holds those with tokens to their rates too.
func Either(keys, tokens Authenticator) Authenticator { //nolint:ireturn // it chooses between two
	if tokens == nil {
		return keys
	}
	one := either{keys, tokens}
	if meter, ok := keys.(Meter); ok {
		return meteredEither{one, meter}
	}
	return one
}

type meteredEither struct {
	either
	Meter
}

type either struct{ keys, tokens Authenticator }

// Authenticate asks the one that the request's token is for. Without a token, keys
// says what is missing.
func (e either) Authenticate(r *http.Request) (Caller, error) {
	token, err := Bearer(r)
	if err != nil || strings.HasPrefix(token, keyPrefix) {
		return e.keys.Authenticate(r)
	}
	return e.tokens.Authenticate(r)
}
