// Package examples holds whole descriptions of APIs for configs of provider
// custom, as docs/custom-providers.md shows them and local mode uses them.
package examples

import (
	_ "embed"
	"encoding/json"
)

var (
	//go:embed luma.json
	luma []byte
	//go:embed kling.json
	kling []byte
	//go:embed bfl.json
	bfl []byte
)

// Luma describes the Luma Agents API, for videos from text.
func Luma() json.RawMessage { return append(json.RawMessage(nil), luma...) }

// Kling describes the Kling API, for videos from text and from an image.
func Kling() json.RawMessage { return append(json.RawMessage(nil), kling...) }

// BFL describes the API of Black Forest Labs, for images from text.
func BFL() json.RawMessage { return append(json.RawMessage(nil), bfl...) }
