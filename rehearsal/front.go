package rehearsal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"
)

const (
	// maxRequest is what API Gateway takes, maxEvent what Lambda does.
	maxRequest = 10 << 20
	maxEvent   = 6 << 20
	// maxPrelude is far more than any header.
	maxPrelude = 256 << 10

	streamType = "application/vnd.awslambda.http-integration-response"
)

// errAnswer is an answer that is not of the form that the integration wants.
var errAnswer = errors.New("malformed Lambda proxy response")

// Front is an HTTP handler in the shape of API Gateway: REST, one stage, proxy
// integrations. It serves the template's routes below "/<stage>" and is safe for
// concurrent use.
type Front struct {
	stage     string
	root      node
	functions map[string]*Function
	// binary are the media types that are bytes to the API.
	binary []string
	// answers are what the template says instead of a function.
	answers map[string]gatewayAnswer
}

func newFront(stage string, t *Template, functions map[string]*Function, binary []string) *Front {
	f := &Front{stage: stage, functions: functions, binary: binary, answers: t.answers()}
	for _, r := range t.routes() {
		f.root.add(r)
	}
	return f
}

// ServeHTTP implements http.Handler.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := uuid.NewString()
	w.Header().Set("X-Amzn-Requestid", id)
	path, ok := strings.CutPrefix(r.URL.EscapedPath(), "/"+f.stage)
	if !ok || path != "" && path[0] != '/' {
		f.refuse(w, answerForbidden, id)
		return
	}
	matched, parameters := f.root.find(path, r.Method)
	function := f.functions[matched.function]
	if function == nil {
		f.refuse(w, answerMissing, id)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		f.refuse(w, answerTooLarge, id)
		return
	}
	payload, err := json.Marshal(f.event(r, matched, path, parameters, body, id))
	if err != nil || len(payload) > maxEvent {
		f.refuse(w, answerTooLarge, id)
		return
	}
	f.run(w, r, function, matched, payload, id)
}

// run invokes the function and passes its answer on. A client that leaves does
// not stop the function.
func (f *Front) run(w http.ResponseWriter, r *http.Request, function *Function, matched route, payload []byte, id string) {
	ctx, cancel := context.WithTimeout(r.Context(), matched.timeout)
	defer cancel()
	a, err := function.invoke(ctx, payload)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		f.refuse(w, answerTimeout, id)
		return
	case err != nil:
		f.refuse(w, answerFailure, id)
		return
	}
	defer func() { _ = a.body.Close() }()
	if matched.stream {
		err = stream(w, a)
	} else {
		err = f.buffered(w, r, a)
	}
	if errors.Is(err, errAnswer) {
		f.refuse(w, answerFailure, id)
		return
	}
	if err != nil {
		panic(http.ErrAbortHandler) // so that the client does not take a part for the whole
	}
}

// buffered passes on an answer of a buffered integration.
func (f *Front) buffered(w http.ResponseWriter, r *http.Request, a answer) error {
	data, err := io.ReadAll(io.LimitReader(a.body, maxEvent+1))
	if err != nil {
		return fmt.Errorf("%w: %w", errAnswer, err)
	}
	if len(data) > maxEvent || a.contentType == streamType {
		return errAnswer
	}
	var response events.APIGatewayProxyResponse
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields() // API Gateway refuses them
	if err := decoder.Decode(&response); err != nil || response.StatusCode == 0 {
		return errAnswer
	}
	body := []byte(response.Body)
	accepted, _, _ := strings.Cut(r.Header.Get("Accept"), ",")
	if response.IsBase64Encoded && slices.Contains(f.binary, strings.TrimSpace(accepted)) {
		if body, err = decodeBase64(response.Body); err != nil {
			return errAnswer
		}
	}
	setHeaders(w.Header(), response.Headers, response.MultiValueHeaders)
	w.WriteHeader(response.StatusCode)
	_, err = w.Write(body)
	return err
}

// stream passes on an answer of a streaming integration: a JSON prelude, eight
// NUL bytes, and the body, piece by piece.
func stream(w http.ResponseWriter, a answer) error {
	if a.contentType != streamType {
		return errAnswer
	}
	prelude, rest, err := readPrelude(a.body)
	if err != nil {
		return fmt.Errorf("%w: %w", errAnswer, err)
	}
	var header struct {
		StatusCode        int                 `json:"statusCode"`        //nolint:tagliatelle // the names of AWS
		Headers           map[string]string   `json:"headers"`           // one value each
		MultiValueHeaders map[string][]string `json:"multiValueHeaders"` //nolint:tagliatelle // the names of AWS
		Cookies           []string            `json:"cookies"`
	}
	if err := json.Unmarshal(prelude, &header); err != nil || header.StatusCode == 0 {
		return errAnswer
	}
	setHeaders(w.Header(), header.Headers, header.MultiValueHeaders)
	w.WriteHeader(header.StatusCode)
	control := http.NewResponseController(w)
	buffer := make([]byte, 32<<10)
	for piece := rest; ; {
		if len(piece) > 0 {
			if _, err := w.Write(piece); err != nil {
				return err
			}
			if err := control.Flush(); err != nil {
				return err
			}
		}
		n, err := a.body.Read(buffer)
		piece = buffer[:n]
		if n == 0 && errors.Is(err, io.EOF) {
			return nil
		}
		if n == 0 && err != nil {
			return err
		}
	}
}

// readPrelude returns what stands before the eight NUL bytes, and what of the
// body came with it.
func readPrelude(r io.Reader) (prelude, rest []byte, err error) {
	end := make([]byte, 8)
	var data []byte
	buffer := make([]byte, 4<<10)
	for len(data) < maxPrelude {
		n, err := r.Read(buffer)
		data = append(data, buffer[:n]...)
		if before, after, found := bytes.Cut(data, end); found {
			return before, after, nil
		}
		if err != nil {
			return nil, nil, err
		}
	}
	return nil, nil, errors.New("the prelude has no end")
}

// setHeaders sets what a function sent. API Gateway keeps some names for itself.
func setHeaders(header http.Header, single map[string]string, multiple map[string][]string) {
	set := func(name string, values []string) {
		switch http.CanonicalHeaderKey(name) {
		case "Authorization", "Date", "Server", "Www-Authenticate", "Connection", "Content-Length":
			name = "X-Amzn-Remapped-" + name
		}
		header[http.CanonicalHeaderKey(name)] = values
	}
	for name, value := range single {
		set(name, []string{value})
	}
	for name, values := range multiple {
		set(name, values)
	}
}
