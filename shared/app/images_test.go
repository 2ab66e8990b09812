package app

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"math/rand/v2"
	"net/http/httptest"
	"strings"
	"testing"

	"easel/shared/assets"
	"easel/shared/assets/disk"
	"easel/shared/fault"
	"easel/shared/provider"
	"easel/shared/provider/custom"
	"easel/shared/provider/openai"
	"easel/shared/provider/replicate"
	"easel/shared/provider/runway"
	"easel/shared/safehttp"
	"easel/shared/settings"
)

func newImages(t *testing.T) images {
	t.Helper()
	server, err := disk.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewServer(server)
	t.Cleanup(listener.Close)
	return images{
		client: safehttp.New(safehttp.Options{AllowLoopback: true}),
		store:  assets.New(server.Client(listener.URL), assets.Options{Bucket: disk.Bucket, SpoolDir: t.TempDir()}),
		providers: map[string]provider.Provider{
			"openai": openai.New(listener.Client()), "replicate": replicate.New(listener.Client()),
			"runway": runway.New(listener.Client()), "custom": custom.New(listener.Client()),
		},
	}
}

// picture is a PNG of noise, about three bytes to a pixel.
func picture(t *testing.T, side int) []byte {
	t.Helper()
	noise := image.NewRGBA(image.Rect(0, 0, side, side))
	r := rand.New(rand.NewPCG(1, 2))
	for i := range noise.Pix {
		noise.Pix[i] = byte(r.Uint32())
	}
	var b bytes.Buffer
	if err := png.Encode(&b, noise); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestAnInputImageReachesTheProviderInAFormItTakes(t *testing.T) {
	t.Parallel()
	i := newImages(t)
	for name, c := range map[string]struct {
		side           int
		provider, base string
		want           string
	}{
		"as data where the provider wants bytes":                    {300, "openai", "http://127.0.0.1:1", "data:image/png;base64,"},
		"as data where it is small":                                 {8, "replicate", "http://127.0.0.1:1", "data:image/png;base64,"},
		"as data where nobody outside reaches us":                   {300, "replicate", "https://api.example", "data:image/png;base64,"},
		"as data where the driver takes no address of this machine": {300, "runway", "http://127.0.0.1:1", "data:image/png;base64,"},
		"by address where it is large and can be reached":           {320, "replicate", "http://127.0.0.1:1", "http://"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reference, err := i.Upload(t.Context(), "acc_1", "image", picture(t, c.side))
			if err != nil || !strings.HasPrefix(reference, "asset:in/") {
				t.Fatalf("Upload = %q, %v", reference, err)
			}
			call := provider.Call{}
			call.Request.Image, call.Request.Mask = reference, "https://example.com/mask.png"
			asked := false
			prepare := i.before(func(context.Context, *provider.Call, settings.Config) error {
				asked = true
				return nil
			})
			if err := prepare(t.Context(), &call, settings.Config{Provider: c.provider, BaseURL: c.base}); err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(call.Request.Image, c.want) || call.Request.Mask != "https://example.com/mask.png" || !asked {
				t.Errorf("image = %.40s, mask = %s", call.Request.Image, call.Request.Mask)
			}
		})
	}
}

func TestAnUploadThatIsNoImageIsTheCallersMistake(t *testing.T) {
	t.Parallel()
	i := newImages(t)
	for name, data := range map[string][]byte{"text": []byte("<svg/>"), "nothing": nil, "half a picture": picture(t, 8)[:20]} {
		if _, err := i.Upload(t.Context(), "acc_1", "mask", data); fault.CodeOf(err) != fault.InvalidInput || !strings.Contains(err.Error(), "mask") {
			t.Errorf("%s: %v, want invalid input about mask", name, err)
		}
	}
}

func TestTheSameImageIsKeptOncePerAccount(t *testing.T) {
	t.Parallel()
	i := newImages(t)
	data := picture(t, 8)
	first, err := i.Upload(t.Context(), "acc_1", "image", data)
	if err != nil {
		t.Fatal(err)
	}
	again, err := i.Upload(t.Context(), "acc_1", "image", data)
	if err != nil || again != first {
		t.Errorf("second upload = %q, %v; want %q", again, err, first)
	}
	other, err := i.Upload(t.Context(), "acc_2", "image", data)
	if err != nil || other == first {
		t.Errorf("another account's upload = %q, %v; want another key", other, err)
	}
}

func TestAnImageThatIsGoneIsAnError(t *testing.T) {
	t.Parallel()
	i := newImages(t)
	call := provider.Call{}
	call.Request.Image = "asset:in/none"
	if err := i.resolve(t.Context(), &call, settings.Config{Provider: "openai"}); err == nil {
		t.Error("no error")
	}
}

// TestAnAddressOrTheImageItself looks at what providers get that could reach us.
func TestAnAddressOrTheImageItself(t *testing.T) {
	t.Parallel()
	i := newImages(t)
	description := func(body string) []byte {
		return []byte(`{"mode":"sync","submit":{"method":"POST","path":"/x",` + body + `},"answer":{"outputs":"a"}}`)
	}
	for name, c := range map[string]struct {
		config settings.Config
		want   bool
	}{
		"a provider with jobs":          {settings.Config{Provider: "replicate"}, true},
		"a provider without":            {settings.Config{Provider: "openai"}, false},
		"an API that takes addresses":   {settings.Config{Provider: "custom", Data: description(`"body":{"i":"{{image}}"}`)}, true},
		"an API that takes base64":      {settings.Config{Provider: "custom", Data: description(`"body":{"i":"{{image_base64}}"}`)}, false},
		"an API that takes parts":       {settings.Config{Provider: "custom", Data: description(`"format":"form","body":{"i":"{{image}}"}`)}, false},
		"a provider that nobody speaks": {settings.Config{Provider: "none"}, false},
	} {
		if got := i.byAddress(c.config); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
