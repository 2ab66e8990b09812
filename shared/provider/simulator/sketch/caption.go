package sketch

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"maps"
	"slices"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// caption draws the band that marks the picture as simulated.
func (p *painter) caption(img *image.RGBA) {
	bounds := img.Bounds()
	height := max(14, int(34*p.unit))
	band := image.Rect(0, bounds.Max.Y-height, bounds.Max.X, bounds.Max.Y)
	draw.Draw(img, band, image.NewUniform(color.RGBA{8, 10, 16, 165}), image.Point{}, draw.Over)

	size := float64(height) * 0.5
	bold, errBold := face(gobold.TTF, size*0.86)
	plain, errPlain := face(goregular.TTF, size)
	if errBold != nil || errPlain != nil {
		return // the fonts are part of the program: cannot happen
	}
	base := band.Min.Y + height/2 + int(size*0.36)
	pen := font.Drawer{Dst: img, Face: bold, Src: image.NewUniform(color.RGBA{255, 214, 120, 255})}
	margin := height / 2
	pen.Dot = fixed.P(margin, base)
	pen.DrawString("SIMULATED")

	pen.Face, pen.Src = plain, image.NewUniform(color.RGBA{236, 240, 246, 235})
	pen.Dot.X += fixed.I(margin)
	room := fixed.I(bounds.Max.X-margin) - pen.Dot.X
	pen.DrawString(shorten(pen.Face, p.label(pen.Face), room))
}

func face(ttf []byte, size float64) (*opentype.Face, error) {
	parsed, err := opentype.Parse(ttf)
	if err != nil {
		return nil, fmt.Errorf("parse font: %w", err)
	}
	made, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		return nil, fmt.Errorf("size font: %w", err)
	}
	sized, ok := made.(*opentype.Face)
	if !ok {
		return nil, fmt.Errorf("a font face of type %T", made)
	}
	return sized, nil
}

// label is the prompt on one line. Where the font lacks most of its letters,
// as for Chinese, the label names in English what was understood.
func (p *painter) label(f font.Face) string {
	line := strings.Join(strings.Fields(p.scene.Prompt), " ")
	missing, total := 0, 0
	known := strings.Map(func(r rune) rune {
		total++
		if _, ok := f.GlyphAdvance(r); !ok {
			missing++
			return -1
		}
		return r
	}, line)
	if missing == 0 {
		return line
	}
	if missing*3 < total {
		return strings.Join(strings.Fields(known), " ")
	}
	var names []string
	for _, t := range slices.Sorted(maps.Keys(themes(p.scene.Prompt))) {
		names = append(names, string(t))
	}
	if len(names) == 0 {
		return fmt.Sprintf("a prompt of %d characters", total)
	}
	return "[" + strings.Join(names, ", ") + "]"
}

// shorten cuts the text to fit, ending in an ellipsis.
func shorten(f font.Face, text string, room fixed.Int26_6) string {
	if font.MeasureString(f, text) <= room {
		return text
	}
	runes := []rune(text)
	if len(runes) > 400 {
		runes = runes[:400]
	}
	for len(runes) > 0 {
		cut := strings.TrimRight(string(runes), " ,.;") + "…"
		if font.MeasureString(f, cut) <= room {
			return cut
		}
		runes = runes[:len(runes)-1]
	}
	return ""
}
