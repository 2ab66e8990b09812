package simulator

import (
	"bytes"
	"fmt"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// routeFiles serves the outputs of jobs. They need no key, like the delivery
// hosts of the real vendors, whose addresses are unguessable.
func (s *Server) routeFiles() {
	for _, name := range Providers() {
		open := vendor{
			name:     name,
			key:      func(*http.Request) string { return "none needed" },
			refuse:   refuseFile,
			tooLarge: func(c *call) { http.Error(c.w, "body too large", http.StatusRequestEntityTooLarge) },
		}
		s.handle(open, "GET /files/"+name+"/{job}/{file}", OnFiles, serveFile)
	}
}

// fileURLs are the addresses of a job's outputs.
func fileURLs(j job) []string {
	urls := make([]string, 0, len(j.Works))
	for i, w := range j.Works {
		urls = append(urls, fmt.Sprintf("%s/files/%s/%s/out-%d.%s", j.Base, j.Vendor, j.ID, i, w.extension()))
	}
	return urls
}

func serveFile(c *call) {
	j, ok := c.srv.jobs.get(c.vendor.name, c.r.PathValue("job"))
	name := c.r.PathValue("file")
	index, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(name, "out-"), path.Ext(name)))
	now := c.srv.opts.Now()
	if !ok || err != nil || index < 0 || index >= len(j.Works) || j.at(now) != phaseSucceeded || j.expired(now) {
		http.Error(c.w, "not found", http.StatusNotFound)
		return
	}
	w := j.Works[index]
	file, err := c.srv.studio.render(w)
	if err != nil {
		http.Error(c.w, err.Error(), http.StatusInternalServerError)
		return
	}
	c.w.Header().Set("Content-Type", w.contentType())
	c.w.Header().Set("Cache-Control", "private, max-age=3600")
	http.ServeContent(c.w, c.r, "", j.Finish, bytes.NewReader(file))
}

func refuseFile(c *call, why reason) {
	status := http.StatusInternalServerError
	switch why {
	case tooMany:
		status = http.StatusTooManyRequests
	case overloaded:
		status = http.StatusServiceUnavailable
	case badKey, noCredit, badPrompt:
		status = http.StatusForbidden
	case broken:
	}
	http.Error(c.w, http.StatusText(status), status)
}
