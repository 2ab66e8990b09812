package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"easel/shared/app"
	"easel/shared/catalog"
	"easel/shared/provider"
)

const aboutProviders = `
Says what each provider can do and which models the catalog has, as the code has it.
With -check or -write it holds the tables of a Markdown file, such as
docs/providers.md, to that: each stands between two lines

  <!-- easel providers: NAME -->
  <!-- end -->

where NAME is providers, image, video or text.`

func providers(_ context.Context, c console, args []string) error {
	flags := newFlags(c, "providers", "[-markdown | -check FILE | -write FILE]", aboutProviders)
	markdown := flags.Bool("markdown", false, "print the tables in Markdown")
	check := flags.String("check", "", "fail when a table of the `file` is not as the code has it")
	write := flags.String("write", "", "bring the tables of the `file` up to date")
	if err := parse(flags, args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return usagef("unexpected argument %q", flags.Arg(0))
	}
	if countTrue(*markdown, *check != "", *write != "") > 1 {
		return usagef("say one of -markdown, -check and -write")
	}
	models, err := catalog.Builtin()
	if err != nil {
		return err
	}
	drivers := drivers()
	switch {
	case *check != "":
		return checkDocument(*check, documentTables(drivers, models))
	case *write != "":
		return writeDocument(*write, documentTables(drivers, models))
	case *markdown:
		for _, t := range documentTables(drivers, models) {
			fmt.Fprintf(c.out, "%s\n%s%s\n\n", opening(t.name), t.body, closing)
		}
		return nil
	default:
		return listProviders(c, drivers, models)
	}
}

func countTrue(conditions ...bool) (n int) {
	for _, c := range conditions {
		if c {
			n++
		}
	}
	return n
}

// drivers are all providers, in order of their titles.
func drivers() []provider.Provider {
	list := make([]provider.Provider, 0, 8)
	for _, p := range app.Providers(http.DefaultClient) { // only described, never called
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b provider.Provider) int {
		return strings.Compare(strings.ToLower(a.Describe().Title), strings.ToLower(b.Describe().Title))
	})
	return list
}

// listProviders prints one line for each provider, for people at a terminal.
func listProviders(c console, drivers []provider.Provider, models []catalog.Model) error {
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PROVIDER\tKINDS\tJOBS\tWEBHOOKS\tCANCEL\tSTREAMS\tMODELS")
	for _, p := range drivers {
		d := p.Describe()
		_, streams := p.(provider.Streamer)
		served := 0
		for _, m := range models {
			if _, ok := m.Upstream(d.Name); ok {
				served++
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%d\n",
			d.Name, kindsOf(d), yes(d.Jobs), webhooksOf(d), yes(d.Cancels), yes(streams), served)
	}
	return w.Flush()
}

const closing = "<!-- end -->"

func opening(name string) string { return "<!-- easel providers: " + name + " -->" }

// checkDocument returns an error that names the tables of the file that are stale.
func checkDocument(path string, tables []table) error {
	before, err := os.ReadFile(path) //nolint:gosec // the file that the user names
	if err != nil {
		return fmt.Errorf("read the document: %w", err)
	}
	var stale []string
	for _, t := range tables {
		after, err := replaceTable(before, t)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if !bytes.Equal(before, after) {
			stale = append(stale, t.name)
		}
	}
	if len(stale) > 0 {
		return fmt.Errorf("%s: not as the code has it: %s; run 'easel providers -write %s'", path, strings.Join(stale, ", "), path)
	}
	return nil
}

// writeDocument brings the tables of the file up to date and leaves the rest.
func writeDocument(path string, tables []table) error {
	document, err := os.ReadFile(path) //nolint:gosec // the file that the user names
	if err != nil {
		return fmt.Errorf("read the document: %w", err)
	}
	for _, t := range tables {
		if document, err = replaceTable(document, t); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	if err := os.WriteFile(path, document, 0o644); err != nil { //nolint:gosec // a document, for everybody to read
		return fmt.Errorf("write the document: %w", err)
	}
	return nil
}

// replaceTable returns the document with the table between its two lines.
func replaceTable(document []byte, t table) ([]byte, error) {
	head, rest, ok := bytes.Cut(document, []byte(opening(t.name)+"\n"))
	if !ok {
		return nil, fmt.Errorf("there is no line %q", opening(t.name))
	}
	_, tail, ok := bytes.Cut(rest, []byte(closing))
	if !ok {
		return nil, fmt.Errorf("there is no line %q after %q", closing, opening(t.name))
	}
	return slices.Concat(head, []byte(opening(t.name)+"\n"+t.body+closing), tail), nil
}
