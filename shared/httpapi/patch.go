package httpapi

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"easel/shared/fault"
)

// Patch is a merge patch (RFC 7396): its members replace those of the same name,
// objects member by member, and null takes one away.
type Patch struct{ members map[string]any }

// ReadPatch reads a request's body as a patch of at most limit bytes. Errors are
// those of [Decode], but for those of the members, which [Patch.Apply] finds.
func ReadPatch(w http.ResponseWriter, r *http.Request, limit int64) (Patch, error) {
	body, err := readJSON(w, r, limit)
	if err != nil {
		return Patch{}, err
	}
	root, err := parseJSON(body)
	if err != nil {
		return Patch{}, err
	}
	if root.kind != objectNode {
		return Patch{}, fault.New(fault.InvalidInput, "the body must be a JSON object, not %s", root.kind)
	}
	members, err := treeOf(body)
	return Patch{members}, err
}

// Apply puts what the patch makes of before into the struct that into points to.
// before is not changed. An InvalidInput error names each member of the result that
// the struct does not have, or that has the wrong type.
func (p Patch) Apply(before, into any) error {
	encoded, err := json.Marshal(before)
	if err != nil {
		return err
	}
	members, err := treeOf(encoded)
	if err != nil {
		return err
	}
	if encoded, err = json.Marshal(merge(members, p.members)); err != nil {
		return err
	}
	return unmarshal(encoded, into, false)
}

func merge(before, patch map[string]any) map[string]any {
	if before == nil {
		before = map[string]any{}
	}
	for name, value := range patch {
		if value == nil {
			delete(before, name)
			continue
		}
		if inner, ok := value.(map[string]any); ok {
			old, _ := before[name].(map[string]any)
			value = merge(old, inner)
		}
		before[name] = value
	}
	return before
}

func treeOf(encoded []byte) (members map[string]any, err error) {
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	decoder.UseNumber()
	return members, decoder.Decode(&members)
}

// SetETag announces a version as an answer's ETag.
func SetETag(h http.Header, version int64) {
	h.Set("ETag", `"`+strconv.FormatInt(version, 10)+`"`)
}

// IfMatch compares a request's If-Match with the stored version. asked is false
// when there is none, or when it is *. A mismatch is a StaleVersion error, what is
// no version an InvalidInput error.
func IfMatch(r *http.Request, stored int64) (asked bool, err error) {
	header := strings.TrimSpace(r.Header.Get("If-Match"))
	if header == "" || header == "*" {
		return false, nil
	}
	number, quoted := strings.CutPrefix(strings.TrimSuffix(header, `"`), `"`)
	version, err := strconv.ParseInt(number, 10, 64)
	if err != nil || !quoted {
		return true, fault.Invalid("If-Match", `must be the version that is being edited, such as "3", or *`)
	}
	if version != stored {
		return true, fault.New(fault.StaleVersion, "it was changed by somebody else; read it again")
	}
	return true, nil
}
