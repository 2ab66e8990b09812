package webhook_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"easel/shared/secret"
	"easel/shared/webhook"
)

// A published example of the scheme.
const (
	vectorSecret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	vectorID        = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	vectorTime      = 1614265330
	vectorBody      = `{"test": 2432232314}`
	vectorSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
)

func vectorHeader() http.Header {
	header := http.Header{}
	header.Set(webhook.HeaderID, vectorID)
	header.Set(webhook.HeaderTimestamp, strconv.Itoa(vectorTime))
	header.Set(webhook.HeaderSignature, vectorSignature)
	return header
}

func vectorNow() time.Time { return time.Unix(vectorTime, 0) }

func TestThePublishedExampleIsSignedAndVerified(t *testing.T) {
	t.Parallel()
	signer, err := webhook.NewSigner(secret.New(vectorSecret))
	if err != nil {
		t.Fatal(err)
	}
	headers, err := signer.Headers(vectorID, vectorNow(), []byte(vectorBody))
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range headers {
		if want := vectorHeader().Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if err := webhook.Verify(secret.New(vectorSecret), vectorHeader().Get, []byte(vectorBody), vectorNow()); err != nil {
		t.Errorf("Verify = %v", err)
	}
	bare := secret.New(strings.TrimPrefix(vectorSecret, "whsec_"))
	if err := webhook.Verify(bare, vectorHeader().Get, []byte(vectorBody), vectorNow()); err != nil {
		t.Errorf("Verify without the prefix = %v", err)
	}
}

func TestWhatWasChangedIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(http.Header)
		body   string
		want   error
	}{
		"another body":            {func(http.Header) {}, vectorBody + " ", webhook.ErrSignature},
		"an empty body":           {func(http.Header) {}, "", webhook.ErrSignature},
		"another id":              {set(webhook.HeaderID, "msg_x"), vectorBody, webhook.ErrSignature},
		"another time":            {set(webhook.HeaderTimestamp, strconv.Itoa(vectorTime+1)), vectorBody, webhook.ErrSignature},
		"another signature":       {set(webhook.HeaderSignature, "v1,"+base64.StdEncoding.EncodeToString(make([]byte, 32))), vectorBody, webhook.ErrSignature},
		"an empty signature":      {set(webhook.HeaderSignature, "v1,"), vectorBody, webhook.ErrSignature},
		"no version":              {set(webhook.HeaderSignature, strings.TrimPrefix(vectorSignature, "v1,")), vectorBody, webhook.ErrSignature},
		"another version":         {set(webhook.HeaderSignature, strings.Replace(vectorSignature, "v1", "v1a", 1)), vectorBody, webhook.ErrSignature},
		"a second spelling":       {set(webhook.HeaderSignature, strings.TrimRight(vectorSignature, "=")), vectorBody, webhook.ErrSignature},
		"a cut signature":         {set(webhook.HeaderSignature, vectorSignature[:20]), vectorBody, webhook.ErrSignature},
		"no id":                   {set(webhook.HeaderID, ""), vectorBody, webhook.ErrHeader},
		"no time":                 {set(webhook.HeaderTimestamp, ""), vectorBody, webhook.ErrHeader},
		"no signature":            {set(webhook.HeaderSignature, ""), vectorBody, webhook.ErrHeader},
		"a time with a sign":      {set(webhook.HeaderTimestamp, "+"+strconv.Itoa(vectorTime)), vectorBody, webhook.ErrHeader},
		"a time with zeros":       {set(webhook.HeaderTimestamp, "0"+strconv.Itoa(vectorTime)), vectorBody, webhook.ErrHeader},
		"a time in words":         {set(webhook.HeaderTimestamp, "now"), vectorBody, webhook.ErrHeader},
		"a time out of all range": {set(webhook.HeaderTimestamp, "99999999999999999999"), vectorBody, webhook.ErrHeader},
		"the end of time":         {set(webhook.HeaderTimestamp, "9223372036854775807"), vectorBody, webhook.ErrTime},
		"a huge id":               {set(webhook.HeaderID, strings.Repeat("a", 300)), vectorBody, webhook.ErrHeader},
		"the right one too late":  {set(webhook.HeaderSignature, strings.Repeat("v1,x ", 16)+vectorSignature), vectorBody, webhook.ErrSignature},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			header := vectorHeader()
			c.change(header)
			if err := webhook.Verify(secret.New(vectorSecret), header.Get, []byte(c.body), vectorNow()); !errors.Is(err, c.want) {
				t.Errorf("Verify = %v, want %v", err, c.want)
			}
		})
	}
}

func TestAnyOfSeveralSignaturesIsEnough(t *testing.T) {
	t.Parallel()
	header := vectorHeader()
	header.Set(webhook.HeaderSignature, "v1a,abc v1,wrong "+vectorSignature+" v2,x")
	if err := webhook.Verify(secret.New(vectorSecret), header.Get, []byte(vectorBody), vectorNow()); err != nil {
		t.Errorf("Verify = %v", err)
	}
}

func TestTheWindowIsFiveMinutesEitherWay(t *testing.T) {
	t.Parallel()
	for late, want := range map[time.Duration]error{
		0: nil, 5 * time.Minute: nil, -5 * time.Minute: nil,
		5*time.Minute + time.Second: webhook.ErrTime, -5*time.Minute - time.Second: webhook.ErrTime, 24 * time.Hour: webhook.ErrTime,
	} {
		err := webhook.Verify(secret.New(vectorSecret), vectorHeader().Get, []byte(vectorBody), vectorNow().Add(late))
		if !errors.Is(err, want) {
			t.Errorf("%s late: %v, want %v", late, err, want)
		}
	}
}

func TestWeakSecretsAreRefusedOnBothSides(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "whsec_", "whsec_AAAA", "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 23)), "whsec_not base64!", vectorSecret + "%",
	} {
		err := webhook.Verify(secret.New(text), vectorHeader().Get, []byte(vectorBody), vectorNow())
		if !errors.Is(err, webhook.ErrSecret) || len(text) > 8 && strings.Contains(err.Error(), text[6:]) {
			t.Errorf("Verify with %q = %v", text, err)
		}
		if _, err := webhook.NewSigner(secret.New(vectorSecret), secret.New(text)); !errors.Is(err, webhook.ErrSecret) {
			t.Errorf("NewSigner with %q = %v", text, err)
		}
	}
	if _, err := webhook.NewSigner(); !errors.Is(err, webhook.ErrSecret) {
		t.Errorf("NewSigner without a secret = %v", err)
	}
}

func TestBothSecretsOfARotationAreAccepted(t *testing.T) {
	t.Parallel()
	old, current, other := webhook.NewSecret(), webhook.NewSecret(), webhook.NewSecret()
	signer, err := webhook.NewSigner(current, old)
	if err != nil {
		t.Fatal(err)
	}
	headers, err := signer.Headers("msg_1", vectorNow(), []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	get := func(name string) string { return headers[name] }
	for name, c := range map[string]struct {
		key  secret.Value
		want error
	}{"the new": {current, nil}, "the old": {old, nil}, "another": {other, webhook.ErrSignature}} {
		if err := webhook.Verify(c.key, get, []byte("{}"), vectorNow()); !errors.Is(err, c.want) {
			t.Errorf("%s secret: %v, want %v", name, err, c.want)
		}
	}
}

func TestTheReferenceLibraryAcceptsWhatWeSign(t *testing.T) {
	t.Parallel()
	key := webhook.NewSecret()
	signer, err := webhook.NewSigner(key)
	if err != nil {
		t.Fatal(err)
	}
	body := []byte("{\"a\":\"\u00fc\"}\n")
	now := time.Now()
	headers, err := signer.Headers("msg_1", now, body)
	if err != nil {
		t.Fatal(err)
	}
	reference, err := standardwebhooks.NewWebhook(key.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{}
	for name, value := range headers {
		header.Set(name, value)
	}
	if err := reference.Verify(body, header); err != nil {
		t.Errorf("the reference refuses ours: %v", err)
	}
	theirs, err := reference.Sign("msg_2", now, body)
	if err != nil {
		t.Fatal(err)
	}
	header.Set(webhook.HeaderID, "msg_2")
	header.Set(webhook.HeaderSignature, theirs)
	if err := webhook.Verify(key, header.Get, body, now); err != nil {
		t.Errorf("we refuse the reference's: %v", err)
	}
}

func TestTheOlderHeaderNamesWork(t *testing.T) {
	t.Parallel()
	header := http.Header{}
	header.Set("svix-id", vectorID)
	header.Set("svix-timestamp", strconv.Itoa(vectorTime))
	header.Set("svix-signature", vectorSignature)
	if err := webhook.Verify(secret.New(vectorSecret), header.Get, []byte(vectorBody), vectorNow()); err != nil {
		t.Errorf("Verify = %v", err)
	}
	header.Set(webhook.HeaderID, "msg_x") // a mixture is not pieced together
	if err := webhook.Verify(secret.New(vectorSecret), header.Get, []byte(vectorBody), vectorNow()); !errors.Is(err, webhook.ErrHeader) {
		t.Errorf("a mixture: %v", err)
	}
}

func TestIdsThatCouldBeConfusedAreNotSigned(t *testing.T) {
	t.Parallel()
	signer, err := webhook.NewSigner(webhook.NewSecret())
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"", "a.b", "a b", "a\r\nX: y", strings.Repeat("a", 257)} {
		if headers, err := signer.Headers(id, vectorNow(), nil); !errors.Is(err, webhook.ErrHeader) {
			t.Errorf("Headers(%q) = %v, %v", id, headers, err)
		}
	}
}

func TestNewSecretsAreLongAndDifferent(t *testing.T) {
	t.Parallel()
	first, second := webhook.NewSecret(), webhook.NewSecret()
	encoded, found := strings.CutPrefix(first.Reveal(), "whsec_")
	key, err := base64.StdEncoding.DecodeString(encoded)
	if !found || err != nil || len(key) != 32 || first.Equal(second) {
		t.Errorf("a secret of %d bytes, %v, prefix %v", len(key), err, found)
	}
}

func FuzzVerifyAcceptsOnlyTheSignedMessage(f *testing.F) {
	f.Add(vectorID, strconv.Itoa(vectorTime), vectorSignature, []byte(vectorBody))
	f.Add("", "0", "v1,", []byte(nil))
	f.Add("a.1614265330", "1614265330", "v1,aGVsbG8= v1,x", []byte("1614265330.{}"))
	f.Fuzz(func(t *testing.T, id, stamp, signature string, body []byte) {
		header := map[string]string{webhook.HeaderID: id, webhook.HeaderTimestamp: stamp, webhook.HeaderSignature: signature}
		err := webhook.Verify(secret.New(vectorSecret), func(name string) string { return header[name] }, body, vectorNow())
		signed := id == vectorID && stamp == strconv.Itoa(vectorTime) && string(body) == vectorBody && strings.Contains(signature, vectorSignature)
		if err == nil && !signed {
			t.Errorf("accepted %q %q %q %q", id, stamp, signature, body)
		}
		signer, signErr := webhook.NewSigner(secret.New(vectorSecret))
		if signErr != nil {
			t.Fatal(signErr)
		}
		own, signErr := signer.Headers(id, vectorNow(), body)
		if signErr != nil {
			return
		}
		if err := webhook.Verify(secret.New(vectorSecret), func(name string) string { return own[name] }, body, vectorNow()); err != nil {
			t.Errorf("our own message %q is refused: %v", id, err)
		}
	})
}

func set(name, value string) func(http.Header) {
	return func(header http.Header) { header.Set(name, value) }
}
