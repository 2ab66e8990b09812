package lambdahttp_test

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"easel/shared/lambdahttp"
)

func TestAMessageKnowsWhenItWasSent(t *testing.T) {
	t.Parallel()
	for stamp, want := range map[string]time.Time{
		"1772366400123": time.UnixMilli(1772366400123), "": {}, "soon": {}, "-4": {},
	} {
		var got time.Time
		var known bool
		handle := lambdahttp.SQSHandler(func(ctx context.Context, _ []byte) error {
			got, known = lambdahttp.SentAt(ctx)
			return nil
		}, lambdahttp.Options{})
		batch := events.SQSEvent{Records: []events.SQSMessage{{MessageId: "m", Attributes: map[string]string{"SentTimestamp": stamp}}}}
		if _, err := handle(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
		if !got.Equal(want) || known != !want.IsZero() {
			t.Errorf("%q is %v, %v", stamp, got, known)
		}
	}
	if _, known := lambdahttp.SentAt(t.Context()); known {
		t.Error("known outside of a message")
	}
}
