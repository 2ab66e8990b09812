package app

import (
	"net/http"

	"easel/shared/provider"
	"easel/shared/provider/fal"
	"easel/shared/provider/openai"
	"easel/shared/provider/replicate"
	"easel/shared/provider/runway"
	"easel/shared/provider/stability"
)

// Providers returns every driver by the name that configs use, all of them
// sending with client.
func Providers(client *http.Client) map[string]provider.Provider {
	all := map[string]provider.Provider{}
	for _, p := range []provider.Provider{
		openai.New(client), stability.New(client), replicate.New(client), runway.New(client), fal.New(client),
	} {
		all[p.Describe().Name] = p
	}
	return all
}
