// Command generate is the function that takes image and video requests in.
package main

import (
	"context"
	"os"

	"easel/functions/generate/generateapi"
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
	lambdahttp.Start(gateway.Metrics.Handler(generateapi.New(generateapi.Deps{
		Auth: gateway.Callers(deployment.OIDC, app.IssuerClient()), Desk: gateway.Desk, Views: gateway.Views, Accounts: gateway.Store, Quotas: gateway.Quotas, Endpoints: gateway.Endpoints,
		Preferences: gateway.Preferences, Batches: gateway.Batches, BatchList: gateway.Store,
		Tasks:    gateway.Store,
		Canceler: gateway.Runner, Signer: gateway.Assets, Files: app.Files{Assets: gateway.Assets}, Log: log.Logger, Now: gateway.Now,
	})), app.Lambda(deployment, log))
}
