package sketch

import "math"

// perch is the ground that an animal sits on, and its silhouette's colour.
func (p *painter) perch(c *canvas, x, s float64) (ground float64, k colour) {
	k = p.mood.near.to(hex(0x000000), 0.35)
	ground = p.h - 70*p.unit
	if !p.has[themeField] {
		d := p.dice.split(50)
		f := field{d.next()}
		crest := c.line(func(px float64) float64 {
			off := (px - x) / (s * 1.9)
			return ground + 34*p.unit*off*off - 26*p.unit*f.layered(px/(120*p.unit), 0.5, 3) + 12*p.unit
		})
		c.ridge(crest, p.h, k.to(p.mood.air(0.9), 0.06), k)
	}
	return ground, k
}

// paintCat seats a cat in front, seen from behind with its head turned.
func (p *painter) paintCat(c *canvas) {
	d := p.dice.split(51)
	s := 300 * p.unit
	x := p.w * d.between(0.28, 0.44)
	y, k := p.perch(c, x, s)
	rim := p.mood.glow
	tail := 0.16 * math.Sin(1.6*p.t)
	for pass, off := range []float64{-2.6 * p.unit, 0} { // the rim light peeps out behind
		colour, shift := rim, off*sign(x-p.bodyX)
		if pass == 1 {
			colour, shift = k, 0
		}
		p.catOutline(c, x+shift, y+off*0.6, s, tail, colour, []float64{0.6, 1}[pass])
	}
	blink := math.Mod(p.t, 3.1) > 2.9
	for _, side := range []float64{-1, 1} {
		ex, ey := x+side*s*0.082, y-s*0.83
		if blink {
			c.stroke(p.mood.lamp, 0.9, s*0.012, point{ex - s*0.03, ey}, point{ex + s*0.03, ey})
			continue
		}
		c.fill(hex(0xd9f27a).to(p.mood.lamp, 0.4), 1, func(pen *pen) { pen.ellipse(ex, ey, s*0.036, s*0.03) })
		c.fill(hex(0x0a0c10), 1, func(pen *pen) { pen.ellipse(ex, ey, s*0.011, s*0.027) })
		c.disc(ex+s*0.01, ey-s*0.01, s*0.006, hex(0xffffff), 0.9)
	}
	c.shape(hex(0xd98a92), 0.9, point{x - s*0.02, y - s*0.755}, point{x + s*0.02, y - s*0.755}, point{x, y - s*0.733})
	for _, side := range []float64{-1, 1} { // whiskers
		for i := range 3 {
			v := (float64(i) - 1) * 0.035
			c.stroke(hex(0xe6e6ea), 0.4, s*0.006, point{x + side*s*0.07, y - s*(0.735-v*0.4)}, point{x + side*s*0.26, y - s*(0.75-v)})
		}
	}
}

// catOutline is the body, the head with ears, and the tail.
func (p *painter) catOutline(c *canvas, x, y, s, tail float64, k colour, alpha float64) {
	at := func(dx, dy float64) point { return point{x + dx*s, y - dy*s} }
	c.fill(k, alpha, func(pen *pen) { // the tail
		pen.move(at(0.2, 0.03))
		pen.curve(at(0.55, -0.03), at(0.62+tail, 0.18), at(0.5+tail, 0.42))
		pen.curve(at(0.47+tail, 0.5), at(0.54+tail, 0.55), at(0.58+tail, 0.47))
		pen.curve(at(0.72+tail, 0.15), at(0.6, -0.09), at(0.18, -0.05))
		pen.close()
	})
	c.fill(k, alpha, func(pen *pen) { // the body
		pen.move(at(-0.28, -0.02))
		pen.curve(at(-0.38, 0.22), at(-0.22, 0.45), at(-0.15, 0.68))
		pen.line(at(0.15, 0.68))
		pen.curve(at(0.22, 0.45), at(0.38, 0.22), at(0.28, -0.02))
		pen.curve(at(0.12, -0.06), at(-0.12, -0.06), at(-0.28, -0.02))
		pen.close()
	})
	c.fill(k, alpha, func(pen *pen) { pen.ellipse(x, y-0.8*s, 0.21*s, 0.18*s) })
	for _, side := range []float64{-1, 1} { // the ears
		c.fill(k, alpha, func(pen *pen) {
			pen.move(at(side*0.2, 0.84))
			pen.curve(at(side*0.215, 0.95), at(side*0.2, 1.04), at(side*0.17, 1.1))
			pen.curve(at(side*0.12, 1.05), at(side*0.07, 1.0), at(side*0.03, 0.95))
			pen.close()
		})
	}
}

// paintDog seats a dog or fox in profile, looking at the light.
func (p *painter) paintDog(c *canvas) {
	d := p.dice.split(52)
	s := 300 * p.unit
	x := p.w * d.between(0.55, 0.72)
	y, k := p.perch(c, x, s)
	face := sign(p.bodyX - x)
	at := func(dx, dy float64) point { return point{x + face*dx*s, y - dy*s} }
	wag := 0.07 * math.Sin(5*p.t)
	c.fill(k, 1, func(pen *pen) { // the tail
		pen.move(at(-0.26, 0.05))
		pen.curve(at(-0.5, 0.02), at(-0.62, 0.2+wag), at(-0.56, 0.38+wag))
		pen.curve(at(-0.5, 0.3+wag), at(-0.4, 0.16), at(-0.24, 0.16))
		pen.close()
	})
	c.fill(k, 1, func(pen *pen) { // sitting body, neck and forelegs
		pen.move(at(-0.32, -0.02))
		pen.curve(at(-0.4, 0.2), at(-0.22, 0.42), at(-0.08, 0.62))
		pen.curve(at(-0.04, 0.72), at(-0.02, 0.78), at(0, 0.84))
		pen.line(at(0.2, 0.72))
		pen.curve(at(0.2, 0.55), at(0.22, 0.3), at(0.19, 0))
		pen.line(at(0.25, -0.03))
		pen.line(at(-0.3, -0.03))
		pen.close()
	})
	c.fill(k, 1, func(pen *pen) { // head and muzzle
		pen.move(at(-0.07, 0.8))
		pen.curve(at(-0.08, 0.98), at(0.1, 1.04), at(0.2, 0.95))
		pen.curve(at(0.28, 0.9), at(0.36, 0.88), at(0.4, 0.84))
		pen.curve(at(0.42, 0.79), at(0.36, 0.75), at(0.28, 0.75))
		pen.curve(at(0.2, 0.7), at(0.02, 0.66), at(-0.07, 0.8))
		pen.close()
	})
	c.shape(k, 1, at(-0.03, 0.94), at(0, 1.16), at(0.11, 0.98))
	c.disc(at(0.19, 0.88).x, at(0.19, 0.88).y, 0.016*s, p.mood.lamp, 0.9)
}
