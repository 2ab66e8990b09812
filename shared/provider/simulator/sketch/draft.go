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
	from := small.Bounds()
	last := -1
	for y := range height {
		row := img.Pix[y*img.Stride : (y+1)*img.Stride]
		source := y * from.Dy() / height
		if source == last {
			copy(row, img.Pix[(y-1)*img.Stride:])
			continue
		}
		last = source
		for x := range width {
			at := small.PixOffset(x*from.Dx()/width, source)
			copy(row[x*channels:(x+1)*channels], small.Pix[at:at+channels])
		}
	}
	return img
}

// fewColours is enlarge in the 216 colours of a palette, one byte a pixel,
// which a PNG holds without filters.
func fewColours(small *image.RGBA, width, height int) *image.Paletted {
	img := image.NewPaletted(image.Rect(0, 0, width, height), palette.WebSafe)
	from := small.Bounds()
	last := -1
	for y := range height {
		row := img.Pix[y*img.Stride : (y+1)*img.Stride]
		source := y * from.Dy() / height
		if source == last {
			copy(row, img.Pix[(y-1)*img.Stride:])
			continue
		}
		last = source
		for x := range width {
			c := small.RGBAAt(x*from.Dx()/width, source)
			row[x] = c.R/51*36 + c.G/51*6 + c.B/51
		}
	}
	return img
}
