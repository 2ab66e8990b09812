package sketch

import "math"

// dice is a small repeatable source of numbers (splitmix64): pictures must not
// change with a Go release, and nothing here is a secret.
type dice struct{ state uint64 }

func (d *dice) next() uint64 {
	d.state += 0x9e3779b97f4a7c15
	return scramble(d.state)
}

func scramble(z uint64) uint64 {
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb
	return z ^ (z >> 31)
}

// unit returns a number from 0 to 1.
func (d *dice) unit() float64 { return float64(d.next()>>11) / (1 << 53) }

// between returns a number from a to b.
func (d *dice) between(a, b float64) float64 { return a + (b-a)*d.unit() }

// pick returns a number from 0 to n-1.
func (d *dice) pick(n int) int { return int(d.next() % uint64(n)) } //nolint:gosec // n is small and positive

// split returns an independent dice, so that one part of a picture does not
// change another.
func (d *dice) split(label uint64) *dice { return &dice{scramble(d.state ^ scramble(label))} }

// field is value noise, smooth and between 0 and 1.
type field struct{ seed uint64 }

func (f field) lattice(x, y int) float64 {
	h := scramble(f.seed ^ uint64(uint32(x))<<32 ^ uint64(uint32(y))) //nolint:gosec // wrapping is wanted
	return float64(h>>40) / (1 << 24)
}

func smooth(t float64) float64 { return t * t * (3 - 2*t) }

func (f field) at(x, y float64) float64 {
	fx, fy := math.Floor(x), math.Floor(y)
	ix, iy := int(fx), int(fy)
	tx, ty := smooth(x-fx), smooth(y-fy)
	top := mix(f.lattice(ix, iy), f.lattice(ix+1, iy), tx)
	bottom := mix(f.lattice(ix, iy+1), f.lattice(ix+1, iy+1), tx)
	return mix(top, bottom, ty)
}

// layered adds octaves of the field; the result stays between 0 and 1.
func (f field) layered(x, y float64, octaves int) float64 {
	sum, weight, total := 0.0, 1.0, 0.0
	for range octaves {
		sum += weight * f.at(x, y)
		total += weight
		weight /= 2
		x, y = x*2+17.3, y*2+5.1
	}
	return sum / total
}

// ridged is layered noise with sharp crests, for mountains.
func (f field) ridged(x float64, octaves int) float64 {
	sum, weight, total := 0.0, 1.0, 0.0
	for range octaves {
		n := 1 - math.Abs(2*f.at(x, 0.5)-1)
		sum += weight * n * n
		total += weight
		weight *= 0.48
		x = x*2.03 + 31.7
	}
	return sum / total
}

func mix(a, b, t float64) float64 { return a + (b-a)*t }

func clamp(v, least, most float64) float64 { return math.Max(least, math.Min(most, v)) }
