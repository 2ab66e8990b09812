package sketch

import "math"

// ridge fills everything below a crest line, from one colour at its highest
// point to another at the lower limit.
func (c *canvas) ridge(crest []float64, lower float64, top, bottom colour) {
	highest := lower
	for _, y := range crest {
		highest = math.Min(highest, y)
	}
	end := min(c.h, int(lower+0.5))
	for y := max(0, int(highest)-1); y < end; y++ {
		k := top.to(bottom, clamp((float64(y)-highest)/math.Max(1, lower-highest), 0, 1))
		for x, edge := range crest {
			cover := float64(y) + 1 - edge
			if cover >= 1 {
				c.set(x, y, k)
			} else if cover > 0 {
				c.blend(x, y, k, cover)
			}
		}
	}
}

// line evaluates a crest for each column.
func (c *canvas) line(f func(x float64) float64) []float64 {
	crest := make([]float64, c.w)
	for x := range crest {
		crest[x] = f(float64(x) + 0.5)
	}
	return crest
}

// depth is the colour of land at a distance, 0 far to 1 near.
func (p *painter) depth(d float64) colour {
	air := p.mood.air(0.96)
	land := p.mood.far.to(p.mood.near, math.Pow(d, 0.85))
	return land.to(air, p.mood.haze*(1-d)*(1-d)*0.75)
}

// paintMountains draws layers of ridges, snow on the farther ones.
func (p *painter) paintMountains(c *canvas, layers int) {
	d := p.dice.split(9)
	base := p.horizon
	for i := range layers {
		near := float64(i) / float64(layers)
		f := field{d.next()}
		scale := (620 - 330*near) * p.unit
		height := (430 - 270*near) * p.unit * d.between(0.8, 1.15)
		lift := base - 10*p.unit + 40*p.unit*near
		if !p.water {
			lift += 90 * p.unit * near * near
		}
		shift := d.between(0, 100)
		crest := c.line(func(x float64) float64 {
			n := f.ridged(x/scale+shift, 6)
			return lift - height*(n*1.1-0.12)
		})
		colour := p.depth(0.08 + 0.75*near)
		misty := colour.to(p.mood.air(0.99), 0.5-0.25*near)
		c.ridge(crest, p.groundLine()+1, colour, misty)
		p.shadeMountain(c, crest, base, f, near)
	}
}

// shadeMountain adds lit and shaded flanks, and snow near high summits.
func (p *painter) shadeMountain(c *canvas, crest []float64, base float64, f field, near float64) {
	highest := base
	for _, y := range crest {
		highest = math.Min(highest, y)
	}
	rise := base - highest
	reach := max(2, int(9*p.unit))
	snowline := highest + rise*0.42
	white := p.mood.cloud.to(hex(0xffffff), 0.45).to(p.mood.air(0.9), 0.3)
	for x := range c.w {
		top := crest[x]
		ahead := crest[min(c.w-1, x+reach)] - crest[max(0, x-reach)]
		light := clamp(-ahead/(22*p.unit)*side(float64(x)-p.bodyX, 150*p.unit), -1, 1)
		for y := int(top) + 1; y < int(math.Min(base, top+rise*0.75)) && y < c.h; y++ {
			deep := (float64(y) - top) / (rise * 0.75)
			grain := f.layered(float64(x)/(26*p.unit)+deep*2, float64(y)/(60*p.unit), 3) - 0.5
			shade := (light*0.5 + grain*1.5) * (1 - deep) * (0.22 - 0.1*near)
			if shade > 0 {
				c.blend(x, y, white, shade)
			} else {
				c.blend(x, y, p.mood.near, -shade)
			}
			limit := snowline + grain*150*p.unit
			if near < 0.6 && float64(y) < limit && (p.has[themeSnow] || near < 0.4) {
				c.blend(x, y, white, (0.75-0.5*near)*clamp((limit-float64(y))/(22*p.unit), 0, 1)*(0.55+0.45*light))
			}
		}
	}
}

// groundLine is where the land behind the water or the meadow ends.
func (p *painter) groundLine() float64 {
	if p.water {
		return p.horizon
	}
	return p.h
}

// paintCoast draws low islands or a headland on the horizon of the sea.
func (p *painter) paintCoast(c *canvas) {
	d := p.dice.split(10)
	for i := range 2 {
		f := field{d.next()}
		centre, width := p.w*d.between(0.05, 0.95), p.w*d.between(0.18, 0.4)
		height := d.between(45, 110) * p.unit
		crest := c.line(func(x float64) float64 {
			off := (x - centre) / width
			hump := math.Max(0, 1-off*off)
			return p.horizon + 2 - height*hump*(0.35+0.9*f.layered(x/(150*p.unit), 0.5, 4))*math.Min(1, hump*3)
		})
		k := p.depth(0.12 + 0.25*float64(i))
		c.ridge(crest, p.horizon+1, k, k.to(p.mood.air(1), 0.3))
	}
}

// paintHills draws soft round hills.
func (p *painter) paintHills(c *canvas) {
	d := p.dice.split(11)
	base := p.groundLine()
	for i := range 3 {
		near := float64(i) / 3
		f := field{d.next()}
		lift := p.horizon + (20+60*near)*p.unit
		crest := c.line(func(x float64) float64 {
			return lift - (150-50*near)*p.unit*f.layered(x/(420*p.unit), 0.5, 3)
		})
		green := p.depth(0.25+0.5*near).to(p.grass(), 0.5+0.35*near)
		c.ridge(crest, base, green, green.to(p.mood.near, 0.25))
	}
}

// grass is the colour of meadows in this light and season.
func (p *painter) grass() colour {
	k := hex(0x5d8a4a)
	switch {
	case p.has[themeSnow]:
		k = hex(0xdfe9f2)
	case p.has[themeAutumn]:
		k = hex(0xb07a35)
	case p.has[themeDesert]:
		k = hex(0xc98d55)
	}
	bright := p.mood.air(0.7)
	light := 0.22 + 0.95*(bright.r+bright.g+bright.b)/3
	return k.times(light).to(bright, 0.08)
}

// paintDunes draws sand with lit and shaded sides.
func (p *painter) paintDunes(c *canvas) {
	d := p.dice.split(12)
	for i := range 5 {
		near := float64(i) / 4
		f := field{d.next()}
		lift := p.horizon + (15+300*near*near)*p.unit*math.Max(1, p.h/p.w*0.9)
		scale := (300 + 260*near) * p.unit
		crest := c.line(func(x float64) float64 {
			n := f.layered(x/scale, 0.5, 2)
			return lift - (60+120*near)*p.unit*(1-math.Abs(2*n-1)*1.3)
		})
		sand := p.depth(0.1 + 0.55*near)
		lit := sand.to(p.mood.glow, 0.35-0.15*near)
		c.ridge(crest, p.h, lit, sand.times(0.8))
		for x := range c.w { // the lee side is dark
			slope := crest[min(c.w-1, x+4)] - crest[max(0, x-4)]
			dark := clamp(-slope/(7*p.unit)*side(float64(x)-p.bodyX, 200*p.unit), 0, 1)
			ripple := f.at(float64(x)/(9*p.unit), 9)
			for y := int(crest[x]); y < c.h && float64(y) < crest[x]+130*p.unit; y++ {
				if y >= 0 {
					fade := 1 - (float64(y)-crest[x])/(130*p.unit)
					c.blend(x, y, p.mood.near, (0.38*dark+0.05*ripple)*fade)
				}
			}
		}
	}
}

// paintForest draws rows of pines, misty far and dark near.
func (p *painter) paintForest(c *canvas) {
	d := p.dice.split(13)
	const rows = 5
	for i := range rows {
		near := float64(i) / (rows - 1)
		f := field{d.next()}
		ground := p.horizon + (-15+250*near*near)*p.unit
		if p.has[themeMountain] {
			ground = p.horizon + (60+190*near*near)*p.unit
		}
		if p.water {
			ground = p.horizon - 4*p.unit
		}
		size := (85 + 230*near*near) * p.unit
		if p.water {
			size = (60 + 70*near) * p.unit
		}
		k := p.depth(0.2 + 0.78*near)
		foot := c.line(func(x float64) float64 { return ground - 60*p.unit*f.layered(x/(330*p.unit), 0.5, 3) })
		limit := p.groundLine()
		c.ridge(foot, limit, k, k.to(p.mood.air(0.98), 0.3*(1-near)))
		for x := -size * d.unit(); x < p.w+size; x += size * d.between(0.16, 0.34) {
			y := foot[int(clamp(x, 0, p.w-1))]
			p.paintPine(c, x, y+0.06*size, size*d.between(0.6, 1.15), k, d)
		}
		if !p.water {
			p.paintMist(c, ground+70*p.unit, 90*p.unit, 0.3*(1-near))
		}
	}
}

// paintPine draws one conifer standing at (x, y).
func (p *painter) paintPine(c *canvas, x, y, size float64, k colour, d *dice) {
	sway := size * 0.004 * math.Sin(p.t*1.1+x)
	width := size * d.between(0.15, 0.21)
	tiers := 6
	c.fill(k, 1, func(pen *pen) {
		pen.move(point{x + sway, y - size})
		for i := 1; i <= tiers; i++ {
			v := float64(i) / float64(tiers)
			pen.line(point{x + width*v, y - size*(1-v*0.92)})
			pen.line(point{x + width*v*0.55, y - size*(1-v*0.92) - size*0.015})
		}
		pen.line(point{x + width*0.1, y})
		pen.line(point{x - width*0.1, y})
		for i := tiers; i >= 1; i-- {
			v := float64(i) / float64(tiers)
			pen.line(point{x - width*v*0.55, y - size*(1-v*0.92) - size*0.015})
			pen.line(point{x - width*v, y - size*(1-v*0.92)})
		}
		pen.close()
	})
	if p.has[themeSnow] {
		snow := hex(0xf2f7fb).to(k, 0.35)
		c.shape(snow, 0.8, point{x + sway, y - size}, point{x + width*0.22, y - size*0.8}, point{x - width*0.14, y - size*0.78})
	}
}

// paintMist lays a soft bright band around y.
func (p *painter) paintMist(c *canvas, y, reach, strength float64) {
	air := p.mood.air(0.98)
	for py := max(0, int(y-reach)); py < min(c.h, int(y+reach)); py++ {
		v := (float64(py) - y) / reach
		a := strength * (1 - v*v) * (1 - v*v)
		for x := range c.w {
			c.blend(x, py, air, a)
		}
	}
}

// paintMoonscape draws cratered ground under an airless sky.
func (p *painter) paintMoonscape(c *canvas) {
	d := p.dice.split(14)
	for i := range 3 {
		near := float64(i) / 2
		f := field{d.next()}
		lift := p.h * (0.8 + 0.08*near)
		crest := c.line(func(x float64) float64 {
			return lift - (130-50*near)*p.unit*f.ridged(x/((500-150*near)*p.unit), 5)
		})
		k := p.mood.far.to(p.mood.near, 0.25+0.6*near)
		c.ridge(crest, p.h, k.to(p.mood.glow, 0.12), k.times(0.6))
	}
}
