package main

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscertificatemanager"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfront"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfrontorigins"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3deployment"
	"github.com/aws/jsii-runtime-go"

	"easel/shared/env"
)

// newConsole serves the console's files from a bucket, and the API beside them
// under the same host: the browser speaks to one origin, so there is no CORS and
// the security policy can stay closed.
func newConsole(stack awscdk.Stack, c config, f files, api awsapigateway.RestApi) awscloudfront.Distribution {
	bucket := awss3.NewBucket(stack, jsii.String("ConsoleFiles"), &awss3.BucketProps{
		BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(),
		Encryption:        awss3.BucketEncryption_S3_MANAGED,
		EnforceSSL:        jsii.Bool(true),
		MinimumTLSVersion: jsii.Number(1.2),
		ObjectOwnership:   awss3.ObjectOwnership_BUCKET_OWNER_ENFORCED,
		RemovalPolicy:     c.removal(),
		AutoDeleteObjects: jsii.Bool(!c.prod()),
	})
	accept(bucket, finding{"AwsSolutions-S1", "it holds public files, and only CloudFront reads it"})
	props := &awscloudfront.DistributionProps{
		Comment:             jsii.String(c.name("console")),
		DefaultRootObject:   jsii.String("index.html"),
		HttpVersion:         awscloudfront.HttpVersion_HTTP2_AND_3,
		PriceClass:          awscloudfront.PriceClass_PRICE_CLASS_ALL,
		DefaultBehavior:     filesBehavior(stack, c, bucket),
		AdditionalBehaviors: apiBehaviors(stack, c, api),
	}
	if c.consoleDomain != "" {
		props.DomainNames = jsii.Strings(c.consoleDomain)
		props.MinimumProtocolVersion = awscloudfront.SecurityPolicyProtocol_TLS_V1_2_2021
		props.Certificate = awscertificatemanager.Certificate_FromCertificateArn(stack,
			jsii.String("ConsoleCertificate"), jsii.String(c.consoleCertificate))
	}
	distribution := awscloudfront.NewDistribution(stack, jsii.String("Console"), props)
	accept(distribution,
		finding{"AwsSolutions-CFR1", "operators may be anywhere"},
		finding{"AwsSolutions-CFR2", "the API behind it has the firewall; the files are public and static"},
		finding{"AwsSolutions-CFR3", "the API logs every call; requests for static files tell nothing"})
	if c.consoleDomain == "" {
		accept(distribution, finding{"AwsSolutions-CFR4", "CloudFront fixes the oldest TLS version of its own domain name; consoleDomain lifts that"})
	}
	uploadConsole(stack, c, f, bucket, distribution)
	return distribution
}

// consoleOrigin is the console's address, scheme and host only.
func consoleOrigin(c config, distribution awscloudfront.Distribution) string {
	if c.consoleDomain != "" {
		return "https://" + c.consoleDomain
	}
	return "https://" + *distribution.DistributionDomainName()
}

// inApp answers every path without a dot in its last part with the console's one
// page, which then shows what the path names.
const inApp = `function handler(event) {
  var request = event.request;
  if (request.uri.lastIndexOf('.') <= request.uri.lastIndexOf('/')) {
    request.uri = '/index.html';
  }
  return request;
}`

func filesBehavior(stack awscdk.Stack, c config, bucket awss3.IBucket) *awscloudfront.BehaviorOptions {
	return &awscloudfront.BehaviorOptions{
		Origin:                awscloudfrontorigins.S3BucketOrigin_WithOriginAccessControl(bucket, nil),
		ViewerProtocolPolicy:  awscloudfront.ViewerProtocolPolicy_REDIRECT_TO_HTTPS,
		AllowedMethods:        awscloudfront.AllowedMethods_ALLOW_GET_HEAD(),
		CachePolicy:           awscloudfront.CachePolicy_CACHING_OPTIMIZED(),
		ResponseHeadersPolicy: consoleHeaders(stack, c),
		FunctionAssociations: &[]*awscloudfront.FunctionAssociation{{
			EventType: awscloudfront.FunctionEventType_VIEWER_REQUEST,
			Function: awscloudfront.NewFunction(stack, jsii.String("ConsolePaths"), &awscloudfront.FunctionProps{
				Code:    awscloudfront.FunctionCode_FromInline(jsii.String(inApp)),
				Runtime: awscloudfront.FunctionRuntime_JS_2_0(),
			}),
		}},
	}
}

// apiBehaviors passes the API's paths on, uncached and uncompressed, so that
// streams arrive as they are written.
func apiBehaviors(stack awscdk.Stack, c config, api awsapigateway.RestApi) *map[string]*awscloudfront.BehaviorOptions {
	behavior := &awscloudfront.BehaviorOptions{
		Origin: awscloudfrontorigins.NewHttpOrigin(jsii.String(apiHost(stack, api)), &awscloudfrontorigins.HttpOriginProps{
			OriginPath:         jsii.String("/" + c.stage),
			ProtocolPolicy:     awscloudfront.OriginProtocolPolicy_HTTPS_ONLY,
			OriginSslProtocols: &[]awscloudfront.OriginSslPolicy{awscloudfront.OriginSslPolicy_TLS_V1_2},
			// The most that CloudFront gives without a raised quota. Streams send a
			// comment more often; who waits longer calls the API's own address.
			ReadTimeout: awscdk.Duration_Seconds(jsii.Number(60)),
		}),
		ViewerProtocolPolicy: awscloudfront.ViewerProtocolPolicy_HTTPS_ONLY,
		AllowedMethods:       awscloudfront.AllowedMethods_ALLOW_ALL(),
		CachePolicy:          awscloudfront.CachePolicy_CACHING_DISABLED(),
		OriginRequestPolicy:  awscloudfront.OriginRequestPolicy_ALL_VIEWER_EXCEPT_HOST_HEADER(),
		Compress:             jsii.Bool(false),
	}
	return &map[string]*awscloudfront.BehaviorOptions{"/api/*": behavior, "/v1/*": behavior, "/healthz": behavior}
}

// consoleHeaders sends the policy that `easel serve` sends too; produced pictures
// and videos come from the assets bucket.
func consoleHeaders(stack awscdk.Stack, c config) awscloudfront.ResponseHeadersPolicy {
	policy := env.ConsolePolicy("https://" + assetsBucketName(stack, c) + ".s3." + *stack.Region() + "." + *stack.UrlSuffix())
	return awscloudfront.NewResponseHeadersPolicy(stack, jsii.String("ConsoleHeaders"), &awscloudfront.ResponseHeadersPolicyProps{
		ResponseHeadersPolicyName: jsii.String(c.name("console-" + *stack.Region())),
		SecurityHeadersBehavior: &awscloudfront.ResponseSecurityHeadersBehavior{
			ContentSecurityPolicy: &awscloudfront.ResponseHeadersContentSecurityPolicy{
				ContentSecurityPolicy: jsii.String(policy), Override: jsii.Bool(true),
			},
			ContentTypeOptions: &awscloudfront.ResponseHeadersContentTypeOptions{Override: jsii.Bool(true)},
			FrameOptions: &awscloudfront.ResponseHeadersFrameOptions{
				FrameOption: awscloudfront.HeadersFrameOption_DENY, Override: jsii.Bool(true),
			},
			ReferrerPolicy: &awscloudfront.ResponseHeadersReferrerPolicy{
				ReferrerPolicy: awscloudfront.HeadersReferrerPolicy_NO_REFERRER, Override: jsii.Bool(true),
			},
			StrictTransportSecurity: &awscloudfront.ResponseHeadersStrictTransportSecurity{
				AccessControlMaxAge: awscdk.Duration_Days(jsii.Number(730)), IncludeSubdomains: jsii.Bool(true), Override: jsii.Bool(true),
			},
		},
		CustomHeadersBehavior: &awscloudfront.ResponseCustomHeadersBehavior{
			CustomHeaders: &[]*awscloudfront.ResponseCustomHeader{
				header("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()"),
				header("Cross-Origin-Opener-Policy", "same-origin"),
			},
		},
	})
}

func header(name, value string) *awscloudfront.ResponseCustomHeader {
	return &awscloudfront.ResponseCustomHeader{Header: jsii.String(name), Value: jsii.String(value), Override: jsii.Bool(true)}
}

// uploadConsole copies the built files. The page itself is asked for again each
// time; what it loads has its hash in its name and is kept for a year.
func uploadConsole(stack awscdk.Stack, c config, f files, bucket awss3.Bucket, distribution awscloudfront.Distribution) {
	logs := newLogGroup(stack, c, "console-upload")
	upload := func(id, caching string, more awss3deployment.BucketDeploymentProps) awss3deployment.BucketDeployment {
		more.Sources = &[]awss3deployment.ISource{awss3deployment.Source_Asset(jsii.String(f.console), nil)}
		more.DestinationBucket = bucket
		more.CacheControl = &[]awss3deployment.CacheControl{awss3deployment.CacheControl_FromString(jsii.String(caching))}
		more.LogGroup = logs
		more.Prune = jsii.Bool(false) // a page that is still open finds what it loads
		more.MemoryLimit = jsii.Number(256)
		return awss3deployment.NewBucketDeployment(stack, jsii.String(id), &more)
	}
	hashed := upload("UploadHashed", "public, max-age=31536000, immutable", awss3deployment.BucketDeploymentProps{
		Exclude: jsii.Strings("*"), Include: jsii.Strings("assets/*"),
	})
	page := upload("UploadPage", "no-cache", awss3deployment.BucketDeploymentProps{
		Exclude: jsii.Strings("assets/*"), Distribution: distribution, DistributionPaths: jsii.Strings("/*"),
	})
	page.Node().AddDependency(hashed)
	acceptUploader(stack)
}

// acceptUploader speaks for the function that copies the files. The CDK makes one
// for the whole stack, beside everything else, and fixes what it may do.
func acceptUploader(stack awscdk.Stack) {
	for _, child := range *stack.Node().Children() {
		if strings.HasPrefix(*child.Node().Id(), "Custom::CDKBucketDeployment") {
			accept(child,
				finding{"AwsSolutions-IAM4", "the CDK's own uploader, which runs only while the stack is deployed"},
				finding{"AwsSolutions-IAM5", "it may write the console's bucket, read the CDK's upload bucket and refresh CloudFront, and the CDK fixes these grants"},
				finding{"AwsSolutions-L1", "the CDK chooses its runtime"})
		}
	}
}
