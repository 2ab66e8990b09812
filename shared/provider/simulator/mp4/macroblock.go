package mp4

// Ways to predict a whole macroblock.
const (
	predictVertical   = 0
	predictHorizontal = 1
	predictDC         = 2
)

// Rounding of the quantiser, in parts of its step: a third for intra blocks, a
// sixth for inter blocks.
const (
	qpStep    = qp / 6
	qpRest    = qp % 6
	quantBits = 15 + qpStep
)

// chromaPlan is what is coded of the two components of colour.
type chromaPlan struct {
	dc [2][4]int32
	ac [2][4]block
	// pattern is 0 for nothing, 1 for DC only, 2 for both.
	pattern int
}

// predictLuma fills guess with the prediction of 16 by 16 pixels.
func (e *encoder) predictLuma(mode, x0, y0 int, guess *[256]uint8) {
	s := e.recon.y
	at := y0*s.stride + x0
	if mode == predictVertical {
		for i := range guess {
			guess[i] = s.pix[at-s.stride+i%16]
		}
		return
	}
	if mode == predictHorizontal {
		for i := range guess {
			guess[i] = s.pix[at+i/16*s.stride-1]
		}
		return
	}
	mean := meanOf(s, x0, y0, 16, x0 > 0, y0 > 0)
	for i := range guess {
		guess[i] = mean
	}
}

// meanOf averages the size pixels to the left of and above a place.
func meanOf(s *surface, x0, y0, size int, left, above bool) uint8 {
	sum, n := 0, 0
	at := y0*s.stride + x0
	for i := range size {
		if left {
			sum += int(s.pix[at+i*s.stride-1])
			n++
		}
		if above {
			sum += int(s.pix[at-s.stride+i])
			n++
		}
	}
	if n == 0 {
		return 128
	}
	return uint8((sum + n/2) / n) //nolint:gosec // a mean of bytes
}

// bestLuma chooses the prediction that is nearest to the source.
func (e *encoder) bestLuma(x0, y0 int, guess *[256]uint8) int {
	best, least := predictDC, 1<<30
	for _, mode := range []int{predictDC, predictVertical, predictHorizontal} {
		if mode == predictVertical && y0 == 0 || mode == predictHorizontal && x0 == 0 {
			continue
		}
		var trial [256]uint8
		e.predictLuma(mode, x0, y0, &trial)
		sum := 0
		for i, v := range trial {
			d := int(e.source.y.pix[(y0+i/16)*e.source.y.stride+x0+i%16]) - int(v)
			sum += max(d, -d)
		}
		if sum < least {
			best, least = mode, sum
			*guess = trial
		}
	}
	return best
}

// intra codes a macroblock of the first picture.
func (e *encoder) intra(b *bitWriter, mbX, mbY int) {
	x0, y0 := mbX*16, mbY*16
	var guess [256]uint8
	mode := e.bestLuma(x0, y0, &guess)

	var blocks [16]block // in coding order
	var dc block         // by place
	coded := false
	for i := range blocks {
		bx, by := e.blockOrigin[i][0], e.blockOrigin[i][1]
		blk := &blocks[i]
		for k := range blk {
			x, y := bx+k%4, by+k/4
			blk[k] = int32(e.source.y.pix[(y0+y)*e.source.y.stride+x0+x]) - int32(guess[y*16+x])
		}
		blk.forward()
		dc[by+bx/4] = blk[0]
		blk[0] = 0
		for k := 1; k < 16; k++ {
			blk[k] = quantise(blk[k], e.scale[qpRest][k], 1<<quantBits/3, quantBits)
			coded = coded || blk[k] != 0
		}
	}
	dc.hadamard()
	for i := range dc {
		dc[i] = quantise(dc[i]/2, e.scale[qpRest][0], 2<<quantBits/3, quantBits+1)
	}

	var chromaGuess [2][64]uint8
	for i, s := range []*surface{e.recon.u, e.recon.v} {
		chromaMean(s, mbX*8, mbY*8, &chromaGuess[i])
	}
	chroma := e.planChroma(mbX, mbY, &chromaGuess, 3)

	kind := 1 + mode + 4*chroma.pattern
	if coded {
		kind += 12
	}
	b.ue(kind)
	b.ue(0) // colour predicted by means
	b.se(0) // same quantiser
	e.residual(b, e.inZigzag(&dc, 0), expect(e.lumaCount, e.mbW*4, mbX*4, mbY*4))
	if coded {
		for i := range blocks {
			e.lumaBlock(b, mbX, mbY, i, e.inZigzag(&blocks[i], 1))
		}
	}
	e.writeChroma(b, mbX, mbY, chroma)

	e.rebuildIntra(x0, y0, &blocks, &dc, &guess)
	e.rebuildChroma(mbX, mbY, chroma, &chromaGuess)
}

// rebuildIntra makes the luma that a decoder will see of an intra macroblock.
func (e *encoder) rebuildIntra(x0, y0 int, blocks *[16]block, dc *block, guess *[256]uint8) {
	dc.hadamard()
	for i := range blocks {
		bx, by := e.blockOrigin[i][0], e.blockOrigin[i][1]
		e.rescaleBlock(&blocks[i])
		blocks[i][0] = dc[by+bx/4] * e.rescale[qpRest][0] << (qpStep - 2)
		blocks[i].inverse()
		for k, v := range blocks[i] {
			x, y := bx+k%4, by+k/4
			e.recon.y.pix[(y0+y)*e.recon.y.stride+x0+x] = clip8(v + int32(guess[y*16+x]))
		}
	}
}

// inter codes a macroblock of a later picture: what changed since the last
// one. It returns the number of skipped macroblocks not yet written.
func (e *encoder) inter(b *bitWriter, mbX, mbY, skipped int) int {
	x0, y0 := mbX*16, mbY*16
	var blocks [16]block
	pattern := 0
	for i := range blocks {
		bx, by := e.blockOrigin[i][0], e.blockOrigin[i][1]
		blk := &blocks[i]
		for k := range blk {
			at := (y0+by+k/4)*e.source.y.stride + x0 + bx + k%4
			blk[k] = int32(e.source.y.pix[at]) - int32(e.previous.y.pix[at])
		}
		blk.forward()
		for k := range blk {
			blk[k] = quantise(blk[k], e.scale[qpRest][k], 1<<quantBits/6, quantBits)
			if blk[k] != 0 {
				pattern |= 1 << (i / 4)
			}
		}
	}
	var chromaGuess [2][64]uint8
	for i, s := range []*surface{e.previous.u, e.previous.v} {
		for k := range chromaGuess[i] {
			chromaGuess[i][k] = s.pix[(mbY*8+k/8)*s.stride+mbX*8+k%8]
		}
	}
	chroma := e.planChroma(mbX, mbY, &chromaGuess, 6)
	pattern |= chroma.pattern << 4

	if pattern == 0 {
		skipped++
	} else {
		b.ue(skipped)
		skipped = 0
		b.ue(0) // one motion vector for the whole macroblock
		b.se(0) // which is zero
		b.se(0)
		b.ue(e.interCBP[pattern])
		b.se(0) // same quantiser
		for i := range blocks {
			if pattern>>(i/4)&1 == 1 {
				e.lumaBlock(b, mbX, mbY, i, e.inZigzag(&blocks[i], 0))
			}
		}
		e.writeChroma(b, mbX, mbY, chroma)
	}
	for i := range blocks {
		bx, by := e.blockOrigin[i][0], e.blockOrigin[i][1]
		e.rescaleBlock(&blocks[i])
		blocks[i].inverse()
		for k, v := range blocks[i] {
			at := (y0+by+k/4)*e.recon.y.stride + x0 + bx + k%4
			e.recon.y.pix[at] = clip8(v + int32(e.previous.y.pix[at]))
		}
	}
	e.rebuildChroma(mbX, mbY, chroma, &chromaGuess)
	return skipped
}

// lumaBlock writes one block of luma and notes its count.
func (e *encoder) lumaBlock(b *bitWriter, mbX, mbY, i int, levels []int32) {
	x, y := mbX*4+e.blockOrigin[i][0]/4, mbY*4+e.blockOrigin[i][1]/4
	e.lumaCount[y*e.mbW*4+x] = e.residual(b, levels, expect(e.lumaCount, e.mbW*4, x, y))
}

// inZigzag returns the block's coefficients in zigzag order from one on.
func (e *encoder) inZigzag(blk *block, from int) []int32 {
	out := make([]int32, 0, 16)
	for _, at := range e.zigzag[from:] {
		out = append(out, blk[at])
	}
	return out
}

func (e *encoder) rescaleBlock(blk *block) {
	for k := range blk {
		blk[k] *= e.rescale[qpRest][k] << qpStep
	}
}
