package mp4

import "encoding/binary"

// box is an MP4 box with its size in front.
func box(kind string, parts ...[]byte) []byte {
	size := 8
	for _, p := range parts {
		size += len(p)
	}
	out := make([]byte, 0, size)
	out = binary.BigEndian.AppendUint32(out, uint32(size)) //nolint:gosec // far below 4 GB
	out = append(out, kind...)
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// words packs 32-bit numbers.
func words(values ...int) []byte {
	out := make([]byte, 0, 4*len(values))
	for _, v := range values {
		out = binary.BigEndian.AppendUint32(out, uint32(v)) //nolint:gosec // sizes and flags
	}
	return out
}

// halves packs 16-bit numbers.
func halves(values ...int) []byte {
	out := make([]byte, 0, 2*len(values))
	for _, v := range values {
		out = binary.BigEndian.AppendUint16(out, uint16(v)) //nolint:gosec // sizes and flags
	}
	return out
}

// matrix is the transformation that changes nothing.
func matrix() []byte { return words(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000) }

// container puts the samples into a file whose index comes first, so that it
// plays while it loads.
func container(enc *encoder, samples [][]byte, fps int) []byte {
	ftyp := box("ftyp", []byte("isom"), words(0x200), []byte("isomiso2avc1mp41"))
	// The index holds the place of the data and is in front of it, so it is
	// built twice: its length does not depend on the place.
	moov := index(enc, samples, fps, 0)
	moov = index(enc, samples, fps, len(ftyp)+len(moov)+8)
	return append(append(ftyp, moov...), box("mdat", samples...)...)
}

func index(enc *encoder, samples [][]byte, fps, offset int) []byte {
	const unit = 1000 // time units of one frame
	length := len(samples) * unit
	sizes := make([]int, 0, len(samples))
	for _, s := range samples {
		sizes = append(sizes, len(s))
	}
	table := box("stbl",
		box("stsd", words(0, 1), sampleEntry(enc)),
		box("stts", words(0, 1, len(samples), unit)),
		box("stss", words(0, 1, 1)),
		box("stsc", words(0, 1, 1, len(samples), 1)),
		box("stsz", words(0, 0, len(samples)), words(sizes...)),
		box("stco", words(0, 1, offset)))
	media := box("mdia",
		box("mdhd", words(0, 0, 0, fps*unit, length), halves(0x55c4, 0)),
		box("hdlr", words(0, 0), []byte("vide"), words(0, 0, 0), []byte("film\x00")),
		box("minf",
			box("vmhd", words(1, 0, 0)),
			box("dinf", box("dref", words(0, 1), box("url ", words(1)))),
			table))
	track := box("trak",
		box("tkhd", words(3, 0, 0, 1, 0, length, 0, 0), halves(0, 0, 0, 0), matrix(), words(enc.width<<16, enc.height<<16)),
		media)
	head := box("mvhd", words(0, 0, 0, fps*unit, length, 0x10000), halves(0x100, 0), words(0, 0), matrix(), words(0, 0, 0, 0, 0, 0, 2))
	return box("moov", head, track)
}

func sampleEntry(enc *encoder) []byte {
	config := make([]byte, 0, 16+len(enc.sps)+len(enc.pps))
	config = append(config, 1, enc.sps[1], enc.sps[2], enc.sps[3], 0xff, 0xe1)
	config = append(config, halves(len(enc.sps))...)
	config = append(config, enc.sps...)
	config = append(config, 1)
	config = append(config, halves(len(enc.pps))...)
	config = append(config, enc.pps...)
	return box("avc1",
		words(0), halves(0, 1), words(0, 0, 0, 0), halves(enc.width, enc.height), words(0x480000, 0x480000, 0), halves(1),
		make([]byte, 32), halves(24, 0xffff), box("avcC", config))
}
