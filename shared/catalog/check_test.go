package catalog_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"easel/shared/catalog"
	"easel/shared/fault"
	"easel/shared/generation"
)

func imageModel() catalog.Model {
	return catalog.Model{Name: "painter", Kind: generation.Image, Limits: catalog.Limits{
		MaxPrompt: 20, MaxN: 4, MinSide: 256, MaxSide: 2048, SideMultiple: 32, MaxPixels: 2 << 20,
		AspectRatios: []string{"1:1", "16:9"},
		Takes:        []string{"seed", "image", "mask", "strength", "quality", "format", "loras"},
	}}
}

func videoModel() catalog.Model {
	return catalog.Model{Name: "mover", Kind: generation.Video, Limits: catalog.Limits{
		Durations: []int{5, 10}, Sizes: []string{"1280x720", "auto"}, Needs: []string{"image"}, Takes: []string{"fps"},
	}}
}

func textModel() catalog.Model {
	return catalog.Model{Name: "writer", Kind: generation.Text, Limits: catalog.Limits{MaxPrompt: 20, MaxTokens: 100}}
}

func TestCheckAcceptsWhatTheModelTakes(t *testing.T) {
	t.Parallel()
	const picture = "data:image/png;base64,iVBORw0KGgo="
	cases := map[string]struct {
		model   catalog.Model
		request generation.Request
	}{
		"only a prompt":              {imageModel(), generation.Request{Prompt: "a cat"}},
		"a prompt of twenty runes":   {imageModel(), generation.Request{Prompt: strings.Repeat("画", 20)}},
		"everything at its limit":    {imageModel(), generation.Request{Prompt: "a", N: 4, Size: "1024x2048", AspectRatio: "16:9", Seed: new(int64(catalog.MaxSeed)), Quality: "high", Format: "webp"}},
		"a seed of zero":             {imageModel(), generation.Request{Prompt: "a", Seed: new(int64(0))}},
		"an edit with a mask":        {imageModel(), generation.Request{Prompt: "a", Image: picture, Mask: picture, Strength: new(0.5)}},
		"an image by URL":            {imageModel(), generation.Request{Prompt: "a", Image: "https://example.com/a.png"}},
		"a lora with the default":    {imageModel(), generation.Request{Prompt: "a", Loras: []generation.Lora{{Path: "owner/name"}}}},
		"a needed image alone":       {videoModel(), generation.Request{Image: picture}},
		"a listed size and duration": {videoModel(), generation.Request{Image: picture, Size: "1280x720", Duration: 10, FPS: 24}},
		"a listed word as size":      {videoModel(), generation.Request{Image: picture, Size: "auto"}},
		"a conversation":             {textModel(), generation.Request{Messages: []generation.Message{{Role: "user", Content: "hi"}}, MaxTokens: 100, Temperature: new(2.0)}},
		"an option":                  {imageModel(), generation.Request{Prompt: "a", Options: map[string]json.RawMessage{"style": json.RawMessage(`"x"`)}}},
		"anything where nothing is limited": {
			catalog.Model{Name: "free", Kind: generation.Image},
			generation.Request{Prompt: "a", NegativePrompt: "b", Size: "640x480", AspectRatio: "7:5", Quality: "low"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := c.model.Check(c.request); err != nil {
				t.Errorf("Check = %v, want nil", err)
			}
		})
	}
}

func TestCheckNamesTheFieldTheLimitAndTheModel(t *testing.T) {
	t.Parallel()
	image, video, text := imageModel(), videoModel(), textModel()
	cases := map[string]struct {
		model   catalog.Model
		request generation.Request
		field   string
		limit   string
	}{
		"no prompt":               {image, generation.Request{}, "prompt", "empty"},
		"a prompt of spaces":      {image, generation.Request{Prompt: " \n "}, "prompt", "empty"},
		"a long prompt":           {image, generation.Request{Prompt: strings.Repeat("a", 21)}, "prompt", "20"},
		"a prompt over default":   {catalog.Model{Name: "free", Kind: generation.Image}, generation.Request{Prompt: strings.Repeat("a", 32_001)}, "prompt", "32000"},
		"a negative n":            {image, generation.Request{Prompt: "a", N: -1}, "n", "1 to 4"},
		"too many images":         {image, generation.Request{Prompt: "a", N: 5}, "n", "1 to 4"},
		"two where one is all":    {catalog.Model{Name: "free", Kind: generation.Image}, generation.Request{Prompt: "a", N: 2}, "n", "1 to 1"},
		"a size without form":     {image, generation.Request{Prompt: "a", Size: "big"}, "size", "WIDTHxHEIGHT"},
		"a size of zero":          {image, generation.Request{Prompt: "a", Size: "0x512"}, "size", "WIDTHxHEIGHT"},
		"a small side":            {image, generation.Request{Prompt: "a", Size: "128x1024"}, "size", "256 to 2048"},
		"a large side":            {image, generation.Request{Prompt: "a", Size: "1024x4096"}, "size", "256 to 2048"},
		"an odd side":             {image, generation.Request{Prompt: "a", Size: "1000x1024"}, "size", "multiples of 32"},
		"too many pixels":         {image, generation.Request{Prompt: "a", Size: "2048x2048"}, "size", "2097152"},
		"a size not listed":       {video, generation.Request{Image: "https://example.com/a", Size: "1x1"}, "size", "1280x720"},
		"a ratio not listed":      {image, generation.Request{Prompt: "a", AspectRatio: "3:2"}, "aspect_ratio", "16:9"},
		"a ratio without form":    {catalog.Model{Name: "free", Kind: generation.Image}, generation.Request{Prompt: "a", AspectRatio: "wide"}, "aspect_ratio", "W:H"},
		"a negative seed":         {image, generation.Request{Prompt: "a", Seed: new(int64(-1))}, "seed", "0 to 4294967295"},
		"a large seed":            {image, generation.Request{Prompt: "a", Seed: new(int64(1 << 32))}, "seed", "0 to 4294967295"},
		"a quality unheard of":    {image, generation.Request{Prompt: "a", Quality: "ultra"}, "quality", "low, medium or high"},
		"a format unheard of":     {image, generation.Request{Prompt: "a", Format: "bmp"}, "format", "png, jpeg or webp"},
		"an extra not taken":      {image, generation.Request{Prompt: "a", NegativePrompt: "b"}, "negative_prompt", "not supported"},
		"a duration for an image": {image, generation.Request{Prompt: "a", Duration: 5}, "duration", "does not apply to image"},
		"messages for an image":   {image, generation.Request{Prompt: "a", Messages: []generation.Message{{Role: "user", Content: "b"}}}, "messages", "does not apply"},
		"a mask without image":    {image, generation.Request{Prompt: "a", Mask: "https://example.com/m.png"}, "mask", "come with image"},
		"strength out of range":   {image, generation.Request{Prompt: "a", Image: "https://example.com/m", Strength: new(1.5)}, "strength", "0 to 1"},
		"an image by ftp":         {image, generation.Request{Prompt: "a", Image: "ftp://example.com/m"}, "image", "https URL"},
		"an image by file name":   {image, generation.Request{Prompt: "a", Image: "/etc/passwd"}, "image", "https URL"},
		"a data URL of nothing":   {image, generation.Request{Prompt: "a", Image: "data:image/png;base64,=="}, "image", "data URL"},
		"a data URL not base64":   {image, generation.Request{Prompt: "a", Image: "data:image/png;base64,aGk*"}, "image", "data URL"},
		"a data URL of text":      {image, generation.Request{Prompt: "a", Image: "data:text/html;base64,aGk="}, "image", "data URL"},
		"a lora without path":     {image, generation.Request{Prompt: "a", Loras: []generation.Lora{{}}}, "loras[0].path", "1 to 500"},
		"a lora too strong":       {image, generation.Request{Prompt: "a", Loras: []generation.Lora{{Path: "a", Scale: 4}}}, "loras[0].scale", "-1 to 3"},
		"a duration not listed":   {video, generation.Request{Image: "https://example.com/a", Duration: 7}, "duration", "5, 10 seconds"},
		"a duration below":        {catalog.Model{Name: "free", Kind: generation.Video, Limits: catalog.Limits{MinDuration: 2, MaxDuration: 8}}, generation.Request{Prompt: "a", Duration: -3}, "duration", "2 to 8"},
		"a needed image missing":  {video, generation.Request{Prompt: "a"}, "image", "required"},
		"a frame rate too high":   {video, generation.Request{Image: "https://example.com/a", FPS: 500}, "fps", "1 to 120"},
		"two kinds of prompt":     {text, generation.Request{Prompt: "a", Messages: []generation.Message{{Role: "user", Content: "b"}}}, "prompt", "together with messages"},
		"a role unheard of":       {text, generation.Request{Messages: []generation.Message{{Role: "tool", Content: "b"}}}, "messages[0].role", "system, user or assistant"},
		"an empty message":        {text, generation.Request{Messages: []generation.Message{{Role: "user"}}}, "messages[0].content", "empty"},
		"a long conversation":     {text, generation.Request{Messages: []generation.Message{{Role: "user", Content: strings.Repeat("a", 21)}}}, "messages", "20"},
		"too many tokens":         {text, generation.Request{Prompt: "a", MaxTokens: 101}, "max_tokens", "1 to 100"},
		"a hot temperature":       {text, generation.Request{Prompt: "a", Temperature: new(2.1)}, "temperature", "0 to 2"},
		"an option's name":        {image, generation.Request{Prompt: "a", Options: map[string]json.RawMessage{"a b": json.RawMessage(`1`)}}, "options", "names of"},
		"too much in options":     {image, generation.Request{Prompt: "a", Options: map[string]json.RawMessage{"a": json.RawMessage(`"` + strings.Repeat("a", 17<<10) + `"`)}}, "options", "16384"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := c.model.Check(c.request)
			e, ok := errors.AsType[*fault.Error](err)
			if !ok || e.Code != fault.InvalidInput || len(e.Fields) == 0 {
				t.Fatalf("Check = %v, want an InvalidInput error with fields", err)
			}
			for _, f := range e.Fields {
				if f.Name == c.field && strings.Contains(f.Message, c.limit) && strings.Contains(f.Message, "model "+c.model.Name) {
					return
				}
			}
			t.Errorf("fields = %+v, want %s with %q and the model", e.Fields, c.field, c.limit)
		})
	}
}

func TestCheckTellsEverythingAtOnce(t *testing.T) {
	t.Parallel()
	err := imageModel().Check(generation.Request{N: -1, Size: "x", Quality: "y"})
	e, ok := errors.AsType[*fault.Error](err)
	if !ok || len(e.Fields) != 4 {
		t.Errorf("Check = %v, want four fields: prompt, n, size, quality", err)
	}
}

func TestArmsHaveNamesOfTheirOwn(t *testing.T) {
	t.Parallel()
	model := func(arms ...catalog.Arm) catalog.Model {
		m := imageModel()
		m.Auto = true
		m.Routing = catalog.Routing{Policy: catalog.Split, Arms: arms}
		return m
	}
	for name, test := range map[string]struct {
		arms  []catalog.Arm
		field string
	}{
		"labels":           {[]catalog.Arm{{Config: "a", Percent: 5, Label: "canary"}, {Config: "b", Percent: 5}}, ""},
		"the same twice":   {[]catalog.Arm{{Config: "a", Label: "x"}, {Config: "b", Label: "x"}}, "routing.arms[1].label"},
		"another's config": {[]catalog.Arm{{Config: "a"}, {Config: "b", Label: "a"}}, "routing.arms[1].label"},
		"that of the rest": {[]catalog.Arm{{Config: "a", Label: "rest"}}, "routing.arms[0].label"},
		"with a slash":     {[]catalog.Arm{{Config: "a", Label: "x/y"}}, "routing.arms[0].label"},
	} {
		err := model(test.arms...).Validate()
		e, ok := errors.AsType[*fault.Error](err)
		if (err == nil) != (test.field == "") || ok && (len(e.Fields) != 1 || e.Fields[0].Name != test.field) {
			t.Errorf("%s: %v, want %q", name, err, test.field)
		}
	}
}
