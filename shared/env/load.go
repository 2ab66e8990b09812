package env

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Deployment is what a deployed function is told by its environment.
type Deployment struct {
	Stage        string
	Function     string
	ResponseMode string
	TablePrefix  string
	Bucket       string
	QueueURL     string
	SecretPrefix string
	// PublicURL has no final slash.
	PublicURL string
	// TaskRetention and UsageRetention are 0 where the environment does not say.
	TaskRetention  time.Duration
	UsageRetention time.Duration
	// PriceCapMicroUSD is the most that one task's attempts may cost; 0 is no cap.
	PriceCapMicroUSD     int64
	RevealKeys           bool
	OIDC                 OIDC
	CloudflareGatewayURL string
}

// OIDC says whose tokens are accepted beside API keys. An empty Issuer is nobody's.
type OIDC struct {
	Issuer, ClientID, AuthDomain        string
	GroupClaim, AdminGroup, ViewerGroup string
	// AccountClaim is empty where callers use keys only.
	AccountClaim, CallerClientID, CallerGroup string
	// CallerRate is in requests per minute and person; 0 is no limit.
	CallerRate int
}

// Load reads the environment of a deployed function. Its error names every
// variable that is missing or wrong, and no value.
func Load() (Deployment, error) { return load(os.LookupEnv) }

// LoadFrom reads the environment of another function than the one that runs, as
// Lambda's API tells it.
func LoadFrom(variables map[string]string) (Deployment, error) {
	return load(func(name string) (string, bool) {
		value, ok := variables[name]
		return value, ok
	})
}

// FunctionName is what a stage's function is called at Lambda: "easel-prod-admin".
func FunctionName(stage, function string) string { return "easel-" + stage + "-" + function }

func load(lookup func(string) (string, bool)) (Deployment, error) {
	r := &reader{lookup: lookup}
	d := Deployment{
		Stage: r.text(Stage), Function: r.text(Function), ResponseMode: r.oneOf(ResponseMode, ResponseBuffered, ResponseStream),
		TablePrefix: r.required(TablePrefix), Bucket: r.required(Bucket), QueueURL: r.required(QueueURL),
		SecretPrefix: r.required(SecretPrefix), PublicURL: strings.TrimSuffix(r.required(PublicURL), "/"),
		TaskRetention: r.days(TaskRetentionDays), UsageRetention: r.days(UsageRetentionDays),
		PriceCapMicroUSD: r.number(PriceCap), RevealKeys: r.oneOf(RevealKeys, "false", "true") == "true",
		OIDC:                 r.oidc(),
		CloudflareGatewayURL: r.text(CloudflareGatewayURL),
	}
	return d, errors.Join(r.problems...)
}

// reader reads variables and collects what is wrong with them.
type reader struct {
	lookup   func(string) (string, bool)
	problems []error
}

func (r *reader) wrong(name, format string, args ...any) {
	r.problems = append(r.problems, fmt.Errorf("environment variable %s "+format, append([]any{name}, args...)...))
}

func (r *reader) oidc() OIDC {
	return OIDC{
		Issuer: r.text(OIDCIssuer), ClientID: r.text(OIDCClientID), AuthDomain: r.text(OIDCAuthDomain),
		GroupClaim: r.text(OIDCGroupClaim), AdminGroup: r.text(OIDCAdminGroup), ViewerGroup: r.text(OIDCViewerGroup),
		AccountClaim: r.text(OIDCAccountClaim), CallerClientID: r.text(OIDCCallerClientID), CallerGroup: r.text(OIDCCallerGroup),
		CallerRate: r.perMinute(OIDCCallerRate),
	}
}

func (r *reader) text(name string) string {
	value, _ := r.lookup(name)
	return strings.TrimSpace(value)
}

func (r *reader) required(name string) string {
	value := r.text(name)
	if value == "" {
		r.wrong(name, "must be set")
	}
	return value
}

// oneOf returns the variable, which must be one of the values; the first of them
// is what an unset one means.
func (r *reader) oneOf(name string, values ...string) string {
	value := r.text(name)
	if value == "" {
		return values[0]
	}
	for _, v := range values {
		if v == value {
			return v
		}
	}
	r.wrong(name, "must be one of %s", strings.Join(values, ", "))
	return values[0]
}

func (r *reader) number(name string) int64 {
	value := r.text(name)
	if value == "" {
		return 0
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < 0 {
		r.wrong(name, "must be a whole number, 0 or more")
		return 0
	}
	return n
}

// maxRate is far above what one person does.
const maxRate = 1_000_000

func (r *reader) perMinute(name string) int {
	n := r.number(name)
	if n > maxRate {
		r.wrong(name, "must be at most %d", maxRate)
		return 0
	}
	return int(n)
}

const maxDays = 36_500

func (r *reader) days(name string) time.Duration {
	n := r.number(name)
	if n > maxDays {
		r.wrong(name, "must be at most %d days", maxDays)
		return 0
	}
	return time.Duration(n) * 24 * time.Hour
}
