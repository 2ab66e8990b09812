package sketch

import "math"

// paintLighthouse stands a lighthouse on a rock to the right.
func (p *painter) paintLighthouse(c *canvas) {
	d := p.dice.split(30)
	u := p.unit
	x := p.w * d.between(0.68, 0.8)
	foot := p.horizon + 60*u
	height := math.Min(430*u, p.horizon*0.62)
	dark := p.mood.near
	p.paintRock(c, x, foot, d)

	lampY := foot - height
	p.paintBeam(c, x, lampY+height*0.045)

	light := p.mood.stars < 0.5
	white := hex(0xf2ece0).to(p.mood.air(0.9), 0.3)
	red := hex(0xc0392f).to(p.mood.air(0.9), 0.2)
	if !light {
		white, red = hex(0xb9bdcc).to(dark, 0.35), hex(0x8a3038).to(dark, 0.35)
	}
	wide, slim := 0.088*height, 0.056*height
	at := func(v float64) float64 { return slim + (wide-slim)*v }
	top := lampY + height*0.12
	const stripes = 5
	for i := range stripes {
		a, b := float64(i)/stripes, float64(i+1)/stripes
		ya, yb := mix(top, foot, a), mix(top, foot, b)
		k := white
		if i%2 == 1 {
			k = red
		}
		c.shape(k, 1, point{x - at(a), ya}, point{x + at(a), ya}, point{x + at(b), yb}, point{x - at(b), yb})
	}
	// The side away from the sun lies in shade.
	side := sign(x - p.bodyX)
	c.shape(dark, 0.38, point{x + side*slim*0.15, top}, point{x + side*slim, top}, point{x + side*wide, foot}, point{x + side*wide*0.2, foot})
	for i := range 3 {
		y := mix(top, foot, 0.24+0.24*float64(i))
		c.shape(p.mood.lamp, 0.95, point{x - 0.011*height, y}, point{x + 0.011*height, y}, point{x + 0.011*height, y + 0.034*height}, point{x - 0.011*height, y + 0.034*height})
	}
	p.paintLantern(c, x, lampY, top, slim, height, dark)
}

func (p *painter) paintLantern(c *canvas, x, lampY, top, slim, height float64, dark colour) {
	frame := dark.to(hex(0x2b2f38), 0.4)
	c.shape(frame, 1, point{x - slim*1.5, top}, point{x + slim*1.5, top}, point{x + slim*1.25, top + 0.02*height}, point{x - slim*1.25, top + 0.02*height})
	c.shape(p.mood.lamp, 1, point{x - slim*0.7, lampY}, point{x + slim*0.7, lampY}, point{x + slim*0.7, top}, point{x - slim*0.7, top})
	for i := range 5 {
		off := (float64(i)/4 - 0.5) * 1.4 * slim
		c.stroke(frame, 1, 0.006*height, point{x + off, lampY}, point{x + off, top})
	}
	c.fill(frame, 1, func(pen *pen) {
		pen.move(point{x - slim*0.9, lampY})
		pen.curve(point{x - slim*0.8, lampY - 0.06*height}, point{x - slim*0.2, lampY - 0.065*height}, point{x, lampY - 0.085*height})
		pen.curve(point{x + slim*0.2, lampY - 0.065*height}, point{x + slim*0.8, lampY - 0.06*height}, point{x + slim*0.9, lampY})
		pen.close()
	})
	c.glow(x, (lampY+top)/2, 0.36*height, p.mood.lamp, 0.75)
}

// paintBeam sweeps the light over the sky.
func (p *painter) paintBeam(c *canvas, x, y float64) {
	strength := 0.1 + 0.3*math.Min(1, p.mood.stars+p.mood.clouds*0.3)
	angle := 0.16*math.Sin(0.9*p.t) - 0.1
	for _, side := range []float64{-1, 1} {
		length := p.w
		for i := range 7 { // soft edges from narrowing layers
			spread := (0.085 - 0.01*float64(i)) * length
			ex, ey := x+side*length*math.Cos(angle), y+length*math.Sin(angle)
			c.beam(point{x, y}, point{ex, ey}, spread, p.mood.lamp, strength/5)
		}
	}
}

// beam adds a cone of light that fades with distance.
func (c *canvas) beam(from, to point, spread float64, k colour, strength float64) {
	dx, dy := to.x-from.x, to.y-from.y
	length := math.Hypot(dx, dy)
	dx, dy = dx/length, dy/length
	for y := max(0, int(math.Min(from.y, to.y)-spread)); y < min(c.h, int(math.Max(from.y, to.y)+spread)); y++ {
		for x := range c.w {
			px, py := float64(x)-from.x, float64(y)-from.y
			along := px*dx + py*dy
			if along <= 0 || along > length {
				continue
			}
			across := math.Abs(px*dy-py*dx) / (spread * along / length)
			if across < 1 {
				fade := 1 - along/length
				c.add(x, y, k, strength*fade*fade*(1-across))
			}
		}
	}
}

// paintRock draws the cliff that the lighthouse stands on.
func (p *painter) paintRock(c *canvas, x, foot float64, d *dice) {
	f := field{d.next()}
	u := p.unit
	crest := c.line(func(px float64) float64 {
		off := (px - x) / (330 * u)
		if px > x {
			off *= 0.75
		}
		n := f.layered(px/(60*u), 0.5, 4) - 0.5
		slope := math.Pow(math.Abs(off), 1.7)
		return foot - 6*u + 190*u*slope + 60*u*n*math.Min(1, math.Abs(off)*4)
	})
	rock := p.mood.near.to(p.mood.air(0.95), 0.1)
	c.ridge(crest, p.h, rock.to(p.mood.glow, 0.1), p.mood.near)
	for px := range c.w { // lit edges
		for y := max(0, int(crest[px])); y < min(c.h, int(crest[px]+90*u)); y++ {
			n := f.layered(float64(px)/(34*u), float64(y)/(16*u), 3)
			fade := 1 - (float64(y)-crest[px])/(90*u)
			c.blend(px, y, p.mood.cloud, clamp((n-0.52)*2.2, 0, 1)*0.3*fade)
		}
	}
}

// paintCity draws three rows of houses with lit windows.
func (p *painter) paintCity(c *canvas) {
	d := p.dice.split(31)
	base := p.groundLine()
	night := p.mood.stars >= 0.1 || p.mood.clouds >= 1
	for i := range 3 {
		near := float64(i) / 2
		k := p.depth(0.2 + 0.7*near)
		ground := p.horizon + 90*p.unit*near
		if p.water {
			ground = p.horizon
		}
		c.ridge(c.line(func(float64) float64 { return ground }), base, k, k.times(0.7))
		p.paintMist(c, ground-20*p.unit, 90*p.unit, 0.25*(1-near))
		x := -60 * p.unit * d.unit()
		for x < p.w {
			width := d.between(46, 96) * p.unit * (0.7 + 0.5*near)
			centre := 1 - math.Abs((x+width/2)/p.w-0.5)*1.3
			height := d.between(90, 400) * p.unit * (0.55 + 0.6*centre) * (1.1 - 0.35*near)
			p.paintTower(c, x, ground, width, height, k, night, near, d)
			x += width + d.between(-4, 10)*p.unit
		}
	}
}

func (p *painter) paintTower(c *canvas, x, ground, width, height float64, k colour, night bool, near float64, d *dice) {
	top := ground - height
	c.shape(k, 1, point{x, top}, point{x + width, top}, point{x + width, p.groundLine()}, point{x, p.groundLine()})
	switch d.pick(5) {
	case 0: // a spire
		c.shape(k, 1, point{x + width*0.3, top}, point{x + width*0.5, top - width*0.9}, point{x + width*0.7, top})
		c.stroke(k, 1, 2.5*p.unit, point{x + width*0.5, top - width*0.8}, point{x + width*0.5, top - width*1.5})
	case 1: // a set-back floor
		c.shape(k, 1, point{x + width*0.2, top - width*0.35}, point{x + width*0.8, top - width*0.35}, point{x + width*0.8, top}, point{x + width*0.2, top})
	case 2: // a slanted roof
		c.shape(k, 1, point{x, top}, point{x + width, top - width*0.4}, point{x + width, top})
	}
	side := sign(p.bodyX - x)
	edge := x
	if side > 0 {
		edge = x + width*0.82
	}
	c.shape(p.mood.glow, 0.1, point{edge, top}, point{edge + width*0.18, top}, point{edge + width*0.18, ground}, point{edge, ground})
	p.paintWindows(c, x, top, ground, width, night, near, d)
}

func (p *painter) paintWindows(c *canvas, x, top, ground, width float64, night bool, near float64, d *dice) {
	cell := (11 + 5*near) * p.unit
	columns := int(width/cell) - 1
	lit := 0.16
	if night {
		lit = 0.5
	}
	cool := hex(0xbfe3ff)
	for row := top + cell; row < ground-cell; row += cell * 1.25 {
		for col := range columns {
			on, tint := d.unit(), d.unit()
			if on > lit {
				continue
			}
			wx := x + (width-float64(columns)*cell)/2 + float64(col)*cell
			k := p.mood.lamp
			if tint > 0.8 {
				k = cool
			}
			flicker := 0.85 + 0.15*math.Sin(p.t*3+on*90)
			c.shape(k, (0.45+0.45*near)*flicker, point{wx + cell*0.2, row}, point{wx + cell*0.75, row}, point{wx + cell*0.75, row + cell*0.7}, point{wx + cell*0.2, row + cell*0.7})
		}
	}
}

// paintHouse draws a cottage with a lit window and smoke.
func (p *painter) paintHouse(c *canvas) {
	d := p.dice.split(32)
	u := p.unit
	x, ground := p.w*d.between(0.2, 0.45), p.horizon+110*u
	s := 150 * u
	wall, roof := p.mood.near.to(hex(0x8a6a52), 0.25), p.mood.near.to(hex(0x3b2326), 0.4)
	if p.has[themeSnow] {
		roof = hex(0xe8f0f6).to(p.mood.near, 0.2)
	}
	c.shape(p.mood.near, 1, point{x - s*0.75, ground + s*0.1}, point{x + s*1.75, ground + s*0.1}, point{x + s*2.4, ground + s*0.3}, point{x - s*1.4, ground + s*0.3})
	c.shape(wall, 1, point{x, ground - s*0.6}, point{x + s, ground - s*0.6}, point{x + s, ground + s*0.12}, point{x, ground + s*0.12})
	c.shape(roof, 1, point{x + s*0.68, ground - s*1.15}, point{x + s*0.82, ground - s*1.15}, point{x + s*0.82, ground - s*0.7}, point{x + s*0.68, ground - s*0.7})
	c.shape(roof, 1, point{x - s*0.14, ground - s*0.55}, point{x + s*0.5, ground - s*1.12}, point{x + s*1.14, ground - s*0.55})
	c.shape(p.mood.lamp, 1, point{x + s*0.16, ground - s*0.42}, point{x + s*0.42, ground - s*0.42}, point{x + s*0.42, ground - s*0.14}, point{x + s*0.16, ground - s*0.14})
	c.stroke(roof, 1, s*0.02, point{x + s*0.29, ground - s*0.42}, point{x + s*0.29, ground - s*0.14})
	c.stroke(roof, 1, s*0.02, point{x + s*0.16, ground - s*0.28}, point{x + s*0.42, ground - s*0.28})
	c.shape(roof, 1, point{x + s*0.62, ground - s*0.4}, point{x + s*0.84, ground - s*0.4}, point{x + s*0.84, ground + s*0.12}, point{x + s*0.62, ground + s*0.12})
	c.glow(x+s*0.29, ground-s*0.28, s*1.1, p.mood.lamp, 0.4)
	for i := range 14 { // smoke
		v := float64(i) / 14
		c.disc(x+s*(0.75+0.5*v*v+0.06*math.Sin(7*v+p.t)), ground-s*(1.2+0.9*v), s*(0.04+0.12*v), p.mood.cloud, 0.16*(1-v))
	}
}

// paintCastle draws towers on a hill.
func (p *painter) paintCastle(c *canvas) {
	d := p.dice.split(33)
	u := p.unit
	x, ground := p.w*d.between(0.55, 0.72), p.horizon+30*u
	k := p.mood.near.to(p.mood.air(0.95), 0.18)
	crest := c.line(func(px float64) float64 {
		off := (px - x) / (360 * u)
		return ground - 40*u + 130*u*off*off
	})
	c.ridge(crest, p.h, k, p.mood.near)
	base := ground
	for i, tower := range [][3]float64{{-150, 40, 190}, {-60, 52, 290}, {20, 66, 360}, {105, 46, 240}, {165, 36, 160}} {
		tx, width, height := x+tower[0]*u, tower[1]*u, tower[2]*u
		top := base - height
		c.shape(k, 1, point{tx, top}, point{tx + width, top}, point{tx + width, base}, point{tx, base})
		roof := p.mood.near.to(hex(0x6a2b3a), 0.35)
		c.shape(roof, 1, point{tx - width*0.16, top}, point{tx + width*0.5, top - width*1.5}, point{tx + width*1.16, top})
		if i%2 == 0 {
			c.stroke(roof, 1, 2*u, point{tx + width*0.5, top - width*1.4}, point{tx + width*0.5, top - width*2.1})
			c.shape(p.mood.lamp, 0.9, point{tx + width*0.5, top - width*2.1}, point{tx + width*1.1, top - width*1.95}, point{tx + width*0.5, top - width*1.8})
		}
		for row := range 3 {
			y := top + height*(0.15+0.22*float64(row))
			c.shape(p.mood.lamp, 0.85, point{tx + width*0.42, y}, point{tx + width*0.58, y}, point{tx + width*0.58, y + 14*u}, point{tx + width*0.42, y + 14*u})
		}
	}
	c.shape(k, 1, point{x - 140*u, base - 90*u}, point{x + 190*u, base - 90*u}, point{x + 190*u, base + 10*u}, point{x - 140*u, base + 10*u})
}
