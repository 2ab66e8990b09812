package safehttp_test

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"easel/shared/safehttp"
)

func TestCheckURLAcceptsPublicHTTPS(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		"https://example.com",
		"https://example.com/hook?x=1#top",
		"https://EXAMPLE.com./hook",
		"https://example.com:443/",
		"https://example.com:8443/",
		"https://xn--bcher-kva.example/",
		"https://my_bucket.s3.amazonaws.com/k",
		"https://8.8.8.8/",
		"https://[2606:4700:4700::1111]/",
		"https://10.example.com/",
	} {
		if err := safehttp.CheckURL(raw, safehttp.Options{}); err != nil {
			t.Errorf("CheckURL(%q) = %v", raw, err)
		}
	}
}

func TestCheckURLRefusesWithAReason(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"":                                                 "absolute https URL",
		"/hook":                                            "absolute https URL",
		"example.com/hook":                                 "absolute https URL",
		"ftp://example.com/":                               "absolute https URL",
		"file:///etc/passwd":                               "absolute https URL",
		"gopher://example.com/":                            "absolute https URL",
		"javascript:alert(1)":                              "absolute https URL",
		"https:example.com":                                "have a host",
		"https://":                                         "have a host",
		"https:///path":                                    "have a host",
		"https://:443/":                                    "have a host",
		"http://example.com/":                              "use https",
		"https://user@example.com/":                        "user name or password",
		"https://user:pass@example.com/":                   "user name or password",
		"https://example.com@10.0.0.1/":                    "user name or password",
		"https://example.com:22/":                          "default port",
		"https://example.com:80/":                          "default port",
		"https://example.com:99999/":                       "default port",
		"https://example.com:/":                            "empty port",
		"https://[fe80::1%25eth0]/":                        "IPv6 zone",
		"https://[::1%25lo]/":                              "IPv6 zone",
		"https://bücher.example/":                          "xn--",
		"https://１２７.0.0.1/":                               "xn--",
		"https://ⓛocalhost/":                               "xn--",
		"https://localhost/":                               "internal name",
		"https://LOCALHOST./":                              "internal name",
		"https://a.localhost/":                             "internal name",
		"https://printer.local/":                           "internal name",
		"https://metadata.google.internal/":                "internal name",
		"https://metadata/":                                "internal name",
		"https://2130706433/":                              "four decimal",
		"https://0x7f000001/":                              "four decimal",
		"https://0x7F.1/":                                  "four decimal",
		"https://0177.0.0.1/":                              "four decimal",
		"https://127.1/":                                   "four decimal",
		"https://127.0.0.1.5/":                             "four decimal",
		"https://a.0x/":                                    "four decimal",
		"https://example..com/":                            "valid host",
		"https://exa mple.com/":                            "valid URL",
		"https://example.com\\@evil.example/":              "valid URL",
		"https://exam\nple.com/":                           "valid URL",
		"https://example.com/" + strings.Repeat("a", 2048): "longer than 2048",
	} {
		assertRefused(t, raw, want, safehttp.Options{})
	}
	for _, host := range privateHosts() {
		assertRefused(t, "https://"+host+"/", "private, local or reserved", safehttp.Options{})
		assertRefused(t, "https://"+host+"/", "private, local or reserved", safehttp.Options{AllowHTTP: true, AnyPort: true})
	}
}

func TestLoopbackModeOpensLoopbackAndNothingElse(t *testing.T) {
	t.Parallel()
	local := safehttp.Options{AllowLoopback: true}
	for _, raw := range []string{
		"http://127.0.0.1:8787/", "https://127.0.0.1/", "http://localhost:1/", "http://a.localhost/", "http://[::1]:9/", "https://example.com:99/",
	} {
		if err := safehttp.CheckURL(raw, local); err != nil {
			t.Errorf("CheckURL(%q) = %v", raw, err)
		}
	}
	assertRefused(t, "http://example.com/", "use https", local)
	for _, host := range []string{"169.254.169.254", "10.0.0.1", "[fd00::1]", "0.0.0.0", "[::ffff:127.0.0.1]"} {
		assertRefused(t, "https://"+host+"/", "private, local or reserved", local)
	}
}

func TestAllowHTTPOpensHTTPPortsOnly(t *testing.T) {
	t.Parallel()
	plain := safehttp.Options{AllowHTTP: true}
	for _, raw := range []string{"http://example.com/", "http://example.com:8080/", "https://example.com/"} {
		if err := safehttp.CheckURL(raw, plain); err != nil {
			t.Errorf("CheckURL(%q) = %v", raw, err)
		}
	}
	assertRefused(t, "http://example.com:25/", "default port", plain)
	assertRefused(t, "http://127.0.0.1/", "private, local or reserved", plain)
	if err := safehttp.CheckURL("https://example.com:9000/", safehttp.Options{AnyPort: true}); err != nil {
		t.Error(err)
	}
}

func TestTheReasonDoesNotRepeatTheURL(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{"https://u:canary-secret@example.com/", "https://h/?token=canary-secret", "https://a b/canary-secret", "canary-secret:"} {
		if err := safehttp.CheckURL(raw, safehttp.Options{}); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("CheckURL(%q) = %v", raw, err)
		}
	}
}

func FuzzAnAcceptedURLIsPublicHTTPS(f *testing.F) {
	for _, raw := range []string{"https://example.com/", "https://127.0.0.1/", "https://0x7f.1/", "https://[::1]:8443/", "https://a@b/"} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if safehttp.CheckURL(raw, safehttp.Options{}) != nil {
			return
		}
		target, err := url.Parse(raw)
		if err != nil || target.Scheme != "https" || target.User != nil {
			t.Fatalf("accepted %q", raw)
		}
		host := strings.TrimSuffix(target.Hostname(), ".")
		addr, err := netip.ParseAddr(host)
		if err != nil {
			if last := host[strings.LastIndexByte(host, '.')+1:]; !strings.Contains(host, ".") || strings.Trim(last, "0123456789") == "" {
				t.Errorf("accepted the host of %q", raw)
			}
			return
		}
		if addr = addr.Unmap(); addr.IsPrivate() || !addr.IsGlobalUnicast() || addr.Zone() != "" {
			t.Errorf("accepted the address of %q", raw)
		}
	})
}

func privateHosts() []string {
	return []string{
		"0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.8.9.10",
		"169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.168.1.1", "198.18.0.1",
		"224.0.0.1", "240.0.0.1", "255.255.255.255",
		"[::]", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:169.254.169.254]", "[::127.0.0.1]",
		"[64:ff9b::7f00:1]", "[fc00::1]", "[fd00::1]", "[fd00:ec2::254]", "[fe80::1]", "[fec0::1]", "[ff02::1]",
		"[2001:db8::1]", "[2002:7f00:1::]", "[2001::1]", "[100::1]", "[5f00::1]",
	}
}

func assertRefused(t *testing.T, raw, want string, options safehttp.Options) {
	t.Helper()
	err := safehttp.CheckURL(raw, options)
	var refused *safehttp.URLError
	if !errors.As(err, &refused) || !errors.Is(err, safehttp.ErrForbidden) {
		t.Errorf("CheckURL(%q) = %v, want a URLError", raw, err)
		return
	}
	if !strings.HasPrefix(refused.Reason, "must ") || !strings.Contains(refused.Reason, want) {
		t.Errorf("CheckURL(%q) = %q, want it to mention %q", raw, refused.Reason, want)
	}
}
