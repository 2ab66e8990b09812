package env

import "strings"

// ConsolePolicy returns the Content-Security-Policy of the console's page, for
// whoever serves it: `easel serve` and CloudFront send the same. The page may load
// its own files and talk to its own origin; nothing inline runs or styles it, and
// no picture comes out of a data: or blob: address. assetOrigins are where
// produced pictures and videos are shown from besides, such as
// "https://bucket.s3.eu-central-1.amazonaws.com".
func ConsolePolicy(assetOrigins ...string) string {
	shown := strings.Join(append([]string{"'self'"}, assetOrigins...), " ")
	return strings.Join([]string{
		"default-src 'none'",
		"script-src 'self'",
		"style-src 'self'",
		"font-src 'self'",
		"connect-src 'self'",
		"img-src " + shown,
		"media-src " + shown,
		"base-uri 'self'",
		"form-action 'self'",
		"frame-ancestors 'none'",
	}, "; ")
}
