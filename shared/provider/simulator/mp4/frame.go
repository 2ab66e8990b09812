package mp4

import "image"

// surface is one component of a picture, in whole macroblocks.
type surface struct {
	stride int
	pix    []uint8
}

func newSurface(w, h int) *surface { return &surface{w, make([]uint8, w*h)} }

// frame is a picture in three components; the two of colour are half as wide
// and high.
type frame struct{ y, u, v *surface }

func newFrame(w, h int) *frame {
	return &frame{newSurface(w, h), newSurface(w/2, h/2), newSurface(w/2, h/2)}
}

// load converts a picture (BT.601, limited range). The border to whole
// macroblocks repeats the last row and column.
func (f *frame) load(img *image.RGBA, w, h int) {
	box := img.Bounds()
	width, height := box.Dx(), box.Dy()
	for y := 0; y < h; y += 2 {
		for x := 0; x < w; x += 2 {
			var red, green, blue int32
			for k := range 4 {
				px, py := min(x+k&1, width-1), min(y+k>>1, height-1)
				i := img.PixOffset(box.Min.X+px, box.Min.Y+py)
				r, g, b := int32(img.Pix[i]), int32(img.Pix[i+1]), int32(img.Pix[i+2])
				f.y.pix[(y+k>>1)*w+x+k&1] = uint8((66*r+129*g+25*b+128)>>8 + 16) //nolint:gosec // 16 to 235
				red, green, blue = red+r, green+g, blue+b
			}
			i := y/2*(w/2) + x/2
			f.u.pix[i] = uint8((-38*red-74*green+112*blue+512)>>10 + 128) //nolint:gosec // 16 to 240
			f.v.pix[i] = uint8((112*red-94*green-18*blue+512)>>10 + 128)  //nolint:gosec // 16 to 240
		}
	}
}

func clip8(v int32) uint8 {
	if v < 0 {
		return 0
	}
	if v > 255 {
		return 255
	}
	return uint8(v)
}
