package custom

import "encoding/json"

// definition describes an API as data. It is the config's data itself;
// docs/custom-providers.md explains every member and shows whole ones.
type definition struct {
	// Mode is sync, where a submit answers with the result, or async, where it
	// answers with a job to poll.
	Mode    string            `json:"mode"`
	Auth    auth              `json:"auth"`
	Headers map[string]string `json:"headers"`
	// Hosts are further hosts that an answer's poll URL may name, beside the base
	// URL's own. The key is sent to them.
	Hosts       []string   `json:"hosts"`
	Submit      *operation `json:"submit"`
	SubmitImage *operation `json:"submit_image"` // instead, for requests with an input image
	Poll        *operation `json:"poll"`
	Cancel      *operation `json:"cancel"`
	Job         jobFinder  `json:"job"`
	Answer      answer     `json:"answer"`
	States      states     `json:"states"`
	OK          okCheck    `json:"ok"`
	Errors      []rule     `json:"errors"`
	Webhook     *hook      `json:"webhook"`
	// Allowed lists, by placeholder, the values that the API takes.
	Allowed map[string][]any `json:"allowed"`
	// PollSeconds is the pace of look-ups; 0 is the usual one.
	PollSeconds float64 `json:"poll_seconds"`
	// Options are defaults of the options.* placeholders.
	Options map[string]json.RawMessage `json:"options"`
}

// auth is how the key is sent: as a bearer token, in a header, in the query, or
// not at all.
type auth struct {
	Type string `json:"type"`
	// Name is the header's or the parameter's; Prefix stands before the key.
	Name   string `json:"name"`
	Prefix string `json:"prefix"`
}

// operation is one request. Path, query and body are templates.
type operation struct {
	Method string            `json:"method"`
	Path   string            `json:"path"`
	Query  map[string]string `json:"query"`
	// Format is json or form, which is multipart; "" is json.
	Format string `json:"format"`
	Body   any    `json:"body"`
}

// jobFinder holds expressions over the answer to a submit.
type jobFinder struct {
	ID      string `json:"id"`
	PollURL string `json:"poll_url"`
}

// answer holds expressions over what the API says about a generation.
type answer struct {
	// Type is json, or bytes where the answer of a sync submit is the file itself.
	Type     string `json:"type"`
	Status   string `json:"status"`
	Progress string `json:"progress"`
	// Outputs is one string or a list of them: URLs, or base64 if Encoding says so.
	Outputs     string `json:"outputs"`
	Encoding    string `json:"encoding"`
	ContentType string `json:"content_type"`
	Text        string `json:"text"`
	// ErrorCode and ErrorMessage say why something failed, of a refusal and of a job.
	ErrorCode    string `json:"error_code"`
	ErrorMessage string `json:"error_message"`
	RequestID    string `json:"request_id"`
}

// states are the API's words for what a job may be, upper and lower case alike.
// A word that no list holds is pending.
type states struct {
	Pending   []string `json:"pending"`
	Running   []string `json:"running"`
	Succeeded []string `json:"succeeded"`
	Failed    []string `json:"failed"`
	Canceled  []string `json:"canceled"`
	Moderated []string `json:"moderated"`
	NotFound  []string `json:"not_found"`
}

// okCheck is for APIs that say in the body whether a 200 is a success.
type okCheck struct {
	Code   string   `json:"code"`
	Values []string `json:"values"`
}

// rule maps an error to a class. All conditions that it names must hold; the
// first rule that fits decides.
type rule struct {
	HTTP []int `json:"http"`
	// Codes are what error_code or ok.code gives.
	Codes []string `json:"codes"`
	// Contains are words of the error message, in any case; one suffices.
	Contains []string `json:"contains"`
	Class    string   `json:"class"`
}

// hook is how the API reports the end of a job to {{callback_url}}.
type hook struct {
	// Signature is none, hmac (SHA-256 of the body, in Header) or standard
	// (Standard Webhooks).
	Signature string `json:"signature"`
	Header    string `json:"header"`
	// Encoding of an hmac is hex or base64; Prefix stands before it.
	Encoding string `json:"encoding"`
	Prefix   string `json:"prefix"`
	// Job, Status and ID are expressions over the body. ID is the event's; "" takes
	// the job's id and status.
	Job    string `json:"job"`
	Status string `json:"status"`
	ID     string `json:"id"`
}
