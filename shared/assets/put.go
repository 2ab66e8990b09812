package assets

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"easel/shared/generation"
)

// Names of the object's metadata.
const (
	metaSHA256   = "sha256"
	metaWidth    = "width"
	metaHeight   = "height"
	metaDuration = "duration-seconds"
)

// An object never changes under its key, so caches may keep it for a year; only
// the reader's own cache, since the URL is a credential.
const cacheControl = "private, max-age=31536000, immutable"

// Put stores body under key. It reads body to the end once, into a temporary
// file, and uploads only a complete and accepted file: after an error nothing
// was stored. Memory use does not depend on the size. Choosing keys is up to the
// caller; putting the same bytes under the same key again is harmless.
//
// Errors: ErrKey, ErrEmpty, ErrTooLarge, ErrContentType, the error of body, or
// one of the upload.
func (s *Store) Put(ctx context.Context, key string, body io.Reader, limits Limits) (Object, error) {
	if err := checkKey(key); err != nil {
		return Object{}, err
	}
	file, err := os.CreateTemp(s.options.SpoolDir, "asset-*")
	if err != nil {
		return Object{}, fmt.Errorf("put %s: %w", key, err)
	}
	defer func() {
		_ = file.Close()
		_ = os.Remove(file.Name())
	}()
	object, err := spool(file, &contextReader{ctx: ctx, next: body}, limits)
	if err != nil {
		return Object{}, fmt.Errorf("put %s: %w", key, err)
	}
	object.Key = key
	if err := s.upload(ctx, file, object); err != nil {
		return Object{}, fmt.Errorf("put %s: %w", key, err)
	}
	return object, nil
}

// spool copies body into file and finds out what it is. The type is decided on
// the first bytes, so that a wrong file is refused before it is copied.
func spool(file *os.File, body io.Reader, limits Limits) (Object, error) {
	buffered := bufio.NewReaderSize(body, sniffBytes)
	head, err := buffered.Peek(sniffBytes)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return Object{}, err
	case len(head) == 0:
		return Object{}, ErrEmpty
	}
	contentType := sniff(head)
	if contentType == "" || limits.Kind != "" && kindOf(contentType) != limits.Kind {
		return Object{}, fmt.Errorf("%w: %s, want %s", ErrContentType, nameOf(contentType), wanted(limits.Kind))
	}
	limit := limits.maxBytes(contentType)
	hash := sha256.New()
	size, err := io.Copy(io.MultiWriter(file, hash), io.LimitReader(buffered, limit+1))
	switch {
	case err != nil:
		return Object{}, err
	case size > limit:
		return Object{}, fmt.Errorf("%w: over %d bytes", ErrTooLarge, limit)
	}
	object := Object{ContentType: contentType, Bytes: size, SHA256: hex.EncodeToString(hash.Sum(nil))}
	return object, measure(io.NewSectionReader(file, 0, size), &object)
}

func (s *Store) upload(ctx context.Context, file *os.File, object Object) error {
	sum, err := hex.DecodeString(object.SHA256)
	if err != nil {
		return err
	}
	var (
		checksum    = base64.StdEncoding.EncodeToString(sum)
		cache       = cacheControl
		disposition = fmt.Sprintf("inline; filename=%q", path.Base(object.Key))
	)
	_, err = s.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket:             &s.options.Bucket,
		Key:                &object.Key,
		Body:               io.NewSectionReader(file, 0, object.Bytes),
		ContentLength:      &object.Bytes,
		ContentType:        &object.ContentType,
		ContentDisposition: &disposition,
		CacheControl:       &cache,
		ChecksumSHA256:     &checksum, // the server compares what it received
		Metadata: map[string]string{
			metaSHA256:   object.SHA256,
			metaWidth:    strconv.Itoa(object.Width),
			metaHeight:   strconv.Itoa(object.Height),
			metaDuration: strconv.FormatFloat(object.DurationSeconds, 'f', -1, 64),
		},
	})
	if err != nil {
		return fmt.Errorf("upload: %w", err)
	}
	return nil
}

func nameOf(contentType string) string {
	if contentType == "" {
		return "unknown type"
	}
	return contentType
}

func wanted(kind generation.Kind) string {
	if kind == "" {
		return "an image or a video"
	}
	return string(kind)
}

// contextReader ends a copy when the context does, whatever the source is.
type contextReader struct {
	ctx  context.Context // it lives as long as one call of Put
	next io.Reader
}

func (r *contextReader) Read(buffer []byte) (int, error) {
	if err := context.Cause(r.ctx); err != nil {
		return 0, err
	}
	return r.next.Read(buffer)
}
