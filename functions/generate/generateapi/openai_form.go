package generateapi

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"easel/shared/fault"
	"easel/shared/httpapi"
)

// form is a multipart body with images, and what is wrong with it.
type form struct {
	values *multipart.Form
	fields fault.Fields
	// sums holds the hash of each image, which stands for it in a fingerprint.
	sums map[string]string
}

// readForm reads a multipart body of at most httpapi.MaxUpload bytes.
func readForm(w http.ResponseWriter, r *http.Request) (*form, error) {
	if !isForm(r) {
		return nil, fault.New(fault.UnsupportedMedia, "send the header Content-Type: multipart/form-data")
	}
	r.Body = http.MaxBytesReader(w, r.Body, httpapi.MaxUpload)
	if err := r.ParseMultipartForm(httpapi.MaxUpload); err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, fault.New(fault.TooLarge, "the body must have at most %d bytes", httpapi.MaxUpload)
		}
		return nil, fault.New(fault.InvalidInput, "the form could not be read")
	}
	return &form{values: r.MultipartForm, sums: map[string]string{}}, nil
}

func isForm(r *http.Request) bool {
	return strings.HasPrefix(strings.ToLower(r.Header.Get("Content-Type")), "multipart/form-data")
}

func (f *form) close() { _ = f.values.RemoveAll() }

// text returns a field's value; a field that comes twice is at fault.
func (f *form) text(name string) string {
	values := f.values.Value[name]
	if len(values) == 0 {
		return ""
	}
	f.fields.Check(len(values) == 1, name, "occurs twice")
	return values[0]
}

func (f *form) number(name string) *int {
	text := f.text(name)
	if text == "" {
		return nil
	}
	n, err := strconv.Atoi(text)
	f.fields.Check(err == nil, name, "must be a whole number")
	return &n
}

// image returns the file under the name, or under the name that OpenAI's clients
// use for a list, as a data URL; "" when there is none.
func (f *form) image(name string) string {
	files := slices.Concat(f.values.File[name], f.values.File[name+"[]"])
	if len(files) == 0 {
		return ""
	}
	f.fields.Check(len(files) == 1, name, "must be one file; several images are not supported")
	data, err := readFile(files[0])
	contentType := http.DetectContentType(data)
	switch contentType {
	case "image/png", "image/jpeg", "image/webp", "image/gif":
	default:
		f.fields.Check(false, name, "must be a png, jpeg, webp or gif image")
		return ""
	}
	f.fields.Check(err == nil, name, "could not be read")
	sum := sha256.Sum256(data)
	f.sums[name] = hex.EncodeToString(sum[:])
	return "data:" + contentType + ";base64," + base64.StdEncoding.EncodeToString(data)
}

func readFile(header *multipart.FileHeader) ([]byte, error) {
	file, err := header.Open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	return io.ReadAll(file)
}

// fingerprint is the body with its images by their hashes.
func (f *form) fingerprint(body any) any {
	return map[string]any{"body": body, "images": f.sums}
}
