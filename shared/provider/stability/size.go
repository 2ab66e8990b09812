package stability

import (
	"fmt"
	"math"
	"slices"

	"easel/shared/generation"
	"easel/shared/provider/httpcall"
)

const (
	// How far a size may be from one of the vendor's ratios, and from the one to
	// one and a half megapixels that v2beta makes, to count as what was asked for.
	sizeTolerance = 0.03
	minPixels     = 400_000
	maxPixels     = 2_100_000
	// SDXL's fixed sizes are only near the usual ratios.
	ratioTolerance = 0.05
)

// v2Ratios are the ratios of v2beta. 4:3 and 3:4 are not among them.
func v2Ratios() []string {
	return []string{"1:1", "16:9", "21:9", "2:3", "3:2", "4:5", "5:4", "9:16", "9:21"}
}

// v2Ratio returns the ratio to send, "" for the default.
func v2Ratio(req generation.Request) (string, error) {
	if req.Size == "" {
		if req.AspectRatio == "" || slices.Contains(v2Ratios(), req.AspectRatio) {
			return req.AspectRatio, nil
		}
		return "", httpcall.Unsupported("this model does not make this aspect ratio")
	}
	width, height, ok := httpcall.ParsePair(req.Size, "x")
	if !ok {
		return "", httpcall.Invalid("size must be WIDTHxHEIGHT, such as 1024x1024")
	}
	if width*height < minPixels || width*height > maxPixels {
		return "", httpcall.Unsupported("this model makes pictures of about a megapixel")
	}
	for _, ratio := range v2Ratios() {
		if a, b, _ := httpcall.ParsePair(ratio, ":"); near(width, height, a, b, sizeTolerance) {
			return ratio, nil
		}
	}
	return "", httpcall.Unsupported("this model does not make this size")
}

type size struct{ width, height int }

// v1Sizes are the sizes that SDXL makes.
func v1Sizes() []size {
	return []size{
		{1024, 1024},
		{1152, 896},
		{1216, 832},
		{1344, 768},
		{1536, 640},
		{896, 1152},
		{832, 1216},
		{768, 1344},
		{640, 1536},
	}
}

// v1Size returns the size to send.
func v1Size(req generation.Request) (size, error) {
	if req.Size != "" {
		for _, s := range v1Sizes() {
			if fmt.Sprintf("%dx%d", s.width, s.height) == req.Size {
				return s, nil
			}
		}
		return size{}, httpcall.Unsupported("this model does not make this size")
	}
	if req.AspectRatio == "" {
		return v1Sizes()[0], nil
	}
	a, b, ok := httpcall.ParsePair(req.AspectRatio, ":")
	if !ok {
		return size{}, httpcall.Invalid("aspect_ratio must be W:H, such as 16:9")
	}
	for _, s := range v1Sizes() {
		if near(s.width, s.height, a, b, ratioTolerance) {
			return s, nil
		}
	}
	return size{}, httpcall.Unsupported("this model does not make this aspect ratio")
}

// near reports whether width:height differs from a:b by at most the tolerance.
func near(width, height, a, b int, tolerance float64) bool {
	return math.Abs(float64(width)*float64(b)/(float64(height)*float64(a))-1) <= tolerance
}
