package httpapi

import (
	"net/http"
	"strconv"

	"easel/shared/fault"
)

// Page is one page of a list. NextCursor is null on the last one.
type Page[T any] struct {
	Object     string  `json:"object"`
	Data       []T     `json:"data"`
	NextCursor *string `json:"next_cursor"`
}

// PageOf returns the page of the items; next is "" for the last one.
func PageOf[T any](items []T, next string) Page[T] {
	if items == nil {
		items = []T{}
	}
	p := Page[T]{Object: "list", Data: items}
	if next != "" {
		p.NextCursor = &next
	}
	return p
}

// Limit reads the query parameter limit: fallback when it is not there, else 1
// to most, or an InvalidInput error.
func Limit(r *http.Request, fallback, most int) (int, error) {
	text := r.URL.Query().Get("limit")
	if text == "" {
		return fallback, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, fault.Invalid("limit", "must be 1 to %d", most)
	}
	return n, nil
}
