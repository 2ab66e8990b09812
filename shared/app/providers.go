package app

import (
	"net/http"

	"easel/shared/provider"
	"easel/shared/provider/custom"
	"easel/shared/provider/fal"
	"easel/shared/provider/gemini"
	"easel/shared/provider/openai"
	"easel/shared/provider/replicate"
	"easel/shared/provider/runway"
	"easel/shared/provider/stability"
)

// Providers returns every driver by the name that configs use, all of them
// sending with client. The options are fal's, whose webhooks are verified with
// keys that it publishes.
func Providers(client *http.Client, options ...fal.Option) map[string]provider.Provider {
	all := map[string]provider.Provider{}
	for _, p := range []provider.Provider{
		openai.New(client), stability.New(client), replicate.New(client), runway.New(client), fal.New(client, options...),
		gemini.New(client), custom.New(client),
	} {
		all[p.Describe().Name] = p
	}
	return all
}
