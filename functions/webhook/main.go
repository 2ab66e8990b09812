// Command webhook is the function that providers report to.
package main

import (
	"context"
	"log/slog"
	"os"

	"easel/functions/webhook/webhookapi"
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
	lambdahttp.Start(webhookapi.New(webhookapi.Deps{
		Tasks: gateway.Store, Views: gateway.Views, Providers: gateway.Providers, Secrets: gateway,
		Queue: app.Queue{Sender: gateway.Queue}, Log: log, Now: gateway.Now,
	}), app.Lambda(deployment, log))
}
