package replicate

import (
	"encoding/json"
	"strings"
	"time"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/provider/httpcall"
)

// createRequest is the body of a create; the vendor refuses further members.
type createRequest struct {
	Version             string         `json:"version,omitempty"`
	Input               map[string]any `json:"input"`
	Webhook             string         `json:"webhook,omitempty"`
	WebhookEventsFilter []string       `json:"webhook_events_filter,omitempty"`
}

// prediction is a job as creates, look-ups, lists and webhooks show it.
type prediction struct {
	ID          string                     `json:"id"`
	Model       string                     `json:"model"`
	Status      string                     `json:"status"`
	Input       map[string]json.RawMessage `json:"input"`
	Output      json.RawMessage            `json:"output"`
	Error       json.RawMessage            `json:"error"`
	CreatedAt   time.Time                  `json:"created_at"`
	CompletedAt string                     `json:"completed_at"`
	DataRemoved bool                       `json:"data_removed"`
	// Webhook is not documented, and not always there.
	Webhook string `json:"webhook"`
}

type predictionPage struct {
	Next    string       `json:"next"`
	Results []prediction `json:"results"`
}

// answerOf reads a prediction. A status word that is not known is pending.
func answerOf(c provider.Call, response *httpcall.Response, p prediction) provider.Answer {
	answer := provider.Answer{
		State: provider.Pending, Job: provider.Job{ID: p.ID}, Model: p.Model,
		RequestID: response.RequestID(), GatewayID: response.GatewayID(),
	}
	fail := func(class fault.Class, message string) provider.Answer {
		answer.State = provider.Failed
		answer.Failure = response.Rejected(httpcall.Verdict{Class: class, Message: message, Detail: p.errorText()})
		return answer
	}
	switch p.Status {
	case "processing":
		answer.State = provider.Running
	case "succeeded":
		answer.Files = p.files()
		if len(answer.Files) == 0 {
			return fail(fault.ClassJobFailed, "the provider kept no result of the job")
		}
		answer.State = provider.Succeeded
		answer.Usage = generation.Usage{CostMicroUSD: costOf(c, len(answer.Files))}
		if c.Request.Kind == generation.Image {
			answer.Usage.Images = len(answer.Files)
		}
	case "failed":
		return fail(classOfJob(p.errorText()), "")
	case "canceled", "aborted":
		return fail(fault.ClassCanceled, "")
	}
	return answer
}

// ended reports whether the status is final.
func (p prediction) ended() bool {
	switch p.Status {
	case "succeeded", "failed", "canceled", "aborted":
		return true
	default:
		return false
	}
}

// errorText is the error, which is a string or null, and whatever else it may be.
func (p prediction) errorText() string {
	var text string
	if json.Unmarshal(p.Error, &text) == nil {
		return text
	}
	return string(p.Error)
}

// files finds the results: models answer with one URL, a list of them, or an
// object that holds some. Safety checkers leave pictures out of the list.
func (p prediction) files() []provider.File {
	var output any
	if json.Unmarshal(p.Output, &output) != nil {
		return nil
	}
	var files []provider.File
	var collect func(value any)
	collect = func(value any) {
		switch v := value.(type) {
		case string:
			if strings.HasPrefix(v, "https://") || strings.HasPrefix(v, "http://") {
				files = append(files, provider.File{URL: v})
			} else if data, err := httpcall.ParseDataURL(v); err == nil {
				files = append(files, provider.File{Data: data.Bytes, ContentType: data.ContentType})
			}
		case []any:
			for _, element := range v {
				collect(element)
			}
		case map[string]any:
			for _, member := range v {
				collect(member)
			}
		}
	}
	collect(output)
	return files
}
