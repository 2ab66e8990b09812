package mp4

// residual writes a block of coefficients, given in zigzag order, and returns
// how many are not zero. nC is the expectation from the neighbours; -1 marks
// the chroma DC block.
func (t *tables) residual(b *bitWriter, levels []int32, nC int) int {
	var nonzero [16]int32 // from the highest frequency down
	var runs [16]int      // zeros before each
	total, zeros, run := 0, 0, 0
	last := len(levels) - 1
	for last >= 0 && levels[last] == 0 {
		last--
	}
	for i := last; i >= 0; i-- {
		if levels[i] == 0 {
			run++
			zeros++
			continue
		}
		if total > 0 {
			runs[total-1] = run
		}
		nonzero[total] = levels[i]
		total++
		run = 0
	}
	if total > 0 {
		runs[total-1] = run
	}
	ones := 0
	for ones < min(3, total) && (nonzero[ones] == 1 || nonzero[ones] == -1) {
		ones++
	}
	t.token(b, total, ones, nC)
	if total == 0 {
		return 0
	}
	for _, level := range nonzero[:ones] {
		if level < 0 {
			b.put(1, 1)
		} else {
			b.put(0, 1)
		}
	}
	writeLevels(b, nonzero[ones:total], total, ones)
	t.writeRuns(b, runs[:total], zeros, len(levels), nC)
	return total
}

// token writes the number of coefficients and of trailing ones.
func (t *tables) token(b *bitWriter, total, ones, nC int) {
	class := 2
	switch {
	case nC < 0:
		class = chromaDCClass
	case nC < 2:
		class = 0
	case nC < 4:
		class = 1
	case nC >= 8:
		if total == 0 {
			b.put(3, 6)
		} else {
			b.put(uint32((total-1)<<2|ones), 6) //nolint:gosec // six bits
		}
		return
	}
	w := t.coeffToken[class][total][ones]
	b.put(w.bits, w.n)
}

// writeLevels writes the coefficients that are not trailing ones.
func writeLevels(b *bitWriter, levels []int32, total, ones int) {
	suffix := uint(0)
	if total > 10 && ones < 3 {
		suffix = 1
	}
	for i, level := range levels {
		size := level
		if size < 0 {
			size = -size
		}
		code := 2*size - 2
		if level < 0 {
			code++
		}
		if i == 0 && ones < 3 {
			code -= 2 // such a level cannot be one
		}
		writeLevel(b, uint32(code), suffix) //nolint:gosec // never negative
		if suffix == 0 {
			suffix = 1
		}
		if size > 3<<(suffix-1) && suffix < 6 {
			suffix++
		}
	}
}

func writeLevel(b *bitWriter, code uint32, suffix uint) {
	prefix := func(zeros uint32) {
		b.put(0, uint(zeros))
		b.put(1, 1)
	}
	switch {
	case suffix == 0 && code < 14:
		prefix(code)
	case suffix == 0 && code < 30:
		prefix(14)
		b.put(code-14, 4)
	case suffix == 0:
		prefix(15)
		b.put(code-30, 12)
	case code < 15<<suffix:
		prefix(code >> suffix)
		b.put(code&(1<<suffix-1), suffix)
	default:
		prefix(15)
		b.put(code-15<<suffix, 12)
	}
}

// writeRuns writes the number of zeros and where they are.
func (t *tables) writeRuns(b *bitWriter, runs []int, zeros, size, nC int) {
	total := len(runs)
	if total < size {
		w := t.totalZeros[total][zeros]
		if nC < 0 {
			w = t.zerosDC[total][zeros]
		}
		b.put(w.bits, w.n)
	}
	left := zeros
	for _, run := range runs[:total-1] {
		if left == 0 {
			break
		}
		w := t.runBefore[min(left, 7)][run]
		b.put(w.bits, w.n)
		left -= run
	}
}
