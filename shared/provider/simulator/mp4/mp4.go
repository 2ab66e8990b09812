// Package mp4 writes short films as H.264 in an MP4 container.
//
// The encoder is a small part of H.264's constrained baseline profile: a first
// picture of intra macroblocks, then pictures that code what changed in place,
// with CAVLC and without deblocking. Any decoder plays it; a real encoder
// would make smaller files.
package mp4

import (
	"errors"
	"fmt"
	"image"
	"io"
	"iter"
)

// maxSide bounds a side of the film, in pixels.
const maxSide = 1920

// Encode writes a film of the given size. Each frame must have that size, and
// both sides must be even. fps is the number of frames a second, 1 to 60.
func Encode(w io.Writer, width, height, fps int, frames iter.Seq2[*image.RGBA, error]) error {
	if width < 16 || height < 16 || width > maxSide || height > maxSide || width%2 != 0 || height%2 != 0 || fps < 1 || fps > 60 {
		return fmt.Errorf("mp4: cannot make a film of %dx%d at %d frames a second", width, height, fps)
	}
	enc := newEncoder(width, height)
	var samples [][]byte
	for frame, err := range frames {
		if err != nil {
			return err
		}
		if frame.Bounds().Dx() != width || frame.Bounds().Dy() != height {
			return errors.New("mp4: a frame has another size than the film")
		}
		samples = append(samples, enc.encode(frame))
	}
	if len(samples) == 0 {
		return errors.New("mp4: a film needs a frame")
	}
	_, err := w.Write(container(enc, samples, fps))
	return err
}
