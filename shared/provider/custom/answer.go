package custom

import (
	"encoding/base64"
	"mime"
	"slices"
	"strings"
	"time"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/provider/httpcall"
)

// success returns the tree of an answer that is a success, by status and, where
// the API says it there, by the code in its body.
func (d definition) success(response *httpcall.Response) (tree, error) {
	tree := read(response.Body)
	if !response.OK() {
		return tree, d.refusal(response, tree)
	}
	if tree.broken != nil {
		return tree, response.Bad("the provider's answer is not JSON", tree.broken)
	}
	if d.OK.Code == "" {
		return tree, nil
	}
	code := tree.text(d.OK.Code)
	if code == "" {
		return tree, response.Bad("the provider's answer does not say whether it succeeded", nil)
	}
	if slices.Contains(d.OK.Values, code) {
		return tree, nil
	}
	class, detail := d.classify(response.Status, tree)
	if class == "" {
		class = fault.ClassUnavailable
	}
	return tree, response.Rejected(httpcall.Verdict{
		Class: class, Detail: detail, RetryAfter: httpcall.RetryAfter(response.Header, time.Now()),
	})
}

// progress reads what a poll says about a job.
func (d definition) progress(c provider.Call, response *httpcall.Response, tree tree, answer provider.Answer) (provider.Answer, error) {
	word := tree.text(d.Answer.Status)
	if word == "" {
		return provider.Answer{}, response.Bad("the provider's answer has no status", nil)
	}
	switch {
	case has(d.States.Succeeded, word):
		return d.result(c, response, tree, answer)
	case has(d.States.Running, word):
		answer.State = provider.Running
	case has(d.States.Failed, word):
		class, detail := d.classify(0, tree)
		if class == "" {
			class = fault.ClassJobFailed
		}
		return failed(response, answer, class, detail), nil
	case has(d.States.Moderated, word):
		return failed(response, answer, fault.ClassModerated, word), nil
	case has(d.States.Canceled, word):
		return failed(response, answer, fault.ClassCanceled, word), nil
	case has(d.States.NotFound, word):
		return provider.Answer{}, response.Rejected(httpcall.Verdict{Class: fault.ClassNotFound, Detail: word})
	}
	answer.Progress = tree.fraction(d.Answer.Progress)
	return answer, nil
}

func failed(response *httpcall.Response, answer provider.Answer, class fault.Class, detail string) provider.Answer {
	answer.State = provider.Failed
	answer.Failure = response.Rejected(httpcall.Verdict{Class: class, Detail: detail})
	return answer
}

// result reads a finished generation: of a job, or of a sync submit, where
// nothing to read means that the outcome is not known.
func (d definition) result(c provider.Call, response *httpcall.Response, tree tree, answer provider.Answer) (provider.Answer, error) {
	answer.State, answer.Progress, answer.PollAfter = provider.Succeeded, 1, 0
	if d.Mode == sync {
		answer.Progress = 0
		answer.RequestID, answer.GatewayID = d.requestID(response, tree), response.GatewayID()
		if class, detail := d.classify(0, tree); class == fault.ClassModerated {
			return provider.Answer{}, response.Rejected(httpcall.Verdict{Class: class, Detail: detail})
		}
	}
	if c.Request.Kind == generation.Text {
		answer.Text = tree.text(d.Answer.Text)
		answer.FinishReason = "stop"
	} else if err := d.addFiles(&answer, c, tree); err != nil {
		return provider.Answer{}, response.Bad("a result in the provider's answer cannot be read", err)
	}
	if answer.Text != "" || len(answer.Files) > 0 {
		return answer, nil
	}
	if d.Mode == sync {
		return provider.Answer{}, response.Bad("the provider's answer holds no result", nil)
	}
	answer.Progress = 0
	answer = failed(response, answer, fault.ClassJobFailed, "")
	answer.Failure.Message = "the provider kept no result of the job"
	return answer, nil
}

func (d definition) addFiles(answer *provider.Answer, c provider.Call, tree tree) error {
	for _, output := range tree.texts(d.Answer.Outputs) {
		file := provider.File{ContentType: d.Answer.ContentType}
		switch {
		case strings.HasPrefix(output, "data:"):
			data, err := httpcall.ParseDataURL(output)
			if err != nil {
				return err
			}
			file.Data, file.ContentType = data.Bytes, data.ContentType
		case d.Answer.Encoding == "base64":
			data, err := base64.StdEncoding.DecodeString(output)
			if err != nil {
				return err
			}
			file.Data = data
		default:
			file.URL = output
		}
		answer.Files = append(answer.Files, file)
	}
	if c.Request.Kind == generation.Image {
		answer.Usage.Images = len(answer.Files)
	} else {
		answer.Usage.Seconds = float64(c.Request.Duration)
	}
	return nil
}

// bytesAnswer is the answer of an API that returns the file itself.
func bytesAnswer(c provider.Call, response *httpcall.Response) (provider.Answer, error) {
	mediaType, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if len(response.Body) == 0 || (!strings.HasPrefix(mediaType, "image/") && !strings.HasPrefix(mediaType, "video/")) {
		return provider.Answer{}, response.Bad("the provider's answer is no file", nil)
	}
	answer := provider.Answer{
		State: provider.Succeeded, Files: []provider.File{{Data: response.Body, ContentType: mediaType}},
		RequestID: response.RequestID(), GatewayID: response.GatewayID(),
	}
	if c.Request.Kind == generation.Image {
		answer.Usage.Images = 1
	}
	return answer, nil
}

func (d definition) requestID(response *httpcall.Response, tree tree) string {
	if id := response.RequestID(); id != "" {
		return id
	}
	if id := tree.text(d.Answer.RequestID); len(id) <= 200 {
		return id
	}
	return ""
}

func has(words []string, word string) bool {
	for _, w := range words {
		if strings.EqualFold(w, word) {
			return true
		}
	}
	return false
}
