package openai

import (
	"fmt"
	"math"
	"strings"

	"easel/shared/generation"
	"easel/shared/provider/httpcall"
)

// What gpt-image-2 and its successors accept as a size.
const (
	sizeStep  = 16
	maxEdge   = 3840
	minPixels = 655_360
	maxPixels = 8_294_400
	maxRatio  = 3
	longEdge  = 1536 // of a picture of which only the ratio is given
)

// sizeOf returns the size to send, "" for the model's default.
func sizeOf(model string, req generation.Request) (string, error) {
	switch {
	case req.Size != "":
		width, height, ok := httpcall.ParsePair(req.Size, "x")
		if !ok {
			return "", httpcall.Invalid("size must be WIDTHxHEIGHT, such as 1024x1024")
		}
		return checkSize(model, width, height)
	case req.AspectRatio != "":
		width, height, ok := httpcall.ParsePair(req.AspectRatio, ":")
		if !ok {
			return "", httpcall.Invalid("aspect_ratio must be W:H, such as 16:9")
		}
		return checkSize(model, fitRatio(width, height), fitRatio(height, width))
	default:
		return "", nil
	}
}

// fitRatio returns one edge of a picture of the ratio a:b with about the pixels
// of the vendor's own sizes.
func fitRatio(a, b int) int {
	if a == b {
		return 1024
	}
	if a > b {
		return longEdge
	}
	return int(math.Round(longEdge*float64(a)/float64(b)/sizeStep)) * sizeStep
}

func checkSize(model string, width, height int) (string, error) {
	size := fmt.Sprintf("%dx%d", width, height)
	switch {
	case !isGPTImage(model):
		return size, nil
	case !freeSizes(model):
		if size == "1024x1024" || size == "1536x1024" || size == "1024x1536" {
			return size, nil
		}
		return "", httpcall.Unsupported("the model makes 1024x1024, 1536x1024 and 1024x1536 only")
	case width%sizeStep != 0 || height%sizeStep != 0:
		return "", httpcall.Unsupported("the model needs sides that are multiples of %d", sizeStep)
	case max(width, height) > maxEdge || max(width, height) > maxRatio*min(width, height):
		return "", httpcall.Unsupported("the model makes sides up to %d and ratios up to %d:1", maxEdge, maxRatio)
	case width*height < minPixels || width*height > maxPixels:
		return "", httpcall.Unsupported("the model makes %d to %d pixels", minPixels, maxPixels)
	default:
		return size, nil
	}
}

// freeSizes reports whether the model takes any size within limits. The first
// generation takes three.
func freeSizes(model string) bool {
	return !strings.HasPrefix(model, "gpt-image-1") && !strings.HasPrefix(model, "chatgpt-image-")
}
