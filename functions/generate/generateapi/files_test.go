package generateapi_test

import (
	"context"
	"io"
	"strings"
)

// files holds the same bytes under every key.
type files struct{}

func (files) OpenFile(context.Context, string) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader("picture")), nil
}
