// Command prompt is the function that answers text requests.
package main

import (
	"context"
	"log/slog"
	"os"

	"easel/functions/prompt/promptapi"
	"easel/shared/app"
	"easel/shared/lambdahttp"
)

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	gateway, deployment, err := app.Load(context.Background(), log)
	if err != nil {
		log.Error("the function cannot start", "error", err)
		os.Exit(1)
	}
	lambdahttp.Start(promptapi.New(promptapi.Deps{
		Auth: gateway.Auth(), Desk: gateway.Desk, Log: log, Now: gateway.Now,
	}), app.Lambda(deployment, log))
}
