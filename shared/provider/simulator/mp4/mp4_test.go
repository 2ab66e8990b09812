package mp4

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"testing"
)

// clip is a small film whose frames all differ.
func clip(t *testing.T, width, height, count int) []byte {
	t.Helper()
	var file bytes.Buffer
	err := Encode(&file, width, height, 10, func(yield func(*image.RGBA, error) bool) {
		for i := range count {
			img := image.NewRGBA(image.Rect(0, 0, width, height))
			for y := range height {
				for x := range width {
					img.SetRGBA(x, y, color.RGBA{uint8(x*3 + i*20), uint8(y * (i + 1)), uint8(x * y), 255})
				}
			}
			if !yield(img, nil) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// find returns the content of the first box on the path.
func find(t *testing.T, data []byte, path ...string) []byte {
	t.Helper()
	for len(data) >= 8 {
		size := int(binary.BigEndian.Uint32(data))
		if size < 8 || size > len(data) {
			t.Fatalf("a box of %d bytes in %d", size, len(data))
		}
		if string(data[4:8]) == path[0] {
			if len(path) == 1 {
				return data[8:size]
			}
			return find(t, data[8:size], path[1:]...)
		}
		data = data[size:]
	}
	t.Fatalf("no box %q", path[0])
	return nil
}

func TestTheIndexDescribesTheSamples(t *testing.T) {
	t.Parallel()
	file := clip(t, 70, 50, 5)
	table := find(t, file, "moov", "trak", "mdia", "minf", "stbl", "stsz")
	if count := binary.BigEndian.Uint32(table[8:]); count != 5 {
		t.Fatalf("%d samples, want 5", count)
	}
	offset := int(binary.BigEndian.Uint32(find(t, file, "moov", "trak", "mdia", "minf", "stbl", "stco")[8:]))
	for i := range 5 {
		size := int(binary.BigEndian.Uint32(table[12+4*i:]))
		sample := file[offset : offset+size]
		if inner := int(binary.BigEndian.Uint32(sample)); inner != size-4 {
			t.Errorf("sample %d holds a unit of %d bytes, want %d", i, inner, size-4)
		}
		if kind := sample[4] & 31; (kind == 5) != (i == 0) {
			t.Errorf("sample %d has unit type %d", i, kind)
		}
		offset += size
	}
	if offset != len(file) {
		t.Errorf("samples end at %d of %d", offset, len(file))
	}
}

func TestTheSameFramesGiveTheSameFile(t *testing.T) {
	t.Parallel()
	if !bytes.Equal(clip(t, 64, 48, 3), clip(t, 64, 48, 3)) {
		t.Error("two encodings differ")
	}
}

func TestTheReconstructionIsNearTheSource(t *testing.T) {
	t.Parallel()
	enc := newEncoder(64, 48)
	img := image.NewRGBA(image.Rect(0, 0, 64, 48))
	for i := range 4 {
		for p := range img.Pix {
			img.Pix[p] = uint8(p/4%64*2 + p/256*3 + i*9)
		}
		enc.encode(img)
		sum := 0
		for p, v := range enc.source.y.pix {
			d := int(v) - int(enc.previous.y.pix[p])
			sum += max(d, -d)
		}
		if mean := float64(sum) / float64(len(enc.source.y.pix)); mean > 4 {
			t.Errorf("frame %d is off by %.1f on average", i, mean)
		}
	}
}

func TestCodeTablesArePrefixFree(t *testing.T) {
	t.Parallel()
	tab := newTables()
	check := func(name string, codes []word) {
		for i, a := range codes {
			for j, b := range codes {
				if i != j && a.n > 0 && b.n >= a.n && b.bits>>(b.n-a.n) == a.bits {
					t.Errorf("%s: code %d begins code %d", name, i, j)
				}
			}
		}
	}
	for class := range tab.coeffToken {
		all := make([]word, 0, 17*4)
		for _, row := range tab.coeffToken[class] {
			all = append(all, row[:]...)
		}
		check("coeff_token", all)
	}
	for total := range tab.totalZeros {
		check("total_zeros", tab.totalZeros[total][:])
	}
	for left := range tab.runBefore {
		check("run_before", tab.runBefore[left][:])
	}
	seen := map[int]bool{}
	for _, code := range tab.interCBP {
		if code < 0 || code > 47 || seen[code] {
			t.Errorf("coded block pattern code %d appears twice", code)
		}
		seen[code] = true
	}
}

func TestEncodeRefusesWhatItCannotDo(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	frame := image.NewRGBA(image.Rect(0, 0, 64, 64))
	for name, tc := range map[string]struct {
		width, height, fps int
		img                *image.RGBA
		err                error
	}{
		"odd width":     {63, 64, 10, frame, nil},
		"too large":     {1922, 64, 10, frame, nil},
		"no rate":       {64, 64, 0, frame, nil},
		"another size":  {64, 32, 10, frame, nil},
		"failed source": {64, 64, 10, frame, broken},
		"no frames":     {64, 64, 10, nil, nil},
	} {
		err := Encode(&bytes.Buffer{}, tc.width, tc.height, tc.fps, func(yield func(*image.RGBA, error) bool) {
			if tc.img != nil {
				yield(tc.img, tc.err)
			}
		})
		if err == nil || tc.err != nil && !errors.Is(err, tc.err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
