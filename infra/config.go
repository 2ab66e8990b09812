package main

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"

	"easel/shared/env"
)

// The stages. They differ in what outlives the stack: a dev stack is deleted with
// all it holds, a prod stack leaves its data behind.
const (
	stageDev  = "dev"
	stageProd = "prod"
)

// config is everything that a deployment can be told, from CDK context values.
// parseConfig has their names, defaults and bounds, docs/deploy.md what they mean.
type config struct {
	stage string

	// api and console are own host names, each with the ARN of its certificate;
	// empty for the names that AWS gives.
	apiDomain, apiCertificate         string
	consoleDomain, consoleCertificate string

	// Days after which logs, produced files, ended tasks and usage records go.
	logDays, assetDays, taskDays, usageDays int

	// memory and reserved are MB and concurrent executions per function. A function
	// without an entry in reserved shares what the account has.
	memory, reserved map[string]int
	// workerConcurrency is how many messages are worked on at the same time.
	workerConcurrency int
	// requestsPerSecond and burst throttle each route of the API.
	requestsPerSecond, burst int

	alarmEmail string
	waf        bool
	// logRole makes the role with which API Gateway writes logs. There is one
	// setting for it in each region of an account.
	logRole bool

	// priceCap is in micro-USD, 0 for none.
	priceCap      int
	revealKeys    bool
	cloudflareURL string

	// Without an issuer the stack makes a Cognito user pool.
	oidcIssuer, oidcClient              string
	groupClaim, adminGroup, viewerGroup string
	// accountClaim names the account that pays, where callers may use tokens too.
	accountClaim, callerClient, callerGroup string
	callerRate                              int
}

// prod reports whether data must outlive the stack.
func (c config) prod() bool { return c.stage == stageProd }

// name is how the stack calls its own resources: "easel-prod-<part>".
func (c config) name(part string) string { return "easel-" + c.stage + "-" + part }

// secretPrefix precedes the names of all secrets of the deployment.
func (c config) secretPrefix() string { return "easel/" + c.stage + "/" }

var (
	hostForm        = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$`)
	certificateForm = regexp.MustCompile(`^arn:aws[a-z-]*:acm:([a-z0-9-]+):[0-9]{12}:certificate/[A-Za-z0-9-]+$`)
	emailForm       = regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[^@\s]+$`)
	wordForm        = regexp.MustCompile(`^[A-Za-z0-9._:/-]{1,128}$`)
)

// logRetentions are the periods that CloudWatch Logs knows, by their days.
func logRetentions() map[int]awslogs.RetentionDays {
	return map[int]awslogs.RetentionDays{
		1: awslogs.RetentionDays_ONE_DAY, 3: awslogs.RetentionDays_THREE_DAYS, 5: awslogs.RetentionDays_FIVE_DAYS,
		7: awslogs.RetentionDays_ONE_WEEK, 14: awslogs.RetentionDays_TWO_WEEKS, 30: awslogs.RetentionDays_ONE_MONTH,
		60: awslogs.RetentionDays_TWO_MONTHS, 90: awslogs.RetentionDays_THREE_MONTHS, 180: awslogs.RetentionDays_SIX_MONTHS,
		365: awslogs.RetentionDays_ONE_YEAR, 731: awslogs.RetentionDays_TWO_YEARS, 1827: awslogs.RetentionDays_FIVE_YEARS,
		3653: awslogs.RetentionDays_TEN_YEARS,
	}
}

// parseConfig reads a deployment's context values. A value may be a string, as
// `cdk -c name=value` gives it, or of the type that cdk.json gives. The error
// names every value that is unknown or out of bounds, not just the first.
func parseConfig(values map[string]any) (config, error) {
	r := &reader{values: values}
	c := config{stage: r.choice("stage", "", stageDev, stageProd)}
	byStage := func(dev, prod int) int {
		if c.prod() {
			return prod
		}
		return dev
	}
	c.apiDomain = r.form("domain", hostForm, "a host name")
	c.apiCertificate = r.form("certificateArn", certificateForm, "the ARN of an ACM certificate")
	c.consoleDomain = r.form("consoleDomain", hostForm, "a host name")
	c.consoleCertificate = r.form("consoleCertificateArn", certificateForm, "the ARN of an ACM certificate")
	c.logDays = r.number("logRetentionDays", byStage(7, 30), 1, 3653)
	c.assetDays = r.number("assetRetentionDays", byStage(7, 30), 1, 3650)
	c.taskDays = r.number("taskRetentionDays", byStage(7, 90), 1, 3650)
	c.usageDays = r.number("usageRetentionDays", byStage(7, 90), 1, 3650)
	c.memory = r.perFunction("memory", 256, 128, 10240)
	c.reserved = r.perFunction("reservedConcurrency", 0, 1, 10000)
	c.workerConcurrency = r.number("workerConcurrency", byStage(5, 50), 2, 1000)
	c.requestsPerSecond = r.number("requestsPerSecond", byStage(20, 200), 1, 10000)
	c.burst = r.number("requestBurst", 2*c.requestsPerSecond, 1, 20000)
	c.alarmEmail = r.form("alarmEmail", emailForm, "an e-mail address")
	c.waf = r.flag("waf", c.prod())
	c.logRole = r.flag("apiGatewayLogRole", true)
	c.priceCap = r.number("priceCapMicroUsd", 0, 0, 1_000_000_000)
	c.revealKeys = r.flag("revealKeys", false)
	c.cloudflareURL = strings.TrimSuffix(r.webAddress("cloudflareGatewayUrl"), "/")
	c.oidcIssuer = r.webAddress("oidcIssuer")
	c.oidcClient = r.form("oidcClientId", wordForm, "a client id")
	c.groupClaim = r.formOr("oidcGroupClaim", "", wordForm, "the name of a claim")
	c.adminGroup = r.formOr("oidcAdminGroup", "easel-admin", wordForm, "the name of a group")
	c.viewerGroup = r.formOr("oidcViewerGroup", "easel-viewer", wordForm, "the name of a group")
	c.accountClaim = r.formOr("oidcAccountClaim", "", wordForm, "the name of a claim")
	c.callerClient = r.form("oidcCallerClientId", wordForm, "a client id")
	c.callerGroup = r.formOr("oidcCallerGroup", "", wordForm, "the name of a group")
	c.callerRate = r.number("oidcCallerRatePerMinute", 60, 0, 1_000_000)
	r.together(c)
	return c, r.err()
}

// together checks values that depend on one another.
func (r *reader) together(c config) {
	if (c.apiDomain == "") != (c.apiCertificate == "") {
		r.refuse("domain", "domain and certificateArn are given together or not at all")
	}
	if (c.consoleDomain == "") != (c.consoleCertificate == "") {
		r.refuse("consoleDomain", "consoleDomain and consoleCertificateArn are given together or not at all")
	}
	if m := certificateForm.FindStringSubmatch(c.consoleCertificate); m != nil && m[1] != "us-east-1" {
		r.refuse("consoleCertificateArn", "CloudFront takes only certificates of us-east-1, not of "+m[1])
	}
	if c.apiDomain != "" && c.apiDomain == c.consoleDomain {
		r.refuse("consoleDomain", "it must differ from domain: the API and the console are two hosts")
	}
	if (c.oidcIssuer == "") != (c.oidcClient == "") {
		r.refuse("oidcIssuer", "oidcIssuer and oidcClientId are given together or not at all")
	}
	if c.oidcIssuer != "" && c.groupClaim == "" {
		r.refuse("oidcGroupClaim", "say which claim of the issuer's tokens lists the groups")
	}
	if c.oidcIssuer == "" && c.groupClaim != "" {
		r.refuse("oidcGroupClaim", "it is given by Cognito unless oidcIssuer is set")
	}
	if c.accountClaim == "" && c.callerClient+c.callerGroup != "" {
		r.refuse("oidcAccountClaim", "say which claim of callers' tokens names the account that pays")
	}
	if c.adminGroup == c.viewerGroup {
		r.refuse("oidcViewerGroup", "it must differ from oidcAdminGroup")
	}
	if _, known := logRetentions()[c.logDays]; !known {
		r.refuse("logRetentionDays", fmt.Sprintf("it must be one of %v", slices.Sorted(maps.Keys(logRetentions()))))
	}
	if limit := c.reserved[env.Worker]; limit > 0 && limit < c.workerConcurrency {
		r.refuse("reservedConcurrency", fmt.Sprintf("worker=%d is below workerConcurrency=%d, so messages would be throttled into the dead-letter queue", limit, c.workerConcurrency))
	}
}

// webAddress reads an https URL without credentials or query, exactly as it is
// written: an issuer with a final slash is another issuer.
func (r *reader) webAddress(key string) string {
	text := r.text(key, "")
	if text == "" {
		return ""
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		r.refuse(key, "it must be an https URL without credentials, query or fragment")
		return ""
	}
	return text
}
