package local_test

import (
	"slices"
	"testing"

	"easel/shared/catalog"
	"easel/shared/generation"
	"easel/shared/retire"
)

// TestModelsAreComparedWithTheVendorsLists checks the built-in catalog against the
// simulated vendors, then a model that no vendor has.
func TestModelsAreComparedWithTheVendorsLists(t *testing.T) {
	t.Parallel()
	g := start(t)
	ghost := catalog.Model{
		Name: "ghost", Kind: generation.Image, Upstreams: []catalog.Upstream{{Provider: "openai", Model: "ghost-1"}},
		Price: catalog.Price{Known: true, Credits: 1, Unit: catalog.PerImage},
	}
	if err := g.App.Store.PutModel(t.Context(), ghost); err != nil {
		t.Fatal(err)
	}
	g.App.Views.Forget()
	check := g.App.NewModelCheck(0)
	for range 2 { // the second time it is not due
		if err := check.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	r, err := g.App.Store.LastCheck(t.Context())
	if err != nil || len(r.Skipped) != 0 || r.Configs < 4 {
		t.Fatalf("report = %+v, %v", r, err)
	}
	if !slices.ContainsFunc(r.Findings, func(f retire.Finding) bool {
		return f.Problem == retire.Missing && f.Upstream == "ghost-1" && f.Config == "cfg_openai"
	}) || len(r.Findings) != 1 {
		t.Errorf("findings = %+v, want the ghost alone", r.Findings)
	}
}
