// Package webp writes lossless WebP files (VP8L in a RIFF container).
//
// It uses the predictor and subtract-green transforms, runs of equal pixels
// and rows, and one set of prefix codes for the whole picture: small code and
// good speed rather than the smallest file.
package webp

import (
	"encoding/binary"
	"errors"
	"image"
	"io"
)

// maxSide is the format's limit of a side.
const maxSide = 1 << 14

// Encode writes the picture to w. The alpha of every pixel counts as opaque.
func Encode(w io.Writer, img *image.RGBA) error {
	width, height := img.Bounds().Dx(), img.Bounds().Dy()
	if width < 1 || height < 1 || width > maxSide || height > maxSide {
		return errors.New("webp: a side is out of bounds")
	}
	var b bits
	b.write(0x2f, 8)
	b.write(uint32(width-1), 14)  //nolint:gosec // checked above
	b.write(uint32(height-1), 14) //nolint:gosec // checked above
	b.write(0, 1)                 // no alpha
	b.write(0, 3)                 // version

	p := newPlane(img)
	b.write(1, 1)
	b.write(transformSubtractGreen, 2)
	modes := p.predict()
	b.write(1, 1)
	b.write(transformPredictor, 2)
	b.write(blockBits-2, 3)
	writeImage(&b, modes, false)
	b.write(0, 1) // no more transforms
	writeImage(&b, p, true)
	return writeRIFF(w, b.bytes())
}

func writeRIFF(w io.Writer, payload []byte) error {
	padded := len(payload) + len(payload)&1
	head := make([]byte, 0, 20)
	head = append(head, "RIFF"...)
	head = binary.LittleEndian.AppendUint32(head, uint32(4+8+padded)) //nolint:gosec // far below 4 GB
	head = append(head, "WEBPVP8L"...)
	head = binary.LittleEndian.AppendUint32(head, uint32(len(payload))) //nolint:gosec // far below 4 GB
	if _, err := w.Write(head); err != nil {
		return err
	}
	if len(payload)&1 == 1 {
		payload = append(payload, 0)
	}
	_, err := w.Write(payload)
	return err
}

// bits collects values, least significant bit first.
type bits struct {
	out  []byte
	acc  uint64
	fill uint
}

func (b *bits) write(v uint32, n uint) {
	b.acc |= uint64(v) << b.fill
	b.fill += n
	for b.fill >= 8 {
		b.out = append(b.out, byte(b.acc))
		b.acc >>= 8
		b.fill -= 8
	}
}

func (b *bits) bytes() []byte {
	if b.fill > 0 {
		return append(b.out, byte(b.acc))
	}
	return b.out
}
