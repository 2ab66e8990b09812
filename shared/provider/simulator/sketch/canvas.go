package sketch

import (
	"image"
	"math"

	"golang.org/x/image/vector"
)

// colour is red, green and blue from 0 to 1, as displayed.
type colour struct{ r, g, b float64 }

// hex makes a colour from 0xRRGGBB.
func hex(v int) colour {
	return colour{float64(v>>16&255) / 255, float64(v>>8&255) / 255, float64(v&255) / 255}
}

func (a colour) to(b colour, t float64) colour {
	return colour{mix(a.r, b.r, t), mix(a.g, b.g, t), mix(a.b, b.b, t)}
}

func (a colour) times(f float64) colour { return colour{a.r * f, a.g * f, a.b * f} }

// canvas is an opaque picture in 32-bit floats, so that many thin layers blend
// without rounding.
type canvas struct {
	w, h int
	pix  []float32 // red, green, blue
}

func newCanvas(w, h int) *canvas { return &canvas{w, h, make([]float32, w*h*3)} }

func (c *canvas) set(x, y int, k colour) {
	i := (y*c.w + x) * 3
	c.pix[i], c.pix[i+1], c.pix[i+2] = float32(k.r), float32(k.g), float32(k.b)
}

// blend lays a colour over one pixel.
func (c *canvas) blend(x, y int, k colour, alpha float64) {
	if x < 0 || y < 0 || x >= c.w || y >= c.h || alpha <= 0 {
		return
	}
	i, a := (y*c.w+x)*3, float32(alpha)
	p := c.pix[i : i+3 : i+3]
	p[0] += (float32(k.r) - p[0]) * a
	p[1] += (float32(k.g) - p[1]) * a
	p[2] += (float32(k.b) - p[2]) * a
}

// add lights up one pixel.
func (c *canvas) add(x, y int, k colour, amount float64) {
	if x < 0 || y < 0 || x >= c.w || y >= c.h {
		return
	}
	i, a := (y*c.w+x)*3, float32(amount)
	c.pix[i] += float32(k.r) * a
	c.pix[i+1] += float32(k.g) * a
	c.pix[i+2] += float32(k.b) * a
}

// disc fills a circle.
func (c *canvas) disc(cx, cy, r float64, k colour, alpha float64) {
	for y := int(cy - r - 1); y <= int(cy+r+1); y++ {
		for x := int(cx - r - 1); x <= int(cx+r+1); x++ {
			d := math.Hypot(float64(x)+0.5-cx, float64(y)+0.5-cy)
			c.blend(x, y, k, alpha*clamp(r-d+0.5, 0, 1))
		}
	}
}

// crescent fills the part of a circle that a shifted one leaves uncovered.
func (c *canvas) crescent(cx, cy, r float64, k colour) {
	for y := int(cy - r - 1); y <= int(cy+r+1); y++ {
		for x := int(cx - r - 1); x <= int(cx+r+1); x++ {
			px, py := float64(x)+0.5-cx, float64(y)+0.5-cy
			inside := clamp(r-math.Hypot(px, py)+0.5, 0, 1)
			covered := clamp(0.92*r-math.Hypot(px+0.45*r, py+0.2*r)+0.5, 0, 1)
			c.blend(x, y, k, inside*(1-covered))
		}
	}
}

// glow adds light that fades to nothing at radius r.
func (c *canvas) glow(cx, cy, r float64, k colour, strength float64) {
	for y := max(0, int(cy-r)); y <= min(c.h-1, int(cy+r)); y++ {
		for x := max(0, int(cx-r)); x <= min(c.w-1, int(cx+r)); x++ {
			d := math.Hypot(float64(x)+0.5-cx, float64(y)+0.5-cy) / r
			if d < 1 {
				f := 1 - d
				c.add(x, y, k, strength*f*f)
			}
		}
	}
}

// point is a place on the canvas in pixels.
type point struct{ x, y float64 }

// shape fills a polygon.
func (c *canvas) shape(k colour, alpha float64, points ...point) {
	c.fill(k, alpha, func(pen *pen) { pen.polygon(points...) })
}

// pen draws outlines for fill, in pixels of the canvas.
type pen struct {
	moves []func(z *vector.Rasterizer, dx, dy float64)
	minX  float64
	minY  float64
	maxX  float64
	maxY  float64
}

func (p *pen) see(points ...point) {
	for _, q := range points {
		p.minX, p.maxX = math.Min(p.minX, q.x), math.Max(p.maxX, q.x)
		p.minY, p.maxY = math.Min(p.minY, q.y), math.Max(p.maxY, q.y)
	}
}

func (p *pen) move(a point) {
	p.see(a)
	p.moves = append(p.moves, func(z *vector.Rasterizer, dx, dy float64) { z.MoveTo(float32(a.x-dx), float32(a.y-dy)) })
}

func (p *pen) line(a point) {
	p.see(a)
	p.moves = append(p.moves, func(z *vector.Rasterizer, dx, dy float64) { z.LineTo(float32(a.x-dx), float32(a.y-dy)) })
}

func (p *pen) curve(a, b, d point) {
	p.see(a, b, d)
	p.moves = append(p.moves, func(z *vector.Rasterizer, dx, dy float64) {
		z.CubeTo(float32(a.x-dx), float32(a.y-dy), float32(b.x-dx), float32(b.y-dy), float32(d.x-dx), float32(d.y-dy))
	})
}

func (p *pen) close() {
	p.moves = append(p.moves, func(z *vector.Rasterizer, _, _ float64) { z.ClosePath() })
}

func (p *pen) polygon(points ...point) {
	for i, q := range points {
		if i == 0 {
			p.move(q)
			continue
		}
		p.line(q)
	}
	p.close()
}

// ellipse is a closed outline around (x, y).
func (p *pen) ellipse(x, y, rx, ry float64) {
	const k = 0.5523
	p.move(point{x + rx, y})
	p.curve(point{x + rx, y + ry*k}, point{x + rx*k, y + ry}, point{x, y + ry})
	p.curve(point{x - rx*k, y + ry}, point{x - rx, y + ry*k}, point{x - rx, y})
	p.curve(point{x - rx, y - ry*k}, point{x - rx*k, y - ry}, point{x, y - ry})
	p.curve(point{x + rx*k, y - ry}, point{x + rx, y - ry*k}, point{x + rx, y})
	p.close()
}

// fill rasterises the outline with smooth edges.
func (c *canvas) fill(k colour, alpha float64, outline func(*pen)) {
	p := &pen{minX: math.Inf(1), minY: math.Inf(1), maxX: math.Inf(-1), maxY: math.Inf(-1)}
	outline(p)
	box := image.Rect(int(math.Floor(p.minX)), int(math.Floor(p.minY)), int(math.Ceil(p.maxX))+1, int(math.Ceil(p.maxY))+1)
	box = box.Intersect(image.Rect(-c.w, -c.h, 2*c.w, 2*c.h))
	if box.Empty() {
		return
	}
	z := vector.NewRasterizer(box.Dx(), box.Dy())
	for _, m := range p.moves {
		m(z, float64(box.Min.X), float64(box.Min.Y))
	}
	mask := image.NewAlpha(image.Rect(0, 0, box.Dx(), box.Dy()))
	z.Draw(mask, mask.Bounds(), image.Opaque, image.Point{})
	for y := range box.Dy() {
		row := mask.Pix[y*mask.Stride : y*mask.Stride+box.Dx()]
		for x, a := range row {
			if a > 0 {
				c.blend(box.Min.X+x, box.Min.Y+y, k, alpha*float64(a)/255)
			}
		}
	}
}

// stroke draws a line of constant thickness with round ends.
func (c *canvas) stroke(k colour, alpha, thickness float64, a, b point) {
	length := math.Hypot(b.x-a.x, b.y-a.y)
	if length == 0 {
		return
	}
	nx, ny := -(b.y-a.y)/length*thickness/2, (b.x-a.x)/length*thickness/2
	c.shape(k, alpha, point{a.x + nx, a.y + ny}, point{b.x + nx, b.y + ny}, point{b.x - nx, b.y - ny}, point{a.x - nx, a.y - ny})
}

// rgba rounds the canvas to 8 bits.
func (c *canvas) rgba() *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, c.w, c.h))
	for i, j := 0, 0; i < len(c.pix); i, j = i+3, j+4 {
		img.Pix[j] = round(c.pix[i])
		img.Pix[j+1] = round(c.pix[i+1])
		img.Pix[j+2] = round(c.pix[i+2])
		img.Pix[j+3] = 255
	}
	return img
}

func round(v float32) uint8 {
	if v <= 0 {
		return 0
	}
	if v >= 1 {
		return 255
	}
	return uint8(v*255 + 0.5)
}
