package catalog_test

import (
	"testing"

	"easel/shared/catalog"
	"easel/shared/generation"
)

func TestAModelMaySayThatConfigsServeIt(t *testing.T) {
	t.Parallel()
	up := []catalog.Upstream{{Provider: "openai", Model: "x"}}
	for name, c := range map[string]struct {
		model catalog.Model
		valid bool
	}{
		"configured":                {catalog.Model{Configured: true}, true},
		"nobody's":                  {catalog.Model{}, false},
		"configured and a provider": {catalog.Model{Configured: true, Upstreams: up}, false},
		"configured and auto":       {catalog.Model{Configured: true, Auto: true}, false},
	} {
		c.model.Name, c.model.Kind = "m", generation.Video
		c.model.Price = catalog.Price{Known: true, Unit: catalog.PerVideo}
		if err := c.model.Validate(); (err == nil) != c.valid {
			t.Errorf("%s: %v", name, err)
		}
	}
}
