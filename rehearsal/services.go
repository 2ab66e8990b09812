package rehearsal

import (
	"context"
	"crypto/md5" //nolint:gosec // the checksum that SQS answers with
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"easel/shared/queue"
)

const maxCall = 1 << 20

// call reads one request of AWS's JSON protocol: its operation and its input.
func call(w http.ResponseWriter, r *http.Request, input any) (operation string, ok bool) {
	_, operation, _ = strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxCall)).Decode(input); err != nil {
		reply(w, http.StatusBadRequest, map[string]string{"__type": "SerializationException", "message": "the input is not JSON"})
		return "", false
	}
	return operation, true
}

func reply(w http.ResponseWriter, status int, output any) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(output) // a caller that left needs no answer
}

func unknown(w http.ResponseWriter, operation string) {
	reply(w, http.StatusBadRequest, map[string]string{"__type": "UnknownOperationException", "message": operation + " is not rehearsed"})
}

// sqs speaks the part of SQS's protocol that the functions may use: sending. The
// receiving half of the real queue is Lambda's own; here it is [queue.Local].
type sqs struct {
	queue *queue.Local
	// dead is the name of the queue of dead letters.
	dead string

	mu    sync.Mutex
	sends int
}

// ServeHTTP implements http.Handler.
func (s *sqs) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var input struct {
		QueueURL     string `json:"QueueUrl"`     //nolint:tagliatelle // the names of AWS, here and below
		MessageBody  string `json:"MessageBody"`  //nolint:tagliatelle
		DelaySeconds int    `json:"DelaySeconds"` //nolint:tagliatelle
	}
	operation, ok := call(w, r, &input)
	if !ok {
		return
	}
	switch operation {
	case "SendMessage":
		if err := s.queue.Send(r.Context(), []byte(input.MessageBody), time.Duration(input.DelaySeconds)*time.Second); err != nil {
			reply(w, http.StatusBadRequest, map[string]string{"__type": "com.amazonaws.sqs#InvalidMessageContents", "message": err.Error()})
			return
		}
		s.mu.Lock()
		s.sends++
		s.mu.Unlock()
		sum := md5.Sum([]byte(input.MessageBody)) //nolint:gosec // see the import
		reply(w, http.StatusOK, map[string]string{"MessageId": uuid.NewString(), "MD5OfMessageBody": hex.EncodeToString(sum[:])})
	case "GetQueueAttributes":
		depth := s.queue.Depth()
		if strings.HasSuffix(input.QueueURL, "/"+s.dead) {
			reply(w, http.StatusOK, map[string]any{"Attributes": map[string]string{"ApproximateNumberOfMessages": strconv.Itoa(depth.Dead)}})
			return
		}
		reply(w, http.StatusOK, map[string]any{"Attributes": map[string]string{
			"RedrivePolicy":                         `{"deadLetterTargetArn":"arn:aws:sqs:` + region + `:111122223333:` + s.dead + `","maxReceiveCount":5}`,
			"ApproximateNumberOfMessages":           strconv.Itoa(depth.Ready),
			"ApproximateNumberOfMessagesDelayed":    strconv.Itoa(depth.Delayed),
			"ApproximateNumberOfMessagesNotVisible": strconv.Itoa(depth.InFlight),
		}})
	default:
		unknown(w, operation)
	}
}

// count returns how many messages were sent.
func (s *sqs) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sends
}

// secretsManager speaks the part of Secrets Manager's protocol that the gateway
// uses.
type secretsManager struct {
	mu      sync.Mutex
	values  map[string]string
	deleted map[string]bool
	reads   int
}

func newSecretsManager() *secretsManager {
	return &secretsManager{values: map[string]string{}, deleted: map[string]bool{}}
}

// put stores a secret as the stack or an operator would have.
func (s *secretsManager) put(name, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values[name] = value
}

// ServeHTTP implements http.Handler.
func (s *secretsManager) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var input struct {
		SecretID     string `json:"SecretId"`     //nolint:tagliatelle // the names of AWS, here and below
		Name         string `json:"Name"`         //nolint:tagliatelle
		SecretString string `json:"SecretString"` //nolint:tagliatelle
	}
	operation, ok := call(w, r, &input)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	name := input.SecretID + input.Name // an operation has one of them
	_, exists := s.values[name]
	switch {
	case operation == "CreateSecret" && exists:
		refuseSecret(w, "ResourceExistsException", "the secret exists")
	case operation == "CreateSecret":
		s.values[name] = input.SecretString
		s.described(w, name)
	case !exists:
		refuseSecret(w, "ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
	case operation == "RestoreSecret":
		delete(s.deleted, name)
		s.described(w, name)
	case s.deleted[name]:
		refuseSecret(w, "InvalidRequestException", "the secret was marked for deletion")
	case operation == "GetSecretValue":
		s.reads++
		reply(w, http.StatusOK, map[string]string{"Name": name, "SecretString": s.values[name]})
	case operation == "PutSecretValue":
		s.values[name] = input.SecretString
		s.described(w, name)
	case operation == "DeleteSecret":
		s.deleted[name] = true
		s.described(w, name)
	default:
		unknown(w, operation)
	}
}

func (*secretsManager) described(w http.ResponseWriter, name string) {
	reply(w, http.StatusOK, map[string]string{"Name": name, "ARN": "arn:aws:secretsmanager:" + region + ":111122223333:secret:" + name})
}

func refuseSecret(w http.ResponseWriter, kind, message string) {
	reply(w, http.StatusBadRequest, map[string]string{"__type": kind, "Message": message})
}

// deliver hands one message to the worker as Lambda's event source mapping does,
// in a batch of one.
func deliver(worker *Function, queueARN string) queue.Handler {
	return func(ctx context.Context, body []byte) error {
		id := uuid.NewString()
		payload, err := json.Marshal(map[string]any{"Records": []map[string]any{{
			"messageId": id, "receiptHandle": id, "body": string(body), "eventSource": "aws:sqs",
			"eventSourceARN": queueARN, "awsRegion": region,
			"attributes": map[string]string{"SentTimestamp": strconv.FormatInt(time.Now().UnixMilli(), 10), "ApproximateReceiveCount": "1"},
		}}})
		if err != nil {
			return err
		}
		var result struct {
			BatchItemFailures []struct{} `json:"batchItemFailures"` //nolint:tagliatelle // the names of AWS
		}
		if err := invokeJSON(ctx, worker, payload, &result); err != nil {
			return err
		}
		if len(result.BatchItemFailures) > 0 {
			return errNotHandled
		}
		return nil
	}
}

// lambdaAPI answers what Lambda tells of its functions, by their whole names.
type lambdaAPI struct {
	mu    sync.Mutex
	specs map[string]functionSpec
}

func (l *lambdaAPI) add(s functionSpec) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.specs == nil {
		l.specs = map[string]functionSpec{}
	}
	l.specs[s.function] = s
}

// ServeHTTP implements http.Handler for GetFunctionConfiguration.
func (l *lambdaAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, ok := l.specs[r.PathValue("name")]
	if !ok {
		w.Header().Set("X-Amzn-Errortype", "ResourceNotFoundException")
		reply(w, http.StatusNotFound, map[string]string{"Message": "Function not found"})
		return
	}
	reply(w, http.StatusOK, map[string]any{
		"FunctionName": s.function, "MemorySize": s.memoryMB, "Environment": map[string]any{"Variables": s.env},
	})
}
