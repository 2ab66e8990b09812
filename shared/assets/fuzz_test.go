package assets_test

import (
	"bytes"
	"errors"
	"testing"

	"easel/shared/assets"
	"easel/shared/assets/disk"
)

func FuzzPutNeverPanicsOnAFile(f *testing.F) {
	f.Add(pngFile(f, 3, 3))
	f.Add(gifFile(f, 3, 3))
	f.Add(webpExtended(3, 3))
	f.Add(avifFile(3, 3))
	f.Add(movieFile("isom", 3, 3, true, 10))
	f.Add(webmFile())
	server, err := disk.New(f.TempDir())
	if err != nil {
		f.Fatal(err)
	}
	store := assets.New(server.Client("http://assets.test", inProcess(server)), assets.Options{Bucket: disk.Bucket})
	f.Fuzz(func(t *testing.T, file []byte) {
		object, err := store.Put(t.Context(), "fuzz", bytes.NewReader(file), assets.Limits{MaxBytes: 1 << 16})
		known := errors.Is(err, assets.ErrContentType) || errors.Is(err, assets.ErrEmpty) || errors.Is(err, assets.ErrTooLarge)
		if err != nil && !known {
			t.Error(err)
		}
		if err == nil && (object.Width < 0 || object.Height < 0 || object.DurationSeconds < 0) {
			t.Errorf("%+v", object)
		}
	})
}
