// Package web serves the operator's console: the files that `make web` builds
// from this folder, embedded into the program.
package web

import (
	"embed"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"

	"easel/shared/env"
)

// The folder holds a placeholder, so that the program builds without Node.
//
//go:embed all:dist
var files embed.FS

const page = "index.html"

// Handler serves the console to browsers. A path that names no file answers with
// the console's one page, which then shows what the path names; paths that look
// like files, and everything under assets, answer 404 instead. The page is never
// cached and the hashed assets for ever.
//
// The page may load its own files and talk to its own origin only; assetOrigins
// are further origins that pictures and videos come from, such as
// "https://bucket.s3.eu-central-1.amazonaws.com". The handler is safe for
// concurrent use.
func Handler(assetOrigins ...string) http.Handler {
	dist, err := fs.Sub(files, "dist")
	if err != nil {
		panic("web: the embedded folder is missing: " + err.Error())
	}
	return handler{dist: dist, policy: env.ConsolePolicy(assetOrigins...)}
}

type handler struct {
	dist   fs.FS
	policy string
}

// ServeHTTP answers GET and HEAD.
func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Security-Policy", h.policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
	switch body, err := h.read(name); {
	case err == nil:
		if strings.HasPrefix(name, "assets/") {
			header.Set("Cache-Control", "public, max-age=31536000, immutable")
		} else {
			header.Set("Cache-Control", "no-cache")
		}
		write(w, r, name, body)
	case name != page && (strings.HasPrefix(name, "assets/") || strings.Contains(path.Base("/"+name), ".")):
		header.Set("Cache-Control", "no-store")
		http.NotFound(w, r)
	default:
		h.page(w, r)
	}
}

// read returns a file that the page may ask for by name; the page itself and the
// placeholder are not among them.
func (h handler) read(name string) ([]byte, error) {
	if name == "" || name == page || strings.HasPrefix(path.Base(name), ".") {
		return nil, fs.ErrNotExist
	}
	return fs.ReadFile(h.dist, name)
}

func (h handler) page(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	body, err := fs.ReadFile(h.dist, page)
	if err != nil {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, "The console is not built into this program: run `make web` (it needs Node), then build again.\n")
		return
	}
	write(w, r, page, body)
}

// contentType is that of a file which the build makes; the machine's own
// table of types may lack it, or know it by another name.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".json":
		return "application/json"
	default:
		return "application/octet-stream"
	}
}

func write(w http.ResponseWriter, r *http.Request, name string, body []byte) {
	w.Header().Set("Content-Type", contentType(name))
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(body)
}
