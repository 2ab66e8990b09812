package secret_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"testing"

	"easel/shared/secret"
)

func TestRedactorReplacesKeysByTheirShape(t *testing.T) {
	t.Parallel()
	redactor := secret.NewRedactor()
	long := strings.Repeat("a1B2", 16)
	for name, c := range map[string]struct{ in, want string }{
		"OpenAI":          {"Incorrect API key provided: sk-proj-abcdefgh12345678.", "Incorrect API key provided: [redacted]."},
		"Replicate":       {`{"detail":"bad r8_abcdefgh12345678abcd"}`, `{"detail":"bad [redacted]"}`},
		"Runway":          {"key_" + long, "[redacted]"},
		"ours":            {"x=esl_abcdef123456_" + long + "&y", "x=[redacted]&y"},
		"Google":          {"?key=AIzaSyA1234567890abcdefghijk", "?key=[redacted]"},
		"Google auth key": {"key AQ.Ab8RN6abcdefgh1234567890 refused", "key [redacted] refused"},
		"bearer":          {"Authorization: Bearer abc.def-ghi_123", "Authorization: Bearer [redacted]"},
		"bearer in JSON":  {`{"authorization":"bearer abcdefgh12"}`, `{"authorization":"bearer [redacted]"}`},
		"webhook secret":  {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "[redacted]"},
		"fal":             {"Key 01234567-89ab-cdef-0123-456789abcdef:0123456789abcdef0123", "Key [redacted]"},
		"signed URL":      {"https://b.example/k?X-Amz-Signature=abcdef0123&x=1", "https://b.example/k?X-Amz-Signature=[redacted]&x=1"},
		"a web token":     {"t eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefghijk", "t [redacted]"},
		"two in a line":   {"sk-abcdefgh12345678,r8_abcdefgh12345678abcd", "[redacted],[redacted]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := redactor.String(c.in); got != c.want {
				t.Errorf("String(%q) = %q, want %q", c.in, got, c.want)
			}
		})
	}
}

func TestRedactorLeavesOrdinaryTextAlone(t *testing.T) {
	t.Parallel()
	redactor := secret.NewRedactor(secret.New("short"))
	for _, text := range []string{
		"",
		"task_0192f1c2-aaaa-7bbb-8ccc-0123456789ab failed",
		"key_0192f1c2-aaaa-7bbb-8ccc-0123456789ab was revoked",
		"cfg_0192f1c2aaaa7bbb8ccc0123456789ab",
		"risk-averse-but-brave-painters, a short story",
		"the bearer of news",
		"a lighthouse at dusk, AIza",
	} {
		if got := redactor.String(text); got != text {
			t.Errorf("String(%q) = %q", text, got)
		}
	}
}

func TestRedactorReplacesKnownSecretsInEverySpelling(t *testing.T) {
	t.Parallel()
	const known = `pa"ss<word>&/+ 42`
	redactor := secret.NewRedactor(secret.New(known))
	var logged bytes.Buffer
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("m", "k", known)
	for name, text := range map[string]string{
		"plain":    "key " + known + " end",
		"query":    "?key=" + url.QueryEscape(known) + "&x",
		"path":     "/" + url.PathEscape(known) + "/x",
		"base64":   "Basic " + base64.StdEncoding.EncodeToString([]byte(known)),
		"JSON":     `{"key":"pa\"ss\u003cword\u003e\u0026/+ 42"}`,
		"slog":     logged.String(),
		"repeated": known + known,
	} {
		got := redactor.String(text)
		if !strings.Contains(got, secret.Redacted) || strings.Contains(got, "word") || strings.Contains(got, "cGEi") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestALongerSecretIsReplacedWhole(t *testing.T) {
	t.Parallel()
	redactor := secret.NewRedactor(secret.New("abcdefgh"), secret.New("abcdefgh-ijklmnop"))
	if got := redactor.String("<abcdefgh-ijklmnop>"); got != "<[redacted]>" {
		t.Errorf("got %q", got)
	}
}

func TestWriterRedactsWhatALoggerWrites(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	redactor := secret.NewRedactor(secret.New(canary))
	logger := slog.New(slog.NewJSONHandler(redactor.Writer(&out), nil))
	logger.Error("provider said no", "error", errors.New("key "+canary+" and sk-abcdefgh12345678"))
	assertSilent(t, "writer", out.String())
	if strings.Contains(out.String(), "sk-") || !strings.Contains(out.String(), "key [redacted] and [redacted]") {
		t.Errorf("output = %s", out.String())
	}
}

func TestWriterKeepsTheContractOfIOWriter(t *testing.T) {
	t.Parallel()
	redactor := secret.NewRedactor(secret.New(canary))
	line := []byte("key " + canary)
	if n, err := redactor.Writer(io.Discard).Write(line); n != len(line) || err != nil {
		t.Errorf("Write = %d, %v; want %d", n, err, len(line))
	}
	if string(line) != "key "+canary {
		t.Error("Write changed the caller's bytes")
	}
	full := errors.New("disk full")
	if n, err := redactor.Writer(failing{full}).Write(line); n > len(line) || !errors.Is(err, full) {
		t.Errorf("Write = %d, %v", n, err)
	}
	if _, err := redactor.Writer(failing{nil}).Write(line); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("short write: %v", err)
	}
}

func TestRedactorIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	redactor := secret.NewRedactor()
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			own := canary + strings.Repeat("x", i)
			redactor.Add(secret.New(own))
			if got := redactor.String("k=" + own + ";"); got != "k=[redacted];" {
				t.Errorf("got %q", got)
			}
		})
	}
	group.Wait()
}

func FuzzRedactorNeverLeavesAKnownSecret(f *testing.F) {
	f.Add("prefix ", canary, " suffix")
	f.Add("sk-", "abcdefgh", "ijkl")
	f.Fuzz(func(t *testing.T, before, known, after string) {
		if len(known) < 8 || strings.Contains(secret.Redacted, known) {
			t.Skip()
		}
		got := secret.NewRedactor(secret.New(known)).String(before + known + after)
		if strings.Contains(strings.ReplaceAll(got, secret.Redacted, "\x00"), known) {
			t.Errorf("%q survives in %q", known, got)
		}
	})
}

type failing struct{ err error }

func (f failing) Write(data []byte) (int, error) { return len(data) / 2, f.err }
