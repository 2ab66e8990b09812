package gemini

import (
	"context"
	"encoding/base64"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/provider/httpcall"
)

// operationName is what the vendor calls a job: segments below the API's root.
var operationName = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*$`)

// video starts a video, which is a long-running operation.
func (p *Provider) video(ctx context.Context, c provider.Call) (provider.Answer, error) {
	body, err := videoBody(c)
	if err != nil {
		return provider.Answer{}, err
	}
	r := request(c, http.MethodPost, methodPath(c, ":predictLongRunning"))
	r.Submits = true
	if r.Body, err = httpcall.JSON(body); err != nil {
		return provider.Answer{}, err
	}
	response, err := p.calls.Do(ctx, r)
	if err != nil {
		return provider.Answer{}, err
	}
	if !response.OK() {
		return provider.Answer{}, refusal(response, true)
	}
	var started operation
	if err := response.JSON(&started); err != nil {
		return provider.Answer{}, err
	}
	if !operationName.MatchString(started.Name) {
		return provider.Answer{}, response.Bad("the provider's answer names no job", nil)
	}
	return provider.Answer{
		State: provider.Pending, Job: provider.Job{ID: started.Name},
		RequestID: response.RequestID(), GatewayID: response.GatewayID(),
	}, nil
}

// Poll looks a video up. A text or an image is never a job.
func (p *Provider) Poll(ctx context.Context, c provider.Call, j provider.Job) (provider.Answer, error) {
	if !operationName.MatchString(j.ID) {
		return provider.Answer{}, &fault.Failure{Class: fault.ClassNotFound, Message: fault.ClassNotFound.Public()}
	}
	response, err := p.calls.Do(ctx, request(c, http.MethodGet, j.ID))
	if err != nil {
		return provider.Answer{}, err
	}
	if !response.OK() {
		return provider.Answer{}, refusal(response, false)
	}
	var op operation
	if err := response.JSON(&op); err != nil {
		return provider.Answer{}, err
	}
	answer := provider.Answer{
		State: provider.Running, Job: j, RequestID: response.RequestID(), GatewayID: response.GatewayID(),
	}
	if !op.Done {
		return answer, nil
	}
	return op.ended(c, response, answer), nil
}

// ended reads an operation that is done. What was filtered looks like a success
// without a sample.
func (op operation) ended(c provider.Call, response *httpcall.Response, answer provider.Answer) provider.Answer {
	made := op.Response.GenerateVideoResponse
	for _, sample := range made.GeneratedSamples {
		if sample.Video.URI == "" {
			continue
		}
		file := provider.File{URL: sample.Video.URI}
		if httpcall.SameHost(c.BaseURL, file.URL) {
			file.Header = map[string]string{headerKey: c.Key.Reveal()}
		}
		answer.Files = append(answer.Files, file)
	}
	if len(answer.Files) > 0 {
		answer.State, answer.Progress = provider.Succeeded, 1
		answer.Usage.Seconds = float64(c.Request.Duration)
		return answer
	}
	verdict := httpcall.Verdict{Class: fault.ClassJobFailed}
	switch {
	case made.RAIMediaFilteredCount > 0 || len(made.RAIMediaFilteredReasons) > 0:
		verdict = httpcall.Verdict{Class: fault.ClassModerated, Detail: strings.Join(made.RAIMediaFilteredReasons, "; ")}
	case op.Error.Message != "":
		verdict.Detail = op.Error.Message
		if strings.Contains(strings.ToLower(op.Error.Message), "safety") {
			verdict.Class = fault.ClassModerated
		}
	}
	answer.State, answer.Failure = provider.Failed, response.Rejected(verdict)
	return answer
}

func videoBody(c provider.Call) (videoRequest, error) {
	req := c.Request
	if req.Mask != "" || len(req.Loras) > 0 || req.Count() > 1 {
		return videoRequest{}, httpcall.Unsupported("the model makes one video at a time, without masks or loras")
	}
	if req.Duration != 0 && !slices.Contains([]int{4, 6, 8}, req.Duration) {
		return videoRequest{}, httpcall.Unsupported("the model makes clips of 4, 6 or 8 seconds")
	}
	ratio, resolution, err := videoShape(req)
	if err != nil {
		return videoRequest{}, err
	}
	instance := videoInstance{Prompt: req.Prompt}
	if req.Image != "" {
		image, err := httpcall.ParseDataURL(req.Image)
		if err != nil {
			return videoRequest{}, err
		}
		instance.Image = &videoImage{
			BytesBase64Encoded: base64.StdEncoding.EncodeToString(image.Bytes), MIMEType: image.ContentType,
		}
	}
	return videoRequest{
		Instances: []videoInstance{instance},
		Parameters: videoParameters{
			AspectRatio: ratio, Resolution: resolution, DurationSeconds: req.Duration, NegativePrompt: req.NegativePrompt,
		},
	}, nil
}

func videoShape(req generation.Request) (ratio, resolution string, err error) {
	switch req.Size {
	case "":
		if !slices.Contains([]string{"", "16:9", "9:16"}, req.AspectRatio) {
			return "", "", httpcall.Unsupported("the model does not make this aspect ratio")
		}
		return req.AspectRatio, "", nil
	case "1280x720":
		return "16:9", "720p", nil
	case "720x1280":
		return "9:16", "720p", nil
	case "1920x1080":
		return "16:9", "1080p", nil
	case "1080x1920":
		return "9:16", "1080p", nil
	default:
		return "", "", httpcall.Unsupported("the model does not make this size")
	}
}
