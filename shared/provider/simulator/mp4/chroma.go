package mp4

// chromaMean predicts 8 by 8 pixels of a component of colour from means: each
// quarter by its own neighbours, as the standard's mode 0 defines it.
func chromaMean(s *surface, x0, y0 int, guess *[64]uint8) {
	left, above := x0 > 0, y0 > 0
	for quarter := range 4 {
		qx, qy := quarter&1*4, quarter>>1*4
		useLeft, useAbove := left, above
		switch {
		case quarter == 1 && above:
			useLeft = false
		case quarter == 2 && left:
			useAbove = false
		}
		mean := quarterMean(s, x0, y0, qx, qy, useLeft, useAbove)
		for k := range 16 {
			guess[(qy+k/4)*8+qx+k%4] = mean
		}
	}
}

// quarterMean averages the four pixels left of the quarter's rows and the four
// above its columns, both at the edge of the macroblock.
func quarterMean(s *surface, x0, y0, qx, qy int, left, above bool) uint8 {
	sum, n := 0, 0
	for i := range 4 {
		if left {
			sum += int(s.pix[(y0+qy+i)*s.stride+x0-1])
			n++
		}
		if above {
			sum += int(s.pix[(y0-1)*s.stride+x0+qx+i])
			n++
		}
	}
	if n == 0 {
		return 128
	}
	return uint8((sum + n/2) / n) //nolint:gosec // a mean of bytes
}

// planChroma quantises what the prediction leaves of both components; part is
// the rounding, a third or a sixth of the step.
func (e *encoder) planChroma(mbX, mbY int, guess *[2][64]uint8, part int64) *chromaPlan {
	plan := &chromaPlan{}
	for c, s := range []*surface{e.source.u, e.source.v} {
		for i := range 4 {
			blk := &plan.ac[c][i]
			for k := range blk {
				x, y := i&1*4+k%4, i>>1*4+k/4
				blk[k] = int32(s.pix[(mbY*8+y)*s.stride+mbX*8+x]) - int32(guess[c][y*8+x])
			}
			blk.forward()
			plan.dc[c][i] = blk[0]
			blk[0] = 0
			for k := 1; k < 16; k++ {
				blk[k] = quantise(blk[k], e.scale[qpRest][k], 1<<quantBits/part, quantBits)
				if blk[k] != 0 {
					plan.pattern = 2
				}
			}
		}
		pairs(&plan.dc[c])
		for i := range 4 {
			plan.dc[c][i] = quantise(plan.dc[c][i], e.scale[qpRest][0], 2<<quantBits/part, quantBits+1)
			if plan.dc[c][i] != 0 {
				plan.pattern = max(plan.pattern, 1)
			}
		}
	}
	return plan
}

// pairs transforms the four DC coefficients of a component; twice is times 4.
func pairs(d *[4]int32) {
	d[0], d[1], d[2], d[3] = d[0]+d[1]+d[2]+d[3], d[0]-d[1]+d[2]-d[3], d[0]+d[1]-d[2]-d[3], d[0]-d[1]-d[2]+d[3]
}

func (e *encoder) writeChroma(b *bitWriter, mbX, mbY int, plan *chromaPlan) {
	if plan.pattern == 0 {
		return
	}
	for c := range 2 {
		e.residual(b, plan.dc[c][:], -1)
	}
	if plan.pattern < 2 {
		return
	}
	for c := range 2 {
		for i := range 4 {
			x, y := mbX*2+i&1, mbY*2+i>>1
			count := e.residual(b, e.inZigzag(&plan.ac[c][i], 1), expect(e.chromaCount[c], e.mbW*2, x, y))
			e.chromaCount[c][y*e.mbW*2+x] = count
		}
	}
}

// rebuildChroma makes the colour that a decoder will see.
func (e *encoder) rebuildChroma(mbX, mbY int, plan *chromaPlan, guess *[2][64]uint8) {
	for c, s := range []*surface{e.recon.u, e.recon.v} {
		pairs(&plan.dc[c])
		for i := range 4 {
			blk := &plan.ac[c][i]
			e.rescaleBlock(blk)
			blk[0] = plan.dc[c][i] * e.rescale[qpRest][0] << qpStep >> 1
			blk.inverse()
			for k, v := range blk {
				x, y := i&1*4+k%4, i>>1*4+k/4
				s.pix[(mbY*8+y)*s.stride+mbX*8+x] = clip8(v + int32(guess[c][y*8+x]))
			}
		}
	}
}
