package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"easel/shared/assets"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/provider/custom"
	"easel/shared/settings"
)

// assetScheme precedes the key of an image that a caller sent inside a request.
// A task holds the reference, since the store's items are small.
const assetScheme = "asset:"

// inputTTL is how long a provider can fetch an input image: longer than any task lives.
const inputTTL = time.Hour

// images keeps callers' input images in the bucket, and hands them to providers.
type images struct {
	store     *assets.Store
	providers map[string]provider.Provider
	// client fetches what callers' URLs name; it keeps away from private addresses.
	client *http.Client
}

// Upload stores one image under its own hash, so that the same image of one
// account is kept once. What is no image of a type that callers may send is an
// InvalidInput error about the field.
func (i images) Upload(ctx context.Context, account, field string, data []byte) (string, error) {
	switch http.DetectContentType(data) {
	case "image/png", "image/jpeg", "image/webp", "image/gif":
	default:
		return "", fault.Invalid(field, "is not a png, jpeg, webp or gif image")
	}
	owner, content := sha256.Sum256([]byte(account)), sha256.Sum256(data)
	key := "in/" + hex.EncodeToString(owner[:8]) + "/" + hex.EncodeToString(content[:])
	_, err := i.store.Put(ctx, key, bytes.NewReader(data), assets.Limits{Kind: generation.Image})
	switch {
	case err == nil:
		return assetScheme + key, nil
	case errors.Is(err, assets.ErrTooLarge):
		return "", fault.Invalid(field, "is too large")
	case errors.Is(err, assets.ErrContentType), errors.Is(err, assets.ErrEmpty):
		return "", fault.Invalid(field, "is damaged: it cannot be read as an image")
	default:
		return "", fmt.Errorf("keep an input image: %w", err)
	}
}

// before returns a preparation of calls that resolves their images, and then does
// what next does; next may be nil.
func (i images) before(next func(context.Context, *provider.Call, settings.Config) error) func(context.Context, *provider.Call, settings.Config) error {
	return func(ctx context.Context, c *provider.Call, config settings.Config) error {
		if err := i.resolve(ctx, c, config); err != nil || next == nil {
			return err
		}
		return next(ctx, c, config)
	}
}

// resolve puts what a provider can read in the place of a call's references: an
// address for providers that fetch by themselves and can reach it, else the
// image itself.
func (i images) resolve(ctx context.Context, c *provider.Call, config settings.Config) error {
	for _, reference := range []*string{&c.Request.Image, &c.Request.Mask} {
		key, ok := strings.CutPrefix(*reference, assetScheme)
		if !ok {
			continue
		}
		value, err := i.read(ctx, key, config)
		if err != nil {
			return fmt.Errorf("read an input image: %w", err)
		}
		*reference = value
	}
	return nil
}

// The names of the providers that want images in a way of their own.
const (
	customName    = "custom"
	replicateName = "replicate"
)

// dataLimit is the size from which a provider takes an image by address only;
// 0 is none. Its driver refuses what is larger all the same.
func dataLimit(providerName string) int64 {
	if providerName == replicateName {
		return 256 << 10
	}
	return 0
}

// byAddress reports whether the config's provider fetches images by itself.
func (i images) byAddress(config settings.Config) bool {
	p, ok := i.providers[config.Provider]
	if !ok || !p.Describe().Jobs {
		return false
	}
	return config.Provider != customName || !custom.TakesData(config.Data)
}

func (i images) read(ctx context.Context, key string, config settings.Config) (string, error) {
	address := ""
	if i.byAddress(config) {
		var err error
		address, err = i.store.Sign(ctx, key, inputTTL)
		if err != nil || strings.HasPrefix(address, "https://") {
			return address, err
		}
	}
	file, object, err := i.store.Open(ctx, key)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	if limit := dataLimit(config.Provider); limit > 0 && object.Bytes > limit && address != "" && strings.HasPrefix(config.BaseURL, "http://") {
		return address, nil // what stands in for a provider on this machine can reach it
	}
	data, err := io.ReadAll(file)
	return "data:" + object.ContentType + ";base64," + base64.StdEncoding.EncodeToString(data), err
}
