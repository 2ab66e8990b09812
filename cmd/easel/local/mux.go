package local

import (
	"io"
	"net/http"
	"runtime"
	"strings"
	"time"

	"easel/functions/admin/adminapi"
	"easel/functions/generate/generateapi"
	"easel/functions/prompt/promptapi"
	"easel/functions/task/taskapi"
	"easel/functions/webhook/webhookapi"
	"easel/shared/apikey"
	"easel/shared/app"
	"easel/shared/assets/disk"
	"easel/shared/httpapi"
	"easel/shared/safehttp"
	"easel/shared/settings"
)

// mux puts every function on one address, as API Gateway does when deployed.
func (g *Gateway) mux() http.Handler {
	mux := http.NewServeMux()
	people := safehttp.New(safehttp.Options{AllowLoopback: true, AnyPort: true}) // reaches their issuer
	auth := g.App.Callers(g.options.OIDC, people)
	mount := func(h http.Handler, patterns []string) {
		for _, pattern := range patterns {
			mux.Handle(pattern, h)
		}
	}
	mount(generateapi.New(generateapi.Deps{
		Auth: auth, Desk: g.App.Desk, Views: g.App.Views, Accounts: g.App.Store, Quotas: g.App.Quotas, Endpoints: g.App.Endpoints, Preferences: g.App.Preferences, Tasks: g.App.Store, Canceler: g.App.Runner,
		Batches: g.App.Batches, BatchList: g.App.Store,
		Signer: g.App.Assets, Files: app.Files{Assets: g.App.Assets}, Log: g.options.Log, Now: time.Now,
	}), generateapi.Patterns())
	mount(promptapi.New(promptapi.Deps{Auth: auth, Desk: g.App.Desk, Preferences: g.App.Preferences, Log: g.options.Log, Now: time.Now}), promptapi.Patterns())
	mount(taskapi.New(taskapi.Deps{
		Auth: auth, Tasks: g.App.Store, Lister: app.Lister{Store: g.App.Store}, Canceler: g.App.Runner, Signer: g.App.Assets, Log: g.options.Log,
	}), taskapi.Patterns())
	mount(webhookapi.New(webhookapi.Deps{
		Tasks: g.App.Store, Views: g.App.Views, Providers: g.App.Providers, Secrets: g.App,
		Queue: g.App.Runner.Queue, Log: g.options.Log, Now: time.Now,
	}), webhookapi.Patterns())
	operators, login := g.operators(g.App.Auth(), people)
	mount(g.admin(operators, login), adminapi.Patterns())
	mux.HandleFunc("GET /healthz", alive)
	mux.Handle("/"+disk.Bucket+"/", g.disk)
	mux.Handle(simulatorPath+"/", http.StripPrefix(simulatorPath, g.Simulator))
	mount(guarded(operators, g.Simulator.Admin(), g), []string{"/simulator", "/simulator/"})
	// What is no route of a function must not look like a page of the console.
	mount(httpapi.Wrap(httpapi.NewMux(), g.options.Log), []string{"/api/", "/v1/"})
	if g.options.Console != nil {
		mux.Handle("/", g.options.Console)
	}
	return mux
}

// operators is who may use the console: keys, and, where the environment names an
// issuer, people with its tokens. The login is nil where it does not.
//
//nolint:ireturn // keys alone, or keys and tokens
func (g *Gateway) operators(keys httpapi.Authenticator, client *http.Client) (httpapi.Authenticator, adminapi.Login) {
	verifier, login := app.People(g.options.OIDC, client, time.Now)
	if login == nil {
		return keys, nil
	}
	return httpapi.Either(keys, verifier), adminapi.SSO{Login: login, Log: g.options.Log}
}

// admin is the operator's API.
func (g *Gateway) admin(auth httpapi.Authenticator, login adminapi.Login) http.Handler {
	base := safehttp.Options{AllowLoopback: true, AnyPort: true}
	return adminapi.New(adminapi.Deps{
		Auth: auth, Login: login, Store: g.App.Store, Secrets: g.App.Secrets, Desk: g.App.Desk, Canceler: g.App.Runner,
		Reports: app.Redeliverer{Engine: g.App.Engine, Endpoints: g.App.Endpoints}, Endpoints: g.App.Endpoints, Notices: g.App.Notices, Queue: g.App.Runner.Queue, Signer: g.App.Assets,
		Prober: &adminapi.Caller{
			Providers: g.App.Providers, Keeper: g.App.Keeper(), Signer: g.App.Assets, Prepare: g.App.Prepare,
			Now: time.Now, NewID: app.NewID,
		},
		Health:  adminapi.Shared{Monitor: g.App.Monitor, Meter: g.App.Store, Now: time.Now},
		Monitor: g.App.Monitor, Views: g.App.Views, Latencies: g.App.Latencies,
		Providers: g.App.Descriptions(), CheckData: app.CheckData,
		CheckURL:  func(raw string) error { return safehttp.CheckURL(raw, base) },
		Simulated: func(c settings.Config) bool { return strings.HasPrefix(c.BaseURL, g.URL+simulatorPath+"/") },
		Simulator: true, AllowReveal: true,
		Facts: adminapi.Facts{
			Version: "local", Local: true, StartedAt: time.Now().UTC(), PublicURL: g.URL, Data: g.options.Data, AssetOrigin: g.URL,
			GoVersion: runtime.Version(), RevealKeys: true, OIDCIssuer: g.options.OIDC.Issuer,
		},
		Now: time.Now, NewID: app.NewID, Log: g.options.Log,
	})
}

// alive answers as long as the process serves.
func alive(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"status":"ok"}`+"\n")
}

// guarded opens the simulator's switches to admins alone.
func guarded(auth httpapi.Authenticator, h http.Handler, g *Gateway) http.Handler {
	return httpapi.Wrap(httpapi.Guarded(auth, apikey.Admin, func(w http.ResponseWriter, r *http.Request, _ httpapi.Caller) error {
		h.ServeHTTP(w, r)
		return nil
	}), g.options.Log)
}
