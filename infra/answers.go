package main

import (
	"fmt"
	"maps"
	"strconv"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/jsii-runtime-go"
)

// answer is what the gateway says where no function is asked.
type answer struct {
	kind awsapigateway.ResponseType
	// status is 0 where API Gateway's own is kept, of which there are several.
	status int
	// code is one of the codes of our errors, title its title, and family what
	// OpenAI's clients know it by.
	code, title, family, detail string
	// headers are further ones, with values as API Gateway wants them.
	headers map[string]string
}

// answers are the gateway's own errors. A path that does not exist is 404; API
// Gateway calls it a missing token and would say 403. OpenAI's clients repeat what
// answers 5xx by themselves, and are told not to where a task may exist.
func answers() []answer {
	once := map[string]string{"X-Should-Retry": "'false'"}
	return []answer{
		{awsapigateway.ResponseType_MISSING_AUTHENTICATION_TOKEN(), 404, "not_found", "Not found", "invalid_request_error", "there is nothing at this path, or it takes another method", nil},
		{awsapigateway.ResponseType_REQUEST_TOO_LARGE(), 413, "too_large", "Too large", "invalid_request_error", "the body must have at most 6 MB", nil},
		{awsapigateway.ResponseType_THROTTLED(), 429, "rate_limited", "Too many requests", "rate_limit_error", "the gateway takes no more requests at the moment", map[string]string{"Retry-After": "'1'"}},
		{awsapigateway.ResponseType_WAF_FILTERED(), 403, "forbidden", "Not allowed", "invalid_request_error", "the firewall refused the request", nil},
		{awsapigateway.ResponseType_INTEGRATION_TIMEOUT(), 504, "deadline_exceeded", "Deadline exceeded", "server_error", "the request took too long; a task that it made goes on", once},
		{awsapigateway.ResponseType_INTEGRATION_FAILURE(), 502, "internal", "Internal error", "server_error", "the request could not be completed; a task that it made goes on", once},
		{awsapigateway.ResponseType_DEFAULT_4XX(), 0, "invalid_input", "Invalid input", "invalid_request_error", "the request was refused", nil},
		{awsapigateway.ResponseType_DEFAULT_5XX(), 0, "internal", "Internal error", "server_error", "the request could not be completed", once},
	}
}

// answerLikeUs gives the gateway's own errors the form of ours, and the headers.
func answerLikeUs(api awsapigateway.RestApi) {
	for _, a := range answers() {
		headers := map[string]string{
			"Content-Type": "'application/problem+json'", "X-Request-Id": "context.requestId",
			"X-Content-Type-Options": "'nosniff'", "Cache-Control": "'no-store'",
		}
		maps.Copy(headers, a.headers)
		sent := make(map[string]*string, len(headers))
		for name, value := range headers {
			sent[name] = jsii.String(value)
		}
		options := &awsapigateway.GatewayResponseOptions{
			Type: a.kind, ResponseHeaders: &sent,
			Templates: &map[string]*string{"application/json": jsii.String(a.body())},
		}
		if a.status != 0 {
			options.StatusCode = jsii.String(strconv.Itoa(a.status))
		}
		api.AddGatewayResponse(jsii.String("Answer-"+*a.kind.ResponseType()), options)
	}
}

// body is a problem and, in the member error, what OpenAI's clients read: the
// gateway cannot choose by the path, so everybody gets both.
func (a answer) body() string {
	status := ""
	if a.status != 0 {
		status = fmt.Sprintf(`"status":%d,`, a.status)
	}
	return fmt.Sprintf(`{"type":"urn:easel:problem:%[1]s","title":%[2]q,%[3]s"detail":%[4]q,"code":%[1]q,"request_id":"$context.requestId",`+
		`"error":{"message":%[4]q,"type":%[5]q,"code":%[1]q,"param":null}}`, a.code, a.title, status, a.detail, a.family)
}
