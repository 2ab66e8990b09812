package intake

import (
	"context"
	"encoding/base64"
	"strings"

	"easel/shared/fault"
	"easel/shared/generation"
)

// maxInline is how many bytes of images a task itself may hold when there is no
// place to put them: a task is one item of the store, at most 400 KB.
const maxInline = 200 << 10

// storeImages moves the images that came inside a request, or that its URLs name,
// to where they belong, and leaves references in their place: every provider then
// gets the image that was checked, in the form that it takes.
func (d *Desk) storeImages(ctx context.Context, account string, r generation.Request) (generation.Request, error) {
	if r.Image == "" && r.Mask == "" {
		return r, nil
	}
	if d.Uploads == nil {
		if (isData(r.Image) || isData(r.Mask)) && len(r.Image)+len(r.Mask) > maxInline {
			return r, fault.New(fault.TooLarge, "images inside a request must have at most %d bytes here; send a URL instead", maxInline)
		}
		return r, nil
	}
	var err error
	if r.Image, err = d.store(ctx, account, "image", r.Image); err != nil {
		return r, err
	}
	r.Mask, err = d.store(ctx, account, "mask", r.Mask)
	return r, err
}

func (d *Desk) store(ctx context.Context, account, field, value string) (string, error) {
	switch {
	case isHTTP(value):
		return d.Uploads.Fetch(ctx, account, field, value)
	case !isData(value):
		return value, nil
	}
	_, encoded, _ := strings.Cut(value, ",")
	data, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return "", fault.Invalid(field, "is not valid base64")
	}
	return d.Uploads.Upload(ctx, account, field, data)
}
