package secrets_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"easel/shared/secret"
	"easel/shared/secrets"
)

// standIn answers like AWS Secrets Manager, with its states and error types.
type standIn struct {
	mu      sync.Mutex
	values  map[string]string
	deleted map[string]bool
	calls   []string
	windows []int64
	fault   func(action string) (status int, body string)
}

type standInRequest struct {
	SecretID             string `json:"SecretId"`             //nolint:tagliatelle // the names of AWS
	Name                 string `json:"Name"`                 //nolint:tagliatelle
	SecretString         string `json:"SecretString"`         //nolint:tagliatelle
	RecoveryWindowInDays int64  `json:"RecoveryWindowInDays"` //nolint:tagliatelle
}

func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	var request standInRequest
	_ = json.Unmarshal(body, &request)
	_, action, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	id := request.SecretID + request.Name
	s.calls = append(s.calls, action+" "+id)
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if s.fault != nil {
		if status, text := s.fault(action); status != 0 {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, strings.ReplaceAll(text, "$BODY", strings.Trim(fmt.Sprintf("%q", body), `"`)))
			return
		}
	}
	_, exists := s.values[id]
	refuse := func(kind, message string) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprintf(w, `{"__type":%q,"Message":%q}`, kind, message)
	}
	switch {
	case action == "CreateSecret" && exists:
		refuse("ResourceExistsException", "The operation failed because the secret already exists.")
	case action != "CreateSecret" && !exists:
		refuse("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
	case action != "RestoreSecret" && s.deleted[id]:
		refuse("InvalidRequestException", "You can't perform this operation on the secret because it was marked for deletion.")
	case action == "GetSecretValue":
		_ = json.NewEncoder(w).Encode(map[string]string{"Name": id, "SecretString": s.values[id]})
	case action == "DeleteSecret":
		s.deleted[id] = true
		s.windows = append(s.windows, request.RecoveryWindowInDays)
		_, _ = io.WriteString(w, "{}")
	case action == "RestoreSecret":
		delete(s.deleted, id)
		_, _ = io.WriteString(w, "{}")
	default:
		s.values[id] = request.SecretString
		_, _ = io.WriteString(w, "{}")
	}
}

func newManager(t *testing.T) (*secrets.Manager, *standIn) {
	t.Helper()
	fake := &standIn{values: map[string]string{}, deleted: map[string]bool{}}
	server := httptest.NewServer(fake)
	transport := &http.Transport{}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		server.Close()
	})
	client := secretsmanager.New(secretsmanager.Options{
		BaseEndpoint:     &server.URL,
		Region:           "us-east-1",
		Credentials:      credentials.NewStaticCredentialsProvider("a", "b", ""),
		HTTPClient:       &http.Client{Transport: transport},
		RetryMaxAttempts: 1,
	})
	return secrets.NewManager(client, secrets.ManagerOptions{Prefix: "easel/test/"}), fake
}

func TestManagerUsesItsPrefixAndUpdatesBeforeItCreates(t *testing.T) {
	t.Parallel()
	manager, fake := newManager(t)
	for range 2 {
		if err := manager.Put(t.Context(), "config/a", secret.New(canary)); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"PutSecretValue easel/test/config/a", "CreateSecret easel/test/config/a", "PutSecretValue easel/test/config/a"}
	if !slices.Equal(fake.calls, want) {
		t.Errorf("calls %v", fake.calls)
	}
}

func TestManagerDeletesWithARecoveryWindowAndRevives(t *testing.T) {
	t.Parallel()
	manager, fake := newManager(t)
	put := func(text string) {
		t.Helper()
		if err := manager.Put(t.Context(), "config/a", secret.New(text)); err != nil {
			t.Fatal(err)
		}
	}
	put("first")
	if err := manager.Delete(t.Context(), "config/a"); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(fake.windows, []int64{7}) {
		t.Errorf("recovery windows %v", fake.windows)
	}
	put("second")
	if value, err := manager.Get(t.Context(), "config/a"); err != nil || value.Reveal() != "second" {
		t.Errorf("Get = %q, %v", value.Reveal(), err)
	}
}

func TestManagerSurvivesACreationRace(t *testing.T) {
	t.Parallel()
	manager, fake := newManager(t)
	fake.fault = func(action string) (int, string) {
		if action == "CreateSecret" { // somebody else creates it first
			fake.values["easel/test/config/a"] = "theirs"
		}
		return 0, ""
	}
	if err := manager.Put(t.Context(), "config/a", secret.New("ours")); err != nil {
		t.Fatal(err)
	}
	if fake.values["easel/test/config/a"] != "ours" {
		t.Errorf("value %q", fake.values["easel/test/config/a"])
	}
}

func TestManagerErrorsNeverContainTheSecret(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusBadRequest, http.StatusForbidden, http.StatusInternalServerError} {
		manager, fake := newManager(t)
		fake.fault = func(string) (int, string) {
			return status, `{"__type":"ValidationException","Message":"cannot take $BODY"}`
		}
		err := manager.Put(t.Context(), "config/a", secret.New(canary))
		if err == nil || strings.Contains(err.Error(), canary) || !strings.Contains(err.Error(), "config/a") {
			t.Errorf("status %d: %v", status, err)
		}
		if !strings.Contains(err.Error(), secret.Redacted) {
			t.Errorf("the stand-in did not quote the request: %v", err)
		}
		if _, err := manager.Get(t.Context(), "config/a"); err == nil || errors.Is(err, secrets.ErrNotFound) {
			t.Errorf("status %d: Get = %v", status, err)
		}
	}
}

func TestManagerTakesABinarySecretForNone(t *testing.T) {
	t.Parallel()
	manager, fake := newManager(t)
	fake.values["easel/test/config/a"] = ""
	if _, err := manager.Get(t.Context(), "config/a"); !errors.Is(err, secrets.ErrNotFound) {
		t.Errorf("Get = %v", err)
	}
}
