package httpapi

import (
	"net/http"
	"strings"

	"easel/shared/replycache"
)

// CacheHeader says what the cache of answers was to a request: HIT, MISS or BYPASS.
// An answer to a key that has no cache does not have it.
const CacheHeader = "X-Cache"

// CacheWish returns what the caller's key and the request's Cache-Control want of
// the cache: no-cache, and max-age=0, make the answer anew, and no-store keeps it
// out. The answer's header tells what came of it.
func CacheWish(w http.ResponseWriter, r *http.Request, c Caller) replycache.Wish {
	wish := replycache.Wish{
		Seconds: c.CacheTTLSeconds, Unseeded: c.CacheUnseeded,
		Tell: func(o replycache.Outcome) { w.Header().Set(CacheHeader, string(o)) },
	}
	for _, line := range r.Header.Values("Cache-Control") {
		for directive := range strings.SplitSeq(line, ",") {
			switch strings.ToLower(strings.TrimSpace(directive)) {
			case "no-cache", "max-age=0":
				wish.NoCache = true
			case "no-store":
				wish.NoStore = true
			}
		}
	}
	return wish
}
