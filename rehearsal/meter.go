package rehearsal

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
)

// Usage is what a stretch of the rehearsal consumed of each billed thing.
type Usage struct {
	// Dynamo counts round trips by operation; ReadUnits and WriteUnits are what the
	// engine says they consumed.
	Dynamo                map[string]int
	ReadUnits, WriteUnits float64
	QueueSends            int
	SecretReads           int
	// BucketPuts and BucketGets count requests to the bucket, BucketBytes what was put.
	BucketPuts, BucketGets int
	BucketBytes            int64
	// Requests counts those to the API, and LogBytes what the functions logged.
	Requests int
	LogBytes int64
}

// meter counts what the functions ask of AWS. It is safe for concurrent use.
type meter struct {
	mu    sync.Mutex
	usage Usage
}

func (m *meter) add(change func(*Usage)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change(&m.usage)
}

func (m *meter) read() Usage {
	m.mu.Lock()
	defer m.mu.Unlock()
	u := m.usage
	u.Dynamo = maps.Clone(u.Dynamo)
	return u
}

func (m *meter) reset() { m.add(func(u *Usage) { *u = Usage{} }) }

// Write counts a line of log and drops it.
func (m *meter) Write(line []byte) (int, error) {
	m.add(func(u *Usage) { u.LogBytes += int64(len(line)) })
	return len(line), nil
}

// requests counts the requests of a handler.
func (m *meter) requests(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.add(func(u *Usage) { u.Requests++ })
		h.ServeHTTP(w, r)
	})
}

// bucket counts the requests of an S3 handler.
func (m *meter) bucket(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.add(func(u *Usage) {
			switch r.Method {
			case http.MethodPut, http.MethodPost:
				u.BucketPuts++
				u.BucketBytes += bodyBytes(r)
			case http.MethodGet, http.MethodHead:
				u.BucketGets++
			}
		})
		h.ServeHTTP(w, r)
	})
}

// bodyBytes is the object's size; a signed chunked upload says it in a header.
func bodyBytes(r *http.Request) int64 {
	if decoded, err := strconv.ParseInt(r.Header.Get("X-Amz-Decoded-Content-Length"), 10, 64); err == nil {
		return decoded
	}
	return max(r.ContentLength, 0)
}

// dynamo returns a proxy of a DynamoDB engine that has each operation say what
// it consumed. The engine checks no signatures, so the input may be changed.
func (m *meter) dynamo(endpoint *url.URL) http.Handler {
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(endpoint) },
		ModifyResponse: func(r *http.Response) error {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return err
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			_, operation, _ := strings.Cut(r.Request.Header.Get("X-Amz-Target"), ".")
			m.consumed(operation, body)
			return nil
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		var input map[string]any
		if json.Unmarshal(body, &input) == nil {
			input["ReturnConsumedCapacity"] = "TOTAL"
			if changed, err := json.Marshal(input); err == nil {
				body = changed
			}
		}
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		proxy.ServeHTTP(w, r)
	})
}

type capacity struct{ CapacityUnits float64 }

// consumed adds up what an answer says that it cost.
func (m *meter) consumed(operation string, body []byte) {
	var output struct{ ConsumedCapacity json.RawMessage }
	_ = json.Unmarshal(body, &output) // an error's answer has none
	var one capacity
	var many []capacity
	if json.Unmarshal(output.ConsumedCapacity, &one) != nil {
		_ = json.Unmarshal(output.ConsumedCapacity, &many)
	}
	units := one.CapacityUnits
	for _, c := range many {
		units += c.CapacityUnits
	}
	m.add(func(u *Usage) {
		if u.Dynamo == nil {
			u.Dynamo = map[string]int{}
		}
		u.Dynamo[operation]++
		switch operation {
		case "GetItem", "BatchGetItem", "Query", "TransactGetItems", "Scan":
			u.ReadUnits += units
		default:
			u.WriteUnits += units
		}
	})
}
