package custom_test

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"easel/shared/provider/custom"
)

const page = "../../../docs/custom-providers.md"

// blocks are the JSON blocks of the page.
func blocks(t *testing.T) [][]byte {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(text), "```json\n")[1:]
	found := make([][]byte, 0, len(parts))
	for _, rest := range parts {
		block, _, closed := strings.Cut(rest, "\n```")
		if !closed {
			t.Fatal("a block is not closed")
		}
		found = append(found, []byte(block))
	}
	return found
}

func compact(t *testing.T, data []byte) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, data); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	return b.String()
}

// TestEveryDescriptionOfThePageIsValid also compares the page with the
// descriptions that the other tests send requests by.
func TestEveryDescriptionOfThePageIsValid(t *testing.T) {
	t.Parallel()
	shown := make([]string, 0, 5)
	for _, block := range blocks(t) {
		if err := custom.Validate(block); err != nil {
			t.Errorf("%v in\n%s", err, block)
		}
		shown = append(shown, compact(t, block))
	}
	for _, name := range []string{"luma", "kling", "bfl", "sync_image", "sync_text"} {
		if !slices.Contains(shown, compact(t, read(t, name))) {
			t.Errorf("the page does not show %s as it is", name)
		}
	}
}

// TestThePageExplainsEveryMember compares the page with what Validate knows: it
// tells of a member that it does not.
func TestThePageExplainsEveryMember(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, member := range custom.Members() {
		if !strings.Contains(string(text), "`"+member) {
			t.Errorf("%s is not explained", member)
		}
	}
}
