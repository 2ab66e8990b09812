package settings

import "encoding/json"

// MaxSetting is how many bytes of JSON one setting may have.
const MaxSetting = 200 << 10

// Setting is one choice of the whole deployment, kept by name as a JSON object
// whose form its reader knows. Version counts its writes; with version 0 nobody
// has written it, and Value is nil.
type Setting struct {
	Name    string          `json:"name"`
	Value   json.RawMessage `json:"value"`
	Version int64           `json:"version"`
}
