// Command webhook is the function that providers report to.
package main

import (
	"context"
	"os"

	"easel/functions/webhook/webhookapi"
	"easel/shared/app"
	"easel/shared/lambdahttp"
)

func main() {
	log := app.NewLog(os.Stdout)
	gateway, deployment, err := app.Load(context.Background(), log)
	if err != nil {
		log.Error("the function cannot start", "error", err)
		os.Exit(1)
	}
	lambdahttp.Start(gateway.Metrics.Handler(webhookapi.New(webhookapi.Deps{
		Tasks: gateway.Store, Views: gateway.Views, Providers: gateway.Providers, Secrets: gateway,
		Queue: app.Queue{Sender: gateway.Queue}, Heard: gateway.Metrics.WebhookLag, Log: log.Logger, Now: gateway.Now,
	})), app.Lambda(deployment, log))
}
