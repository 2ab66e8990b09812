package sketch

import "math"

// paintWeather draws what falls from the sky.
func (p *painter) paintWeather(c *canvas) {
	d := p.dice.split(16)
	if p.has[themeRain] || p.has[themeStorm] {
		k := p.mood.air(1).to(hex(0xffffff), 0.35)
		for range int(300 * p.w / p.h) {
			x, y, size := d.between(-0.1, 1)*p.w, d.unit()*1.2, d.between(0.5, 1)
			y = math.Mod(y+p.t*(1.1+size*0.5), 1.2)*p.h - 0.1*p.h
			c.stroke(k, 0.22*size, 1.3*p.unit*size, point{x, y}, point{x + 10*size*p.unit, y + 46*size*p.unit})
		}
	}
	if p.has[themeStorm] {
		p.paintLightning(c, d.split(1))
	}
	if p.has[themeSnow] {
		for range int(420 * p.w / p.h) {
			x, y, size := d.unit()*p.w, d.unit(), d.unit()
			y = math.Mod(y+p.t*(0.06+0.08*size), 1) * p.h
			x += 14 * p.unit * math.Sin(p.t+10*size)
			c.disc(x, y, (1+3.4*size*size)*p.unit, hex(0xffffff), 0.75*(0.35+0.65*size))
		}
	}
	if p.has[themeSpring] {
		p.paintPetals(c, d.split(2))
	}
}

func (p *painter) paintLightning(c *canvas, d *dice) {
	x, y := p.w*d.between(0.2, 0.8), p.horizon*0.12
	if p.has[themeLighthouse] {
		x = p.w * d.between(0.15, 0.45)
	}
	if math.Mod(p.t, 1.6) > 0.5 {
		return
	}
	c.glow(x, y, 420*p.unit, hex(0xbfd0ff), 0.35)
	for y < p.horizon {
		nx, ny := x+d.between(-34, 34)*p.unit, y+d.between(18, 44)*p.unit
		c.stroke(hex(0xf4f6ff), 0.95, 3.4*p.unit, point{x, y}, point{nx, math.Min(ny, p.horizon)})
		if d.pick(4) == 0 {
			c.stroke(hex(0xdfe6ff), 0.6, 1.8*p.unit, point{nx, ny}, point{nx + d.between(-70, 70)*p.unit, ny + 60*p.unit})
		}
		x, y = nx, ny
	}
}

func (p *painter) paintPetals(c *canvas, d *dice) {
	for range int(90 * p.w / p.h) {
		x, y, size, turn := d.unit(), d.unit(), d.between(4, 9)*p.unit, d.between(0, 6.28)
		x = math.Mod(x+0.04*p.t, 1) * p.w
		y = math.Mod(y+0.05*p.t, 1) * p.h
		dx, dy := size*math.Cos(turn+p.t), size*math.Sin(turn+p.t)
		c.fill(hex(0xffc4d6), 0.85, func(pen *pen) {
			pen.move(point{x - dx, y - dy})
			pen.curve(point{x - dy*0.6, y + dx*0.6}, point{x + dx - dy*0.4, y + dy + dx*0.4}, point{x + dx, y + dy})
			pen.curve(point{x + dx + dy*0.2, y + dy - dx*0.2}, point{x + dy*0.3, y - dx*0.3}, point{x - dx, y - dy})
			pen.close()
		})
	}
}

// paintVignette darkens the corners a little.
func (p *painter) paintVignette(c *canvas) {
	for y := range c.h {
		dy := (float64(y)/p.h - 0.5) * 2
		for x := range c.w {
			dx := (float64(x)/p.w - 0.5) * 2
			d := dx*dx + dy*dy
			if d < 0.9 {
				continue
			}
			f := float32(1 - 0.2*(d-0.9))
			i := (y*c.w + x) * 3
			c.pix[i] *= f
			c.pix[i+1] *= f
			c.pix[i+2] *= f
		}
	}
}

// blurred returns the picture beyond recognition: reduced to a few cells.
func (c *canvas) blurred() *canvas {
	step := max(2, min(c.w, c.h)/10)
	small := newCanvas(c.w/step+2, c.h/step+2)
	for y := range small.h {
		for x := range small.w {
			i := (min(c.h-1, y*step)*c.w + min(c.w-1, x*step)) * 3
			j := (y*small.w + x) * 3
			copy(small.pix[j:j+3], c.pix[i:i+3])
		}
	}
	out := newCanvas(c.w, c.h)
	small.enlarge(out, step)
	return out
}
