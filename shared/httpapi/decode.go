package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"easel/shared/fault"
)

const (
	// MaxBody is the largest JSON body, in bytes.
	MaxBody = 1 << 20
	// MaxUpload is the largest body where images are uploaded, in bytes.
	MaxUpload = 10 << 20
	// maxFieldErrors bounds how many wrong fields one answer names.
	maxFieldErrors = 20
)

// Decode reads the request's JSON body, at most limit bytes, into the struct
// that into points to. It is strict: every member must be one of the struct's,
// in its exact spelling, of its type, and given once. Null is the same as not
// given. Errors: TooLarge, UnsupportedMedia, and InvalidInput that names each
// wrong field by its full path.
func Decode(w http.ResponseWriter, r *http.Request, limit int64, into any) error {
	return decode(w, r, limit, into, false)
}

// DecodeLoose is Decode that ignores members it does not know, for routes whose
// clients send more than the gateway understands.
func DecodeLoose(w http.ResponseWriter, r *http.Request, limit int64, into any) error {
	return decode(w, r, limit, into, true)
}

// Uploader is a body that may hold whole images.
type Uploader interface {
	// Uploaded is how many bytes of the decoded body are images.
	Uploaded() int
}

// DecodeUpload is Decode for a body that may hold images: up to [MaxUpload] with
// them, and [MaxBody] without.
func DecodeUpload(w http.ResponseWriter, r *http.Request, into Uploader) error {
	body, err := readJSON(w, r, MaxUpload)
	if err != nil {
		return err
	}
	if err := unmarshal(body, into, false); err != nil {
		return err
	}
	if len(body)-into.Uploaded() > MaxBody {
		return fault.New(fault.TooLarge, "the body must have at most %d bytes besides its images", MaxBody)
	}
	return nil
}

func decode(w http.ResponseWriter, r *http.Request, limit int64, into any, loose bool) error {
	body, err := readJSON(w, r, limit)
	if err != nil {
		return err
	}
	return unmarshal(body, into, loose)
}

func readJSON(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	if err := checkJSON(r.Header.Get("Content-Type")); err != nil {
		return nil, err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		return nil, bodyError(err)
	}
	return body, nil
}

// bodyError says why a body could not be read.
func bodyError(err error) error {
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return fault.New(fault.TooLarge, "the body must have at most %d bytes", tooLarge.Limit)
	}
	return fault.New(fault.InvalidInput, "the body could not be read to its end")
}

// checkJSON accepts JSON in UTF-8, and a request that does not say what it sends.
func checkJSON(contentType string) error {
	if contentType == "" {
		return nil
	}
	media, parameters, err := mime.ParseMediaType(contentType)
	charset := parameters["charset"]
	isJSON := media == "application/json" || strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json")
	if err != nil || !isJSON || charset != "" && !strings.EqualFold(charset, "utf-8") {
		return fault.New(fault.UnsupportedMedia, "send JSON with the header Content-Type: application/json")
	}
	return nil
}

// unmarshal is Decode without the request.
func unmarshal(body []byte, into any, loose bool) error {
	root, err := parseJSON(body)
	if err != nil {
		return err
	}
	if root.kind != objectNode {
		return fault.New(fault.InvalidInput, "the body must be a JSON object, not %s", root.kind)
	}
	f := &filler{loose: loose}
	f.fill("", root, reflect.ValueOf(into).Elem())
	return f.fields.Err()
}

// filler sets Go values from JSON nodes and collects what does not fit.
type filler struct {
	loose  bool
	fields fault.Fields
	count  int
}

func (f *filler) wrong(path, format string, args ...any) {
	if f.count++; f.count <= maxFieldErrors {
		f.fields.Add(path, format, args...)
	}
}

func (f *filler) fill(path string, n node, v reflect.Value) {
	if v.Kind() == reflect.Pointer {
		if n.kind == nullNode {
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(path, n, v.Elem())
		return
	}
	if custom, ok := v.Addr().Interface().(json.Unmarshaler); ok {
		f.custom(path, n, custom)
		return
	}
	if n.kind == nullNode {
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		f.object(path, n, v)
	case reflect.Map:
		f.mapping(path, n, v)
	case reflect.Slice:
		f.list(path, n, v)
	default:
		f.scalar(path, n, v)
	}
}

// custom hands a value to a type that reads itself, such as json.RawMessage.
func (f *filler) custom(path string, n node, v json.Unmarshaler) {
	if raw, ok := v.(*json.RawMessage); ok {
		*raw = bytes.Clone(n.raw)
		return
	}
	if err := v.UnmarshalJSON(n.raw); err != nil {
		f.wrong(path, "%s", err.Error())
	}
}

func (f *filler) object(path string, n node, v reflect.Value) {
	if n.kind != objectNode {
		f.wrong(path, "must be an object, not %s", n.kind)
		return
	}
	fields := fieldsOf(v.Type())
	for _, m := range n.members {
		at := join(path, m.name)
		if index, ok := fields[m.name]; ok {
			f.fill(at, m.node, v.FieldByIndex(index))
		} else if !f.loose {
			f.wrong(at, "is not a known field")
		}
	}
}

// fieldsOf returns where a struct's fields are by their JSON names. Those of an
// embedded struct count as its own, as in encoding/json; fields without a name are
// not filled.
func fieldsOf(t reflect.Type) map[string][]int {
	fields := make(map[string][]int, t.NumField())
	for i := range t.NumField() {
		field := t.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" && field.Anonymous && field.Type.Kind() == reflect.Struct {
			for inner, index := range fieldsOf(field.Type) {
				if _, taken := fields[inner]; !taken {
					fields[inner] = append([]int{i}, index...)
				}
			}
			continue
		}
		if name != "" && name != "-" {
			fields[name] = field.Index
		}
	}
	return fields
}

func (f *filler) mapping(path string, n node, v reflect.Value) {
	if n.kind != objectNode {
		f.wrong(path, "must be an object, not %s", n.kind)
		return
	}
	m := reflect.MakeMapWithSize(v.Type(), len(n.members))
	for _, member := range n.members {
		at := join(path, member.name)
		if member.node.kind == nullNode && v.Type().Elem().Kind() == reflect.String {
			f.wrong(at, "must be a string, not null")
			continue
		}
		value := reflect.New(v.Type().Elem()).Elem()
		f.fill(at, member.node, value)
		m.SetMapIndex(reflect.ValueOf(member.name).Convert(v.Type().Key()), value)
	}
	v.Set(m)
}

func (f *filler) list(path string, n node, v reflect.Value) {
	if n.kind != arrayNode {
		f.wrong(path, "must be an array, not %s", n.kind)
		return
	}
	list := reflect.MakeSlice(v.Type(), len(n.items), len(n.items))
	for i, item := range n.items {
		f.fill(element(path, i), item, list.Index(i))
	}
	v.Set(list)
}

func (f *filler) scalar(path string, n node, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if n.kind != stringNode {
			f.wrong(path, "must be a string, not %s", n.kind)
			return
		}
		v.SetString(n.text)
	case reflect.Bool:
		if n.kind != boolNode {
			f.wrong(path, "must be true or false, not %s", n.kind)
			return
		}
		v.SetBool(n.yes)
	case reflect.Int, reflect.Int64, reflect.Int32:
		f.whole(path, n, v)
	case reflect.Float64:
		number, err := strconv.ParseFloat(n.text, 64)
		if n.kind != numberNode {
			f.wrong(path, "must be a number, not %s", n.kind)
		} else if err != nil || math.IsInf(number, 0) {
			f.wrong(path, "must be a number of a usual size")
		} else {
			v.SetFloat(number)
		}
	default: // a mistake of ours: the struct has a type that no body can fill
		panic(fmt.Sprintf("httpapi: cannot decode into %s", v.Type()))
	}
}

func (f *filler) whole(path string, n node, v reflect.Value) {
	if n.kind != numberNode {
		f.wrong(path, "must be a whole number, not %s", n.kind)
		return
	}
	number, err := strconv.ParseInt(n.text, 10, 64)
	if err != nil || v.OverflowInt(number) {
		f.wrong(path, "must be a whole number of a usual size, written without a point or exponent")
		return
	}
	v.SetInt(number)
}
