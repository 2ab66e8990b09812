package assets_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"testing"
)

func pngFile(tb testing.TB, width, height int) []byte {
	tb.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewRGBA(image.Rect(0, 0, width, height))); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

func jpegFile(tb testing.TB, width, height int) []byte {
	tb.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, image.NewGray(image.Rect(0, 0, width, height)), nil); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

func gifFile(tb testing.TB, width, height int) []byte {
	tb.Helper()
	var out bytes.Buffer
	if err := gif.Encode(&out, image.NewPaletted(image.Rect(0, 0, width, height), color.Palette{color.Black, color.White}), nil); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// webpPixel is a lossless picture of one pixel.
func webpPixel(tb testing.TB) []byte {
	tb.Helper()
	data, err := base64.StdEncoding.DecodeString("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==")
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// webpExtended is the header of an animated picture.
func webpExtended(width, height uint32) []byte {
	chunk := append([]byte("VP8X\x0a\x00\x00\x00"), 0x02, 0, 0, 0)
	chunk = append(chunk, binary.LittleEndian.AppendUint32(nil, width-1)[:3]...)
	chunk = append(chunk, binary.LittleEndian.AppendUint32(nil, height-1)[:3]...)
	file := append([]byte("RIFF"), binary.LittleEndian.AppendUint32(nil, uint32(len(chunk)+4))...)
	return append(append(file, "WEBP"...), chunk...)
}

func webmFile() []byte {
	return append([]byte("\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08\x42\x82\x84webm"), make([]byte, 64)...)
}

func atom(name string, content ...[]byte) []byte {
	body := bytes.Join(content, nil)
	out := binary.BigEndian.AppendUint32(nil, uint32(len(body)+8))
	return append(append(out, name...), body...)
}

func words(values ...uint32) []byte {
	var out []byte
	for _, value := range values {
		out = binary.BigEndian.AppendUint32(out, value)
	}
	return out
}

func movieHeader(scale, duration uint32) []byte {
	return atom("mvhd", words(0, 0, 0, scale, duration), make([]byte, 80))
}

func track(width, height uint32, turned bool) []byte {
	matrix := words(1<<16, 0, 0, 0, 1<<16, 0, 0, 0, 1<<30)
	if turned {
		matrix = words(0, 1<<16, 0, 0xffff0000, 0, 0, 0, 0, 1<<30)
	}
	header := atom("tkhd", make([]byte, 40), matrix, words(width<<16, height<<16))
	return atom("trak", header, atom("mdia", make([]byte, 12)))
}

// movieFile has a picture track and a sound track, and its header at the end, as
// many encoders write it.
func movieFile(brand string, width, height uint32, turned bool, media int) []byte {
	return bytes.Join([][]byte{
		atom("ftyp", []byte(brand), words(0x200), []byte(brand+"iso2")),
		atom("free"),
		atom("mdat", make([]byte, media)),
		atom("moov", movieHeader(1000, 5250), track(width, height, turned), track(0, 0, false)),
	}, nil)
}

func avifFile(width, height uint32) []byte {
	size := atom("ispe", words(0, width, height))
	thumbnail := atom("ispe", words(0, 160, 120))
	return bytes.Join([][]byte{
		atom("ftyp", []byte("mif1"), words(0), []byte("mif1avif")),
		atom("meta", words(0), atom("hdlr", make([]byte, 24)), atom("iprp", atom("ipco", thumbnail, size))),
		atom("mdat", make([]byte, 32)),
	}, nil)
}
