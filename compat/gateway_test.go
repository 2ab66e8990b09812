package compat_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"testing"
	"time"

	"easel/cmd/easel/local"
	"easel/shared/catalog"
)

// limitedModel is served free of charge, once a month for each user of this gateway.
const limitedModel = "flux-freeSchnell"

// start runs a gateway whose simulated providers answer at once.
func start(t *testing.T) *local.Gateway {
	t.Helper()
	options, err := local.FromEnvironment()
	if err != nil {
		t.Fatal(err)
	}
	instant := time.Duration(0)
	options.Addr, options.Data, options.SimulatorLatency = "127.0.0.1:0", "", &instant
	options.SweepEvery = 100 * time.Millisecond
	g, err := local.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	limitOnce(t, g)
	return g
}

// limitOnce lets every user have one picture of the limited model.
func limitOnce(t *testing.T, g *local.Gateway) {
	t.Helper()
	models, err := catalog.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range models {
		if m.Name == limitedModel {
			m.MonthlyPerUser = 1
			if err := g.App.Store.PutModel(t.Context(), m); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// picture is a small PNG to edit.
func picture(t *testing.T) []byte {
	t.Helper()
	canvas := image.NewRGBA(image.Rect(0, 0, 256, 256))
	for i := range 256 {
		canvas.Set(i, i, color.RGBA{R: 200, A: 255})
	}
	var file bytes.Buffer
	if err := png.Encode(&file, canvas); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}
