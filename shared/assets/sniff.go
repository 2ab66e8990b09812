package assets

import (
	"bytes"
	"encoding/binary"
)

// sniffBytes is how much of the beginning decides about the type. The deciding
// part of every accepted type is much shorter.
const sniffBytes = 4096

// The accepted content types.
const (
	typePNG       = "image/png"
	typeJPEG      = "image/jpeg"
	typeWebP      = "image/webp"
	typeGIF       = "image/gif"
	typeAVIF      = "image/avif"
	typeMP4       = "video/mp4"
	typeWebM      = "video/webm"
	typeQuickTime = "video/quicktime"
)

// sniff returns the content type of a file that begins with head, or "" when it
// is not an accepted one. Only formats that a browser shows and never runs are
// accepted: no SVG, no HTML, nothing that is text.
func sniff(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte("\x89PNG\r\n\x1a\n")):
		return typePNG
	case bytes.HasPrefix(head, []byte("\xff\xd8\xff")):
		return typeJPEG
	case bytes.HasPrefix(head, []byte("GIF87a")), bytes.HasPrefix(head, []byte("GIF89a")):
		return typeGIF
	case len(head) >= 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "WEBP":
		return typeWebP
	case bytes.HasPrefix(head, []byte("\x1a\x45\xdf\xa3")):
		return sniffEBML(head)
	}
	return sniffBrand(head)
}

// sniffEBML tells WebM from Matroska by the DocType element of the header.
func sniffEBML(head []byte) string {
	const docType = "\x42\x82"
	_, rest, found := bytes.Cut(head, []byte(docType))
	if found && len(rest) >= 5 && rest[0] == 0x84 && string(rest[1:5]) == "webm" {
		return typeWebM
	}
	return ""
}

// sniffBrand reads the ftyp box, in which files of the MP4 family name the
// specifications ("brands") they keep to.
func sniffBrand(head []byte) string {
	if len(head) < 16 || string(head[4:8]) != "ftyp" {
		return ""
	}
	size := min(int(binary.BigEndian.Uint32(head)), len(head))
	brands := []string{string(head[8:12])}
	for at := 16; at+4 <= size; at += 4 {
		brands = append(brands, string(head[at:at+4]))
	}
	found := ""
	for _, brand := range brands {
		switch brand {
		case "avif", "avis":
			return typeAVIF
		case "qt  ":
			return typeQuickTime
		case "heic", "heix", "hevc", "mif1", "msf1", "jp2 ", "jxl ", "crx ":
			found = "other"
		case "isom", "iso2", "iso3", "iso4", "iso5", "iso6", "iso7", "iso8", "iso9", "mp41", "mp42", "mp4v", "avc1", "hvc1", "M4V ", "M4VH", "dash", "MSNV", "f4v ", "3gp4", "3gp5", "3gp6":
			if found == "" {
				found = typeMP4
			}
		}
	}
	if found == "other" {
		return ""
	}
	return found
}
