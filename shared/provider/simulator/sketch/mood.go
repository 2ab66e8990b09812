package sketch

import "math"

// mood is the light of a scene.
type mood struct {
	sky     [4]colour // zenith to horizon
	glow    colour    // around the sun or moon
	body    colour    // the sun or moon itself
	far     colour    // the most distant ridge
	near    colour    // the nearest ridge
	lamp    colour    // windows and beams
	cloud   colour    // lit side of the clouds
	shade   colour    // dark side of the clouds
	clouds  float64   // 0 clear to 1 overcast
	stars   float64   // 0 none to 1 many
	bodyY   float64   // height of the sun or moon, 0 horizon to 1 zenith
	bodyR   float64   // its radius in thousandths
	haze    float64   // how far distant ridges sink into the sky
	crescen bool      // the body is a crescent moon
}

func sky(a, b, c, d int) [4]colour { return [4]colour{hex(a), hex(b), hex(c), hex(d)} }

func nightMood(d *dice) mood {
	m := mood{
		sky: sky(0x040817, 0x0b1838, 0x1b3460, 0x3f648c), glow: hex(0x9fb8e6), body: hex(0xf3f0dc),
		far: hex(0x35527a), near: hex(0x040913), lamp: hex(0xffd27a), cloud: hex(0x5a769f), shade: hex(0x16233f),
		clouds: 0.35, stars: 1, bodyY: 0.66, bodyR: 42, haze: 0.75, crescen: d.pick(2) == 0,
	}
	if d.pick(3) == 0 { // a violet night
		m.sky = sky(0x0a0620, 0x1d1144, 0x40296c, 0x7d5590)
		m.far, m.near, m.glow = hex(0x4d3a72), hex(0x080414), hex(0xcbb0ea)
	}
	return m
}

func duskMood(d *dice) mood {
	m := mood{
		sky: sky(0x1c2157, 0x5b3a80, 0xd0597a, 0xffb765), glow: hex(0xffb070), body: hex(0xfff0c8),
		far: hex(0x8a4f79), near: hex(0x150f2a), lamp: hex(0xffdf8e), cloud: hex(0xff9a76), shade: hex(0x5f3a72),
		clouds: 0.6, stars: 0.18, bodyY: 0.12, bodyR: 62, haze: 0.7,
	}
	switch d.pick(3) {
	case 0: // copper
		m.sky = sky(0x20304f, 0x71506a, 0xe2764c, 0xffd07a)
		m.cloud, m.shade, m.far, m.near = hex(0xffb26b), hex(0x6b4a5c), hex(0x96594f), hex(0x1a1420)
	case 1: // rose and teal
		m.sky = sky(0x12394f, 0x3f6377, 0xd98a8c, 0xffd3a5)
		m.cloud, m.shade, m.far, m.near = hex(0xffbfa3), hex(0x54667a), hex(0x6f6a7f), hex(0x0f1c27)
	}
	return m
}

func dawnMood(d *dice) mood {
	m := mood{
		sky: sky(0x35548a, 0x8a8fc0, 0xf0b2b0, 0xffe6b8), glow: hex(0xffdba0), body: hex(0xfff7df),
		far: hex(0x9c93b4), near: hex(0x28304a), lamp: hex(0xffe3a0), cloud: hex(0xffd6c0), shade: hex(0x9a90b8),
		clouds: 0.5, stars: 0.05, bodyY: 0.16, bodyR: 52, haze: 0.9,
	}
	if d.pick(2) == 0 {
		m.sky = sky(0x2f6a86, 0x86b3b8, 0xf6cfa8, 0xfff0c9)
		m.far, m.near = hex(0x8fa9ac), hex(0x22383d)
	}
	return m
}

func dayMood(d *dice) mood {
	m := mood{
		sky: sky(0x1f66b5, 0x4b95d6, 0x98cbed, 0xe6f3f2), glow: hex(0xfff3cf), body: hex(0xfffbe8),
		far: hex(0x94b4cd), near: hex(0x24484a), lamp: hex(0xffefb0), cloud: hex(0xffffff), shade: hex(0xa9bfd3),
		clouds: 0.55, stars: 0, bodyY: 0.72, bodyR: 46, haze: 0.85,
	}
	if d.pick(3) == 0 {
		m.sky = sky(0x1d7f9c, 0x55b2c2, 0xa9dcd8, 0xf4f3dc)
		m.far, m.near = hex(0x8fbab8), hex(0x2b4a36)
	}
	return m
}

func stormMood() mood {
	return mood{
		sky: sky(0x1a2430, 0x34424f, 0x5d6d77, 0x9aa6a6), glow: hex(0xc9d4cf), body: hex(0xd9dfd8),
		far: hex(0x66757d), near: hex(0x10171c), lamp: hex(0xffdf96), cloud: hex(0x8a979e), shade: hex(0x222d37),
		clouds: 1, stars: 0, bodyY: 0.5, bodyR: 40, haze: 0.9,
	}
}

func spaceMood(d *dice) mood {
	m := nightMood(d)
	m.sky = sky(0x03030d, 0x0a0822, 0x1a1242, 0x3a2468)
	m.clouds, m.stars, m.body, m.glow = 0.1, 1.6, hex(0xe8d3b0), hex(0x8a6ad0)
	m.far, m.near, m.bodyY, m.crescen = hex(0x4a3570), hex(0x0a0618), 0.6, false
	return m
}

// moodOf chooses the light: by the prompt's words, else by the dice.
func moodOf(has map[theme]bool, d *dice) mood {
	pick := d.pick(8)
	var m mood
	switch {
	case has[themeSpace]:
		m = spaceMood(d)
	case has[themeNight], has[themeAurora], has[themeMoon] && !has[themeDusk] && !has[themeDawn]:
		m = nightMood(d)
	case has[themeDusk]:
		m = duskMood(d)
	case has[themeDawn]:
		m = dawnMood(d)
	case has[themeStorm], has[themeRain]:
		m = stormMood()
	case has[themeDay], has[themeSnow] && pick < 5:
		m = dayMood(d)
	case pick < 3:
		m = duskMood(d)
	case pick < 5:
		m = dawnMood(d)
	case pick < 7:
		m = dayMood(d)
	default:
		m = nightMood(d)
	}
	return m.adjusted(has, d)
}

// adjusted applies weather and season, and a small turn of all hues.
func (m mood) adjusted(has map[theme]bool, d *dice) mood {
	if has[themeStorm] || has[themeRain] {
		m.clouds = 1
		for i, k := range m.sky {
			m.sky[i] = k.to(hex(0x3c4854), 0.45)
		}
		m.stars *= 0.1
	}
	if has[themeAutumn] {
		m.near, m.far = m.near.to(hex(0x5a2410), 0.5), m.far.to(hex(0xb9713a), 0.5)
	}
	if has[themeSnow] {
		m.far, m.near = m.far.to(hex(0xdfe9f2), 0.55), m.near.to(hex(0x8ba3bb), 0.35)
	}
	if has[themeDesert] {
		m.far, m.near = m.far.to(hex(0xe0a56b), 0.6), m.near.to(hex(0x6a3a1e), 0.65)
	}
	if has[themeAurora] {
		m.clouds, m.stars = 0.1, 1
	}
	turn := d.between(-0.12, 0.12)
	for i := range m.sky {
		m.sky[i] = m.sky[i].turned(turn)
	}
	m.far, m.near, m.cloud, m.shade = m.far.turned(turn), m.near.turned(turn), m.cloud.turned(turn), m.shade.turned(turn)
	return m
}

// turned rotates the hue by an angle in radians, around the axis of greys.
func (a colour) turned(angle float64) colour {
	sin, cos := math.Sincos(angle)
	k := (1 - cos) / 3
	s := sin / math.Sqrt(3)
	return colour{
		a.r*(cos+k) + a.g*(k-s) + a.b*(k+s),
		a.r*(k+s) + a.g*(cos+k) + a.b*(k-s),
		a.r*(k-s) + a.g*(k+s) + a.b*(cos+k),
	}
}

// air is the colour of the sky at a height, 0 at the zenith to 1 at the horizon.
func (m mood) air(v float64) colour {
	v = clamp(v, 0, 1) * 3
	i := min(2, int(v))
	return m.sky[i].to(m.sky[i+1], smooth(v-float64(i)))
}
