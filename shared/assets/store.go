package assets

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// maxTTL is the longest life that the S3 API gives a signed URL.
const maxTTL = 7 * 24 * time.Hour

// Options configures a Store.
type Options struct {
	// Bucket is the bucket's name.
	Bucket string
	// PublicEndpoint is the base URL that signed URLs use, where it differs from
	// the endpoint that the client itself talks to. It may have a path.
	PublicEndpoint string
	// SpoolDir is where a file waits between its arrival and its upload; empty
	// means the system's temporary directory. It needs room for the largest file
	// times the number of files at once.
	SpoolDir string
}

// Store keeps files in one bucket. It is safe for concurrent use.
type Store struct {
	client  *s3.Client
	presign *s3.PresignClient
	options Options
}

// New returns a Store on client, which main makes. It opens no connection.
func New(client *s3.Client, options Options) *Store {
	presign := s3.NewPresignClient(client, func(p *s3.PresignOptions) {
		if options.PublicEndpoint != "" {
			p.ClientOptions = append(p.ClientOptions, func(o *s3.Options) { o.BaseEndpoint = &options.PublicEndpoint })
		}
	})
	return &Store{client: client, presign: presign, options: options}
}

// Sign returns a URL under which anybody can read the object for ttl, at most
// seven days. It asks no server, so it does not notice a missing object. A URL
// signed with the temporary credentials of a role ends with them, however long
// ttl is: sign when somebody asks, do not store the URL.
func (s *Store) Sign(ctx context.Context, key string, ttl time.Duration) (string, error) {
	if err := checkKey(key); err != nil {
		return "", err
	}
	if ttl < time.Second || ttl > maxTTL {
		return "", fmt.Errorf("sign %s: a life of %s is not between one second and seven days", key, ttl)
	}
	request, err := s.presign.PresignGetObject(ctx,
		&s3.GetObjectInput{Bucket: &s.options.Bucket, Key: &key},
		s3.WithPresignExpires(ttl))
	if err != nil {
		return "", fmt.Errorf("sign %s: %w", key, err)
	}
	return request.URL, nil
}

// Open returns the object's bytes and description. The caller closes the reader.
// A missing object is ErrNotFound.
func (s *Store) Open(ctx context.Context, key string) (io.ReadCloser, Object, error) {
	if err := checkKey(key); err != nil {
		return nil, Object{}, err
	}
	output, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &s.options.Bucket, Key: &key})
	if err != nil {
		if statusOf(err) == http.StatusNotFound {
			err = ErrNotFound
		}
		return nil, Object{}, fmt.Errorf("open %s: %w", key, err)
	}
	object := Object{
		Key:         key,
		ContentType: aws.ToString(output.ContentType),
		Bytes:       aws.ToInt64(output.ContentLength),
		SHA256:      output.Metadata[metaSHA256],
	}
	// Absent or foreign metadata leaves zeros: the measures are a service only.
	object.Width, _ = strconv.Atoi(output.Metadata[metaWidth])
	object.Height, _ = strconv.Atoi(output.Metadata[metaHeight])
	object.DurationSeconds, _ = strconv.ParseFloat(output.Metadata[metaDuration], 64)
	return output.Body, object, nil
}

// Exists reports whether the object is there. Without the right to list the bucket
// S3 calls a missing object forbidden, which is an error here.
func (s *Store) Exists(ctx context.Context, key string) (bool, error) {
	if err := checkKey(key); err != nil {
		return false, err
	}
	_, err := s.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &s.options.Bucket, Key: &key})
	switch {
	case err == nil:
		return true, nil
	case statusOf(err) == http.StatusNotFound:
		return false, nil
	default:
		return false, fmt.Errorf("look for %s: %w", key, err)
	}
}

// Delete removes the object. Removing one that does not exist succeeds.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	_, err := s.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &s.options.Bucket, Key: &key})
	if err != nil && statusOf(err) != http.StatusNotFound {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	return nil
}

// statusOf returns the HTTP status behind an SDK error, or 0.
func statusOf(err error) int {
	if response, ok := errors.AsType[*awshttp.ResponseError](err); ok {
		return response.HTTPStatusCode()
	}
	return 0
}
