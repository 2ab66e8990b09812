package webp

import "image"

const (
	transformPredictor     = 0
	transformSubtractGreen = 2

	blockBits = 4 // predictor modes are chosen per block of 16 by 16 pixels
)

// pixel is red, green, blue; alpha is always opaque.
type pixel [3]uint8

// plane is a picture of pixels.
type plane struct {
	w, h int
	pix  []pixel
}

// newPlane copies the picture with green subtracted from red and blue.
func newPlane(img *image.RGBA) *plane {
	box := img.Bounds()
	p := &plane{box.Dx(), box.Dy(), make([]pixel, box.Dx()*box.Dy())}
	for y := range p.h {
		row := img.Pix[img.PixOffset(box.Min.X, box.Min.Y+y):]
		for x := range p.w {
			r, g, b := row[x*4], row[x*4+1], row[x*4+2]
			p.pix[y*p.w+x] = pixel{r - g, g, b - g}
		}
	}
	return p
}

// predict replaces the pixels by what is left after prediction, and returns
// the picture of the modes chosen per block.
func (p *plane) predict() *plane {
	const size = 1 << blockBits
	modes := &plane{w: (p.w + size - 1) / size, h: (p.h + size - 1) / size}
	modes.pix = make([]pixel, modes.w*modes.h)
	rest := make([]pixel, len(p.pix))
	for by := range modes.h {
		for bx := range modes.w {
			mode := p.bestMode(bx*size, by*size)
			modes.pix[by*modes.w+bx] = pixel{0, mode, 0}
			for y := by * size; y < min(p.h, (by+1)*size); y++ {
				for x := bx * size; x < min(p.w, (bx+1)*size); x++ {
					i := y*p.w + x
					guess := p.guess(mode, x, y)
					was := p.pix[i]
					rest[i] = pixel{was[0] - guess[0], was[1] - guess[1], was[2] - guess[2]}
				}
			}
		}
	}
	p.pix = rest
	return modes
}

// bestMode tries the modes on a quarter of the block's pixels.
func (p *plane) bestMode(x0, y0 int) uint8 {
	const size = 1 << blockBits
	best, least := uint8(11), 1<<60
	for _, mode := range []uint8{1, 2, 7, 11, 12} {
		sum := 0
		for y := y0; y < min(p.h, y0+size) && sum < least; y += 2 {
			for x := x0; x < min(p.w, x0+size); x += 2 {
				guess, was := p.guess(mode, x, y), p.pix[y*p.w+x]
				for k := range was {
					d := int(int8(was[k] - guess[k])) //nolint:gosec // a difference modulo 256, read as signed
					sum += max(d, -d)
				}
			}
		}
		if sum < least {
			best, least = mode, sum
		}
	}
	return best
}

// guess predicts a pixel from its neighbours as the format defines the mode.
func (p *plane) guess(mode uint8, x, y int) pixel {
	i := y*p.w + x
	switch {
	case x == 0 && y == 0:
		return pixel{}
	case y == 0:
		return p.pix[i-1]
	case x == 0:
		return p.pix[i-p.w]
	}
	left, top := p.pix[i-1], p.pix[i-p.w]
	switch mode {
	case 1:
		return left
	case 2:
		return top
	case 7:
		return pixel{average(left[0], top[0]), average(left[1], top[1]), average(left[2], top[2])}
	}
	corner := p.pix[i-p.w-1]
	if mode == 11 {
		return choose(left, top, corner)
	}
	return pixel{gradient(left[0], top[0], corner[0]), gradient(left[1], top[1], corner[1]), gradient(left[2], top[2], corner[2])}
}

func average(a, b uint8) uint8 { return uint8((int(a) + int(b)) / 2) } //nolint:gosec // a mean of bytes

func gradient(left, top, corner uint8) uint8 {
	return uint8(max(0, min(255, int(left)+int(top)-int(corner)))) //nolint:gosec // clamped
}

// choose returns left or top, whichever is nearer to left + top - corner.
func choose(left, top, corner pixel) pixel {
	toLeft, toTop := 0, 0
	for k := range left {
		toLeft += abs(int(top[k]) - int(corner[k]))
		toTop += abs(int(left[k]) - int(corner[k]))
	}
	if toLeft < toTop {
		return left
	}
	return top
}

func abs(v int) int { return max(v, -v) }
