package simulator

import (
	"bytes"
	"errors"
	"image"
	_ "image/jpeg" // pictures that callers send
	_ "image/png"
	"io"
	"mime"
	"mime/multipart"

	_ "golang.org/x/image/webp"
)

// upload is one file of a form.
type upload struct {
	field       string
	contentType string
	data        []byte
}

// readForm reads a multipart/form-data body: its text fields and its files.
func (c *call) readForm() (inputs, []upload, error) {
	kind, params, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" {
		return nil, nil, errors.New("not multipart/form-data")
	}
	in := inputs{}
	var files []upload
	parts := multipart.NewReader(bytes.NewReader(c.body), params["boundary"])
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return in, files, nil
		}
		if err != nil {
			return nil, nil, err
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return nil, nil, err
		}
		if part.FileName() == "" {
			in[part.FormName()] = formText(data)
			continue
		}
		files = append(files, upload{part.FormName(), part.Header.Get("Content-Type"), data})
	}
}

// isPicture reports whether the data begins like a PNG, JPEG or WebP.
func isPicture(data []byte) bool {
	_, _, err := image.DecodeConfig(bytes.NewReader(data))
	return err == nil
}
