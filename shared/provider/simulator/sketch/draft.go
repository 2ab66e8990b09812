package sketch

import (
	"image"
	"image/color/palette"
)

// draftScale is how much smaller than asked for a draft is painted, and
// draftRate how many frames a second a draft film has.
const (
	draftScale = 16
	draftRate  = 2
)

// coarse paints a draft at its own, small size.
func (s Scene) coarse() *image.RGBA {
	s.Width, s.Height = max(16, s.Width/draftScale), max(16, s.Height/draftScale)
	return newPainter(s).paint(0).rgba()
}

// enlarge repeats the pixels of a draft until it has the size asked for.
func enlarge(small *image.RGBA, width, height int) *image.RGBA {
	const channels = 4
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	repeat(img.Pix, img.Stride, height, small, func(row []byte, source int) {
		for x := range width {
			at := small.PixOffset(x*small.Rect.Dx()/width, source)
			copy(row[x*channels:(x+1)*channels], small.Pix[at:at+channels])
		}
	})
	return img
}

// fewColours is enlarge in the 216 colours of a palette, one byte a pixel,
// which a PNG holds without filters.
func fewColours(small *image.RGBA, width, height int) *image.Paletted {
	img := image.NewPaletted(image.Rect(0, 0, width, height), palette.WebSafe)
	repeat(img.Pix, img.Stride, height, small, func(row []byte, source int) {
		for x := range width {
			c := small.RGBAAt(x*small.Rect.Dx()/width, source)
			row[x] = c.R/51*36 + c.G/51*6 + c.B/51
		}
	})
	return img
}

// repeat fills the rows of a larger picture: draw makes each that shows another
// row of the small one, and the others are copies.
func repeat(pix []byte, stride, height int, small *image.RGBA, draw func(row []byte, source int)) {
	last := -1
	for y := range height {
		row := pix[y*stride : (y+1)*stride]
		source := y * small.Rect.Dy() / height
		if source == last {
			copy(row, pix[(y-1)*stride:])
			continue
		}
		last = source
		draw(row, source)
	}
}
