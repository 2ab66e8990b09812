package sketch

import "math"

// paintWater mirrors what stands above the horizon, broken by waves.
func (p *painter) paintWater(c *canvas) {
	d := p.dice.split(15)
	f := field{d.next()}
	top := int(p.horizon)
	calm := 1.0
	if p.has[themeSea] {
		calm = 2.2
	}
	if p.has[themeStorm] {
		calm = 4
	}
	deep := p.mood.air(0.1).to(p.mood.near, 0.35)
	if p.mood.stars < 0.1 && !p.has[themeStorm] {
		deep = deep.to(hex(0x0f5a78), 0.4)
	}
	source := append([]float32(nil), c.pix[:min(len(c.pix), (top+1)*c.w*3)]...)
	for y := top; y < c.h; y++ {
		v := math.Max(0, (float64(y)-p.horizon)/(p.h-p.horizon))
		distance := 1 / (0.06 + v)
		rough := calm * (0.6 + 14*v) * p.unit
		dark := 0.14 + 0.5*math.Pow(v, 0.8)
		row := float64(y) - p.horizon
		for x := range c.w {
			u := (float64(x) - p.w/2) * distance / (210 * p.unit)
			wave := f.at(u*0.9+0.25*p.t, distance*7-0.5*p.t) + 0.5*f.at(u*2.3-0.3*p.t, distance*15+0.6*p.t) - 0.75
			sy := int(p.horizon - row*0.9 - wave*rough*9)
			sx := x + int(wave*rough*2.5)
			if sy < 0 {
				sy = -sy
			}
			sy = min(sy, top)
			sx = max(0, min(c.w-1, sx))
			i := (sy*c.w + sx) * 3
			k := colour{float64(source[i]), float64(source[i+1]), float64(source[i+2])}
			k = k.to(deep, clamp(dark-wave*0.22, 0, 1))
			c.set(x, y, k)
		}
	}
	p.paintGlitter(c, f)
	p.paintMist(c, p.horizon, 26*p.unit, 0.35)
}

// paintGlitter draws the sparkling path below the sun or moon.
func (p *painter) paintGlitter(c *canvas, f field) {
	if p.mood.clouds >= 1 {
		return
	}
	strength := 0.75
	if p.mood.bodyY > 0.5 {
		strength = 0.42
	}
	for y := int(p.horizon) + 1; y < c.h; y++ {
		v := (float64(y) - p.horizon) / (p.h - p.horizon)
		distance := 1 / (0.05 + v)
		reach := p.mood.bodyR * p.unit * (0.8 + 3.2*v)
		for x := max(0, int(p.bodyX-2.2*reach)); x < min(c.w, int(p.bodyX+2.2*reach)); x++ {
			off := (float64(x) - p.bodyX) / reach
			n := f.at((float64(x)-p.w/2)*distance/(75*p.unit)+0.5*p.t, distance*26-1.3*p.t)
			spark := smooth(clamp((n-0.5)*4, 0, 1)) * math.Exp(-off*off*1.4) * (1 - 0.55*v)
			c.blend(x, y, p.mood.body.to(p.mood.glow, 0.35), spark*strength)
		}
	}
}
