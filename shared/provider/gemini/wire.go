package gemini

import "encoding/json"

// generateRequest is the body of both methods.
type generateRequest struct {
	Contents          []content         `json:"contents"`
	SystemInstruction *content          `json:"systemInstruction,omitempty"`
	SafetySettings    []safetySetting   `json:"safetySettings"`
	GenerationConfig  *generationConfig `json:"generationConfig,omitempty"`
}

type content struct {
	Role  string `json:"role,omitempty"`
	Parts []part `json:"parts"`
}

type part struct {
	Text       string `json:"text,omitempty"`
	InlineData *blob  `json:"inlineData,omitempty"`
	// Thought marks what the model thought before it answered.
	Thought bool `json:"thought,omitempty"`
}

type blob struct {
	MIMEType string `json:"mimeType"`
	Data     string `json:"data"`
}

type safetySetting struct {
	Category  string `json:"category"`
	Threshold string `json:"threshold"`
}

type generationConfig struct {
	Temperature        *float64        `json:"temperature,omitempty"`
	TopP               *float64        `json:"topP,omitempty"`
	MaxOutputTokens    int             `json:"maxOutputTokens,omitempty"`
	Seed               *int64          `json:"seed,omitempty"`
	ResponseModalities []string        `json:"responseModalities,omitempty"`
	ImageConfig        *imageConfig    `json:"imageConfig,omitempty"`
	ThinkingConfig     *thinkingConfig `json:"thinkingConfig,omitempty"`
}

type imageConfig struct {
	AspectRatio string `json:"aspectRatio,omitempty"`
	ImageSize   string `json:"imageSize,omitempty"`
}

type thinkingConfig struct {
	ThinkingLevel string `json:"thinkingLevel"`
}

// options are settings that callers and configs may pass through.
type options struct {
	TopP            *float64 `json:"top_p"`
	ThinkingLevel   string   `json:"thinking_level"`
	ImageSize       string   `json:"image_size"`
	SafetyThreshold string   `json:"safety_threshold"`
}

// chunk is a whole answer, or one piece of a streamed one.
type chunk struct {
	Candidates     []candidate `json:"candidates"`
	PromptFeedback struct {
		BlockReason string `json:"blockReason"`
	} `json:"promptFeedback"`
	UsageMetadata usageMetadata `json:"usageMetadata"`
	ModelVersion  string        `json:"modelVersion"`
	ResponseID    string        `json:"responseId"`
	// Error is only found in streams.
	Error json.RawMessage `json:"error"`
}

type candidate struct {
	Content       content `json:"content"`
	FinishReason  string  `json:"finishReason"`
	FinishMessage string  `json:"finishMessage"`
}

type usageMetadata struct {
	PromptTokenCount     int64 `json:"promptTokenCount"`
	CandidatesTokenCount int64 `json:"candidatesTokenCount"`
	ThoughtsTokenCount   int64 `json:"thoughtsTokenCount"`
}

type modelPage struct {
	Models []struct {
		Name string `json:"name"`
	} `json:"models"`
	NextPageToken string `json:"nextPageToken"`
}

// videoRequest is the body of predictLongRunning.
type videoRequest struct {
	Instances  []videoInstance `json:"instances"`
	Parameters videoParameters `json:"parameters"`
}

type videoInstance struct {
	Prompt string      `json:"prompt"`
	Image  *videoImage `json:"image,omitempty"`
}

type videoImage struct {
	BytesBase64Encoded string `json:"bytesBase64Encoded"`
	MIMEType           string `json:"mimeType"`
}

type videoParameters struct {
	AspectRatio     string `json:"aspectRatio,omitempty"`
	Resolution      string `json:"resolution,omitempty"`
	DurationSeconds int    `json:"durationSeconds,omitempty"`
	NegativePrompt  string `json:"negativePrompt,omitempty"`
}

// operation is a job as creates and look-ups show it.
type operation struct {
	Name     string    `json:"name"`
	Done     bool      `json:"done"`
	Error    wireError `json:"error"`
	Response struct {
		GenerateVideoResponse struct {
			GeneratedSamples []struct {
				Video struct {
					URI string `json:"uri"`
				} `json:"video"`
			} `json:"generatedSamples"`
			RAIMediaFilteredCount   int      `json:"raiMediaFilteredCount"`
			RAIMediaFilteredReasons []string `json:"raiMediaFilteredReasons"`
		} `json:"generateVideoResponse"`
	} `json:"response"`
}
