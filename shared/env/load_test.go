package env

import (
	"strings"
	"testing"
	"time"
)

func lookup(values map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := values[name]
		return value, ok
	}
}

func deployed() map[string]string {
	return map[string]string{
		TablePrefix: "easel-prod-", Bucket: "b", QueueURL: "https://q", SecretPrefix: "easel/prod/",
		PublicURL: "https://api.example/", ResponseMode: "stream", TaskRetentionDays: "2", PriceCap: "500", RevealKeys: "true",
	}
}

func TestLoadReadsWhatAFunctionIsTold(t *testing.T) {
	t.Parallel()
	d, err := load(lookup(deployed()))
	if err != nil {
		t.Fatal(err)
	}
	if d.PublicURL != "https://api.example" || d.ResponseMode != ResponseStream || d.TaskRetention != 48*time.Hour ||
		d.PriceCapMicroUSD != 500 || !d.RevealKeys || d.UsageRetention != 0 {
		t.Errorf("deployment = %+v", d)
	}
}

func TestAnotherFunctionsEnvironmentIsReadAlike(t *testing.T) {
	t.Parallel()
	values := deployed()
	values[OIDCIssuer], values[OIDCAccountClaim], values[OIDCCallerRate] = "https://login.example", "account", "30"
	d, err := LoadFrom(values)
	if err != nil || d.Bucket != "b" || d.OIDC != (OIDC{Issuer: "https://login.example", AccountClaim: "account", CallerRate: 30}) {
		t.Errorf("deployment = %+v, %v", d, err)
	}
	values[OIDCCallerRate] = "2000000"
	if _, err := LoadFrom(values); err == nil || !strings.Contains(err.Error(), OIDCCallerRate) {
		t.Errorf("error = %v", err)
	}
}

func TestLoadNamesEveryVariableThatIsWrong(t *testing.T) {
	t.Parallel()
	values := deployed()
	delete(values, Bucket)
	values[PublicURL] = "  "
	values[ResponseMode] = "sideways-value"
	values[PriceCap] = "-4"
	values[UsageRetentionDays] = "1000000"
	_, err := load(lookup(values))
	if err == nil {
		t.Fatal("no error")
	}
	for _, name := range []string{Bucket, PublicURL, ResponseMode, PriceCap, UsageRetentionDays} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("error = %v, want it to name %s", err, name)
		}
	}
	if strings.Contains(err.Error(), "sideways-value") || strings.Contains(err.Error(), TablePrefix) {
		t.Errorf("error = %v, want no value and no good variable", err)
	}
}
