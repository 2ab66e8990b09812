package httpapi

import (
	"net/http"
	"strconv"

	"easel/shared/catalog"
)

// Deprecate tells in an answer's headers what is known of the end of the model
// that was asked for: Deprecation (RFC 9745) where the name is retired, with the
// day, and Sunset (RFC 8594) where the model itself will be shut down. It sets
// nothing for a name without such a day.
func Deprecate(h http.Header, m catalog.Resolved) {
	if m.Retired && !m.DeprecatedAt.IsZero() {
		h.Set("Deprecation", "@"+strconv.FormatInt(m.DeprecatedAt.Unix(), 10))
	}
	if !m.RetiresAt.IsZero() {
		h.Set("Sunset", m.RetiresAt.UTC().Format(http.TimeFormat))
	}
}
