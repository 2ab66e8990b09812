package webp_test

import (
	"bytes"
	"image"
	"image/color"
	"math/rand/v2"
	"testing"

	decoder "golang.org/x/image/webp"

	"easel/shared/provider/simulator/webp"
)

// pictures are inputs that reach different parts of the format.
func pictures() map[string]*image.RGBA {
	noise := rand.New(rand.NewPCG(1, 2))
	make1 := func(w, h int, at func(x, y int) color.RGBA) *image.RGBA {
		img := image.NewRGBA(image.Rect(0, 0, w, h))
		for y := range h {
			for x := range w {
				img.SetRGBA(x, y, at(x, y))
			}
		}
		return img
	}
	return map[string]*image.RGBA{
		"one pixel":  make1(1, 1, func(int, int) color.RGBA { return color.RGBA{1, 2, 3, 255} }),
		"one column": make1(1, 300, func(_, y int) color.RGBA { return color.RGBA{uint8(y), 0, 7, 255} }),
		"one row":    make1(300, 1, func(x, _ int) color.RGBA { return color.RGBA{9, uint8(x * x), 7, 255} }),
		"flat":       make1(257, 131, func(int, int) color.RGBA { return color.RGBA{200, 100, 50, 255} }),
		"gradient":   make1(300, 200, func(x, y int) color.RGBA { return color.RGBA{uint8(x), uint8(y), uint8(x + y), 255} }),
		"noise": make1(130, 77, func(int, int) color.RGBA {
			return color.RGBA{uint8(noise.Uint32()), uint8(noise.Uint32()), uint8(noise.Uint32()), 255}
		}),
		"two colours": make1(64, 64, func(x, y int) color.RGBA { return color.RGBA{uint8((x ^ y) & 1 * 255), 0, 0, 255} }),
		"skewed": make1(200, 200, func(x, y int) color.RGBA {
			v := noise.ExpFloat64() * 12 // long codes for rare values
			return color.RGBA{uint8(v), uint8(v * v), uint8(x * y), 255}
		}),
		"stripes": make1(500, 40, func(x, y int) color.RGBA { return color.RGBA{uint8(x % 7 * 30), uint8(y % 3 * 80), 0, 255} }),
	}
}

func TestWhatIsEncodedDecodesToTheSamePixels(t *testing.T) {
	t.Parallel()
	for name, img := range pictures() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var file bytes.Buffer
			if err := webp.Encode(&file, img); err != nil {
				t.Fatal(err)
			}
			got, err := decoder.Decode(&file)
			if err != nil {
				t.Fatalf("decode: %v", err)
			}
			if got.Bounds() != img.Bounds() {
				t.Fatalf("bounds %v, want %v", got.Bounds(), img.Bounds())
			}
			for y := range img.Rect.Dy() {
				for x := range img.Rect.Dx() {
					if want, have := img.RGBAAt(x, y), color.RGBAModel.Convert(got.At(x, y)); have != want {
						t.Fatalf("pixel %d,%d is %v, want %v", x, y, have, want)
					}
				}
			}
		})
	}
}

func TestPicturesOutOfBoundsAreRefused(t *testing.T) {
	t.Parallel()
	for _, box := range []image.Rectangle{image.Rect(0, 0, 0, 5), image.Rect(0, 0, 1<<14+1, 1)} {
		if err := webp.Encode(&bytes.Buffer{}, image.NewRGBA(box)); err == nil {
			t.Errorf("%v was encoded", box)
		}
	}
}
