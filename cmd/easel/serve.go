package main

import (
	"context"
	"fmt"
	"log/slog"

	"easel/cmd/easel/local"
	"easel/shared/env"
	"easel/shared/secret"
	"easel/web"
)

const aboutServe = `
Runs the whole gateway on this machine, with everything embedded. Providers whose
keys are in the environment (OPENAI_API_KEY, REPLICATE_API_TOKEN, STABILITY_API_KEY,
GEMINI_API_KEY, RUNWAYML_API_SECRET, FAL_KEY) are real; the others are simulated.
EASEL_DATA names a folder that survives; without it everything is forgotten at the end.`

func serve(ctx context.Context, c console, args []string) error {
	options, err := local.FromEnvironment()
	if err != nil {
		return err
	}
	flags := newFlags(c, "serve", "[flags]", aboutServe)
	flags.StringVar(&options.Addr, "addr", options.Addr, "`address` to listen on ("+env.Addr+")")
	flags.StringVar(&options.Data, "data", options.Data, "`folder` that survives ("+env.Data+")")
	verbose := flags.Bool("v", false, "log every request")
	if err := parse(flags, args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return usagef("unexpected argument %q", flags.Arg(0))
	}
	options.Redactor = secret.NewRedactor()
	level := slog.LevelWarn
	if *verbose {
		level = slog.LevelInfo
	}
	options.Log = slog.New(slog.NewJSONHandler(options.Redactor.Writer(c.err), &slog.HandlerOptions{Level: level}))
	options.Console = web.Handler()
	gateway, err := local.Start(ctx, options)
	if err != nil {
		return err
	}
	welcome(c, gateway, options)
	err = gateway.Wait(ctx)
	fmt.Fprintln(c.err, "stopping: work in hand gets ten seconds")
	if closed := gateway.Close(); err == nil {
		err = closed
	}
	return err
}

// welcome prints how to use the gateway that has just started.
func welcome(c console, g *local.Gateway, o local.Options) {
	fmt.Fprintf(c.out, `
  Easel is running.

  Console     %[1]s/
  Admin key   %[2]s
  API key     %[3]s   (account %[4]s, %[5]d credits to start with)

  A picture, paid and delivered (paste this into another terminal):

  curl -s %[1]s/api/generate -H 'Authorization: Bearer %[3]s' -H 'Content-Type: application/json' -H 'Prefer: wait=120' -d '{"prompt":"a lighthouse at dusk"}'

  The same, saved as lighthouse.png:

  curl -s %[1]s/api/generate -H 'Authorization: Bearer %[3]s' -H 'Content-Type: application/json' -H 'Prefer: wait=120' -d '{"prompt":"a lighthouse at dusk"}' | sed 's/.*"url":"\([^"]*\)".*/\1/' | xargs curl -s -o lighthouse.png

  Stop with Ctrl-C.

`, g.URL, g.AdminKey, g.APIKey, g.Account, local.DemoCredits)
	if o.Data == "" {
		fmt.Fprintf(c.err, "  Nothing is kept after the end: set %s to a folder to keep it.\n", env.Data)
	}
}
