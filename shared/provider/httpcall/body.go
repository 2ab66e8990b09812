package httpcall

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"mime"
	"mime/multipart"
	"net/textproto"
	"strings"

	"easel/shared/fault"
)

// Body is what a call sends, built in memory.
type Body struct {
	contentType string
	data        []byte
}

// JSON returns a body that holds v. Characters such as < stay as they are.
func JSON(v any) (*Body, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, &fault.Failure{
			Class: fault.ClassInvalidInput, Message: "the request cannot be encoded", Cause: fmt.Errorf("encode the request: %w", err),
		}
	}
	return &Body{contentType: "application/json", data: bytes.TrimSuffix(buffer.Bytes(), []byte("\n"))}, nil
}

// Form builds a multipart/form-data body. The zero value is an empty form; it is
// not safe for concurrent use.
type Form struct {
	buffer bytes.Buffer
	writer *multipart.Writer
}

// Text adds a field; an empty value adds none.
func (f *Form) Text(name, value string) {
	if value == "" {
		return
	}
	f.part(`form-data; name="`+name+`"`, "", []byte(value))
}

// File adds a file.
func (f *Form) File(name string, d Data) {
	f.part(fmt.Sprintf(`form-data; name=%q; filename="%s.%s"`, name, strings.Trim(name, "[]"), d.Extension()), d.ContentType, d.Bytes)
}

// part cannot fail: a bytes.Buffer takes everything.
func (f *Form) part(disposition, contentType string, data []byte) {
	if f.writer == nil {
		f.writer = multipart.NewWriter(&f.buffer)
	}
	header := textproto.MIMEHeader{"Content-Disposition": {disposition}}
	if contentType != "" {
		header.Set("Content-Type", contentType)
	}
	if part, err := f.writer.CreatePart(header); err == nil {
		_, _ = part.Write(data)
	}
}

// Body closes the form. A form without any field is sent as one, too: some
// vendors insist on multipart.
func (f *Form) Body() *Body {
	if f.writer == nil {
		f.writer = multipart.NewWriter(&f.buffer)
	}
	_ = f.writer.Close()
	return &Body{contentType: f.writer.FormDataContentType(), data: f.buffer.Bytes()}
}

// Data is a file that travels inside a request.
type Data struct {
	ContentType string
	Bytes       []byte
}

// Extension is the usual file name extension of the content type, without a dot.
func (d Data) Extension() string {
	switch d.ContentType {
	case "image/png", "image/webp", "image/gif":
		return strings.TrimPrefix(d.ContentType, "image/")
	case "image/jpeg":
		return "jpg"
	case "video/mp4":
		return "mp4"
	default:
		return "bin"
	}
}

// ParseDataURL decodes a base64 data URL. An https URL is reported as a feature
// that this provider lacks, since the driver fetches nothing: the gateway does,
// and hands over the bytes.
func ParseDataURL(raw string) (Data, error) {
	head, encoded, found := strings.Cut(raw, ",")
	if !strings.HasPrefix(raw, "data:") || !found {
		return Data{}, &fault.Failure{Class: fault.ClassUnsupported, Message: "this provider takes input images only as data"}
	}
	mediaType, isBase64 := strings.CutSuffix(strings.TrimPrefix(head, "data:"), ";base64")
	if !isBase64 {
		return Data{}, invalidData(nil)
	}
	contentType, _, err := mime.ParseMediaType(mediaType)
	if err != nil {
		return Data{}, invalidData(err)
	}
	data, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(data) == 0 {
		return Data{}, invalidData(err)
	}
	return Data{ContentType: contentType, Bytes: data}, nil
}

func invalidData(cause error) error {
	return &fault.Failure{Class: fault.ClassInvalidInput, Message: "an input image is not a base64 data URL", Cause: cause}
}
