package intake

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"easel/shared/fault"
)

// The limits of what comes along with a request.
const (
	maxUser          = 256
	maxMetadata      = 16
	maxMetadataName  = 64
	maxMetadataValue = 512
)

// merge takes over the fields of an InvalidInput error; ok is false for any other.
func merge(f *fault.Fields, err error) (ok bool) {
	e, ok := errors.AsType[*fault.Error](err)
	if !ok || e.Code != fault.InvalidInput {
		return false
	}
	for _, field := range e.Fields {
		f.Add(field.Name, "%s", field.Message)
	}
	return true
}

func checkMetadata(f *fault.Fields, metadata map[string]string) {
	f.Check(len(metadata) <= maxMetadata, "metadata", "must have at most %d members", maxMetadata)
	for name, value := range metadata {
		if n := utf8.RuneCountInString(name); n < 1 || n > maxMetadataName {
			f.Add("metadata", "must have names of 1 to %d characters", maxMetadataName)
			continue
		}
		if utf8.RuneCountInString(value) > maxMetadataValue {
			f.Add("metadata."+name, "must have at most %d characters", maxMetadataValue)
		}
	}
}

// checkURL checks a URL that the gateway or a provider is to call. A URL whose
// form is already found wrong is not complained about twice.
func (d *Desk) checkURL(f *fault.Fields, field, raw string) {
	if raw == "" || d.CheckURL == nil {
		return
	}
	if !isHTTP(raw) {
		f.Check(field != "callback_url", field, "must be an absolute https URL")
		return
	}
	if err := d.CheckURL(raw); err != nil {
		f.Add(field, "%s", err.Error())
	}
}

func isHTTP(raw string) bool {
	return strings.HasPrefix(raw, "https://") || strings.HasPrefix(raw, "http://")
}

func isData(raw string) bool { return strings.HasPrefix(raw, "data:") }

func loraField(i int) string { return "loras[" + strconv.Itoa(i) + "].path" }
