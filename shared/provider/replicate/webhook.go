package replicate

import (
	"context"
	"encoding/json"
	"time"

	"easel/shared/fault"
	"easel/shared/provider"
	"easel/shared/provider/httpcall"
	"easel/shared/webhook"
)

// Notice verifies a webhook, which is a Standard Webhooks message whose body is
// the prediction. The vendor's own helper checks neither age nor replay: the
// shared verifier refuses what is older than five minutes.
func (p *Provider) Notice(_ context.Context, m provider.Message) (provider.Notice, error) {
	if err := webhook.Verify(m.Secret, m.Header, m.Body, m.Now); err != nil {
		return provider.Notice{}, &fault.Failure{
			Class: fault.ClassAuth, Message: "the webhook's signature does not hold", Cause: err,
		}
	}
	var body prediction
	if err := json.Unmarshal(m.Body, &body); err != nil || body.ID == "" {
		return provider.Notice{}, httpcall.Invalid("the webhook names no job")
	}
	id := m.Header(webhook.HeaderID)
	if id == "" {
		id = body.ID + "." + body.Status
	}
	ended, _ := time.Parse(time.RFC3339, body.CompletedAt) // not said, or not a time
	return provider.Notice{ID: id, Job: body.ID, Final: body.ended(), EndedAt: ended}, nil
}
