package httpcall

import (
	"context"

	"easel/shared/fault"
	"easel/shared/provider"
)

// NoJobs gives a driver of a protocol without jobs the methods that are about
// them. Embed it.
type NoJobs struct{}

// Poll returns a Failure of class unsupported.
func (NoJobs) Poll(context.Context, provider.Call, provider.Job) (provider.Answer, error) {
	return provider.Answer{}, Unsupported("this provider keeps no jobs")
}

// Cancel returns a Failure of class unsupported.
func (NoJobs) Cancel(context.Context, provider.Call, provider.Job) error {
	return Unsupported("this provider keeps no jobs")
}

// Notice returns a Failure of class invalid_input.
func (NoJobs) Notice(context.Context, provider.Message) (provider.Notice, error) {
	return provider.Notice{}, NoWebhooks()
}

// NoWebhooks is what Notice returns where a protocol has no webhooks.
func NoWebhooks() *fault.Failure { return Invalid("this provider sends no webhooks") }
