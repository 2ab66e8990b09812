package fal

import (
	"encoding/json"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/provider/httpcall"
)

// queued is the answer to a submit.
type queued struct {
	RequestID   string `json:"request_id"`
	ResponseURL string `json:"response_url"`
	StatusURL   string `json:"status_url"`
	CancelURL   string `json:"cancel_url"`
}

func (q queued) job() provider.Job {
	return provider.Job{ID: q.RequestID, Handle: map[string]string{
		handleStatus: q.StatusURL, handleResult: q.ResponseURL, handleCancel: q.CancelURL,
	}}
}

type queueStatus struct {
	Status string `json:"status"`
}

// result is what models answer with: one file or several, of either kind.
type result struct {
	Images []file `json:"images"`
	Image  *file  `json:"image"`
	Video  *file  `json:"video"`
	Videos []file `json:"videos"`
	// HasNSFWConcepts marks, by position, the images that were blacked out.
	HasNSFWConcepts []bool `json:"has_nsfw_concepts"`
}

type file struct {
	URL         string `json:"url"`
	ContentType string `json:"content_type"`
}

// read turns a stored success into the answer.
func read(c provider.Call, response *httpcall.Response, answer provider.Answer) (provider.Answer, error) {
	var r result
	if err := response.JSON(&r); err != nil {
		return provider.Answer{}, err
	}
	files, blacked := r.files()
	if len(files) == 0 {
		verdict := httpcall.Verdict{Class: fault.ClassJobFailed, Message: "the provider kept no result of the job"}
		if blacked {
			verdict = httpcall.Verdict{Class: fault.ClassModerated}
		}
		answer.State, answer.Failure = provider.Failed, response.Rejected(verdict)
		return answer, nil
	}
	answer.State, answer.Files, answer.Progress = provider.Succeeded, files, 1
	if c.Request.Kind == generation.Image {
		answer.Usage.Images = len(files)
	} else {
		answer.Usage.Seconds = float64(c.Request.Duration)
	}
	return answer, nil
}

// files lists the results without those that a safety checker blacked out.
func (r result) files() (files []provider.File, blacked bool) {
	all := append(append([]file(nil), r.Images...), r.Videos...)
	for i, f := range all {
		if i < len(r.Images) && i < len(r.HasNSFWConcepts) && r.HasNSFWConcepts[i] {
			blacked = true
			continue
		}
		files = f.appendTo(files)
	}
	for _, single := range []*file{r.Image, r.Video} {
		if single != nil {
			files = single.appendTo(files)
		}
	}
	return files, blacked
}

// appendTo adds the file; small ones may come as a data URL.
func (f file) appendTo(files []provider.File) []provider.File {
	if data, err := httpcall.ParseDataURL(f.URL); err == nil {
		return append(files, provider.File{Data: data.Bytes, ContentType: data.ContentType})
	}
	if f.URL == "" {
		return files
	}
	return append(files, provider.File{URL: f.URL, ContentType: f.ContentType})
}

// event is the body of a webhook.
type event struct {
	RequestID string          `json:"request_id"`
	Status    string          `json:"status"`
	Payload   json.RawMessage `json:"payload"`
}
