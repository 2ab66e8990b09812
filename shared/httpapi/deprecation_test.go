package httpapi_test

import (
	"net/http"
	"testing"
	"time"

	"easel/shared/catalog"
	"easel/shared/httpapi"
)

func TestDeprecate(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 5, 12, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name                string
		model               catalog.Resolved
		deprecation, sunset string
	}{
		{"a living name", catalog.Resolved{DeprecatedAt: day}, "", ""},
		{"a retired name", catalog.Resolved{Retired: true, DeprecatedAt: day}, "@1778544000", ""},
		{"a retired name without a day", catalog.Resolved{Retired: true}, "", ""},
		{"a model that will end", catalog.Resolved{Model: catalog.Model{RetiresAt: day}}, "", "Tue, 12 May 2026 00:00:00 GMT"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := http.Header{}
			httpapi.Deprecate(h, tt.model)
			if h.Get("Deprecation") != tt.deprecation || h.Get("Sunset") != tt.sunset {
				t.Errorf("headers = %v", h)
			}
		})
	}
}
