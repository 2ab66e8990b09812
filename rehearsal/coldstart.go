package rehearsal

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"easel/shared/env"
)

// ColdStart is what one new environment took.
type ColdStart struct {
	// Init is from the start of the process until it asked for work, First until
	// the end of its first answer.
	Init, First time.Duration
	// Bytes is the binary's size.
	Bytes int64
}

// ColdStart starts a new environment of a function and has it answer one request
// that needs nothing else: a stranger's for the functions behind the API, an
// empty batch of messages for the worker.
func (d *Deployment) ColdStart(ctx context.Context, name string) (ColdStart, error) {
	f := d.Functions[name]
	fresh := &Function{
		api: f.api, address: f.address, binary: f.binary, spec: f.spec, shared: f.shared, log: f.log,
		all: map[*environment]*invocation{}, slots: make(chan struct{}, 1),
	}
	defer fresh.close()
	payload, err := json.Marshal(firstEvent(name))
	if err != nil {
		return ColdStart{}, err
	}
	info, err := os.Stat(filepath.Clean(f.binary))
	if err != nil {
		return ColdStart{}, err
	}
	begun := time.Now()
	a, err := fresh.invoke(ctx, payload)
	if err != nil {
		return ColdStart{}, err
	}
	defer func() { _ = a.body.Close() }()
	if _, err := io.Copy(io.Discard, a.body); err != nil {
		return ColdStart{}, err
	}
	c := ColdStart{First: time.Since(begun), Bytes: info.Size()}
	fresh.mu.Lock()
	defer fresh.mu.Unlock()
	for e := range fresh.all {
		c.Init = e.startUp()
	}
	return c, nil
}

func firstEvent(name string) any {
	request := func(method, path string) events.APIGatewayProxyRequest {
		return events.APIGatewayProxyRequest{HTTPMethod: method, Path: path, Resource: path}
	}
	switch name {
	case env.Worker:
		return events.SQSEvent{Records: []events.SQSMessage{{MessageId: "1", EventSource: "aws:sqs", Body: "{}"}}}
	case env.Task:
		return request(http.MethodGet, "/healthz")
	case env.Webhook:
		return request(http.MethodPost, "/api/webhooks/nobody")
	case env.Admin:
		return request(http.MethodGet, "/api/admin/session")
	case env.Prompt:
		return request(http.MethodPost, "/api/prompt")
	default:
		return request(http.MethodPost, "/api/generate")
	}
}
