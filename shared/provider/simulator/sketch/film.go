package sketch

import (
	"fmt"
	"image"
	"io"
	"math"

	"easel/shared/provider/simulator/mp4"
)

// Limits of a film: whatever is asked for, it has at most this many pixels a
// frame and this length, so that making it stays cheap.
const (
	filmPixels  = 640 * 360
	filmSeconds = 10
	filmRate    = 10 // frames a second
)

// Film writes the moving scene as an MP4 file. Its ratio is the scene's, its
// size smaller where the scene is larger than 640 by 360 pixels or so, and its
// length the one asked for up to ten seconds.
func Film(w io.Writer, s Scene, seconds float64) error {
	if err := s.validate(); err != nil {
		return err
	}
	if math.IsNaN(seconds) || seconds <= 0 {
		return fmt.Errorf("a film of %v seconds", seconds)
	}
	shrink := math.Min(1, math.Sqrt(filmPixels/float64(s.Width*s.Height)))
	s.Width, s.Height = even(float64(s.Width)*shrink), even(float64(s.Height)*shrink)
	rate := filmRate
	if s.Draft {
		rate = draftRate
		s.Width, s.Height = even(float64(s.Width)/draftScale), even(float64(s.Height)/draftScale)
	}
	p := newPainter(s)
	count := max(1, int(math.Min(seconds, filmSeconds)*float64(rate)+0.5))
	return mp4.Encode(w, s.Width, s.Height, rate, func(yield func(*image.RGBA, error) bool) {
		for i := range count {
			img := p.paint(float64(i) / float64(rate)).rgba()
			if !s.Draft {
				p.caption(img)
			}
			if !yield(img, nil) {
				return
			}
		}
	})
}

func even(v float64) int { return max(16, int(v/2+0.5)*2) }
