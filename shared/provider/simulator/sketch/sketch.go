// Package sketch paints the pictures and films of the simulated vendors.
//
// A Scene is painted from its prompt: words choose the place, the hour, the
// weather and the subjects, and the prompt's hash and the seed choose the rest.
// The same scene always gives the same picture. Every picture is marked as
// simulated in a band at its lower edge.
package sketch

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"

	"easel/shared/provider/simulator/webp"
)

// MaxSide and MaxPixels bound what Paint accepts.
const (
	MaxSide   = 4096
	MaxPixels = 9 << 20
)

// Scene says what to paint.
type Scene struct {
	Prompt  string
	Seed    int64
	Width   int  // pixels, 16 to MaxSide
	Height  int  // pixels, 16 to MaxSide
	Blurred bool // beyond recognition, as a filtered picture is
	Draft   bool // coarse, without caption and much cheaper: for tests
}

// Format is a file format by its media subtype.
type Format string

// The formats that Encode writes.
const (
	PNG  Format = "png"
	JPEG Format = "jpeg"
	WebP Format = "webp"
)

func (s Scene) validate() error {
	if s.Width < 16 || s.Height < 16 || s.Width > MaxSide || s.Height > MaxSide || s.Width*s.Height > MaxPixels {
		return fmt.Errorf("size %dx%d is out of bounds", s.Width, s.Height)
	}
	return nil
}

// Paint returns the scene as it looks at its first moment. The picture has no
// transparency.
func Paint(s Scene) (*image.RGBA, error) {
	if err := s.validate(); err != nil {
		return nil, err
	}
	if s.Draft {
		return enlarge(s.coarse(), s.Width, s.Height), nil
	}
	p := newPainter(s)
	c := p.paint(0)
	img := c.rgba()
	p.caption(img)
	return img, nil
}

// Encode paints the scene and writes it to w as a file. quality is for JPEG,
// 1 to 100; any other value means 90.
func Encode(w io.Writer, s Scene, format Format, quality int) error {
	if s.Draft && format == PNG && s.validate() == nil {
		return (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(w, fewColours(s.coarse(), s.Width, s.Height))
	}
	img, err := Paint(s)
	if err != nil {
		return err
	}
	switch format {
	case PNG:
		encoder := png.Encoder{CompressionLevel: png.BestSpeed}
		return encoder.Encode(w, img)
	case JPEG:
		if quality < 1 || quality > 100 {
			quality = 90
		}
		return jpeg.Encode(w, img, &jpeg.Options{Quality: quality})
	case WebP:
		var buf bytes.Buffer
		if err := webp.Encode(&buf, img); err != nil {
			return err
		}
		_, err := buf.WriteTo(w)
		return err
	default:
		return fmt.Errorf("unknown format %q", format)
	}
}
