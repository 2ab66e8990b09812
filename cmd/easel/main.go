// Command easel runs the gateway on one machine, and talks to a running one.
//
//	easel serve              everything on this machine: API, worker, store, simulated providers
//	easel generate PROMPT    one generation, to a file
//	easel tables COMMAND     create or describe the DynamoDB tables
//	easel config COMMAND     import an old gateway's configuration, export this one's
//	easel doctor             check a gateway and everything that it needs
//	easel bench              many generations at once: times, cost, and whether the money adds up
//	easel providers          what each provider can do, and the tables of docs/providers.md
//	easel version            the version of this build
//
// Exit codes: 0 success, 1 failure, 2 wrong usage, 3 the generation was refused
// or failed, 130 interrupted.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], console{in: os.Stdin, out: os.Stdout, err: os.Stderr})
	stop()
	os.Exit(code)
}

// console is where a command reads and writes.
type console struct {
	in       io.Reader
	out, err io.Writer
}

// The exit codes of the command.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitRefused     = 3
	exitInterrupted = 130
)

// command is one subcommand.
type command struct {
	name, args, summary string
	run                 func(ctx context.Context, c console, args []string) error
}

func commands() []command {
	return []command{
		{"serve", "[flags]", "run the whole gateway on this machine", serve},
		{"generate", "[flags] PROMPT", "make one picture and write it to a file", generate},
		{"tables", "create|describe [flags]", "create or describe the DynamoDB tables", tables},
		{"config", "import|export [flags]", "bring an old configuration in, or write this one out", configCommand},
		{"doctor", "[flags]", "check a gateway and say what to do", doctor},
		{"bench", "[flags]", "send many generations, and say how long they took", bench},
		{"providers", "[flags]", "say what each provider and model supports", providers},
		{"version", "", "print the version of this build", version},
	}
}

// usageError is a mistake in how the command was called.
type usageError struct{ message string }

func (e *usageError) Error() string { return e.message }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...)}
}

// run calls the subcommand that args name and returns the exit code.
func run(ctx context.Context, args []string, c console) int {
	if len(args) == 0 || slices.Contains([]string{"help", "-h", "-help", "--help"}, args[0]) {
		help(c.out)
		return exitOK
	}
	cmd, ok := find(args[0])
	if !ok {
		fmt.Fprintf(c.err, "easel: there is no command %q; run 'easel help'\n", args[0])
		return exitUsage
	}
	err := cmd.run(ctx, c, args[1:])
	return report(ctx, c, cmd, err)
}

// report prints why a command failed and returns its exit code.
func report(ctx context.Context, c console, cmd command, err error) int {
	usage, isUsage := errors.AsType[*usageError](err)
	refused, isRefused := errors.AsType[*refusedError](err)
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return exitOK
	case isUsage:
		fmt.Fprintf(c.err, "easel %s: %s\nRun 'easel %s -help' for its flags.\n", cmd.name, usage.message, cmd.name)
		return exitUsage
	case isRefused:
		fmt.Fprintf(c.err, "easel %s: %s\n", cmd.name, refused.message)
		return exitRefused
	case ctx.Err() != nil:
		fmt.Fprintf(c.err, "easel %s: interrupted\n", cmd.name)
		return exitInterrupted
	default:
		fmt.Fprintf(c.err, "easel %s: %v\n", cmd.name, err)
		return exitFailure
	}
}

func find(name string) (command, bool) {
	list := commands()
	i := slices.IndexFunc(list, func(c command) bool { return c.name == name })
	if i < 0 {
		return command{}, false
	}
	return list[i], true
}

func help(w io.Writer) {
	fmt.Fprint(w, "Easel is a gateway to many image, video and text generation APIs.\n\nUsage:\n\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  easel %-34s %s\n", c.name+" "+c.args, c.summary)
	}
	fmt.Fprint(w, "\nRun 'easel COMMAND -help' for the flags of a command.\n")
}

// newFlags returns a flag set whose help names the command and what it does.
func newFlags(c console, name, args, about string) *flag.FlagSet {
	flags := flag.NewFlagSet("easel "+name, flag.ContinueOnError)
	flags.SetOutput(c.err)
	flags.Usage = func() {
		fmt.Fprintf(c.err, "Usage: easel %s %s\n\n%s\n\nFlags:\n", name, args, strings.TrimSpace(about))
		flags.PrintDefaults()
	}
	return flags
}

// parse reads the flags; a mistake is one of usage.
func parse(flags *flag.FlagSet, args []string) error {
	err := flags.Parse(args)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		return usagef("%v", err)
	}
	return err
}

func version(_ context.Context, c console, _ []string) error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		fmt.Fprintln(c.out, "easel (unknown build)")
		return nil
	}
	revision := "unversioned"
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			revision = s.Value
		}
	}
	fmt.Fprintf(c.out, "easel %s %s %s\n", info.Main.Version, revision, info.GoVersion)
	return nil
}
