package sketch

import "math"

// skyStep is how many pixels one cell of the soft parts of the sky spans.
const skyStep = 4

// paintSky fills the whole canvas: air, clouds, stars, sun or moon.
func (p *painter) paintSky(c *canvas) {
	p.paintAir(c)
	if p.mood.stars > 0 {
		p.paintStars(c)
	}
	if p.has[themeAurora] {
		p.paintAurora(c)
	}
	if p.mood.clouds < 1 {
		p.paintBody(c)
	}
	p.paintClouds(c)
}

// paintAir fills in the gradient and the glow of the sun or moon.
func (p *painter) paintAir(c *canvas) {
	reach := 520 * p.unit
	soft := newCanvas(c.w/skyStep+2, c.h/skyStep+2)
	for y := range soft.h {
		v := float64(y*skyStep) / p.horizon
		base := p.mood.air(v)
		for x := range soft.w {
			dx, dy := float64(x*skyStep)-p.bodyX, float64(y*skyStep)-p.bodyY
			// The glow is wider than high near the horizon, as haze makes it.
			d := math.Hypot(dx*0.75, dy) / reach
			light := math.Exp(-3.2*d) * 0.62 * (1 - 0.7*p.mood.clouds*p.mood.clouds)
			soft.set(x, y, base.to(p.mood.glow, light))
		}
	}
	soft.enlarge(c, skyStep)
}

// enlarge draws the canvas onto a larger one, smoothly.
func (c *canvas) enlarge(to *canvas, step int) {
	for y := range to.h {
		fy := float32(y) / float32(step)
		iy := int(fy)
		ty := fy - float32(iy)
		a, b := c.pix[iy*c.w*3:], c.pix[(iy+1)*c.w*3:]
		out := to.pix[y*to.w*3:]
		for x := range to.w {
			fx := float32(x) / float32(step)
			ix := int(fx)
			tx := fx - float32(ix)
			for k := range 3 {
				i := ix*3 + k
				top := a[i] + (a[i+3]-a[i])*tx
				bottom := b[i] + (b[i+3]-b[i])*tx
				out[x*3+k] = top + (bottom-top)*ty
			}
		}
	}
}

func (p *painter) paintStars(c *canvas) {
	d := p.dice.split(4)
	count := int(p.mood.stars * 420 * math.Max(p.w/p.h, p.h/p.w))
	for range count {
		x, y := d.unit()*p.w, d.unit()*p.horizon
		size, phase := d.unit(), d.unit()*2*math.Pi
		fade := clamp(1.15-y/p.horizon, 0, 1)
		twinkle := 0.8 + 0.2*math.Sin(phase+2.2*p.t)
		bright := fade * twinkle * math.Min(1, p.mood.stars) * (0.35 + 0.65*size*size)
		tint := hex(0xffffff).to(hex(0xbcd0ff), d.unit())
		c.disc(x, y, p.unit*(0.6+1.1*size*size), tint, bright)
		if size > 0.93 {
			c.glow(x, y, 11*p.unit, tint, 0.35*bright)
		}
	}
	if p.has[themeSpace] || p.mood.stars >= 1 {
		p.paintMilkyWay(c, d.split(1))
	}
}

// paintMilkyWay adds a faint slanted band of light.
func (p *painter) paintMilkyWay(c *canvas, d *dice) {
	soft := newCanvas(c.w/skyStep+2, c.h/skyStep+2)
	f := field{d.next()}
	strength := 0.16
	if p.has[themeSpace] {
		strength = 0.5
	}
	slope, offset := d.between(-0.9, 0.9), d.between(0.25, 0.5)*p.h
	inner, outer := p.mood.glow, p.mood.sky[3].to(hex(0x3060a0), 0.5)
	for y := range soft.h {
		for x := range soft.w {
			px, py := float64(x*skyStep), float64(y*skyStep)
			across := (py - offset - slope*(px-p.w/2)*0.5) / (210 * p.unit)
			n := f.layered(px/(130*p.unit), py/(130*p.unit), 4)
			light := math.Exp(-across*across) * clamp(n*1.9-0.55, 0, 1) * strength
			k := inner.to(outer, clamp(math.Abs(across), 0, 1)).times(light)
			soft.set(x, y, k)
		}
	}
	big := newCanvas(c.w, int(math.Min(p.h, p.horizon+1)))
	soft.enlarge(big, skyStep)
	for i, v := range big.pix {
		c.pix[i] += v * (1 - c.pix[i])
	}
}

func (p *painter) paintAurora(c *canvas) {
	d := p.dice.split(5)
	for band := range 3 {
		f := field{d.next()}
		base := p.horizon * d.between(0.3, 0.55)
		tint := hex(0x4dffb0).to(hex(0x8a5cff), float64(band)*0.4)
		for x := range c.w {
			u := float64(x) / (260 * p.unit)
			foot := base + (f.layered(u*0.7+0.03*p.t, 1.5, 3)-0.5)*300*p.unit
			rays := 0.35 + 0.65*f.layered(u*6+0.2*p.t, 7.5, 2)
			height := (170 + 230*f.at(u*1.3, 3.5)) * p.unit
			for y := max(0, int(foot-height)); y < min(int(foot), c.h); y++ {
				v := (foot - float64(y)) / height
				edge := math.Min(1, (foot-float64(y))/(18*p.unit))
				c.add(x, y, tint.to(hex(0x9a4dff), v), 0.7*rays*edge*(1-v)*(1-v))
			}
		}
	}
}

// paintBody draws the sun or moon.
func (p *painter) paintBody(c *canvas) {
	r := p.mood.bodyR * p.unit
	x, y := p.bodyX, p.bodyY
	c.glow(x, y, 5.5*r, p.mood.glow, 0.32)
	if p.has[themeSpace] {
		p.paintPlanet(c, x, y, 3.1*r)
		return
	}
	if p.mood.stars >= 0.5 && p.mood.crescen && !p.has[themeMoon] {
		c.crescent(x, y, r, p.mood.body)
		return
	}
	c.disc(x, y, r, p.mood.body, 1)
	if p.mood.stars < 0.5 {
		return
	}
	d := p.dice.split(6)
	for range 9 { // the moon's seas
		angle, dist := d.between(0, 2*math.Pi), r*d.between(0.1, 0.68)
		c.disc(x+dist*math.Cos(angle), y+dist*math.Sin(angle), r*d.between(0.07, 0.22), p.mood.body.times(0.86), 0.55)
	}
}

// paintPlanet draws a banded, shaded planet with a ring.
func (p *painter) paintPlanet(c *canvas, x, y, r float64) {
	d := p.dice.split(7)
	f := field{d.next()}
	warm, cool := hex(0xe9b98a).turned(d.between(-1.5, 1.5)), hex(0x9b5f72).turned(d.between(-1.5, 1.5))
	for py := int(y - r); py <= int(y+r); py++ {
		for px := int(x - r); px <= int(x+r); px++ {
			dx, dy := (float64(px)+0.5-x)/r, (float64(py)+0.5-y)/r
			dist := math.Hypot(dx, dy)
			if dist > 1.02 {
				continue
			}
			n := f.layered(dx*0.8+0.02*p.t, dy*6+dx*0.8, 4)
			light := clamp(0.75-0.6*dx-0.5*dy, 0.08, 1.15) * (1 - 0.35*dist*dist)
			c.blend(px, py, warm.to(cool, clamp(n*1.6-0.3, 0, 1)).times(light), clamp((1-dist)*r+0.5, 0, 1))
		}
	}
	ring := warm.to(hex(0xffffff), 0.4)
	on := func(radius, angle float64) point {
		return point{x + radius*r*math.Cos(angle), y + 0.28*radius*r*math.Sin(angle) - 0.2*radius*r*math.Cos(angle)}
	}
	for i, band := range [][2]float64{{1.35, 1.5}, {1.53, 1.66}, {1.7, 1.76}} { // the half in front
		const steps = 60
		c.fill(ring, []float64{0.6, 0.42, 0.25}[i], func(pen *pen) {
			outline := make([]point, 0, 2*steps+2)
			for k := range steps + 1 {
				outline = append(outline, on(band[1], -0.12+(math.Pi+0.24)*float64(k)/steps))
			}
			for k := steps; k >= 0; k-- {
				outline = append(outline, on(band[0], -0.12+(math.Pi+0.24)*float64(k)/steps))
			}
			pen.polygon(outline...)
		})
	}
}

// paintClouds lays drifting clouds over the sky, lit from the sun's side.
func (p *painter) paintClouds(c *canvas) {
	if p.mood.clouds <= 0 || p.has[themeSpace] {
		return
	}
	d := p.dice.split(8)
	f := field{d.next()}
	step := skyStep
	w, h := c.w/step+2, int(p.horizon)/step+2
	drift := 0.035 * p.t
	threshold := 0.62 - 0.34*p.mood.clouds + d.between(-0.03, 0.05)
	cover := make([]float64, w*h)
	colours := newCanvas(w, h)
	for y := range h {
		v := float64(y*step) / p.horizon
		// Clouds flatten towards the horizon.
		depth := 1 / (0.28 + 0.95*(1-v))
		for x := range w {
			u := (float64(x*step) - p.w/2) / (420 * p.unit) * (0.45 + 0.55*depth)
			row := depth * 2.6
			n := f.layered(u+drift, row, 5)
			toSun := f.layered(u+drift+0.09*side(p.bodyX-float64(x*step), 260*p.unit), row-0.12, 3)
			a := smooth(clamp((n-threshold)/0.2, 0, 1)) * clamp(1.3-v, 0, 1)
			lit := clamp(0.5+(n-toSun)*3.2, 0, 1)
			k := p.mood.shade.to(p.mood.cloud, lit).to(p.mood.air(v), 0.25+0.35*v*v)
			colours.set(x, y, k)
			cover[y*w+x] = a * (0.55 + 0.35*p.mood.clouds)
		}
	}
	overlay(c, colours, cover, int(p.horizon), step)
}

func sign(v float64) float64 {
	if v < 0 {
		return -1
	}
	return 1
}

// side is -1 far below zero, 1 far above, and gradual within the reach.
func side(v, reach float64) float64 { return clamp(v/reach, -1, 1) }

// overlay blends an enlarged canvas over the upper rows of c by its cover.
func overlay(c, colours *canvas, cover []float64, rows, step int) {
	w := colours.w
	for y := range min(rows, c.h) {
		fy := float64(y) / float64(step)
		iy := int(fy)
		ty := fy - float64(iy)
		for x := range c.w {
			fx := float64(x) / float64(step)
			ix := int(fx)
			tx := fx - float64(ix)
			i := iy*w + ix
			a := mix(mix(cover[i], cover[i+1], tx), mix(cover[i+w], cover[i+w+1], tx), ty)
			if a <= 0.004 {
				continue
			}
			j := (y*c.w + x) * 3
			for k := range 3 {
				top := mix(float64(colours.pix[i*3+k]), float64(colours.pix[i*3+3+k]), tx)
				bottom := mix(float64(colours.pix[(i+w)*3+k]), float64(colours.pix[(i+w)*3+3+k]), tx)
				c.pix[j+k] += (float32(mix(top, bottom, ty)) - c.pix[j+k]) * float32(a)
			}
		}
	}
}
