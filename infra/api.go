package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscertificatemanager"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	"easel/shared/env"
)

// newAPI makes the gateway without its routes, which need functions that in turn
// need the gateway's address.
func newAPI(stack awscdk.Stack, c config) awsapigateway.RestApi {
	props := &awsapigateway.RestApiProps{
		RestApiName: jsii.String(c.name("api")),
		Description: jsii.String("Easel, stage " + c.stage),
		// An edge-optimized endpoint would cut streams that are silent for 30 seconds.
		EndpointTypes:               &[]awsapigateway.EndpointType{awsapigateway.EndpointType_REGIONAL},
		CloudWatchRole:              jsii.Bool(c.logRole),
		CloudWatchRoleRemovalPolicy: c.removal(),
		// What callers upload; without these the bytes would be read as text.
		BinaryMediaTypes: jsii.Strings("multipart/form-data", "image/png", "image/jpeg", "image/webp"),
		DeployOptions:    stageOptions(stack, c),
	}
	if c.apiDomain != "" {
		props.DomainName = &awsapigateway.DomainNameOptions{
			DomainName: jsii.String(c.apiDomain),
			Certificate: awscertificatemanager.Certificate_FromCertificateArn(stack, jsii.String("ApiCertificate"),
				jsii.String(c.apiCertificate)),
			EndpointType:   awsapigateway.EndpointType_REGIONAL,
			SecurityPolicy: awsapigateway.SecurityPolicy_TLS_1_2,
		}
	}
	api := awsapigateway.NewRestApi(stack, jsii.String("Api"), props)
	demandTLS12(api)
	answerLikeUs(api)
	return api
}

// demandTLS12 takes the oldest versions of TLS away, which a gateway accepts by
// default, behind an own host name too. The CDK's larger construct does not know
// these properties yet.
func demandTLS12(api awsapigateway.RestApi) {
	bare, ok := api.Node().DefaultChild().(awsapigateway.CfnRestApi)
	if !ok {
		panic("the API is no CloudFormation resource")
	}
	bare.SetSecurityPolicy(jsii.String("SecurityPolicy_TLS13_1_2_PQ_2025_09"))
	bare.SetEndpointAccessMode(jsii.String("BASIC"))
}

func stageOptions(stack awscdk.Stack, c config) *awsapigateway.StageOptions {
	return &awsapigateway.StageOptions{
		StageName:            jsii.String(c.stage),
		ThrottlingRateLimit:  jsii.Number(c.requestsPerSecond),
		ThrottlingBurstLimit: jsii.Number(c.burst),
		MetricsEnabled:       jsii.Bool(false), // per route, and billed per route; the functions publish better ones
		LoggingLevel:         awsapigateway.MethodLoggingLevel_ERROR,
		DataTraceEnabled:     jsii.Bool(false), // it would log prompts and keys
		TracingEnabled:       jsii.Bool(true),
		AccessLogDestination: awsapigateway.NewLogGroupLogDestination(newLogGroup(stack, c, "api-access")),
		AccessLogFormat:      awsapigateway.AccessLogFormat_Custom(jsii.String(accessLog)),
	}
}

// accessLog is one line per request. $context.path has no query string, in which
// webhooks carry ids and old clients carry keys.
const accessLog = `{"request_id":"$context.requestId","ip":"$context.identity.sourceIp",` +
	`"user_agent":"$context.identity.userAgent","time":"$context.requestTimeEpoch",` +
	`"method":"$context.httpMethod","route":"$context.resourcePath","path":"$context.path",` +
	`"status":"$context.status","latency_ms":"$context.responseLatency",` +
	`"integration_latency_ms":"$context.integrationLatency","bytes":"$context.responseLength",` +
	`"firewall":"$context.wafResponseCode","error":"$context.error.responseType"}`

// apiURL returns the API's base URL. It is put together by hand, because the
// gateway's own attribute depends on its functions.
func apiURL(stack awscdk.Stack, c config, api awsapigateway.RestApi) string {
	if c.apiDomain != "" {
		return "https://" + c.apiDomain
	}
	return "https://" + apiHost(stack, api) + "/" + c.stage
}

func apiHost(stack awscdk.Stack, api awsapigateway.RestApi) string {
	return *api.RestApiId() + ".execute-api." + *stack.Region() + "." + *stack.UrlSuffix()
}

// acceptOpenRoutes says why the gateway itself checks so little. It comes after
// the routes, because it speaks for each of them.
func acceptOpenRoutes(c config, api awsapigateway.RestApi) {
	accept(api,
		finding{"AwsSolutions-APIG2", "bodies are checked by the functions, which answer with the field's name"},
		finding{"AwsSolutions-APIG4", "keys, tokens and webhook signatures are checked in the functions: an authorizer would be a second function to start and to pay for each request"},
		finding{"AwsSolutions-COG4", "as APIG4: keys are accepted beside the user pool's tokens"})
	if c.logRole {
		accept(api, finding{"AwsSolutions-IAM4", "API Gateway's own managed policy is the only documented one for its account-wide log role"})
	}
	if !c.waf {
		accept(api, finding{"AwsSolutions-APIG3", "the firewall is switched off by the context value waf; it costs more than everything else of an idle deployment"})
	}
}

// addRoutes puts the functions behind the routes. Each function may be invoked by
// its own routes and by nothing else.
func addRoutes(api awsapigateway.RestApi, functions map[string]awslambda.Function, specs map[string]spec) {
	integrations := map[string]awsapigateway.Integration{}
	for _, r := range routes() {
		if integrations[r.function] == nil {
			integrations[r.function] = newIntegration(functions[r.function], specs[r.function])
		}
		api.Root().ResourceForPath(jsii.String(r.path)).AddMethod(jsii.String(r.method), integrations[r.function],
			&awsapigateway.MethodOptions{AuthorizationType: awsapigateway.AuthorizationType_NONE})
	}
}

func newIntegration(function awslambda.Function, s spec) awsapigateway.Integration {
	options := &awsapigateway.LambdaIntegrationOptions{
		AllowTestInvoke:      jsii.Bool(false),
		ResponseTransferMode: awsapigateway.ResponseTransferMode_BUFFERED,
		Timeout:              awscdk.Duration_Seconds(jsii.Number(s.seconds)),
	}
	if s.mode == env.ResponseStream {
		options.ResponseTransferMode = awsapigateway.ResponseTransferMode_STREAM
	}
	return awsapigateway.NewLambdaIntegration(function, options)
}

// redirectRoot sends a browser that opens the API's address to the console.
func redirectRoot(api awsapigateway.RestApi, consoleOrigin string) {
	location := "method.response.header.Location"
	integration := awsapigateway.NewMockIntegration(&awsapigateway.IntegrationOptions{
		RequestTemplates: &map[string]*string{"application/json": jsii.String(`{"statusCode": 302}`)},
		IntegrationResponses: &[]*awsapigateway.IntegrationResponse{{
			StatusCode:         jsii.String("302"),
			ResponseParameters: &map[string]*string{location: jsii.String("'" + consoleOrigin + "/'")},
		}},
	})
	api.Root().AddMethod(jsii.String("GET"), integration, &awsapigateway.MethodOptions{
		AuthorizationType: awsapigateway.AuthorizationType_NONE,
		MethodResponses: &[]*awsapigateway.MethodResponse{{
			StatusCode: jsii.String("302"), ResponseParameters: &map[string]*bool{location: jsii.Bool(true)},
		}},
	})
}
