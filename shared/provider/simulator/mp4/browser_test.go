package mp4_test

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"
	"time"

	"easel/shared/provider/simulator/mp4"
)

// page plays the film and reports the mean red, green and blue of each frame.
const page = `<!doctype html><video id=v muted src=/film.mp4></video><script>
const v = document.getElementById('v'), c = document.createElement('canvas'), found = []
const report = what => fetch('/report', {method: 'POST', body: JSON.stringify(what)})
v.onerror = () => report({error: v.error.message})
v.onloadeddata = () => { c.width = v.videoWidth; c.height = v.videoHeight; v.currentTime = 0.05 }
v.onseeked = () => {
  const g = c.getContext('2d'); g.drawImage(v, 0, 0)
  const d = g.getImageData(0, 0, c.width, c.height).data, sum = [0, 0, 0]
  for (let i = 0; i < d.length; i++) if (i % 4 < 3) sum[i % 4] += d[i] / (d.length / 4)
  found.push(sum)
  if (found.length < 8) v.currentTime = found.length / 10 + 0.05
  else report({width: v.videoWidth, height: v.videoHeight, seconds: v.duration, frames: found})
}</script>`

// TestChromiumPlaysTheFilm needs a Chromium on the machine and is skipped
// without one: no decoder of H.264 is at hand in Go.
func TestChromiumPlaysTheFilm(t *testing.T) {
	t.Parallel()
	browser, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no chromium on this machine")
	}
	var film bytes.Buffer
	var means [][3]float64
	err = mp4.Encode(&film, 322, 182, 10, func(yield func(*image.RGBA, error) bool) {
		for i := range 8 {
			img, mean := movingSquare(i)
			means = append(means, mean)
			if !yield(img, nil) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	reports := make(chan []byte, 1)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, page) })
	mux.HandleFunc("GET /film.mp4", func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "film.mp4", time.Time{}, bytes.NewReader(film.Bytes()))
	})
	mux.HandleFunc("POST /report", func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		reports <- body
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	profile, err := os.MkdirTemp("", "film") //nolint:usetesting // the browser's children may outlive it and still write there
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(profile)
	cmd := exec.CommandContext(t.Context(), browser, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0",
		"--user-data-dir="+profile, server.URL)
	if err := cmd.Start(); err != nil {
		t.Skip("chromium does not start:", err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	select {
	case body := <-reports:
		compare(t, body, means)
	case <-time.After(90 * time.Second):
		t.Skip("chromium did not get ready in time")
	}
}

// movingSquare is a gradient with a noisy square that moves, and its mean.
func movingSquare(i int) (*image.RGBA, [3]float64) {
	img := image.NewRGBA(image.Rect(0, 0, 322, 182))
	var mean [3]float64
	for y := range 182 {
		for x := range 322 {
			k := color.RGBA{uint8(x / 2), uint8(y), uint8(40 + i*20), 255}
			if x > 20+i*20 && x < 90+i*20 && y > 60 && y < 110 {
				k = color.RGBA{uint8(x * y), uint8(x*y + i), uint8(x * y), 255}
			}
			img.SetRGBA(x, y, k)
			for c, v := range []uint8{k.R, k.G, k.B} {
				mean[c] += float64(v) / (322 * 182)
			}
		}
	}
	return img, mean
}

func compare(t *testing.T, body []byte, means [][3]float64) {
	t.Helper()
	var got struct {
		Error   string       `json:"error"`
		Width   int          `json:"width"`
		Height  int          `json:"height"`
		Seconds float64      `json:"seconds"`
		Frames  [][3]float64 `json:"frames"`
	}
	if err := json.Unmarshal(body, &got); err != nil || got.Error != "" || len(got.Frames) != len(means) {
		t.Fatalf("%v: %s", err, body)
	}
	if got.Width != 322 || got.Height != 182 || got.Seconds != 0.8 {
		t.Errorf("%dx%d of %v s", got.Width, got.Height, got.Seconds)
	}
	for i, frame := range got.Frames {
		for c := range frame {
			if d := frame[c] - means[i][c]; d > 6 || d < -6 {
				t.Errorf("frame %d has mean %v, want %v", i, frame, means[i])
				break
			}
		}
	}
}
