// Command worker is the function that drives tasks to their end: from the queue,
// and once a minute from what is due.
package main

import (
	"context"
	"os"

	"easel/functions/worker/workerjob"
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
	worker := workerjob.New(gateway.Runner, log.Logger,
		workerjob.Duty{Name: "batches", Run: gateway.Batches.Sweep},
		workerjob.Duty{Name: "rollup", Run: gateway.Rollup},
		workerjob.Duty{Name: "probes", Run: gateway.NewProber().Run},
		workerjob.Duty{Name: "notices", Run: gateway.Notices.Sweep},
		workerjob.Duty{Name: "books", Run: gateway.NewBookCheck().Check},
		workerjob.Duty{Name: "models", Run: gateway.NewModelCheck(0).Check},
	)
	lambdahttp.StartWorker(lambdahttp.Worker{
		Message: gateway.Message(worker.Handle),
		Tick:    gateway.Tick(worker.Tick),
	}, app.Lambda(deployment, log))
}
