// Package disk is the S3 server of local mode: it keeps the objects as files in
// a folder and speaks enough of the S3 API for package assets and for a browser
// that follows a signed URL.
//
// Every request must be signed, by header or in the URL; the engine underneath
// checks neither signature nor expiry, so this package does. It is meant for the
// loopback interface and one machine.
package disk

import (
	"crypto/rand"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3afero"
	"github.com/spf13/afero"
)

const (
	// Bucket is the one bucket that a Server has.
	Bucket = "easel-assets"
	region = "us-east-1"

	credentialsFile = "credentials.json"
)

// Server is an http.Handler that serves the S3 API from a folder. Make one with
// [New]. It is safe for concurrent use.
type Server struct {
	handler http.Handler
	keys    keyPair
	now     func() time.Time
}

type keyPair struct {
	AccessKey string `json:"access_key"`
	SecretKey string `json:"secret_key"`
}

// New returns a Server on dir, which it creates. Objects, and the random keys
// that sign requests, stay there, so URLs signed before a restart hold after it.
// A process that is killed while it writes an object leaves a part of it behind,
// which the next Put of the same key replaces; only one process may use dir.
func New(dir string) (*Server, error) {
	if dir == "" {
		return nil, errors.New("asset server: no folder given")
	}
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("asset server: %w", err)
	}
	if err := os.MkdirAll(absolute, 0o700); err != nil {
		return nil, fmt.Errorf("asset server: %w", err)
	}
	keys, err := loadKeys(filepath.Join(absolute, credentialsFile))
	if err != nil {
		return nil, fmt.Errorf("asset server: %w", err)
	}
	backend, err := s3afero.MultiBucket(afero.NewBasePathFs(afero.NewOsFs(), absolute))
	if err != nil {
		return nil, fmt.Errorf("asset server: %w", err)
	}
	exists, err := backend.BucketExists(Bucket)
	if err == nil && !exists {
		err = backend.CreateBucket(Bucket)
	}
	if err != nil {
		return nil, fmt.Errorf("asset server: %w", err)
	}
	return &Server{
		// The clock is checked together with the signature.
		handler: gofakes3.New(backend, gofakes3.WithTimeSkewLimit(0)).Server(),
		keys:    keys,
		now:     time.Now,
	}, nil
}

// Client returns an S3 client for this server at endpoint, the base URL under
// which it is reachable. A path in it is fine where the server is mounted with
// http.StripPrefix.
func (s *Server) Client(endpoint string, options ...func(*s3.Options)) *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: aws.String(endpoint),
		Region:       region,
		UsePathStyle: true,
		Credentials:  credentials.NewStaticCredentialsProvider(s.keys.AccessKey, s.keys.SecretKey, ""),
	}, options...)
}

// ServeHTTP serves a request with a valid signature and refuses any other with
// 403 and an S3 error.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	if err := verify(r, s.keys, s.now()); err != nil {
		writeDenied(w, err)
		return
	}
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		// The engine forgets the Cache-Control that an object was stored with.
		header.Set("Cache-Control", "private, max-age=31536000, immutable")
		header.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	}
	s.handler.ServeHTTP(w, r)
}

func writeDenied(w http.ResponseWriter, reason error) {
	type s3Error struct {
		XMLName xml.Name `xml:"Error"`
		Code    string
		Message string
	}
	body, err := xml.Marshal(s3Error{Code: "AccessDenied", Message: reason.Error()})
	if err != nil {
		body = nil // the status says enough
	}
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(http.StatusForbidden)
	_, _ = w.Write(body)
}

// loadKeys reads the keys, or makes them on first use.
func loadKeys(path string) (keyPair, error) {
	data, err := os.ReadFile(path) //nolint:gosec // the operator's own data folder
	if errors.Is(err, fs.ErrNotExist) {
		keys := keyPair{AccessKey: "LOCAL" + rand.Text()[:15], SecretKey: rand.Text() + rand.Text()}
		if data, err = json.Marshal(keys); err != nil {
			return keyPair{}, err
		}
		return keys, os.WriteFile(path, data, 0o600)
	}
	if err != nil {
		return keyPair{}, err
	}
	var keys keyPair
	if err := json.Unmarshal(data, &keys); err != nil || keys.AccessKey == "" || keys.SecretKey == "" {
		return keyPair{}, fmt.Errorf("%s is damaged; remove it to make new keys", credentialsFile)
	}
	return keys, nil
}
