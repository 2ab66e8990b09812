package enginetest_test

import (
	"net/http"
	"strings"
	"testing"

	"easel/shared/dynamo/engine/enginetest"
)

func TestEndpoint(t *testing.T) {
	t.Parallel()
	endpoint := enginetest.Endpoint(t)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, endpoint, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil {
		t.Fatal(err)
	}
	if again := enginetest.Endpoint(t); again != endpoint {
		t.Errorf("a second call gave %s after %s", again, endpoint)
	}
}

func TestTablePrefix(t *testing.T) {
	t.Parallel()
	a, b := enginetest.TablePrefix(t), enginetest.TablePrefix(t)
	if a == b {
		t.Errorf("both calls gave %q", a)
	}
	if strings.Trim(a, "abcdefghijklmnopqrstuvwxyz234567-") != "" {
		t.Errorf("%q has characters that a table name may not have", a)
	}
}
