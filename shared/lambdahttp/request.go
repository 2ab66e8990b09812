package lambdahttp

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

var errEvent = errors.New("the event is not an API Gateway proxy request")

// newRequest builds the request that an event describes.
func newRequest(ctx context.Context, event events.APIGatewayProxyRequest, options Options) (*http.Request, error) {
	if event.HTTPMethod == "" || !isToken(event.HTTPMethod) {
		return nil, fmt.Errorf("%w: method %q", errEvent, event.HTTPMethod)
	}
	body, err := bodyOf(event)
	if err != nil {
		return nil, err
	}
	target := targetOf(event, options)
	header := headerOf(event)
	host := cmp.Or(header.Get("Host"), event.RequestContext.DomainName)
	header.Del("Host") // where net/http keeps it
	id := requestID(ctx, event)
	header.Del(headerID)
	if id != "" {
		header.Set(headerID, id)
	}
	request := &http.Request{
		Method:        event.HTTPMethod,
		URL:           target,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        header,
		Body:          http.NoBody,
		ContentLength: int64(len(body)),
		Host:          host,
		RemoteAddr:    remoteAddr(event.RequestContext.Identity.SourceIP),
		RequestURI:    target.RequestURI(),
	}
	if len(body) > 0 {
		request.Body = readCloser{bytes.NewReader(body)}
	}
	return request.WithContext(context.WithValue(ctx, contextKey{}, id)), nil
}

// readCloser also keeps bytes.Reader's other methods, which io.NopCloser hides.
type readCloser struct{ *bytes.Reader }

func (readCloser) Close() error { return nil }

func bodyOf(event events.APIGatewayProxyRequest) ([]byte, error) {
	if !event.IsBase64Encoded {
		return []byte(event.Body), nil
	}
	body, err := base64.StdEncoding.DecodeString(event.Body)
	if err != nil {
		return nil, fmt.Errorf("%w: body: %w", errEvent, err)
	}
	return body, nil
}

// targetOf returns path and query. Values of the query arrive decoded.
func targetOf(event events.APIGatewayProxyRequest, options Options) *url.URL {
	path := stripPrefix(event.Path, strings.TrimSuffix(options.BasePath, "/"))
	if stageInPath(event) {
		path = stripPrefix(path, "/"+event.RequestContext.Stage)
	}
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	query := url.Values{}
	for name, value := range event.QueryStringParameters {
		query.Set(name, value)
	}
	maps.Copy(query, event.MultiValueQueryStringParameters)
	target := &url.URL{Path: path, RawQuery: query.Encode()}
	if decoded, err := url.PathUnescape(path); err == nil {
		// EscapedPath ignores RawPath where it does not fit.
		target.Path, target.RawPath = decoded, path
	}
	return target
}

// stageInPath reports whether the path begins with the stage's name. API Gateway
// leaves it out, but some test tools do not; there the context's path, which
// always has it, is the same. A resource that is itself named like the stage is
// not mistaken for it.
func stageInPath(event events.APIGatewayProxyRequest) bool {
	stage := "/" + event.RequestContext.Stage
	return stage != "/" && event.Path == event.RequestContext.Path && !strings.HasPrefix(event.Resource+"/", stage+"/")
}

// stripPrefix removes whole segments only.
func stripPrefix(path, prefix string) string {
	rest, found := strings.CutPrefix(path, prefix)
	if prefix == "" || !found || rest != "" && rest[0] != '/' {
		return path
	}
	return rest
}

// headerOf merges the two forms in which an event has the headers; the one that
// can hold several values counts.
func headerOf(event events.APIGatewayProxyRequest) http.Header {
	header := make(http.Header, len(event.Headers))
	for name, value := range event.Headers {
		header.Set(name, value)
	}
	for name := range event.MultiValueHeaders {
		header.Del(name)
	}
	for name, values := range event.MultiValueHeaders {
		for _, value := range values {
			header.Add(name, value)
		}
	}
	// The body is complete and decoded: what says otherwise is outdated.
	header.Del("Transfer-Encoding")
	header.Del("Content-Length")
	return header
}

func requestID(ctx context.Context, event events.APIGatewayProxyRequest) string {
	if id := event.RequestContext.RequestID; id != "" {
		return id
	}
	if invocation, ok := lambdacontext.FromContext(ctx); ok {
		return invocation.AwsRequestID
	}
	return ""
}

// remoteAddr has the form that net/http promises; the port is not known.
func remoteAddr(ip string) string {
	if ip == "" {
		return ""
	}
	return net.JoinHostPort(ip, "0")
}

func isToken(text string) bool {
	for _, r := range text {
		if (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '-' {
			return false
		}
	}
	return true
}
