// Package assets keeps the files that providers produce in the operator's own
// bucket: copied as a stream, checked for size and true type, hashed, measured
// and handed out by signed URL.
//
// It speaks the S3 API, deployed and locally alike; package disk beside it is
// the S3 server of local mode.
package assets

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"easel/shared/generation"
)

// Errors that callers tell apart with errors.Is.
var (
	// ErrTooLarge means that the file exceeds the limit.
	ErrTooLarge = errors.New("file is too large")
	// ErrContentType means that the bytes are not of an accepted type, or are
	// damaged beyond what any player would open.
	ErrContentType = errors.New("file type is not accepted")
	// ErrEmpty means that there were no bytes.
	ErrEmpty = errors.New("file is empty")
	// ErrFetch means that a download failed; see [FetchError].
	ErrFetch = errors.New("download failed")
	// ErrKey means that an object key is not acceptable.
	ErrKey = errors.New("object key is not valid")
	// ErrNotFound means that there is no object with this key.
	ErrNotFound = errors.New("object not found")
)

// FetchError says how a download failed. It never contains the URL, whose query
// may be a credential.
type FetchError struct {
	// Status is the HTTP status of the last answer, 0 when there was none.
	Status int
	// Err is the cause, nil when the status says it all.
	Err error
}

// Error names the status, if there was one, and the cause.
func (e *FetchError) Error() string {
	text := ErrFetch.Error()
	if e.Status != 0 {
		text += ": status " + strconv.Itoa(e.Status)
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Is makes errors.Is(err, ErrFetch) true.
func (e *FetchError) Is(target error) bool { return target == ErrFetch }

// Unwrap returns the cause.
func (e *FetchError) Unwrap() error { return e.Err }

// Object describes one stored file.
type Object struct {
	Key         string
	ContentType string // found in the bytes, never what a server claimed
	Bytes       int64
	// Width and Height are in pixels as displayed; 0 where the format does not
	// tell cheaply (WebM, and rare variants of the others).
	Width, Height   int
	DurationSeconds float64 // of a video; 0 when unknown
	SHA256          string  // lower-case hex
}

const (
	// MaxImageBytes is the limit for an image unless Limits says otherwise.
	MaxImageBytes = 50 << 20
	// MaxVideoBytes is the limit for a video unless Limits says otherwise.
	MaxVideoBytes = 500 << 20

	imageTimeout = 2 * time.Minute
	videoTimeout = 10 * time.Minute
)

// Limits says what a file may be.
type Limits struct {
	// Kind is what the file must be: an image or a video. Empty accepts both.
	Kind generation.Kind
	// MaxBytes limits the size; 0 means MaxImageBytes or MaxVideoBytes, by what
	// the bytes turn out to be.
	MaxBytes int64
	// Timeout limits a download over all its tries; 0 means two minutes, or ten
	// where a video may come.
	Timeout time.Duration
}

func (l Limits) maxBytes(contentType string) int64 {
	switch {
	case l.MaxBytes > 0:
		return l.MaxBytes
	case kindOf(contentType) == generation.Video:
		return MaxVideoBytes
	}
	return MaxImageBytes
}

func (l Limits) timeout() time.Duration {
	switch {
	case l.Timeout > 0:
		return l.Timeout
	case l.Kind == generation.Image:
		return imageTimeout
	}
	return videoTimeout
}

// kindOf returns the kind that a content type belongs to.
func kindOf(contentType string) generation.Kind {
	if strings.HasPrefix(contentType, "video/") {
		return generation.Video
	}
	return generation.Image
}

const maxKey = 512

// checkKey accepts relative paths of plain segments, such as
// "out/task_1/0.png". Anything that a file system or a URL could read in a
// second way is refused.
func checkKey(key string) error {
	if key == "" || len(key) > maxKey {
		return fmt.Errorf("%w: it must have 1 to %d bytes", ErrKey, maxKey)
	}
	for segment := range strings.SplitSeq(key, "/") {
		if segment == "" || strings.Trim(segment, ".") == "" {
			return fmt.Errorf("%w: a segment is empty or only dots", ErrKey)
		}
	}
	for _, r := range key {
		plain := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-=", r)
		if !plain {
			return fmt.Errorf("%w: it may contain letters, digits, dots, dashes, equals signs and slashes", ErrKey)
		}
	}
	return nil
}
