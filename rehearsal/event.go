package rehearsal

import (
	"encoding/base64"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
)

// event describes a request as API Gateway does.
func (f *Front) event(r *http.Request, matched route, path string, parameters map[string]string, body []byte, id string) events.APIGatewayProxyRequest {
	source, _, _ := net.SplitHostPort(r.RemoteAddr)
	headers := r.Header.Clone()
	headers.Set("Host", r.Host)
	headers.Set("X-Forwarded-For", source)
	headers.Set("X-Forwarded-Proto", "https")
	headers.Set("X-Amzn-Trace-Id", "Root=1-00000000-"+strings.ReplaceAll(id, "-", "")[:24])
	query := r.URL.Query()
	event := events.APIGatewayProxyRequest{
		Resource: matched.path, Path: path, HTTPMethod: r.Method,
		Headers: last(headers), MultiValueHeaders: headers,
		QueryStringParameters: last(query), MultiValueQueryStringParameters: query, PathParameters: parameters,
		RequestContext: events.APIGatewayProxyRequestContext{
			AccountID: "111122223333", ResourceID: "rehearsal", Stage: f.stage, RequestID: id, APIID: "rehearsal",
			ResourcePath: matched.path, HTTPMethod: r.Method, Path: "/" + f.stage + path, Protocol: r.Proto,
			DomainName: r.Host, ExtendedRequestID: id,
			Identity: events.APIGatewayRequestIdentity{SourceIP: source, UserAgent: r.UserAgent()},
		},
	}
	event.Body, event.IsBase64Encoded = string(body), false
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err == nil && slices.Contains(f.binary, mediaType) {
		event.Body, event.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	} else if !utf8.Valid(body) {
		event.Body = strings.ToValidUTF8(event.Body, "\uFFFD") // what becomes of bytes that are not declared
	}
	return event
}

// last returns the last value of each name, as the single-valued forms have it.
func last(values map[string][]string) map[string]string {
	single := make(map[string]string, len(values))
	for name, list := range values {
		if len(list) > 0 {
			single[name] = list[len(list)-1]
		}
	}
	return single
}

func decodeBase64(text string) ([]byte, error) { return base64.StdEncoding.DecodeString(text) }

// node is one segment of the routes' paths. The zero value is an empty root.
type node struct {
	children  map[string]*node
	parameter *node
	name      string // of the parameter that leads here
	greedy    bool
	methods   map[string]route
}

func (n *node) add(r route) {
	for segment := range strings.SplitSeq(strings.Trim(r.path, "/"), "/") {
		name, isParameter := strings.CutPrefix(segment, "{")
		if !isParameter {
			if n.children == nil {
				n.children = map[string]*node{}
			}
			if n.children[segment] == nil {
				n.children[segment] = &node{}
			}
			n = n.children[segment]
			continue
		}
		if n.parameter == nil {
			n.parameter = &node{}
		}
		n = n.parameter
		n.name, n.greedy = strings.TrimRight(name, "+}"), strings.HasSuffix(name, "+}")
	}
	if n.methods == nil {
		n.methods = map[string]route{}
	}
	n.methods[r.method] = r
}

// find returns the route of a path and its parameters, the zero route for none.
// A named segment goes before a parameter.
func (n *node) find(path, method string) (route, map[string]string) {
	parameters := map[string]string{}
	segments := strings.Split(strings.Trim(path, "/"), "/")
	for i, segment := range segments {
		if child := n.children[segment]; child != nil {
			n = child
			continue
		}
		if n.parameter == nil || segment == "" {
			return route{}, nil
		}
		n = n.parameter
		value := segment
		if n.greedy {
			value = strings.Join(segments[i:], "/")
		}
		if decoded, err := url.PathUnescape(value); err == nil {
			value = decoded
		}
		parameters[n.name] = value
		if n.greedy {
			break
		}
	}
	if r, ok := n.methods[method]; ok {
		return r, parameters
	}
	return n.methods["ANY"], parameters
}
