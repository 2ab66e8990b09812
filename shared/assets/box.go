package assets

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
)

// Files of the MP4 family (MP4, QuickTime, AVIF) are trees of boxes: four bytes
// of size, four of name, then the content, which for some boxes is more boxes.

var (
	errTruncated = errors.New("a box ends after the end of the file")
	errMalformed = errors.New("a box is malformed")
	errNoMovie   = errors.New("it has no movie header")
)

const (
	boxHeader     = 8
	boxHeaderLong = 16
	maxBoxes      = 100_000 // bounds the work on a hostile file
	maxLeaf       = 4096    // more than the boxes read here ever have
)

type box struct {
	name    string
	content *io.SectionReader
}

// walk calls visit for each box directly inside content and stops at its first
// error.
func walk(content *io.SectionReader, budget *int, visit func(box) error) error {
	for at := int64(0); at < content.Size(); {
		if *budget--; *budget < 0 {
			return errMalformed
		}
		next, size, err := readBox(content, at)
		if err != nil {
			return err
		}
		if err := visit(next); err != nil {
			return err
		}
		at += size
	}
	return nil
}

// readBox returns the box at an offset and its whole size.
func readBox(content *io.SectionReader, at int64) (box, int64, error) {
	var header [boxHeaderLong]byte
	read, err := content.ReadAt(header[:], at)
	if err != nil && !errors.Is(err, io.EOF) {
		return box{}, 0, err
	}
	if read < boxHeader {
		return box{}, 0, errTruncated
	}
	size, start := int64(binary.BigEndian.Uint32(header[:])), int64(boxHeader)
	switch size {
	case 0: // to the end of the file
		size = content.Size() - at
	case 1: // the size follows in 64 bits
		if read < boxHeaderLong {
			return box{}, 0, errTruncated
		}
		long := binary.BigEndian.Uint64(header[8:])
		if long > math.MaxInt64 {
			return box{}, 0, errMalformed
		}
		size, start = int64(long), boxHeaderLong
	}
	switch {
	case size < start:
		return box{}, 0, errMalformed
	case size > content.Size()-at:
		return box{}, 0, errTruncated
	}
	return box{name: string(header[4:8]), content: io.NewSectionReader(content, at+start, size-start)}, size, nil
}

// leaf returns the content of a box that holds values, cut at maxLeaf.
func (b box) leaf() ([]byte, error) {
	data := make([]byte, min(b.content.Size(), maxLeaf))
	if _, err := b.content.ReadAt(data, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return data, nil
}

// skip returns the content after n bytes.
func (b box) skip(n int64) *io.SectionReader {
	return io.NewSectionReader(b.content, n, max(b.content.Size()-n, 0))
}

// measureMovie reads size and duration from moov/trak/tkhd and moov/mvhd.
func measureMovie(file *io.SectionReader, object *Object) error {
	budget, found := maxBoxes, false
	err := walk(file, &budget, func(top box) error {
		if top.name != "moov" {
			return nil
		}
		found = true
		return walk(top.content, &budget, func(b box) error {
			switch b.name {
			case "mvhd":
				return readDuration(b, object)
			case "trak":
				return walk(b.content, &budget, func(b box) error {
					if b.name != "tkhd" {
						return nil
					}
					return readTrackSize(b, object)
				})
			}
			return nil
		})
	})
	if err == nil && !found {
		return errNoMovie
	}
	return err
}

// readDuration reads the movie header: version and flags, two times, time scale
// and duration; the times and the duration have 64 bits in version 1.
func readDuration(b box, object *Object) error {
	data, err := b.leaf()
	if err != nil {
		return err
	}
	var scale uint32
	var duration uint64
	switch {
	case len(data) >= 32 && data[0] == 1:
		scale, duration = binary.BigEndian.Uint32(data[20:]), binary.BigEndian.Uint64(data[24:])
		if duration == math.MaxUint64 { // all ones mean unknown
			duration = 0
		}
	case len(data) >= 20 && data[0] == 0:
		scale, duration = binary.BigEndian.Uint32(data[12:]), uint64(binary.BigEndian.Uint32(data[16:]))
		if duration == math.MaxUint32 {
			duration = 0
		}
	default:
		return errMalformed
	}
	if scale != 0 {
		object.DurationSeconds = float64(duration) / float64(scale)
	}
	return nil
}

// readTrackSize reads the track header, which ends in a 3×3 matrix and width and
// height as 16.16 numbers. Tracks without a picture have zeros there. A matrix
// that turns the picture by a quarter swaps the two.
func readTrackSize(b box, object *Object) error {
	data, err := b.leaf()
	if err != nil {
		return err
	}
	const fixed, matrixAt0, matrixAt1, matrixSize = 65536, 40, 52, 36
	at := matrixAt0
	if len(data) > 0 && data[0] == 1 {
		at = matrixAt1
	}
	if len(data) < at+matrixSize+8 {
		return errMalformed
	}
	number := func(offset int) int { return int(binary.BigEndian.Uint32(data[at+offset:]) / fixed) }
	width, height := number(matrixSize), number(matrixSize+4)
	turned := binary.BigEndian.Uint32(data[at:]) == 0 && binary.BigEndian.Uint32(data[at+16:]) == 0 &&
		binary.BigEndian.Uint32(data[at+4:]) != 0
	if turned {
		width, height = height, width
	}
	if width*height > object.Width*object.Height {
		object.Width, object.Height = width, height
	}
	return nil
}

// measureAVIF reads the largest size in meta/iprp/ipco/ispe. Thumbnails and
// tiles have entries of their own there.
func measureAVIF(file *io.SectionReader, object *Object) error {
	const versionAndFlags = 4
	budget := maxBoxes
	only := func(name string, next func(box) error) func(box) error {
		return func(b box) error {
			if b.name != name {
				return nil
			}
			return next(b)
		}
	}
	return walk(file, &budget, only("meta", func(meta box) error {
		return walk(meta.skip(versionAndFlags), &budget, only("iprp", func(iprp box) error {
			return walk(iprp.content, &budget, only("ipco", func(ipco box) error {
				return walk(ipco.content, &budget, only("ispe", func(ispe box) error {
					return readImageSize(ispe, object)
				}))
			}))
		}))
	}))
}

func readImageSize(b box, object *Object) error {
	data, err := b.leaf()
	if err != nil {
		return err
	}
	if len(data) < 12 {
		return errMalformed
	}
	width, height := int(binary.BigEndian.Uint32(data[4:])), int(binary.BigEndian.Uint32(data[8:]))
	const sane = 1 << 20
	if width < sane && height < sane && width*height > object.Width*object.Height {
		object.Width, object.Height = width, height
	}
	return nil
}
