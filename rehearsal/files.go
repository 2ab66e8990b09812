package rehearsal

import (
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// serialWriter lets many processes write to one writer, a piece at a time.
type serialWriter struct {
	mu sync.Mutex
	w  io.Writer
}

// Write implements io.Writer.
func (s *serialWriter) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(p)
}

// calls knows the requests that a handler is busy with. The zero value is ready.
type calls struct {
	mu    sync.Mutex
	begun map[*http.Request]time.Time
}

func (c *calls) watch(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		if c.begun == nil {
			c.begun = map[*http.Request]time.Time{}
		}
		c.begun[r] = time.Now()
		c.mu.Unlock()
		defer func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			delete(c.begun, r)
		}()
		h.ServeHTTP(w, r)
	})
}

func (c *calls) list(atLeast time.Duration) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []string
	for r, begun := range c.begun {
		if time.Since(begun) >= atLeast {
			found = append(found, r.Method+" "+r.URL.Path)
		}
	}
	return found
}
