package adminapi

import (
	"maps"
	"slices"
)

// RoutePatterns are the patterns of every route that needs a role.
func RoutePatterns() []string {
	return slices.Sorted(maps.Keys((&handler{}).table()))
}
