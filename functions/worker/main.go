// Command worker is the function that drives tasks to their end: from the queue,
// and once a minute from what is due.
package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"easel/functions/worker/workerjob"
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
	worker := workerjob.New(gateway.Runner, log, workerjob.Duty{Name: "rollup", Run: gateway.Rollup})
	lambdahttp.StartWorker(lambdahttp.Worker{
		Message: worker.Handle,
		Tick:    func(ctx context.Context, _ time.Time) error { return worker.Tick(ctx) },
	}, app.Lambda(deployment, log))
}
