package mp4

import (
	"encoding/binary"
	"image"
)

// qp is the quantiser of every picture, below 30 so that luma and chroma share it.
const qp = 25

// encoder turns pictures into access units. It is not safe for concurrent use.
type encoder struct {
	*tables

	width, height int // as shown
	mbW, mbH      int // in macroblocks
	sps, pps      []byte
	number        int // of the next picture

	source, recon, previous *frame

	// counts of coefficients per 4 by 4 block of the picture being coded, for
	// the expectation nC: luma, and the two components of colour.
	lumaCount   []int
	chromaCount [2][]int
}

func newEncoder(width, height int) *encoder {
	e := &encoder{tables: newTables(), width: width, height: height, mbW: (width + 15) / 16, mbH: (height + 15) / 16}
	e.source, e.recon, e.previous = newFrame(e.mbW*16, e.mbH*16), newFrame(e.mbW*16, e.mbH*16), newFrame(e.mbW*16, e.mbH*16)
	e.lumaCount = make([]int, e.mbW*4*e.mbH*4)
	for i := range e.chromaCount {
		e.chromaCount[i] = make([]int, e.mbW*2*e.mbH*2)
	}
	e.sps, e.pps = e.sequence(), e.picture()
	return e
}

// sequence is the sequence parameter set.
func (e *encoder) sequence() []byte {
	var b bitWriter
	b.put(66, 8)   // baseline profile
	b.put(0xc0, 8) // constrained
	b.put(40, 8)   // level 4
	b.ue(0)        // id
	b.ue(4)        // frame numbers of 8 bits
	b.ue(2)        // output order is coding order
	b.ue(1)        // one reference picture
	b.put(0, 1)
	b.ue(e.mbW - 1)
	b.ue(e.mbH - 1)
	b.put(1, 1) // frames, not fields
	b.put(1, 1)
	right, bottom := (e.mbW*16-e.width)/2, (e.mbH*16-e.height)/2
	if right > 0 || bottom > 0 {
		b.put(1, 1)
		b.ue(0)
		b.ue(right)
		b.ue(0)
		b.ue(bottom)
	} else {
		b.put(0, 1)
	}
	b.put(1, 1) // usability information: only the colours, BT.601
	b.put(0, 2)
	b.put(1, 1)
	b.put(5, 3)
	b.put(0, 1)
	b.put(1, 1)
	b.put(6, 8)
	b.put(6, 8)
	b.put(6, 8)
	b.put(0, 6)
	return nal(0x67, b.trailing())
}

// picture is the picture parameter set.
func (e *encoder) picture() []byte {
	var b bitWriter
	b.ue(0)
	b.ue(0)
	b.put(0, 2) // CAVLC, no field order
	b.ue(0)     // one slice group
	b.ue(0)
	b.ue(0)
	b.put(0, 3) // no weighting
	b.se(qp - 26)
	b.se(0)
	b.se(0)
	b.put(1, 1) // slices say whether to deblock
	b.put(0, 2)
	return nal(0x68, b.trailing())
}

// encode returns one picture as a sample: a length and a NAL unit.
func (e *encoder) encode(img *image.RGBA) []byte {
	e.source.load(img, e.mbW*16, e.mbH*16)
	clear(e.lumaCount)
	clear(e.chromaCount[0])
	clear(e.chromaCount[1])
	first := e.number == 0
	var b bitWriter
	b.ue(0)
	if first {
		b.ue(7)
	} else {
		b.ue(5)
	}
	b.ue(0)
	b.put(uint32(e.number&255), 8) //nolint:gosec // masked
	if first {
		b.ue(0)     // picture id
		b.put(0, 2) // keep nothing
	} else {
		b.put(0, 3) // default references, list and marking
	}
	b.se(0) // quantiser
	b.ue(1) // no deblocking
	skipped := 0
	for mbY := range e.mbH {
		for mbX := range e.mbW {
			if first {
				e.intra(&b, mbX, mbY)
			} else {
				skipped = e.inter(&b, mbX, mbY, skipped)
			}
		}
	}
	if skipped > 0 {
		b.ue(skipped)
	}
	header := byte(0x41)
	if first {
		header = 0x65
	}
	unit := nal(header, b.trailing())
	e.previous, e.recon = e.recon, e.previous
	e.number++
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(unit))), unit...) //nolint:gosec // far below 4 GB
}

// expect is nC: the mean count of the blocks to the left and above.
func expect(counts []int, stride, x, y int) int {
	i := y*stride + x
	switch {
	case x > 0 && y > 0:
		return (counts[i-1] + counts[i-stride] + 1) / 2
	case x > 0:
		return counts[i-1]
	case y > 0:
		return counts[i-stride]
	default:
		return 0
	}
}
