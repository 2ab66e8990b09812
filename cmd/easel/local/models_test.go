package local_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"image"
	"image/png"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"easel/shared/catalog"
	"easel/shared/credits"
	"easel/shared/generation"
)

// enrich gives the account enough for any test.
func (g *gateway) enrich() {
	g.t.Helper()
	if err := g.App.Store.Post(g.t.Context(), credits.ForGrant(g.Account, "test", 100_000, "", "test", time.Now())); err != nil {
		g.t.Fatal(err)
	}
}

// noise is a PNG that does not get small, of about four bytes to a pixel.
func noise(t *testing.T, side int) []byte {
	t.Helper()
	picture := image.NewNRGBA(image.Rect(0, 0, side, side))
	r := rand.New(rand.NewPCG(1, 2))
	for i := range picture.Pix {
		picture.Pix[i] = byte(r.Uint32())
	}
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func dataURL(picture []byte) string {
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(picture)
}

// shortest is the shortest video that a model makes, in seconds; 0 leaves the
// length to the model. To draw one is most of what a test does.
func shortest(m catalog.Model) int {
	if len(m.Limits.Durations) > 0 {
		return slices.Min(m.Limits.Durations)
	}
	return m.Limits.MinDuration
}

// TestEveryModelOfTheCatalogWorks calls every model once, each with the least
// that it needs: none is dead in local mode.
func TestEveryModelOfTheCatalogWorks(t *testing.T) {
	t.Parallel()
	g := start(t)
	g.enrich()
	models, err := catalog.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range models {
		t.Run(m.Name, func(t *testing.T) {
			t.Parallel()
			g := &gateway{g.Gateway, t}
			if m.Kind == generation.Text {
				status, body := g.call(http.MethodPost, "/api/prompt", map[string]any{"model": m.Name, "prompt": "a fox"})
				if status != http.StatusOK {
					t.Errorf("status %d: %s", status, body)
				}
				return
			}
			request := map[string]any{"model": m.Name, "prompt": "a lighthouse at dusk"}
			if length := shortest(m); length > 0 {
				request["duration"] = length
			}
			if slices.Contains(m.Limits.Needs, "image") {
				request["image"] = dataURL(noise(t, 64))
			}
			v := g.create(request)
			if v.Status != "succeeded" || len(v.Outputs) != 1 || len(v.Attempts) != 1 {
				t.Errorf("task = %+v", v)
			}
		})
	}
}

// TestAnImageByURLReachesEveryKindOfProvider sends an image that is too large for
// one vendor to take inside a request.
func TestAnImageByURLReachesEveryKindOfProvider(t *testing.T) {
	t.Parallel()
	g := start(t)
	g.enrich()
	large := noise(t, 300)
	if len(large) <= 256<<10 {
		t.Fatalf("the picture has %d bytes only", len(large))
	}
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(large) }))
	t.Cleanup(site.Close)
	for _, c := range []struct {
		model, form string
		seconds     int
	}{
		{"svd", "url", 0},
		{"gen4.5", "url", 2},
		{"kling-v3", "url", 3},
		{"pika-2.2", "data", 5},
		{"flux-dev", "url", 0},
		{"flux-dev", "data", 0},
		{"gpt-image-2", "url", 0},
		{"stable-image-ultra", "url", 0},
		{"gemini-image", "url", 0},
	} {
		t.Run(c.model+" by "+c.form, func(t *testing.T) {
			t.Parallel()
			g := &gateway{g.Gateway, t}
			request := map[string]any{"model": c.model, "prompt": "waves", "image": site.URL + "/a.png"}
			if c.form == "data" {
				request["image"] = dataURL(large)
			}
			if c.seconds > 0 {
				request["duration"] = c.seconds
			}
			v := g.create(request)
			if v.Status != "succeeded" || len(v.Attempts) != 1 {
				t.Errorf("task = %+v", v)
			}
		})
	}
}

func TestAnImageByURLThatMayNotBeFetchedIsRefusedBeforeMoneyMoves(t *testing.T) {
	t.Parallel()
	g := start(t)
	before := g.balance()
	site := httptest.NewServer(http.RedirectHandler("http://169.254.169.254/latest/meta-data/", http.StatusFound))
	t.Cleanup(site.Close)
	for _, url := range []string{site.URL, "http://169.254.169.254/", "https://10.0.0.1/a.png"} {
		status, body := g.call(http.MethodPost, "/api/generate", map[string]any{"model": "svd", "image": url})
		if status != http.StatusBadRequest || !strings.Contains(string(body), `"name":"image"`) {
			t.Errorf("%s: status %d: %s", url, status, body)
		}
	}
	if after := g.balance(); after != before {
		t.Errorf("balance = %+v, was %+v", after, before)
	}
}

// TestEverySeededAPIThatIsDescribedAsDataCanBeTested makes the console's test of
// configs that have no model but in their data.
func TestEverySeededAPIThatIsDescribedAsDataCanBeTested(t *testing.T) {
	t.Parallel()
	g := start(t)
	for _, id := range []string{"cfg_luma", "cfg_kling", "cfg_bfl"} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			g := &gateway{g.Gateway, t}
			status, body := g.call(http.MethodPost, "/api/admin/configs/"+id+"/test", map[string]any{"mode": "generate"},
				"Authorization", "Bearer "+g.AdminKey)
			var result struct {
				OK bool `json:"ok"`
			}
			if err := json.Unmarshal(body, &result); err != nil || status != http.StatusOK || !result.OK {
				t.Errorf("status %d: %s", status, body)
			}
		})
	}
}
