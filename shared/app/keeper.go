package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"

	"easel/shared/assets"
	"easel/shared/generation"
	"easel/shared/lifecycle"
	"easel/shared/provider"
)

// keeper stores what providers deliver in the operator's bucket.
type keeper struct {
	store *assets.Store
	fetch *http.Client
}

// Keep stores one file, from its bytes or from where the provider keeps it.
func (k keeper) Keep(ctx context.Context, key string, kind generation.Kind, f provider.File) (generation.Asset, error) {
	object, err := k.put(ctx, key, assets.Limits{Kind: kind}, f)
	if err != nil {
		if unusable(err) {
			err = errors.Join(lifecycle.ErrUnusable, err)
		}
		return generation.Asset{}, fmt.Errorf("keep %s: %w", key, err)
	}
	return generation.Asset{
		Key: object.Key, ContentType: object.ContentType, Bytes: object.Bytes, Width: object.Width,
		Height: object.Height, DurationSeconds: object.DurationSeconds, SHA256: object.SHA256,
	}, nil
}

func (k keeper) put(ctx context.Context, key string, limits assets.Limits, f provider.File) (assets.Object, error) {
	if f.URL == "" {
		return k.store.Put(ctx, key, bytes.NewReader(f.Data), limits)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, f.URL, nil)
	if err != nil {
		return assets.Object{}, errors.Join(assets.ErrContentType, errors.New("the provider's URL is not valid"))
	}
	for name, value := range f.Header {
		request.Header.Set(name, value)
	}
	return k.store.PutRequest(ctx, k.fetch, request, key, limits)
}

// unusable reports whether the file itself is at fault, so that storing it again
// would fail again. A file that cannot be fetched may be there later.
func unusable(err error) bool {
	return errors.Is(err, assets.ErrTooLarge) || errors.Is(err, assets.ErrContentType) || errors.Is(err, assets.ErrEmpty)
}
