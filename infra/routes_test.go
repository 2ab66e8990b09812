package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"easel/shared/env"
)

// methods returns "METHOD /path" of every method of the API, with its properties.
func methods(tmpl template) map[string]map[string]any {
	paths := map[string]string{}
	var path func(id string) string
	path = func(id string) string {
		if known, ok := paths[id]; ok {
			return known
		}
		part, ok := tmpl.Resources[id]
		if !ok || part.Type != "AWS::ApiGateway::Resource" {
			return ""
		}
		parent := strings.TrimSuffix(strings.TrimPrefix(render(part.Properties["ParentId"]), "${"), "}")
		paths[id] = path(parent) + "/" + render(part.Properties["PathPart"])
		return paths[id]
	}
	found := map[string]map[string]any{}
	for _, method := range tmpl.of("AWS::ApiGateway::Method") {
		id := strings.TrimSuffix(strings.TrimPrefix(render(method.Properties["ResourceId"]), "${"), "}")
		where := path(id)
		if where == "" {
			where = "/"
		}
		found[render(method.Properties["HttpMethod"])+" "+where] = method.Properties
	}
	return found
}

func TestEachRouteLeadsToItsFunctionInItsForm(t *testing.T) {
	t.Parallel()
	stages(t, func(t *testing.T, stage string, tmpl template) {
		t.Helper()
		found := methods(tmpl)
		for _, r := range routes() {
			method, ok := found[r.method+" "+r.path]
			if !ok {
				t.Errorf("%s %s does not exist", r.method, r.path)
				continue
			}
			delete(found, r.method+" "+r.path)
			function := tmpl.one(t, "AWS::Lambda::Function", "FunctionName", "easel-"+stage+"-"+r.function).Properties
			uri, mode := render(at(method, "Integration", "Uri")), at(function, "Environment", "Variables", env.ResponseMode)
			if !strings.Contains(uri, "${Function"+r.function) {
				t.Errorf("%s %s leads to %s", r.method, r.path, uri)
			}
			streams := at(method, "Integration", "ResponseTransferMode") == "STREAM"
			if streams != (mode == env.ResponseStream) || streams != strings.HasSuffix(uri, "/response-streaming-invocations") {
				t.Errorf("%s %s: the gateway streams %v, the function is told %v", r.method, r.path, streams, mode)
			}
			seconds, _ := function["Timeout"].(float64)
			if millis, _ := at(method, "Integration", "TimeoutInMillis").(float64); millis < 1000*seconds || !streams && millis > 29000 {
				t.Errorf("%s %s: the gateway waits %v ms, the function may take %v s", r.method, r.path, millis, seconds)
			}
			if method["AuthorizationType"] != "NONE" {
				t.Errorf("%s %s: authorization is the function's, not %v", r.method, r.path, method["AuthorizationType"])
			}
		}
		if root := found["GET /"]; at(root, "Integration", "Type") != "MOCK" {
			t.Errorf("GET / is %v, want the redirect to the console", root)
		}
		delete(found, "GET /")
		for method := range found {
			t.Errorf("%s is a way in that routes does not list", method)
		}
	})
}

var (
	invokedFrom = regexp.MustCompile(`:\$\{Api[0-9A-F]+\}/\$\{ApiDeploymentStage[a-z]+[0-9A-F]+\}/([A-Z*]+)(/.*)$`)
	parameter   = regexp.MustCompile(`\{[^}]*\}`)
)

// TestNoFunctionIsReachedButThroughItsOwnRoutes looks at who may invoke: each
// permission is for the API, one method and one path that routes gives to that function.
func TestNoFunctionIsReachedButThroughItsOwnRoutes(t *testing.T) {
	t.Parallel()
	stages(t, func(t *testing.T, _ string, tmpl template) {
		t.Helper()
		for _, r := range slices.Concat(sortedIDs(tmpl.of("AWS::Lambda::Url")), sortedIDs(tmpl.of("AWS::ApiGatewayV2::Api"))) {
			t.Errorf("%s is another way in", r)
		}
		allowed := map[string]bool{}
		for _, r := range routes() {
			method := strings.Replace(r.method, "ANY", "*", 1)
			allowed[r.function+" "+method+" "+parameter.ReplaceAllString(r.path, "*")] = true
		}
		for id, permission := range tmpl.of("AWS::Lambda::Permission") {
			p := permission.Properties
			source := invokedFrom.FindStringSubmatch(render(p["SourceArn"]))
			function := strings.TrimPrefix(plain(render(p["FunctionName"])), "${Function")
			function = strings.TrimSuffix(function, ".Arn}")
			if p["Principal"] != "apigateway.amazonaws.com" || source == nil || !allowed[function+" "+source[1]+" "+source[2]] {
				t.Errorf("%s: %v invokes %s from %s", id, p["Principal"], function, render(p["SourceArn"]))
			}
		}
		if got := len(tmpl.of("AWS::Lambda::Permission")); got != len(routes()) {
			t.Errorf("%d permissions for %d routes", got, len(routes()))
		}
	})
}

func TestTheAPILogsNoQueryAndNoBody(t *testing.T) {
	t.Parallel()
	stages(t, func(t *testing.T, stage string, tmpl template) {
		t.Helper()
		p := tmpl.one(t, "AWS::ApiGateway::Stage", "StageName", stage).Properties
		format := render(at(p, "AccessLogSetting", "Format"))
		for _, leak := range []string{"querystring", "$context.requestOverride", "authorizer", "header", "body"} {
			if strings.Contains(strings.ToLower(format), strings.ToLower(leak)) {
				t.Errorf("the access log has %s: %s", leak, format)
			}
		}
		settings := list(p["MethodSettings"])
		if len(settings) != 1 || at(settings[0], "DataTraceEnabled") != false || at(settings[0], "ThrottlingRateLimit") == nil || at(settings[0], "ThrottlingBurstLimit") == nil {
			t.Errorf("method settings are %v", settings)
		}
		if p["TracingEnabled"] != true || at(p, "AccessLogSetting", "DestinationArn") == nil {
			t.Error("the stage has no traces or no access log")
		}
		api := tmpl.one(t, "AWS::ApiGateway::RestApi", "Name", "easel-"+stage+"-api").Properties
		if render(at(api, "EndpointConfiguration", "Types")) != "REGIONAL" {
			t.Error("the endpoint is not regional")
		}
	})
}

// TestNothingTakesOldTLS: the API, also behind its own host name, CloudFront's way
// to it, and who comes to CloudFront without TLS.
func TestNothingTakesOldTLS(t *testing.T) {
	t.Parallel()
	stages(t, func(t *testing.T, stage string, tmpl template) {
		t.Helper()
		api := tmpl.one(t, "AWS::ApiGateway::RestApi", "Name", "easel-"+stage+"-api").Properties
		// Versions 1.2 and 1.3; without an access mode the policy is refused.
		if api["SecurityPolicy"] != "SecurityPolicy_TLS13_1_2_PQ_2025_09" || api["EndpointAccessMode"] != "BASIC" {
			t.Errorf("the API takes TLS by the policy %v, %v", api["SecurityPolicy"], api["EndpointAccessMode"])
		}
		for _, domain := range tmpl.of("AWS::ApiGateway::DomainName") {
			if domain.Properties["SecurityPolicy"] != "TLS_1_2" {
				t.Errorf("the API's own name takes %v", domain.Properties["SecurityPolicy"])
			}
		}
		for _, distribution := range tmpl.of("AWS::CloudFront::Distribution") {
			c := at(distribution.Properties, "DistributionConfig")
			if version := at(c, "ViewerCertificate", "MinimumProtocolVersion"); stage == stageProd && version != "TLSv1.2_2021" {
				t.Errorf("the console's own name takes %v", version)
			}
			for _, origin := range list(at(c, "Origins")) {
				if own := at(origin, "CustomOriginConfig"); own != nil && (at(own, "OriginProtocolPolicy") != "https-only" || render(at(own, "OriginSSLProtocols")) != "TLSv1.2") {
					t.Errorf("CloudFront comes to the API by %v", own)
				}
			}
			for _, behavior := range append(list(at(c, "CacheBehaviors")), at(c, "DefaultCacheBehavior")) {
				if policy := at(behavior, "ViewerProtocolPolicy"); policy != "https-only" && policy != "redirect-to-https" {
					t.Errorf("CloudFront takes %v", policy)
				}
			}
		}
	})
}

func TestTheConsoleIsPrivateToCloudFrontAndStrict(t *testing.T) {
	t.Parallel()
	stages(t, func(t *testing.T, stage string, tmpl template) {
		t.Helper()
		for _, headers := range tmpl.of("AWS::CloudFront::ResponseHeadersPolicy") {
			policy := render(at(headers.Properties, "ResponseHeadersPolicyConfig", "SecurityHeadersConfig", "ContentSecurityPolicy", "ContentSecurityPolicy"))
			bucket := "https://easel-" + stage + "-assets-${AWS::AccountId}-${AWS::Region}.s3.${AWS::Region}.${AWS::URLSuffix}"
			if want := env.ConsolePolicy(bucket); policy != want {
				t.Errorf("the security policy is %s, want %s", policy, want)
			}
		}
		for _, distribution := range tmpl.of("AWS::CloudFront::Distribution") {
			for _, origin := range list(at(distribution.Properties, "DistributionConfig", "Origins")) {
				if at(origin, "S3OriginConfig") != nil && at(origin, "OriginAccessControlId") == nil {
					t.Error("the files' bucket is read without origin access control")
				}
			}
		}
		if len(tmpl.of("AWS::CloudFront::Distribution")) != 1 || len(tmpl.of("AWS::CloudFront::OriginAccessControl")) != 1 || len(tmpl.of("AWS::CloudFront::ResponseHeadersPolicy")) != 1 {
			t.Error("there is not exactly one distribution with its policy and access control")
		}
	})
}
