package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"

	"easel/cmd/easel/local"
	"easel/shared/env"
	"easel/shared/migrate"
)

const aboutConfig = `
import brings the configuration of the gateway that Easel replaces into a running
one: from its environment variables (-env, or -dotenv FILE) and from a CSV or JSON
dump of its api_configs table (-table FILE). It shows what would change; -apply
writes it. Provider keys go to the gateway's key endpoint and are never printed.

export writes the configuration of a running gateway without keys, in the form
that the console imports. docs/migration.md says what becomes what.`

// configFlags are those of both verbs.
type configFlags struct {
	server, key, dotenv, table, out string
	environment, apply              bool
}

func configCommand(ctx context.Context, c console, args []string) error {
	if len(args) == 0 || args[0] != "import" && args[0] != "export" {
		if len(args) > 0 && slices.Contains([]string{"-h", "-help", "--help"}, args[0]) {
			return parse(newFlags(c, "config", "import|export [flags]", aboutConfig), args)
		}
		return usagef("say import or export")
	}
	var f configFlags
	flags := newFlags(c, "config "+args[0], "[flags]", aboutConfig)
	flags.StringVar(&f.server, "server", "http://"+env.DefaultAddr, "`URL` of the running gateway")
	flags.StringVar(&f.key, "key", "", "admin `key` (default: "+env.AdminKey+")")
	if args[0] == "import" {
		flags.BoolVar(&f.environment, "env", false, "read the variables of this environment")
		flags.StringVar(&f.dotenv, "dotenv", "", "read variables from a `file` of NAME=value lines")
		flags.StringVar(&f.table, "table", "", "read a CSV or JSON dump of api_configs from a `file`; - is standard input")
		flags.BoolVar(&f.apply, "apply", false, "write; without it only the difference is shown")
	} else {
		flags.StringVar(&f.out, "o", "-", "`file` to write; - is standard output")
	}
	if err := parse(flags, args[1:]); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return usagef("unexpected argument %q", flags.Arg(0))
	}
	if err := f.findKey(); err != nil {
		return err
	}
	if args[0] == "export" {
		return f.export(ctx, c)
	}
	return f.load(ctx, c)
}

// findKey takes the admin key from the environment where no flag has it.
func (f *configFlags) findKey() error {
	options, err := local.FromEnvironment()
	if err != nil {
		return err
	}
	f.key = cmp.Or(f.key, options.AdminKey.Reveal())
	if f.key == "" {
		return usagef("an admin key is needed: -key, or %s in the environment", env.AdminKey)
	}
	return nil
}

func (f *configFlags) admin() *adminClient { return newAdminClient(f.server, f.key) }

func (f *configFlags) export(ctx context.Context, c console) error {
	document, err := f.admin().raw(ctx, http.MethodGet, "/api/admin/export", nil)
	if err != nil {
		return err
	}
	if f.out == "-" {
		_, err = c.out.Write(document)
		return err
	}
	if err := os.WriteFile(f.out, document, 0o600); err != nil {
		return fmt.Errorf("write %s: %w", f.out, err)
	}
	return nil
}

// load reads the sources, shows the difference and, when asked to, writes it.
func (f *configFlags) load(ctx context.Context, c console) error {
	p, err := f.plan(c)
	if err != nil {
		return err
	}
	for _, n := range p.Notes {
		fmt.Fprintf(c.err, "note: %s %s\n", n.Source, n.Message)
	}
	if len(p.Entries) == 0 {
		return errors.New("there is nothing to import: no source has a config")
	}
	changes, err := f.admin().importDocument(ctx, p.Document(), !f.apply)
	if err != nil {
		return err
	}
	changes.print(c.out, p)
	if !f.apply {
		fmt.Fprintln(c.out, "\nNothing was written. Run it again with -apply to write it.")
		return nil
	}
	return f.setKeys(ctx, c, p, changes)
}

// plan reads every source that the flags name.
func (f *configFlags) plan(c console) (migrate.Plan, error) {
	var p migrate.Plan
	if !f.environment && f.dotenv == "" && f.table == "" {
		return p, usagef("say what to read: -env, -dotenv FILE or -table FILE")
	}
	if f.table != "" {
		err := fromFile(c, f.table, func(r io.Reader) error {
			read, err := migrate.FromTable(r)
			p.Add(read)
			return err
		})
		if err != nil {
			return p, err
		}
	}
	if f.dotenv != "" {
		err := fromFile(c, f.dotenv, func(r io.Reader) error {
			values, err := migrate.Dotenv(r)
			p.Add(migrate.FromEnvironment(func(name string) (string, bool) {
				value, ok := values[name]
				return value, ok
			}))
			return err
		})
		if err != nil {
			return p, err
		}
	}
	if f.environment {
		p.Add(migrate.FromEnvironment(env.Lookup))
	}
	return p, nil
}

// fromFile reads a file, or standard input for "-".
func fromFile(c console, name string, read func(io.Reader) error) error {
	in := c.in
	if name != "-" {
		file, err := os.Open(name) //nolint:gosec // the operator's own file
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		defer func() { _ = file.Close() }()
		in = file
	}
	if err := read(in); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}

// setKeys hands over each config's key. The gateway lists the imported configs
// first, in the document's order.
func (f *configFlags) setKeys(ctx context.Context, c console, p migrate.Plan, changes importResult) error {
	var failed error
	done := 0
	for i, e := range p.Entries {
		if e.Key.IsZero() || i >= len(changes.Changes) {
			continue
		}
		path := "/api/admin/configs/" + changes.Changes[i].ID + "/key"
		if _, err := f.admin().raw(ctx, http.MethodPut, path, map[string]string{"key": e.Key.Reveal()}); err != nil {
			failed = errors.Join(failed, fmt.Errorf("the key of %s was not stored: %w", e.Source, err))
			continue
		}
		done++
	}
	fmt.Fprintf(c.out, "\nWritten: %d configs, %d keys.\n", len(p.Entries), done)
	return failed
}

// importResult is what the gateway says about an import.
type importResult struct {
	Changes []struct {
		ID, Name, Action string
		Type             string
		Before, After    map[string]any
	}
	Warnings []struct{ Name, Message string }
}

// print shows each change, member by member.
func (r importResult) print(w io.Writer, p migrate.Plan) {
	for i, change := range r.Changes {
		fmt.Fprintf(w, "%-9s %s %s\n", change.Action, change.Type, change.Name)
		names := make([]string, 0, len(change.After))
		for name := range change.After {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			before, after := fmt.Sprint(change.Before[name]), fmt.Sprint(change.After[name])
			quiet := name == "updated_at" || name == "created_at" || name == "version"
			if quiet || change.Before != nil && before == after {
				continue
			}
			if change.Before == nil {
				fmt.Fprintf(w, "            %s: %s\n", name, after)
			} else {
				fmt.Fprintf(w, "            %s: %s -> %s\n", name, before, after)
			}
		}
		if i < len(p.Entries) && !p.Entries[i].Key.IsZero() {
			fmt.Fprintln(w, "            key: from "+strings.TrimSpace(p.Entries[i].Source))
		}
	}
}
