package local_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"easel/shared/credits"
)

// command is one command of a page.
type command struct {
	text string
	// refused is true where the page shows that it is refused.
	refused bool
}

// commands returns the shell commands of a page's blocks: a line goes on where it
// ends in a backslash or within quotes, or begins a here-document.
func commands(t *testing.T, page string) (all []*command) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", page))
	if err != nil {
		t.Fatal(err)
	}
	for _, rest := range strings.Split(string(text), "```sh\n")[1:] {
		block, after, closed := strings.Cut(rest, "```")
		if !closed {
			t.Fatalf("%s: a block is not closed", page)
		}
		refused := strings.Contains(firstLine(strings.TrimPrefix(after, "\n```json\n")), "urn:easel:problem:")
		block = strings.ReplaceAll(block, "\\\n", " ")
		for block != "" {
			var line string
			line, block, _ = strings.Cut(block, "\n")
			if strings.Contains(line, "<<JSON") {
				document, left, _ := strings.Cut(block, "\nJSON\n")
				line, block = line+"\n"+document+"\nJSON", left
			}
			for quoted(line) && block != "" {
				next, left, _ := strings.Cut(block, "\n")
				line, block = line+"\n"+next, left
			}
			if isCurl(line) {
				all = append(all, &command{text: line, refused: refused})
			}
		}
	}
	return all
}

// quoted reports whether a shell reads on after the text: within quotes.
func quoted(text string) bool {
	var open rune
	escaped := false
	for _, r := range text {
		switch {
		case escaped:
			escaped = false
		case r == '\\' && open != '\'':
			escaped = true
		case open == 0 && r == '#':
			return false // a comment
		case open == 0 && (r == '"' || r == '\''):
			open = r
		case r == open:
			open = 0
		}
	}
	return open != 0
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// isCurl reports whether a line calls the gateway: others of the pages start it,
// or name keys that a reader has to fill in.
func isCurl(line string) bool {
	return strings.Contains(line, "curl ") || strings.HasPrefix(line, "gen ") || strings.Contains(line, "$(gen ")
}

// script runs the commands one after the other, as a reader pastes them. Those
// that leave nothing behind for others run beside them, because videos take
// seconds.
func script(all []*command) string {
	var b strings.Builder
	// The status of each answer goes to standard error.
	b.WriteString("curl() { command curl --write-out '%{stderr}HTTP %{http_code}\\n' \"$@\"; }\n")
	for i, c := range all {
		beside := ""
		if strings.HasPrefix(c.text, "gen ") && !strings.Contains(c.text, "$") {
			beside = " &"
		}
		if strings.HasPrefix(c.text, "gen()") {
			fmt.Fprintln(&b, c.text)
			continue
		}
		fmt.Fprintf(&b, "{ %s\n} >%d.out 2>%d.err%s\n", c.text, i, i, beside)
	}
	b.WriteString("wait\n")
	return b.String()
}

var status = regexp.MustCompile(`HTTP (\d+)`)

// TestTheCurlsOfThePagesWorkAsPrinted pastes every curl of the documentation
// into a shell, against a gateway as make run starts it.
func TestTheCurlsOfThePagesWorkAsPrinted(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"bash", "curl", "sed"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("there is no %s here", tool)
		}
	}
	g := start(t)
	// All at once they cost more than a new account has.
	if err := g.App.Store.Post(t.Context(), credits.ForGrant(g.Account, "curls", 5000, "", "test", time.Now())); err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	luma, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "provider", "custom", "examples", "luma.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "luma.json"), luma, 0o600); err != nil {
		t.Fatal(err)
	}
	pages := map[string]int{"docs/api.md": 40, "docs/custom-providers.md": 1, "README.md": 3}
	all := make([]*command, 0, 60)
	for _, page := range []string{"docs/api.md", "docs/custom-providers.md", "README.md"} {
		found := commands(t, page)
		if len(found) < pages[page] {
			t.Errorf("%s has %d curls, want at least %d: are they still found?", page, len(found), pages[page])
		}
		all = append(all, found...)
	}
	text := strings.ReplaceAll(script(all), "http://127.0.0.1:8787", g.URL)
	run := exec.CommandContext(t.Context(), "bash", "-c", text)
	run.Dir = folder
	run.Env = append(os.Environ(), "EASEL_URL="+g.URL, "EASEL_KEY="+g.APIKey, "EASEL_API_KEY="+g.APIKey, "EASEL_ADMIN_KEY="+g.AdminKey, "no_proxy=127.0.0.1")
	if out, err := run.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for i, c := range all {
		c.read(t, folder, i)
	}
}

// read reads what a command left behind, and checks it.
func (c *command) read(t *testing.T, folder string, i int) {
	t.Helper()
	if strings.HasPrefix(c.text, "gen()") {
		return
	}
	out, err := os.ReadFile(filepath.Join(folder, fmt.Sprint(i, ".out")))
	if err != nil {
		t.Fatal(err)
	}
	problems, err := os.ReadFile(filepath.Join(folder, fmt.Sprint(i, ".err")))
	if err != nil {
		t.Fatal(err)
	}
	found := status.FindAllSubmatch(problems, -1)
	if len(found) == 0 {
		t.Errorf("no answer came to\n%s\n%s", c.text, problems)
	}
	for _, code := range found {
		if success := code[1][0] == '2'; success == c.refused {
			t.Errorf("status %s of\n%s\n%.500s", code[1], c.text, out)
		}
	}
	if strings.HasPrefix(c.text, "gen ") && !bytes.Contains(out, []byte(`"status":"succeeded"`)) {
		t.Errorf("nothing was made by\n%s\n%.500s", c.text, out)
	}
	if strings.Contains(c.text, `"stream":true`) && (!bytes.Contains(out, []byte("event: delta")) && !bytes.Contains(out, []byte("data: [DONE]"))) {
		t.Errorf("no stream came of\n%s\n%.500s", c.text, out)
	}
}
