// Command admin is the function that serves the operator: everything under
// /api/admin.
package main

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"easel/functions/admin/adminapi"
	"easel/shared/app"
	"easel/shared/env"
	"easel/shared/lambdahttp"
	"easel/shared/safehttp"
)

func main() {
	log := app.NewLog(os.Stdout)
	gateway, deployment, err := app.Load(context.Background(), log)
	if err != nil {
		log.Error("the function cannot start", "error", err)
		os.Exit(1)
	}
	auth, login := access(gateway, deployment, log.Logger)
	lambdahttp.Start(gateway.Metrics.Handler(adminapi.New(adminapi.Deps{
		Auth: auth, Login: login, Store: gateway.Store, Secrets: gateway.Secrets, Desk: gateway.Desk,
		Canceler: gateway.Runner, Reports: app.Redeliverer{Engine: gateway.Engine, Endpoints: gateway.Endpoints}, Endpoints: gateway.Endpoints, Notices: gateway.Notices, Queue: gateway.Runner.Queue, Signer: gateway.Assets,
		Prober: &adminapi.Caller{
			Providers: gateway.Providers, Keeper: gateway.Keeper(), Signer: gateway.Assets, Prepare: gateway.Prepare,
			Now: gateway.Now, NewID: app.NewID,
		},
		Health:  adminapi.Shared{Monitor: gateway.Monitor, Meter: gateway.Store, Now: gateway.Now},
		Monitor: gateway.Monitor, Views: gateway.Views, Latencies: gateway.Latencies,
		Providers: gateway.Descriptions(), CheckData: app.CheckData,
		CheckURL:    func(raw string) error { return safehttp.CheckURL(raw, safehttp.Options{AnyPort: true}) },
		AllowReveal: deployment.RevealKeys, Facts: facts(context.Background(), gateway, deployment), Now: gateway.Now, NewID: app.NewID, Log: log.Logger,
	})), app.Lambda(deployment, log))
}

// facts are what the console and easel doctor are told of the deployment.
func facts(ctx context.Context, gateway *app.App, d env.Deployment) adminapi.Facts {
	f := adminapi.Facts{
		Version: "unknown", StartedAt: time.Now().UTC(), PublicURL: d.PublicURL, GoVersion: runtime.Version(),
		RetentionDays: int(d.TaskRetention.Hours() / 24), OIDCIssuer: d.OIDC.Issuer, RevealKeys: d.RevealKeys,
		AssetOrigin: gateway.AssetOrigin(ctx),
	}
	if role, err := env.LoadAWS(); err == nil {
		f.Region = role.Region
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		f.Version = info.Main.Version
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				f.Commit = s.Value
			}
		}
	}
	return f
}
