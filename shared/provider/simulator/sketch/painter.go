package sketch

import "math"

// painter holds what is decided about a scene before the first stroke.
type painter struct {
	scene   Scene
	has     map[theme]bool
	mood    mood
	dice    *dice
	w, h    float64
	unit    float64 // a thousandth of the picture's typical side, in pixels
	horizon float64 // y of the horizon
	bodyX   float64 // centre of the sun or moon
	bodyY   float64
	water   bool
	t       float64 // seconds since the film began
}

func newPainter(s Scene) *painter {
	d := &dice{state: 0x5ca1ab1e}
	for _, r := range s.Prompt {
		d.state = scramble(d.state ^ uint64(uint32(r)))
	}
	d.state = scramble(d.state ^ uint64(s.Seed)) //nolint:gosec // wrapping is wanted
	p := &painter{
		scene: s, has: themes(s.Prompt), dice: d,
		w: float64(s.Width), h: float64(s.Height),
	}
	p.unit = math.Min(math.Sqrt(p.w*p.h), 1.3*math.Min(p.w, p.h)) / 1000
	p.choosePlace()
	p.mood = moodOf(p.has, d.split(1))
	// A city stands at a river or on wet streets, which mirror its lights.
	p.water = p.has[themeCity] || p.has[themeSea] || p.has[themeLake] || p.has[themeBoat] && !p.has[themeSpace]
	place := d.split(2)
	p.horizon = p.h * place.between(0.58, 0.66)
	p.bodyX = p.w * place.between(0.22, 0.78)
	if p.has[themeLighthouse] { // which stands on the right
		p.bodyX = p.w * place.between(0.2, 0.5)
	}
	p.bodyY = p.horizon - p.mood.bodyY*(p.horizon-0.07*p.h)
	return p
}

// choosePlace gives a place to prompts that name none.
func (p *painter) choosePlace() {
	for _, place := range []theme{themeSea, themeLake, themeMountain, themeForest, themeCity, themeDesert, themeField, themeSpace} {
		if p.has[place] {
			return
		}
	}
	has := p.has
	switch {
	case has[themeLighthouse], has[themeBoat]:
		has[themeSea] = true
	case has[themeRocket]:
		has[themeSpace] = true
	case has[themeCat], has[themeDog], has[themeTree], has[themeFlowers], has[themeHouse]:
		has[themeField] = true
	default:
		places := [][]theme{
			{themeMountain, themeLake}, {themeSea}, {themeMountain, themeForest}, {themeField, themeMountain}, {themeDesert}, {themeSea, themeMountain},
		}
		for _, t := range places[p.dice.split(3).pick(len(places))] {
			has[t] = true
		}
	}
}

// paint returns the scene at the moment t, in seconds.
func (p *painter) paint(t float64) *canvas {
	p.t = t
	c := newCanvas(p.scene.Width, p.scene.Height)
	p.paintSky(c)
	p.paintDistance(c)
	if p.water {
		p.paintWater(c)
	}
	p.paintForeground(c)
	p.paintWeather(c)
	p.paintVignette(c)
	if p.scene.Blurred {
		c = c.blurred()
	}
	return c
}

// paintDistance draws what stands on the horizon or behind it.
func (p *painter) paintDistance(c *canvas) {
	switch {
	case p.has[themeSpace]:
		p.paintMoonscape(c)
	case p.has[themeCity]:
		if p.has[themeMountain] {
			p.paintMountains(c, 3)
		}
		p.paintCity(c)
	case p.has[themeDesert]:
		p.paintDunes(c)
	case p.has[themeMountain]:
		p.paintMountains(c, 4)
		if p.has[themeForest] {
			p.paintForest(c)
		}
	case p.has[themeForest]:
		p.paintForest(c)
	case p.has[themeField]:
		p.paintHills(c)
	case p.has[themeLake]:
		p.paintMountains(c, 3)
	case p.has[themeSea]:
		p.paintCoast(c)
	}
}

// paintForeground draws the subjects, far ones first.
func (p *painter) paintForeground(c *canvas) {
	if p.has[themeField] && !p.water {
		p.paintMeadow(c)
	}
	if p.has[themeBalloon] {
		p.paintBalloons(c)
	}
	if p.has[themeBirds] || p.has[themeSea] && p.mood.stars < 0.5 {
		p.paintBirds(c)
	}
	if p.has[themeBoat] {
		p.paintBoat(c)
	}
	if p.has[themeLighthouse] {
		p.paintLighthouse(c)
	}
	if p.has[themeCastle] {
		p.paintCastle(c)
	}
	if p.has[themeHouse] {
		p.paintHouse(c)
	}
	if p.has[themeTree] {
		p.paintTree(c)
	}
	if p.has[themeRocket] {
		p.paintRocket(c)
	}
	if p.has[themeFlowers] || p.has[themeSpring] {
		p.paintFlowers(c)
	}
	if p.has[themeCat] {
		p.paintCat(c)
	}
	if p.has[themeDog] {
		p.paintDog(c)
	}
}
