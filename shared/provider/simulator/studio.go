package simulator

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"runtime"
	"sync"

	"easel/shared/provider/simulator/sketch"
)

// studioCache bounds the bytes of finished files kept for the next download.
const studioCache = 64 << 20

// work says what one output shows. The same work always gives the same bytes.
type work struct {
	Prompt  string  `json:"prompt"`
	Seed    int64   `json:"seed"`
	Width   int     `json:"width"`
	Height  int     `json:"height"`
	Format  string  `json:"format"`            // png, jpeg, webp or mp4
	Quality int     `json:"quality,omitempty"` // jpeg only, 1 to 100; 0 is the default
	Seconds float64 `json:"seconds,omitempty"` // mp4 only
	Blurred bool    `json:"blurred,omitempty"` // filtered by the vendor
}

// contentType is the media type of the work's file.
func (w work) contentType() string {
	if w.Format == "mp4" {
		return "video/mp4"
	}
	return "image/" + w.Format
}

// extension is the file name's ending, as vendors spell it.
func (w work) extension() string {
	if w.Format == "jpeg" {
		return "jpg"
	}
	return w.Format
}

// seedOf is the seed used when the caller gives none: unlike the real vendors,
// which roll dice, the same prompt then gives the same picture.
func seedOf(prompt string) int64 {
	sum := sha256.Sum256([]byte(prompt))
	return int64(binary.BigEndian.Uint32(sum[:4]) >> 1)
}

// studio makes files, a few at a time, and keeps the latest.
type studio struct {
	slots  chan struct{}
	draft  bool
	shrink int

	mu     sync.Mutex
	files  map[work][]byte
	order  []work
	stored int
}

func newStudio(draft bool, shrink int) *studio {
	return &studio{slots: make(chan struct{}, runtime.GOMAXPROCS(0)), draft: draft, shrink: max(1, shrink), files: map[work][]byte{}}
}

// render returns the work's file.
func (st *studio) render(w work) ([]byte, error) {
	if file, ok := st.cached(w); ok {
		return file, nil
	}
	st.slots <- struct{}{}
	defer func() { <-st.slots }()
	if file, ok := st.cached(w); ok { // made while this call waited
		return file, nil
	}
	scene := sketch.Scene{
		Prompt: w.Prompt, Seed: w.Seed, Blurred: w.Blurred, Draft: st.draft,
		Width: max(16, w.Width/st.shrink), Height: max(16, w.Height/st.shrink),
	}
	var out bytes.Buffer
	var err error
	if w.Format == "mp4" {
		err = sketch.Film(&out, scene, w.Seconds)
	} else {
		err = sketch.Encode(&out, scene, sketch.Format(w.Format), w.Quality)
	}
	if err != nil {
		return nil, fmt.Errorf("draw %dx%d %s: %w", w.Width, w.Height, w.Format, err)
	}
	st.keep(w, out.Bytes())
	return out.Bytes(), nil
}

func (st *studio) cached(w work) ([]byte, bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	file, ok := st.files[w]
	return file, ok
}

func (st *studio) keep(w work, file []byte) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if _, known := st.files[w]; known {
		return
	}
	st.files[w] = file
	st.order = append(st.order, w)
	st.stored += len(file)
	for st.stored > studioCache && len(st.order) > 1 {
		oldest := st.order[0]
		st.order = st.order[1:]
		st.stored -= len(st.files[oldest])
		delete(st.files, oldest)
	}
}
