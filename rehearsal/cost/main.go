// Command cost measures in a rehearsal what requests consume of each thing that
// AWS bills, and renders it as the tables of docs/deploy.md.
//
//	go run ./rehearsal/cost                          print the tables
//	go run ./rehearsal/cost -write docs/deploy.md    write them between the markers
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"easel/rehearsal"
)

func main() {
	write := flag.String("write", "", "`file` whose lines between the cost markers are replaced")
	root := flag.String("root", ".", "the module's `folder`")
	n := flag.Int("n", 50, "how many requests of each kind are measured")
	flag.Parse()
	if err := run(context.Background(), *root, *write, *n); err != nil {
		fmt.Fprintln(os.Stderr, "cost:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, root, file string, n int) (err error) {
	folder, err := os.MkdirTemp("", "easel-cost-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	binaries := filepath.Join(folder, "dist")
	if err := rehearsal.Build(ctx, root, binaries, rehearsal.Built(root)); err != nil {
		return err
	}
	template, err := rehearsal.ReadTemplate(filepath.Join(root, "rehearsal", "testdata", "template.json"))
	if err != nil {
		return err
	}
	d, err := rehearsal.Start(ctx, rehearsal.Options{
		Template: template, Binaries: binaries, Folder: folder, Engine: os.Getenv("EASEL_DYNOXIDE"),
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	m, err := measure(ctx, d, n)
	if err != nil {
		return err
	}
	text := render(m)
	if file == "" {
		fmt.Print(text)
		return nil
	}
	page, err := os.ReadFile(file) //nolint:gosec // the developer's own file
	if err != nil {
		return err
	}
	page, err = replace(page, text)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, page, 0o644) //nolint:gosec // a page of documentation
}
