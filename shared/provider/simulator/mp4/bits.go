package mp4

import "math/bits"

// bitWriter collects bits, most significant first.
type bitWriter struct {
	out  []byte
	acc  uint64
	fill uint
}

func (b *bitWriter) put(v uint32, n uint) {
	b.acc = b.acc<<n | uint64(v)
	b.fill += n
	for b.fill >= 8 {
		b.fill -= 8
		b.out = append(b.out, byte(b.acc>>b.fill))
	}
}

// ue writes an unsigned Exp-Golomb code.
func (b *bitWriter) ue(v int) {
	n := uint(bits.Len(uint(v + 1))) //nolint:gosec // never negative
	b.put(0, n-1)
	b.put(uint32(v+1), n) //nolint:gosec // never negative
}

// se writes a signed Exp-Golomb code.
func (b *bitWriter) se(v int) {
	if v > 0 {
		b.ue(2*v - 1)
		return
	}
	b.ue(-2 * v)
}

// trailing ends a NAL unit's payload and returns it.
func (b *bitWriter) trailing() []byte {
	b.put(1, 1)
	if b.fill > 0 {
		b.put(0, 8-b.fill)
	}
	return b.out
}

// nal makes a NAL unit: a header byte, and the payload with emulation of start
// codes prevented.
func nal(header byte, payload []byte) []byte {
	out := make([]byte, 0, len(payload)+len(payload)/64+1)
	out = append(out, header)
	zeros := 0
	for _, v := range payload {
		if zeros >= 2 && v <= 3 {
			out = append(out, 3)
			zeros = 0
		}
		if v == 0 {
			zeros++
		} else {
			zeros = 0
		}
		out = append(out, v)
	}
	return out
}
