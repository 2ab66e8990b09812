package assets_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"easel/shared/assets"
	"easel/shared/assets/disk"
	"easel/shared/generation"
)

type bundle struct {
	store *assets.Store
	url   string // of the S3 server
	dir   string // where it keeps the files
	spool string
}

func setup(t *testing.T) bundle {
	t.Helper()
	dir, spool := t.TempDir(), t.TempDir()
	server, err := disk.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewServer(server)
	t.Cleanup(listener.Close)
	store := assets.New(server.Client(listener.URL), assets.Options{Bucket: disk.Bucket, SpoolDir: spool})
	return bundle{store: store, url: listener.URL, dir: dir, spool: spool}
}

func TestPutStoresWhatTheBytesAre(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, c := range map[string]struct {
		file          []byte
		kind          generation.Kind
		contentType   string
		width, height int
		seconds       float64
	}{
		"png":           {pngFile(t, 30, 20), generation.Image, "image/png", 30, 20, 0},
		"jpeg":          {jpegFile(t, 31, 21), generation.Image, "image/jpeg", 31, 21, 0},
		"gif":           {gifFile(t, 32, 22), generation.Image, "image/gif", 32, 22, 0},
		"webp":          {webpPixel(t), generation.Image, "image/webp", 1, 1, 0},
		"webp-animated": {webpExtended(640, 480), "", "image/webp", 640, 480, 0},
		"avif":          {avifFile(1024, 768), generation.Image, "image/avif", 1024, 768, 0},
		"mp4":           {movieFile("isom", 1280, 720, false, 3000), generation.Video, "video/mp4", 1280, 720, 5.25},
		"mp4-turned":    {movieFile("mp42", 1280, 720, true, 3000), generation.Video, "video/mp4", 720, 1280, 5.25},
		"quicktime":     {movieFile("qt  ", 640, 480, false, 0), "", "video/quicktime", 640, 480, 5.25},
		"webm":          {webmFile(), generation.Video, "video/webm", 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key := "out/" + name + "/0.bin"
			got, err := b.store.Put(t.Context(), key, bytes.NewReader(c.file), assets.Limits{Kind: c.kind})
			if err != nil {
				t.Fatal(err)
			}
			want := assets.Object{
				Key: key, ContentType: c.contentType, Bytes: int64(len(c.file)),
				Width: c.width, Height: c.height, DurationSeconds: c.seconds, SHA256: hashOf(c.file),
			}
			if got != want {
				t.Errorf("Put = %+v\nwant  %+v", got, want)
			}
			data, opened := b.read(t, key)
			if opened != want || !bytes.Equal(data, c.file) {
				t.Errorf("Open = %+v (%d bytes)\nwant   %+v", opened, len(data), want)
			}
		})
	}
}

func TestPutRefusesWhatIsNotAPictureOrVideo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	movie := movieFile("isom", 16, 16, false, 100)
	for name, c := range map[string]struct {
		file []byte
		kind generation.Kind
		want error
	}{
		"html":                {[]byte("<!doctype html><script>alert(1)</script>"), generation.Image, assets.ErrContentType},
		"svg":                 {[]byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), generation.Image, assets.ErrContentType},
		"a script":            {[]byte("#!/bin/sh\n"), "", assets.ErrContentType},
		"json":                {[]byte(`{"error":"no"}`), "", assets.ErrContentType},
		"a pdf":               {[]byte("%PDF-1.7"), "", assets.ErrContentType},
		"a heic":              {atom("ftyp", []byte("heic"), words(0), []byte("mif1heic")), generation.Image, assets.ErrContentType},
		"matroska":            {[]byte("\x1a\x45\xdf\xa3\x9f\x42\x82\x88matroska"), generation.Video, assets.ErrContentType},
		"a wave file":         {[]byte("RIFF\x00\x00\x00\x00WAVEfmt "), "", assets.ErrContentType},
		"a video as an image": {movie, generation.Image, assets.ErrContentType},
		"an image as a video": {pngFile(t, 4, 4), generation.Video, assets.ErrContentType},
		"half a png header":   {pngFile(t, 4, 4)[:20], generation.Image, assets.ErrContentType},
		"half a movie":        {movie[:len(movie)-40], generation.Video, assets.ErrContentType},
		"a movie, no header":  {movie[:len(movie)/3], generation.Video, assets.ErrContentType},
		"one byte":            {[]byte{0x89}, "", assets.ErrContentType},
		"nothing":             {nil, "", assets.ErrEmpty},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key := "bad/" + strings.ReplaceAll(strings.ReplaceAll(name, " ", "-"), ",", "")
			_, err := b.store.Put(t.Context(), key, bytes.NewReader(c.file), assets.Limits{Kind: c.kind})
			if !errors.Is(err, c.want) {
				t.Errorf("Put = %v, want %v", err, c.want)
			}
			b.assertAbsent(t, key)
		})
	}
}

func TestPutEnforcesTheLimitToTheByte(t *testing.T) {
	t.Parallel()
	b := setup(t)
	file := pngFile(t, 8, 8)
	size := int64(len(file))
	if _, err := b.store.Put(t.Context(), "fits", bytes.NewReader(file), assets.Limits{MaxBytes: size}); err != nil {
		t.Errorf("a file of exactly the limit: %v", err)
	}
	_, err := b.store.Put(t.Context(), "over", bytes.NewReader(file), assets.Limits{MaxBytes: size - 1})
	if !errors.Is(err, assets.ErrTooLarge) {
		t.Errorf("a byte over the limit: %v", err)
	}
	b.assertAbsent(t, "over")
}

func TestPutReadsNoMoreThanTheLimitOfAnEndlessStream(t *testing.T) {
	t.Parallel()
	b := setup(t)
	endless := &counter{next: io.MultiReader(bytes.NewReader(pngFile(t, 2, 2)), zeros{})}
	_, err := b.store.Put(t.Context(), "endless", endless, assets.Limits{MaxBytes: 1 << 20})
	if !errors.Is(err, assets.ErrTooLarge) {
		t.Errorf("err = %v", err)
	}
	if endless.read > 1<<20+64<<10 {
		t.Errorf("read %d bytes", endless.read)
	}
}

func TestPutStreamsALargeFile(t *testing.T) {
	t.Parallel()
	b := setup(t)
	file := movieFile("isom", 1920, 1080, false, 12<<20)
	object, err := b.store.Put(t.Context(), "large.mp4", iotest.OneByteReader(bytes.NewReader(file[:64])), assets.Limits{})
	if !errors.Is(err, assets.ErrContentType) {
		t.Fatalf("a cut file: %+v, %v", object, err)
	}
	if _, err = b.store.Put(t.Context(), "large.mp4", struct{ io.Reader }{bytes.NewReader(file)}, assets.Limits{Kind: generation.Video}); err != nil {
		t.Fatal(err)
	}
	if data, opened := b.read(t, "large.mp4"); opened.SHA256 != hashOf(data) || opened.SHA256 != hashOf(file) {
		t.Errorf("stored %d of %d bytes", len(data), len(file))
	}
}

func TestASourceThatFailsStoresNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	broken := errors.New("broken pipe")
	for name, source := range map[string]io.Reader{
		"at-once": iotest.ErrReader(broken),
		"midway":  io.MultiReader(bytes.NewReader(pngFile(t, 9, 9)), iotest.ErrReader(broken)),
	} {
		if _, err := b.store.Put(t.Context(), name, source, assets.Limits{}); !errors.Is(err, broken) {
			t.Errorf("%s: %v", name, err)
		}
		b.assertAbsent(t, name)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.store.Put(ctx, "canceled", bytes.NewReader(pngFile(t, 9, 9)), assets.Limits{}); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	left, err := os.ReadDir(b.spool)
	if err != nil || len(left) != 0 {
		t.Errorf("%d temporary files are left, %v", len(left), err)
	}
}

func TestPuttingTheSameAgainIsHarmless(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 2 {
		if _, err := b.store.Put(t.Context(), "again", bytes.NewReader(pngFile(t, 7, 7)), assets.Limits{}); err != nil {
			t.Fatal(err)
		}
	}
	if data, _ := b.read(t, "again"); !bytes.Equal(data, pngFile(t, 7, 7)) {
		t.Error("the file changed")
	}
}

func TestKeysThatLeaveTheBucketAreRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, key := range []string{
		"", "/", "/etc/passwd", "../secret", "a/../../b", "a/./b", "a//b", "a/", "..", "a\\..\\b", "a\x00b", "a b", "ä", "a?b", "a%2e%2e/b", strings.Repeat("k", 513),
	} {
		_, putErr := b.store.Put(t.Context(), key, bytes.NewReader(pngFile(t, 2, 2)), assets.Limits{})
		_, fetchErr := b.store.PutURL(t.Context(), http.DefaultClient, "http://127.0.0.1:1", key, assets.Limits{})
		_, _, openErr := b.store.Open(t.Context(), key)
		_, signErr := b.store.Sign(t.Context(), key, time.Hour)
		for name, err := range map[string]error{
			"Put": putErr, "PutURL": fetchErr, "Open": openErr, "Sign": signErr, "Delete": b.store.Delete(t.Context(), key),
		} {
			if !errors.Is(err, assets.ErrKey) {
				t.Errorf("%s(%q) = %v", name, key, err)
			}
		}
	}
}

func TestASignedURLServesTheFileUntilItExpires(t *testing.T) {
	t.Parallel()
	b := setup(t)
	file := pngFile(t, 12, 12)
	if _, err := b.store.Put(t.Context(), "out/task_1/0.png", bytes.NewReader(file), assets.Limits{}); err != nil {
		t.Fatal(err)
	}
	signed, err := b.store.Sign(t.Context(), "out/task_1/0.png", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	status, body, header := fetch(t, signed)
	if status != http.StatusOK || body != string(file) {
		t.Fatalf("status %d, %d bytes", status, len(body))
	}
	for name, want := range map[string]string{
		"Content-Type":           "image/png",
		"Content-Disposition":    `inline; filename="0.png"`,
		"Cache-Control":          "private, max-age=31536000, immutable",
		"X-Content-Type-Options": "nosniff",
	} {
		if got := header.Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	for name, forged := range map[string]string{
		"no signature": strings.SplitN(signed, "?", 2)[0],
		"another key":  strings.Replace(signed, "task_1", "task_2", 1),
		"longer life":  strings.Replace(signed, "X-Amz-Expires=3600", "X-Amz-Expires=36000", 1),
		"other bytes":  signed[:len(signed)-1] + string('0'+(signed[len(signed)-1]-'0'+1)%10),
		"extra query":  signed + "&response-content-type=text%2Fhtml",
	} {
		if status, _, _ := fetch(t, forged); status != http.StatusForbidden {
			t.Errorf("%s: status %d", name, status)
		}
	}
}

func TestSignUsesThePublicEndpoint(t *testing.T) {
	t.Parallel()
	server, err := disk.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/assets/", http.StripPrefix("/assets", server))
	public := httptest.NewServer(mux)
	t.Cleanup(public.Close)
	inner := httptest.NewServer(server)
	t.Cleanup(inner.Close)
	store := assets.New(server.Client(inner.URL), assets.Options{Bucket: disk.Bucket, PublicEndpoint: public.URL + "/assets"})
	if _, err := store.Put(t.Context(), "a/b.png", bytes.NewReader(pngFile(t, 3, 3)), assets.Limits{}); err != nil {
		t.Fatal(err)
	}
	signed, err := store.Sign(t.Context(), "a/b.png", time.Minute)
	if err != nil || !strings.HasPrefix(signed, public.URL+"/assets/"+disk.Bucket+"/a/b.png?") {
		t.Fatalf("Sign = %s, %v", signed, err)
	}
	if status, _, _ := fetch(t, signed); status != http.StatusOK {
		t.Errorf("status %d", status)
	}
}

func TestSignRefusesAnImpossibleLife(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, ttl := range []time.Duration{0, -time.Second, time.Millisecond, 8 * 24 * time.Hour} {
		if signed, err := b.store.Sign(t.Context(), "a", ttl); err == nil {
			t.Errorf("Sign for %s = %s", ttl, signed)
		}
	}
}

func TestDeleteRemovesAndMayBeRepeated(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if _, err := b.store.Put(t.Context(), "gone", bytes.NewReader(pngFile(t, 2, 2)), assets.Limits{}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := b.store.Delete(t.Context(), "gone"); err != nil {
			t.Error(err)
		}
	}
	b.assertAbsent(t, "gone")
}

func TestFilesSurviveARestart(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if _, err := b.store.Put(t.Context(), "kept.png", bytes.NewReader(pngFile(t, 5, 6)), assets.Limits{}); err != nil {
		t.Fatal(err)
	}
	signed, err := b.store.Sign(t.Context(), "kept.png", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	restarted, err := disk.New(b.dir)
	if err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewServer(restarted)
	t.Cleanup(listener.Close)
	again := bundle{store: assets.New(restarted.Client(listener.URL), assets.Options{Bucket: disk.Bucket})}
	if data, object := again.read(t, "kept.png"); object.Width != 5 || object.ContentType != "image/png" || !bytes.Equal(data, pngFile(t, 5, 6)) {
		t.Errorf("after a restart: %+v", object)
	}
	target, err := url.Parse(signed)
	if err != nil {
		t.Fatal(err)
	}
	outgoing := httptest.NewRequestWithContext(t.Context(), http.MethodGet, signed, nil)
	outgoing.RequestURI, outgoing.Host = target.RequestURI(), target.Host
	recorder := httptest.NewRecorder()
	restarted.ServeHTTP(recorder, outgoing)
	if recorder.Code != http.StatusOK {
		t.Errorf("a URL signed before the restart: status %d", recorder.Code)
	}
	info, err := os.Stat(filepath.Join(b.dir, "credentials.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("credentials: %v, %v", info, err)
	}
}

func (b bundle) read(t *testing.T, key string) ([]byte, assets.Object) {
	t.Helper()
	body, object, err := b.store.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = body.Close() }()
	data, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return data, object
}

func (b bundle) assertAbsent(t *testing.T, key string) {
	t.Helper()
	body, object, err := b.store.Open(t.Context(), key)
	if !errors.Is(err, assets.ErrNotFound) {
		t.Errorf("Open(%s) = %+v, %v; want ErrNotFound", key, object, err)
	}
	if body != nil {
		_ = body.Close()
	}
}

func fetch(t *testing.T, target string) (int, string, http.Header) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body), response.Header
}

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

type counter struct {
	next io.Reader
	read int64
}

func (c *counter) Read(buffer []byte) (int, error) {
	n, err := c.next.Read(buffer)
	c.read += int64(n)
	return n, err
}

type zeros struct{}

func (zeros) Read(buffer []byte) (int, error) {
	clear(buffer)
	return len(buffer), nil
}
