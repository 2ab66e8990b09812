package webp

import (
	mathbits "math/bits"
	"slices"
)

// Sizes of the five alphabets: green with lengths, red, blue, alpha, distance.
const (
	greenSymbols    = 256 + 24
	literalSymbols  = 256
	distanceSymbols = 40

	leastRun = 4
	mostRun  = 4096
)

// Codes of the two distances used: the pixel above and the pixel to the left.
const (
	distanceAbove = 1
	distanceLeft  = 2
)

// token is a pixel, or, when run is set, a copy of run earlier pixels.
type token struct {
	value    pixel
	run      int
	distance int
}

// tokens splits the pixels into literals and runs.
func tokens(p *plane) []token {
	out := make([]token, 0, len(p.pix)/2)
	for i := 0; i < len(p.pix); {
		left, above := 0, 0
		if i >= 1 {
			left = p.run(i, 1)
		}
		if i >= p.w && left < mostRun {
			above = p.run(i, p.w)
		}
		switch {
		case left >= leastRun && left >= above:
			out = append(out, token{run: left, distance: distanceLeft})
			i += left
		case above >= leastRun && p.w > 1:
			out = append(out, token{run: above, distance: distanceAbove})
			i += above
		default:
			out = append(out, token{value: p.pix[i]})
			i++
		}
	}
	return out
}

// run is how many pixels from i on equal those a distance before them.
func (p *plane) run(i, distance int) int {
	n := 0
	for i+n < len(p.pix) && n < mostRun && p.pix[i+n] == p.pix[i+n-distance] {
		n++
	}
	return n
}

// prefix splits a length or distance (1 or more) into symbol and extra bits.
func prefix(v int) (symbol int, extra uint32, n uint) {
	if v <= 4 {
		return v - 1, 0, 0
	}
	v--
	high := mathbits.Len(uint(v)) - 1 //nolint:gosec // positive
	second := v >> (high - 1) & 1
	n = uint(high - 1)                                       //nolint:gosec // at least 1
	return 2*high + second, uint32(v & (1<<(high-1) - 1)), n //nolint:gosec // fits its bits
}

// writeImage writes an entropy-coded picture. main is the picture itself, which
// may have groups of codes; others are the data of transforms.
func writeImage(b *bits, p *plane, main bool) {
	b.write(0, 1) // no colour cache
	if main {
		b.write(0, 1) // one group of codes
	}
	list := tokens(p)
	counts := [5][]int{
		make([]int, greenSymbols), make([]int, literalSymbols), make([]int, literalSymbols),
		make([]int, literalSymbols), make([]int, distanceSymbols),
	}
	for _, t := range list {
		if t.run > 0 {
			symbol, _, _ := prefix(t.run)
			counts[0][256+symbol]++
			symbol, _, _ = prefix(t.distance)
			counts[4][symbol]++
			continue
		}
		counts[0][t.value[1]]++
		counts[1][t.value[0]]++
		counts[2][t.value[2]]++
	}
	// Alpha never changes: opaque, or after prediction zero. Either way one symbol.
	alpha := 0
	if !main {
		alpha = 255
	}
	counts[3][alpha] = 1
	var codes [5]code
	for i := range codes {
		codes[i] = newCode(counts[i], 15)
		codes[i].writeTo(b)
	}
	for _, t := range list {
		if t.run > 0 {
			symbol, extra, n := prefix(t.run)
			codes[0].put(b, 256+symbol)
			b.write(extra, n)
			symbol, extra, n = prefix(t.distance)
			codes[4].put(b, symbol)
			b.write(extra, n)
			continue
		}
		codes[0].put(b, int(t.value[1]))
		codes[1].put(b, int(t.value[0]))
		codes[2].put(b, int(t.value[2]))
		codes[3].put(b, alpha)
	}
}

// code is a canonical prefix code.
type code struct {
	lengths []uint8
	words   []uint16 // reversed, ready for least-significant-bit-first output
	used    []int
}

// newCode makes a code for the counts whose words have at most limit bits.
func newCode(counts []int, limit int) code {
	c := code{lengths: make([]uint8, len(counts)), words: make([]uint16, len(counts))}
	for symbol, n := range counts {
		if n > 0 {
			c.used = append(c.used, symbol)
		}
	}
	if len(c.used) < 2 {
		return c
	}
	for least := 1; ; least *= 2 {
		if deepest := c.measure(counts, least); deepest <= limit {
			break
		}
	}
	c.assign()
	return c
}

// measure sets the lengths by Huffman's method, counting every symbol at least
// least times, and returns the longest.
func (c *code) measure(counts []int, least int) int {
	type node struct{ weight, left, right int }
	nodes := make([]node, 0, 2*len(c.used))
	for _, symbol := range c.used {
		nodes = append(nodes, node{max(counts[symbol], least), -1, symbol})
	}
	slices.SortStableFunc(nodes, func(a, b node) int { return a.weight - b.weight })
	// Two queues: the sorted leaves, and the inner nodes, which come out sorted.
	leaves, leaf, inner := len(nodes), 0, len(nodes)
	take := func() int {
		if leaf < leaves && (inner >= len(nodes) || nodes[leaf].weight <= nodes[inner].weight) {
			leaf++
			return leaf - 1
		}
		inner++
		return inner - 1
	}
	for range leaves - 1 {
		a := take()
		b := take()
		nodes = append(nodes, node{nodes[a].weight + nodes[b].weight, a, b})
	}
	deepest := 0
	depth := make([]int, len(nodes))
	for i := len(nodes) - 1; i >= 0; i-- {
		n := nodes[i]
		if n.left < 0 {
			c.lengths[n.right] = uint8(min(depth[i], 255)) //nolint:gosec // bounded
			deepest = max(deepest, depth[i])
			continue
		}
		depth[n.left], depth[n.right] = depth[i]+1, depth[i]+1
	}
	return deepest
}

// assign numbers the words canonically.
func (c *code) assign() {
	var perLength [17]int
	for _, n := range c.lengths {
		if n > 0 {
			perLength[n]++
		}
	}
	var next [17]uint16
	word := uint16(0)
	for n := 1; n <= 16; n++ {
		word = (word + uint16(perLength[n-1])) << 1 //nolint:gosec // at most 2^15
		next[n] = word
	}
	for symbol, n := range c.lengths {
		if n > 0 {
			c.words[symbol] = mathbits.Reverse16(next[n]) >> (16 - n)
			next[n]++
		}
	}
}

// put writes one symbol; nothing when the code has only one.
func (c *code) put(b *bits, symbol int) { b.write(uint32(c.words[symbol]), uint(c.lengths[symbol])) }

// writeTo writes the code itself.
func (c *code) writeTo(b *bits) {
	if len(c.used) < 2 {
		symbol := 0
		if len(c.used) == 1 {
			symbol = c.used[0]
		}
		b.write(1, 1)              // simple
		b.write(0, 1)              // one symbol
		b.write(1, 1)              // in 8 bits
		b.write(uint32(symbol), 8) //nolint:gosec // a lone symbol is a literal or a small distance
		return
	}
	b.write(0, 1)
	runs := squeeze(c.lengths)
	counts := make([]int, 19)
	for _, r := range runs {
		counts[r.symbol]++
	}
	lengths := newCode(counts, 7)
	if len(lengths.used) < 2 { // needs words of one bit, for which two symbols must exist
		other := (lengths.used[0] + 1) % 16
		counts[other]++
		lengths = newCode(counts, 7)
	}
	order := []int{17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
	last := len(order)
	for last > 4 && lengths.lengths[order[last-1]] == 0 {
		last--
	}
	b.write(uint32(last-4), 4) //nolint:gosec // 0 to 15
	for _, symbol := range order[:last] {
		b.write(uint32(lengths.lengths[symbol]), 3)
	}
	b.write(0, 1) // all symbols follow
	for _, r := range runs {
		lengths.put(b, r.symbol)
		b.write(r.extra, r.bits)
	}
}

// lengthRun is one symbol of the code that codes lengths.
type lengthRun struct {
	symbol int
	extra  uint32
	bits   uint
}

// squeeze writes a list of lengths with the symbols for runs of zeros.
func squeeze(lengths []uint8) []lengthRun {
	var out []lengthRun
	for i := 0; i < len(lengths); {
		if lengths[i] != 0 {
			out = append(out, lengthRun{symbol: int(lengths[i])})
			i++
			continue
		}
		n := 0
		for i+n < len(lengths) && lengths[i+n] == 0 && n < 138 {
			n++
		}
		switch {
		case n >= 11:
			out = append(out, lengthRun{18, uint32(n - 11), 7}) //nolint:gosec // 0 to 127
		case n >= 3:
			out = append(out, lengthRun{17, uint32(n - 3), 3}) //nolint:gosec // 0 to 7
		default:
			for range n {
				out = append(out, lengthRun{symbol: 0})
			}
		}
		i += n
	}
	return out
}
