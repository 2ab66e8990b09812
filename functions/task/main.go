// Command task is the function that shows, follows and cancels tasks.
package main

import (
	"context"
	"os"

	"easel/functions/task/taskapi"
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
	lambdahttp.Start(gateway.Metrics.Handler(taskapi.New(taskapi.Deps{
		Auth: gateway.Callers(deployment.OIDC, app.IssuerClient()), Tasks: gateway.Store, Lister: app.Lister{Store: gateway.Store},
		Canceler: gateway.Runner, Signer: gateway.Assets, Log: log.Logger,
	})), app.Lambda(deployment, log))
}
