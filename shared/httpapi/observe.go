package httpapi

import (
	"net/http"
	"time"
)

// Observation is what is known of a request when its answer is complete.
type Observation struct {
	// Request is the request as it came; its body is used up.
	Request *http.Request
	// Status is what was answered; 500 where the handler broke off before it
	// answered anything.
	Status int
	// Took is the time to the answer; of a stream, to its first byte.
	Took time.Duration
	// GaveUp is true when the caller had gone before the answer was complete.
	GaveUp bool
}

// Observe returns a handler that serves with next and tells observe of each
// request, after the last byte was written and before the request ends: when
// deployed, nothing runs any more after that.
func Observe(next http.Handler, observe func(Observation)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorder := &recorder{ResponseWriter: w}
		started := time.Now()
		returned := false
		defer func() {
			o := Observation{Request: r, Status: recorder.code(), GaveUp: gaveUp(r)}
			if recorder.status == 0 && !returned {
				o.Status = http.StatusInternalServerError
			}
			if recorder.began.IsZero() {
				recorder.began = time.Now()
			}
			o.Took = recorder.began.Sub(started)
			observe(o)
		}()
		next.ServeHTTP(recorder, r)
		returned = true
	})
}
