package queue

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// SQS sends to an Amazon SQS standard queue. The receiving side is Lambda's; see
// lambdahttp.SQSHandler. It is safe for concurrent use.
type SQS struct {
	client *sqs.Client
	url    string
}

// NewSQS returns a sender for the queue at queueURL. It opens no connection.
func NewSQS(client *sqs.Client, queueURL string) *SQS {
	return &SQS{client: client, url: queueURL}
}

// Send puts a message into the queue, to be delivered after delay, rounded up to
// a whole second. An error that wraps [ErrMessage] cannot be cured by trying
// again; after any other the message may have been sent all the same.
func (q *SQS) Send(ctx context.Context, body []byte, delay time.Duration) error {
	if err := check(body, delay); err != nil {
		return err
	}
	_, err := q.client.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl:     &q.url,
		MessageBody:  aws.String(string(body)),
		DelaySeconds: int32((delay + time.Second - 1) / time.Second), //nolint:gosec // checked: at most 900
	})
	if err != nil {
		return fmt.Errorf("send message: %w", err)
	}
	return nil
}
