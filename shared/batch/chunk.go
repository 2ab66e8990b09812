package batch

import (
	"encoding/json"
	"fmt"
)

const (
	// chunkBytes bounds a chunk's JSON: it is one item of the store, which takes 400 KB.
	chunkBytes = 256 << 10
	// chunkRequests bounds a chunk, so that a step that begins a few requests does not
	// read all of them.
	chunkRequests = 50
)

// Size is how many bytes the request takes up, to be held to [MaxRequest].
func (r Request) Size() (int, error) {
	encoded, err := json.Marshal(r)
	if err != nil {
		return 0, fmt.Errorf("encode a request: %w", err)
	}
	return len(encoded), nil
}

// split divides the requests into chunks, in their order, and returns the index of
// each chunk's first.
func split(requests []Request) (chunks [][]Request, starts []int, err error) {
	first, bytes := 0, 0
	for n, r := range requests {
		size, err := r.Size()
		if err != nil {
			return nil, nil, err
		}
		if n > first && (bytes+size > chunkBytes || n-first == chunkRequests) {
			chunks, starts = append(chunks, requests[first:n]), append(starts, first)
			first, bytes = n, 0
		}
		bytes += size + 1 // and a comma
	}
	return append(chunks, requests[first:]), append(starts, first), nil
}
