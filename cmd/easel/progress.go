package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// progress shows how far a task is: a bar that redraws itself on a terminal,
// and one plain line per change elsewhere.
type progress struct {
	w        io.Writer
	terminal bool
	began    time.Time
	last     string
}

func newProgress(w io.Writer) *progress {
	file, ok := w.(*os.File)
	return &progress{w: w, terminal: ok && term.IsTerminal(int(file.Fd())), began: time.Now()}
}

const barWidth = 24

// show draws the state; done is 0 to 1, and 0 where nobody knows.
func (p *progress) show(state string, done float64) {
	if !p.terminal {
		if state != p.last {
			fmt.Fprintln(p.w, state)
		}
		p.last = state
		return
	}
	elapsed := time.Since(p.began)
	full := int(done * barWidth)
	bar := strings.Repeat("█", full) + strings.Repeat("░", barWidth-full)
	if done == 0 {
		// A block that wanders says that work goes on.
		at := int(elapsed/(150*time.Millisecond)) % barWidth
		bar = strings.Repeat("░", at) + "█" + strings.Repeat("░", barWidth-at-1)
	}
	p.last = fmt.Sprintf("%s  %-22s %4.1f s", bar, state, elapsed.Seconds())
	fmt.Fprintf(p.w, "\r%s\x1b[K", p.last)
}

// clear removes the bar from a terminal.
func (p *progress) clear() {
	if p.terminal && p.last != "" {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.last = ""
	}
}
