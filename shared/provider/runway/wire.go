package runway

import (
	"strings"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/provider/httpcall"
)

// createRequest is the body of the three creates. Each model takes some of it.
type createRequest struct {
	Model             string      `json:"model"`
	PromptText        string      `json:"promptText,omitempty"`
	PromptImage       string      `json:"promptImage,omitempty"`
	ReferenceImages   []reference `json:"referenceImages,omitempty"`
	Ratio             string      `json:"ratio,omitempty"`
	Duration          int         `json:"duration,omitempty"`
	Seed              *int64      `json:"seed,omitempty"`
	NegativePrompt    string      `json:"negativePrompt,omitempty"`
	Audio             *bool       `json:"audio,omitempty"`
	ContentModeration *moderation `json:"contentModeration,omitempty"`
}

type reference struct {
	URI string `json:"uri"`
}

type moderation struct {
	PublicFigureThreshold string `json:"publicFigureThreshold"`
}

// options are settings that callers and configs may pass through.
type options struct {
	Audio                 *bool  `json:"audio"`
	PublicFigureThreshold string `json:"public_figure_threshold"`
}

// task is a job as creates and look-ups show it.
type task struct {
	ID          string   `json:"id"`
	Status      string   `json:"status"`
	Progress    float64  `json:"progress"`
	Output      []string `json:"output"`
	Failure     string   `json:"failure"`
	FailureCode string   `json:"failureCode"`
	Cost        cost     `json:"cost"`
}

type cost struct {
	Credits float64 `json:"credits"`
}

// microUSDPerCredit: a credit is a cent.
const microUSDPerCredit = 10_000

// active reports whether the task surely has not ended.
func (t task) active() bool {
	return t.Status == "PENDING" || t.Status == "THROTTLED" || t.Status == "RUNNING"
}

// answer reads a task. THROTTLED is waiting for a place, and a status word that
// is not known is pending.
func (t task) answer(c provider.Call, j provider.Job, response *httpcall.Response) provider.Answer {
	answer := provider.Answer{
		State: provider.Pending, Job: j, RequestID: response.RequestID(), GatewayID: response.GatewayID(),
		Usage: generation.Usage{CostMicroUSD: int64(t.Cost.Credits * microUSDPerCredit)},
	}
	fail := func(class fault.Class, message string) provider.Answer {
		answer.State = provider.Failed
		answer.Failure = response.Rejected(httpcall.Verdict{
			Class: class, Message: message, Detail: strings.Trim(t.FailureCode+": "+t.Failure, ": "),
		})
		return answer
	}
	switch t.Status {
	case "RUNNING":
		answer.State, answer.Progress = provider.Running, min(max(t.Progress, 0), 1)
	case "SUCCEEDED":
		for _, url := range t.Output {
			answer.Files = append(answer.Files, provider.File{URL: url})
		}
		if len(answer.Files) == 0 {
			return fail(fault.ClassJobFailed, "the provider kept no result of the job")
		}
		answer.State, answer.Progress = provider.Succeeded, 1
		if c.Request.Kind == generation.Image {
			answer.Usage.Images = len(answer.Files)
		} else {
			answer.Usage.Seconds = float64(c.Request.Duration)
		}
	case "FAILED":
		return fail(classOfCode(t.FailureCode), "")
	case "CANCELLED":
		return fail(fault.ClassCanceled, "")
	}
	return answer
}
