package queue_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"easel/shared/queue"
)

type sent struct {
	QueueURL     string `json:"QueueUrl"`     //nolint:tagliatelle // the names of SQS
	Body         string `json:"MessageBody"`  //nolint:tagliatelle
	DelaySeconds int    `json:"DelaySeconds"` //nolint:tagliatelle
}

func TestSQSSendsTheBodyAndTheDelay(t *testing.T) {
	t.Parallel()
	requests := make(chan sent, 1)
	sender := newSQS(t, func(w http.ResponseWriter, r *http.Request) {
		var request sent
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil || r.Header.Get("X-Amz-Target") != "AmazonSQS.SendMessage" {
			t.Errorf("request %v, %v", r.Header, err)
		}
		requests <- request
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = w.Write([]byte(`{"MessageId":"m"}`))
	})
	for delay, seconds := range map[time.Duration]int{0: 0, time.Millisecond: 1, 90 * time.Second: 90, queue.MaxDelay: 900} {
		if err := sender.Send(t.Context(), []byte(`{"task":"task_1"}`), delay); err != nil {
			t.Fatal(err)
		}
		want := sent{QueueURL: "https://sqs.test/1/work", Body: `{"task":"task_1"}`, DelaySeconds: seconds}
		if got := <-requests; got != want {
			t.Errorf("sent %+v, want %+v", got, want)
		}
	}
}

func TestSQSReportsARefusal(t *testing.T) {
	t.Parallel()
	sender := newSQS(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"no such queue"}`))
	})
	err := sender.Send(t.Context(), []byte("{}"), 0)
	if err == nil || !strings.Contains(err.Error(), "no such queue") || errors.Is(err, queue.ErrMessage) {
		t.Errorf("err = %v", err)
	}
}

func TestSQSChecksTheMessageFirst(t *testing.T) {
	t.Parallel()
	sender := newSQS(t, func(http.ResponseWriter, *http.Request) { t.Error("it was sent") })
	if err := sender.Send(t.Context(), []byte("{}"), time.Hour); !errors.Is(err, queue.ErrMessage) {
		t.Errorf("err = %v", err)
	}
}

func newSQS(t *testing.T, handler http.HandlerFunc) *queue.SQS {
	t.Helper()
	server := httptest.NewServer(handler)
	transport := &http.Transport{}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		server.Close()
	})
	client := sqs.New(sqs.Options{
		BaseEndpoint: &server.URL,
		Region:       "us-east-1",
		Credentials:  credentials.NewStaticCredentialsProvider("a", "b", ""),
		HTTPClient:   &http.Client{Transport: transport},

		DisableMessageChecksumValidation: true,
	})
	return queue.NewSQS(client, "https://sqs.test/1/work")
}
