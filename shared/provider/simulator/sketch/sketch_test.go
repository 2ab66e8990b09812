package sketch_test

import (
	"bytes"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"testing"

	_ "golang.org/x/image/webp"

	"easel/shared/provider/simulator/sketch"
)

func TestEveryThemePaintsAtEveryShape(t *testing.T) {
	t.Parallel()
	prompts := []string{
		"", "a lighthouse at dusk by the sea", "a cat in a meadow, spring flowers", "a dog in an autumn forest", "city at night, rain",
		"desert sunrise with hot air balloons", "雪山 湖 极光 月", "a rocket near a planet in space", "castle on a hill in a storm, birds",
		"a cottage by a lake in winter", "a sailboat at noon", "an oak tree on a hill", "🙂🙃", "a portrait",
	}
	sizes := [][2]int{{16, 16}, {640, 64}, {64, 640}, {256, 256}}
	for _, prompt := range prompts {
		for _, size := range sizes {
			img, err := sketch.Paint(sketch.Scene{Prompt: prompt, Seed: 3, Width: size[0], Height: size[1]})
			if err != nil {
				t.Fatal(err)
			}
			if img.Bounds().Dx() != size[0] || img.Bounds().Dy() != size[1] || !img.Opaque() {
				t.Errorf("%q: %v", prompt, img.Bounds())
			}
		}
	}
}

func TestPromptSeedAndSizeDecideThePicture(t *testing.T) {
	t.Parallel()
	paint := func(s sketch.Scene) []byte {
		img, err := sketch.Paint(s)
		if err != nil {
			t.Fatal(err)
		}
		return img.Pix
	}
	base := sketch.Scene{Prompt: "a lake", Seed: 1, Width: 128, Height: 96}
	if !bytes.Equal(paint(base), paint(base)) {
		t.Error("the same scene was painted differently")
	}
	other, seeded, blurred := base, base, base
	other.Prompt, seeded.Seed, blurred.Blurred = "a lake.", 2, true
	for name, s := range map[string]sketch.Scene{"prompt": other, "seed": seeded, "blur": blurred} {
		if bytes.Equal(paint(base), paint(s)) {
			t.Errorf("another %s gave the same picture", name)
		}
	}
}

func TestEveryFormatDecodes(t *testing.T) {
	t.Parallel()
	for _, format := range []sketch.Format{sketch.PNG, sketch.JPEG, sketch.WebP} {
		var file bytes.Buffer
		if err := sketch.Encode(&file, sketch.Scene{Prompt: "sea", Width: 150, Height: 90}, format, 80); err != nil {
			t.Fatal(err)
		}
		img, got, err := image.Decode(&file)
		if err != nil || got != string(format) || img.Bounds().Size() != image.Pt(150, 90) {
			t.Errorf("%s: %v %s", format, err, got)
		}
	}
	if err := sketch.Encode(&bytes.Buffer{}, sketch.Scene{Width: 64, Height: 64}, "tiff", 0); err == nil {
		t.Error("an unknown format was written")
	}
}

func TestSizesOutOfBoundsAreRefused(t *testing.T) {
	t.Parallel()
	for _, s := range []sketch.Scene{{Width: 15, Height: 64}, {Width: 64, Height: sketch.MaxSide + 1}, {Width: sketch.MaxSide, Height: sketch.MaxSide}} {
		if _, err := sketch.Paint(s); err == nil {
			t.Errorf("%dx%d was painted", s.Width, s.Height)
		}
	}
}

func TestFilmsKeepTheRatioAndTheBounds(t *testing.T) {
	t.Parallel()
	var film, short bytes.Buffer
	if err := sketch.Film(&film, sketch.Scene{Prompt: "night", Width: 1280, Height: 720}, 1); err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(film.Bytes()[:32], []byte("ftypisom")) {
		t.Error("not an MP4 file")
	}
	if err := sketch.Film(&short, sketch.Scene{Prompt: "night", Width: 64, Height: 64}, 0); err == nil {
		t.Error("a film of no length was made")
	}
}
