package safehttp

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// maxURL is the longest accepted URL in bytes, in line with what servers take.
const maxURL = 2048

// URLError says why a URL was refused. Its text is meant for whoever sent the
// URL: it follows the name of the field ("callback_url must use https") and does
// not repeat the URL, which may carry a credential.
type URLError struct {
	// Reason is a phrase that starts with "must".
	Reason string
}

// Error returns the reason.
func (e *URLError) Error() string { return e.Reason }

// Unwrap makes errors.Is(err, ErrForbidden) true.
func (e *URLError) Unwrap() error { return ErrForbidden }

// CheckURL reports, as a [*URLError], why a client made with the same options
// would refuse raw, as far as the text alone tells. It looks nothing up: a name
// that resolves to a forbidden address passes here and fails when it is dialled.
func CheckURL(raw string, options Options) error {
	if len(raw) > maxURL {
		return &URLError{"must not be longer than " + strconv.Itoa(maxURL) + " bytes"}
	}
	parsed, err := url.Parse(raw)
	if err != nil {
		return &URLError{"must be a valid URL"} // err would repeat the URL
	}
	return checkURL(parsed, options)
}

func checkURL(target *url.URL, options Options) error {
	host := strings.ToLower(strings.TrimSuffix(target.Hostname(), "."))
	if reason := checkShape(target, host); reason != "" {
		return &URLError{reason}
	}
	local := options.AllowLoopback && isLoopbackHost(host)
	switch {
	case target.Scheme == "http" && !options.AllowHTTP && !local:
		return &URLError{"must use https"}
	case local:
		return nil
	}
	if reason := checkPort(target, options); reason != "" {
		return &URLError{reason}
	}
	if reason := checkHost(host, options); reason != "" {
		return &URLError{reason}
	}
	return nil
}

// checkShape looks at the parts that no option changes.
func checkShape(target *url.URL, host string) string {
	switch {
	case target.Scheme != "https" && target.Scheme != "http":
		return "must be an absolute https URL"
	case target.Opaque != "" || host == "":
		return "must have a host"
	case target.User != nil:
		return "must not contain a user name or password"
	case strings.ContainsRune(host, '%'):
		return "must not have an IPv6 zone"
	case !isPlainHost(host):
		return "must have a host of ASCII letters, digits, dots and hyphens (use the xn-- form)"
	}
	return ""
}

func checkPort(target *url.URL, options Options) string {
	if strings.HasSuffix(target.Host, ":") {
		return "must not have an empty port"
	}
	text := target.Port()
	if text == "" || options.AnyPort || options.AllowLoopback {
		return ""
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || !slices.Contains(options.ports(), uint16(port)) {
		return "must use the default port or 8443"
	}
	return ""
}

// checkHost refuses hosts that can only be inside.
func checkHost(host string, options Options) string {
	if addr, err := netip.ParseAddr(host); err == nil {
		if options.guardian().SafeAddr(addr) != nil {
			return "must not point to a private, local or reserved address"
		}
		return ""
	}
	labels := strings.Split(host, ".")
	last := labels[len(labels)-1]
	switch {
	case strings.Contains(host, ":"):
		return "must have a valid host"
	case isNumeric(last):
		// Some resolvers read 2130706433, 0x7f.1 and 0177.0.0.1 as 127.0.0.1.
		return "must write an IPv4 address as four decimal numbers"
	case isInternalName(labels):
		return "must not point to a local or internal name"
	case slices.Contains(labels, ""):
		return "must have a valid host"
	}
	return ""
}

// isInternalName reports names that no public DNS answers for: a single label,
// and the suffixes that are reserved or in use for private networks.
func isInternalName(labels []string) bool {
	if len(labels) == 1 {
		return true
	}
	switch labels[len(labels)-1] {
	case "localhost", "local", "internal", "intranet", "lan", "home", "corp", "test", "invalid", "localdomain", "arpa", "onion":
		return true
	}
	return false
}

func isLoopbackHost(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback() && !addr.Is4In6()
}

// isNumeric reports whether a label could be read as a number: digits, or hex
// after 0x.
func isNumeric(label string) bool {
	digits, hex := strings.CutPrefix(label, "0x")
	if digits == "" {
		return hex
	}
	for _, r := range digits {
		if (r < '0' || r > '9') && (!hex || r < 'a' || r > 'f') {
			return false
		}
	}
	return true
}

func isPlainHost(host string) bool {
	for _, r := range host {
		plain := r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune(".-_:", r)
		if !plain {
			return false
		}
	}
	return true
}
