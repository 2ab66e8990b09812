package mp4

// block is a 4 by 4 block of residuals or coefficients, row by row.
type block [16]int32

// forward is the integer transform.
func (b *block) forward() {
	for i := 0; i < 16; i += 4 {
		s0, s1 := b[i]+b[i+3], b[i+1]+b[i+2]
		d0, d1 := b[i]-b[i+3], b[i+1]-b[i+2]
		b[i], b[i+1], b[i+2], b[i+3] = s0+s1, 2*d0+d1, s0-s1, d0-2*d1
	}
	for i := range 4 {
		s0, s1 := b[i]+b[i+12], b[i+4]+b[i+8]
		d0, d1 := b[i]-b[i+12], b[i+4]-b[i+8]
		b[i], b[i+4], b[i+8], b[i+12] = s0+s1, 2*d0+d1, s0-s1, d0-2*d1
	}
}

// inverse undoes forward, as every decoder does it, bit for bit.
func (b *block) inverse() {
	for i := 0; i < 16; i += 4 {
		e0, e1 := b[i]+b[i+2], b[i]-b[i+2]
		e2, e3 := b[i+1]>>1-b[i+3], b[i+1]+b[i+3]>>1
		b[i], b[i+1], b[i+2], b[i+3] = e0+e3, e1+e2, e1-e2, e0-e3
	}
	for i := range 4 {
		e0, e1 := b[i]+b[i+8], b[i]-b[i+8]
		e2, e3 := b[i+4]>>1-b[i+12], b[i+4]+b[i+12]>>1
		b[i], b[i+4], b[i+8], b[i+12] = (e0+e3+32)>>6, (e1+e2+32)>>6, (e1-e2+32)>>6, (e0-e3+32)>>6
	}
}

// hadamard transforms the sixteen luma DC coefficients; twice is times 16.
func (b *block) hadamard() {
	for i := 0; i < 16; i += 4 {
		s0, s1 := b[i]+b[i+3], b[i+1]+b[i+2]
		d0, d1 := b[i]-b[i+3], b[i+1]-b[i+2]
		b[i], b[i+1], b[i+2], b[i+3] = s0+s1, d0+d1, s0-s1, d0-d1
	}
	for i := range 4 {
		s0, s1 := b[i]+b[i+12], b[i+4]+b[i+8]
		d0, d1 := b[i]-b[i+12], b[i+4]-b[i+8]
		b[i], b[i+4], b[i+8], b[i+12] = s0+s1, d0+d1, s0-s1, d0-d1
	}
}

// quantise divides a coefficient, rounding towards zero by the given part.
func quantise(v, scale int32, round int64, shift uint) int32 {
	if v < 0 {
		return -quantise(-v, scale, round, shift)
	}
	return int32((int64(v)*int64(scale) + round) >> shift) //nolint:gosec // smaller than v
}
