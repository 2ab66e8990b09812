package stability

// maxSeed is the largest seed of v2beta; v1 takes one more.
const maxSeed = 4294967294

// v2Options are settings that callers and configs may pass through.
type v2Options struct {
	// StylePreset is known to core.
	StylePreset string `json:"style_preset"`
	// CFGScale is known to sd3.
	CFGScale *float64 `json:"cfg_scale"`
}

type v2Answer struct {
	Image        string `json:"image"`
	FinishReason string `json:"finish_reason"`
}

// v1Request is the body of /v1/generation/{engine}/text-to-image.
type v1Request struct {
	TextPrompts []v1Prompt `json:"text_prompts"`
	Width       int        `json:"width,omitempty"`
	Height      int        `json:"height,omitempty"`
	Samples     int        `json:"samples,omitempty"`
	Seed        *int64     `json:"seed,omitempty"`
	v1Options
}

// v1Options are settings that callers and configs may pass through.
type v1Options struct {
	CFGScale    *float64 `json:"cfg_scale,omitempty"`
	Steps       int      `json:"steps,omitempty"`
	Sampler     string   `json:"sampler,omitempty"`
	StylePreset string   `json:"style_preset,omitempty"`
}

type v1Prompt struct {
	Text   string  `json:"text"`
	Weight float64 `json:"weight"`
}

type v1Answer struct {
	Artifacts []v1Artifact `json:"artifacts"`
}

type v1Artifact struct {
	Base64       string `json:"base64"`
	FinishReason string `json:"finishReason"`
}

// The finish reasons of both APIs. A filtered picture is there, but blurred.
const (
	finishSuccess  = "SUCCESS"
	finishFiltered = "CONTENT_FILTERED"
)
