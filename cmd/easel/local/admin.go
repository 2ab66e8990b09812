package local

import (
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"easel/functions/admin/adminapi"
	"easel/shared/app"
	"easel/shared/httpapi"
	"easel/shared/safehttp"
	"easel/shared/settings"
)

// adminDeps are what the admin API works with on this machine: as deployed, but
// for base URLs, which may also be on loopback, and for what is simulated.
func (g *Gateway) adminDeps(auth httpapi.Authenticator) adminapi.Deps {
	a := g.App
	return adminapi.Deps{
		Auth: auth, Store: a.Store, Secrets: a.Secrets, Desk: a.Desk, Canceler: a.Runner, Reports: a.Engine,
		Queue: a.Runner.Queue, Signer: a.Assets,
		Prober: &adminapi.Caller{
			Providers: a.Providers, Keeper: a.Keeper(), Signer: a.Assets, Prepare: a.Prepare, Now: a.Now, NewID: app.NewID,
		},
		Providers: a.Descriptions(), CheckData: app.CheckData,
		CheckURL: func(raw string) error {
			return safehttp.CheckURL(raw, safehttp.Options{AnyPort: true, AllowLoopback: true})
		},
		Simulated: func(c settings.Config) bool { return strings.HasPrefix(c.BaseURL, g.URL+simulatorPath) },
		Simulator: true, Facts: g.facts(), Now: time.Now, NewID: app.NewID, Log: g.options.Log,
	}
}

func (g *Gateway) facts() adminapi.Facts {
	f := adminapi.Facts{
		Version: "unknown", Local: true, StartedAt: time.Now().UTC(), PublicURL: g.URL, AssetOrigin: g.URL,
		Data: "temporary", GoVersion: runtime.Version(),
	}
	if g.options.Data != "" {
		f.Data = g.options.Data
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
