package sketch

import "math"

// paintMeadow draws grass in front.
func (p *painter) paintMeadow(c *canvas) {
	d := p.dice.split(40)
	f := field{d.next()}
	u := p.unit
	crest := c.line(func(x float64) float64 { return p.h - 150*u - 60*u*f.layered(x/(380*u), 0.5, 2) })
	k := p.grass().to(p.mood.near, 0.35)
	c.ridge(crest, p.h, k, p.mood.near)
	for range int(900 * p.w / p.h) {
		x, v := d.unit()*p.w, d.unit()
		y := crest[int(clamp(x, 0, p.w-1))] + v*190*u
		size := (16 + 40*v) * u * d.between(0.6, 1.2)
		lean := d.between(-0.5, 0.5) + 0.12*math.Sin(1.4*p.t+x/(90*u))
		tone := k.to(p.mood.near, v*0.8).to(p.mood.glow, 0.12*d.unit())
		c.shape(tone, 0.9, point{x - 1.6*u, y}, point{x + lean*size, y - size}, point{x + 1.6*u, y})
	}
}

// paintFlowers scatters blossoms over the foreground.
func (p *painter) paintFlowers(c *canvas) {
	d := p.dice.split(41)
	u := p.unit
	tints := []colour{hex(0xff6f91), hex(0xffc75f), hex(0xf9f871), hex(0xd5a6ff), hex(0xff5d5d), hex(0xffffff)}
	main := tints[d.pick(len(tints))]
	for range int(90 * p.w / p.h) {
		x, v := d.unit()*p.w, math.Sqrt(d.unit())
		y := p.h - 190*u + 175*u*v
		size := (5 + 11*v) * u
		k := main.to(tints[d.pick(len(tints))], 0.35).to(p.mood.near, 0.15+0.25*(1-v)*p.mood.stars)
		sway := 3 * u * math.Sin(1.3*p.t+x)
		c.stroke(p.grass().to(p.mood.near, 0.4), 0.9, 2*u, point{x, y + 40*u*v}, point{x + sway, y})
		for i := range 5 {
			a := 2*math.Pi*float64(i)/5 + x
			c.disc(x+sway+size*0.62*math.Cos(a), y+size*0.5*math.Sin(a), size*0.52, k, 0.95)
		}
		c.disc(x+sway, y, size*0.36, hex(0xffd45e).to(p.mood.near, 0.2), 1)
	}
}

func (p *painter) paintBirds(c *canvas) {
	d := p.dice.split(42)
	u := p.unit
	cx, cy := p.w*d.between(0.25, 0.6), p.horizon*d.between(0.3, 0.55)
	for range 5 + d.pick(5) {
		x := cx + d.between(-190, 190)*u + 26*u*p.t
		y := cy + d.between(-80, 80)*u + 6*u*math.Sin(p.t+x)
		s := d.between(11, 26) * u
		flap := 0.32 + 0.3*math.Sin(6*p.t+10*d.unit())
		c.fill(p.mood.near, 0.85, func(pen *pen) {
			pen.move(point{x - s, y - s*flap})
			pen.curve(point{x - s*0.6, y - s*flap*1.5}, point{x - s*0.2, y - s*0.3}, point{x, y})
			pen.curve(point{x + s*0.2, y - s*0.3}, point{x + s*0.6, y - s*flap*1.5}, point{x + s, y - s*flap})
			pen.curve(point{x + s*0.5, y - s*flap*0.9}, point{x + s*0.2, y + s*0.02}, point{x, y + s*0.2})
			pen.curve(point{x - s*0.2, y + s*0.02}, point{x - s*0.5, y - s*flap*0.9}, point{x - s, y - s*flap})
			pen.close()
		})
	}
}

func (p *painter) paintBalloons(c *canvas) {
	d := p.dice.split(43)
	u := p.unit
	for i := range 3 {
		s := []float64{105, 62, 40}[i] * u
		x := p.w*[]float64{0.36, 0.66, 0.18}[i] + d.between(-40, 40)*u + 5*u*p.t
		y := p.horizon*[]float64{0.42, 0.3, 0.55}[i] - 8*u*math.Sin(0.8*p.t+float64(i))
		a, b := hex(0xe2574c).turned(d.between(-2, 2)), hex(0xfff1d0)
		const gores = 7
		for g := range gores {
			from, to := (float64(g)/gores-0.5)*2, (float64(g+1)/gores-0.5)*2
			k := a
			if g%2 == 1 {
				k = b
			}
			k = k.to(p.mood.near, 0.12+0.4*float64(g)/gores*0.7).to(p.mood.air(0.6), 0.12)
			c.fill(k, 1, func(pen *pen) {
				pen.move(point{x, y - s})
				pen.curve(point{x + from*s*1.25, y - s}, point{x + from*s*1.2, y + s*0.35}, point{x + from*s*0.22, y + s*1.05})
				pen.line(point{x + to*s*0.22, y + s*1.05})
				pen.curve(point{x + to*s*1.2, y + s*0.35}, point{x + to*s*1.25, y - s}, point{x, y - s})
				pen.close()
			})
		}
		rope := p.mood.near
		c.stroke(rope, 0.8, s*0.015, point{x - s*0.2, y + s*1.05}, point{x - s*0.12, y + s*1.35})
		c.stroke(rope, 0.8, s*0.015, point{x + s*0.2, y + s*1.05}, point{x + s*0.12, y + s*1.35})
		c.shape(rope.to(hex(0x7a5232), 0.5), 1, point{x - s*0.14, y + s*1.35}, point{x + s*0.14, y + s*1.35}, point{x + s*0.11, y + s*1.55}, point{x - s*0.11, y + s*1.55})
	}
}

func (p *painter) paintBoat(c *canvas) {
	d := p.dice.split(44)
	u := p.unit
	x := p.w*d.between(0.25, 0.5) + 7*u*p.t
	y := p.horizon + 95*u + 2.5*u*math.Sin(1.7*p.t)
	s := 130 * u
	hull := p.mood.near
	sail := hex(0xfbf3e4).to(p.mood.glow, 0.25)
	if p.mood.stars >= 1 {
		sail = sail.to(p.mood.near, 0.45)
	}
	c.fill(hull, 0.28, func(pen *pen) { pen.ellipse(x, y+s*0.16, s*0.75, s*0.07) })
	c.shape(sail, 0.18, point{x, y + s*0.2}, point{x + s*0.5, y + s*0.25}, point{x + s*0.05, y + s*0.95})
	c.fill(hull, 1, func(pen *pen) {
		pen.move(point{x - s*0.62, y - s*0.06})
		pen.curve(point{x - s*0.4, y + s*0.2}, point{x + s*0.4, y + s*0.2}, point{x + s*0.7, y - s*0.1})
		pen.close()
	})
	c.stroke(hull, 1, 0.03*s, point{x, y}, point{x, y - s*1.25})
	c.fill(sail, 1, func(pen *pen) {
		pen.move(point{x + s*0.04, y - s*1.2})
		pen.curve(point{x + s*0.3, y - s*0.8}, point{x + s*0.5, y - s*0.5}, point{x + s*0.6, y - s*0.16})
		pen.line(point{x + s*0.04, y - s*0.16})
		pen.close()
	})
	c.fill(sail.times(0.86), 1, func(pen *pen) {
		pen.move(point{x - s*0.04, y - s*1.1})
		pen.curve(point{x - s*0.2, y - s*0.7}, point{x - s*0.4, y - s*0.4}, point{x - s*0.52, y - s*0.14})
		pen.line(point{x - s*0.04, y - s*0.16})
		pen.close()
	})
}

// paintTree draws a broad tree on the left.
func (p *painter) paintTree(c *canvas) {
	d := p.dice.split(45)
	u := p.unit
	x, y, s := p.w*d.between(0.15, 0.3), p.h-110*u, 520*u
	bark := p.mood.near.times(0.9)
	leaf := p.grass().to(p.mood.near, 0.55)
	if p.has[themeAutumn] {
		leaf = hex(0xc2571a).to(p.mood.near, 0.25)
	}
	if p.has[themeSpring] {
		leaf = hex(0xf2a8c0).to(p.mood.near, 0.12)
	}
	c.fill(bark, 1, func(pen *pen) {
		pen.move(point{x - s*0.07, y + s*0.05})
		pen.curve(point{x - s*0.02, y - s*0.2}, point{x - s*0.04, y - s*0.4}, point{x - s*0.12, y - s*0.62})
		pen.line(point{x + s*0.12, y - s*0.64})
		pen.curve(point{x + s*0.05, y - s*0.4}, point{x + s*0.02, y - s*0.2}, point{x + s*0.09, y + s*0.05})
		pen.close()
	})
	light := leaf.to(p.mood.glow, 0.4)
	for i := range 240 {
		a, r := d.between(0, 2*math.Pi), math.Sqrt(d.unit())
		bx := x + s*0.36*r*math.Cos(a) + 2*u*math.Sin(p.t*1.2+float64(i))
		by := y - s*0.68 + s*0.27*r*math.Sin(a)
		lit := clamp(0.5-0.5*math.Sin(a)*r+0.2*d.between(-1, 1), 0, 1) * float64(i) / 240
		c.disc(bx, by, s*d.between(0.03, 0.075), leaf.times(0.8).to(light, lit), 0.92)
	}
}

func (p *painter) paintRocket(c *canvas) {
	d := p.dice.split(46)
	u := p.unit
	x, y, s := p.w*d.between(0.35, 0.6), p.h*0.5-14*u*p.t, 250*u
	for i := range 60 { // exhaust
		v := float64(i) / 60
		c.disc(x+d.between(-1, 1)*s*0.16*v, y+s*(0.6+1.3*v), s*(0.07+0.13*v), hex(0xffd27a).to(hex(0xb0b6c6), v), 0.22*(1-v))
	}
	c.glow(x, y+s*0.75, s*0.9, hex(0xffa850), 0.7)
	c.shape(hex(0xff8a3c), 1, point{x - s*0.1, y + s*0.55}, point{x + s*0.1, y + s*0.55}, point{x, y + s*(1+0.08*math.Sin(20*p.t))})
	fin := hex(0xc23b4a)
	c.shape(fin, 1, point{x - s*0.15, y + s*0.15}, point{x - s*0.34, y + s*0.6}, point{x - s*0.12, y + s*0.5})
	c.shape(fin, 1, point{x + s*0.15, y + s*0.15}, point{x + s*0.34, y + s*0.6}, point{x + s*0.12, y + s*0.5})
	for i, k := range []colour{hex(0xe9edf4), hex(0xb4bccb)} {
		side := float64(1 - 2*i)
		c.fill(k, 1, func(pen *pen) {
			pen.move(point{x, y - s*0.75})
			pen.curve(point{x - side*s*0.22, y - s*0.4}, point{x - side*s*0.22, y + s*0.2}, point{x - side*s*0.12, y + s*0.55})
			pen.line(point{x, y + s*0.55})
			pen.close()
		})
	}
	c.shape(fin, 1, point{x, y - s*0.76}, point{x + s*0.115, y - s*0.47}, point{x - s*0.115, y - s*0.47})
	c.disc(x, y-s*0.15, s*0.09, hex(0x2d3a55), 1)
	c.disc(x, y-s*0.15, s*0.065, hex(0x9fd6ff), 1)
}
