// Command prompt is the function that answers text requests.
package main

import (
	"context"
	"os"

	"easel/functions/prompt/promptapi"
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
	lambdahttp.Start(gateway.Metrics.Handler(promptapi.New(promptapi.Deps{
		Auth: gateway.Callers(deployment.OIDC, app.IssuerClient()), Desk: gateway.Desk, Preferences: gateway.Preferences, Log: log.Logger, Now: gateway.Now,
	})), app.Lambda(deployment, log))
}
