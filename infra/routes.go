package main

import "easel/shared/env"

// route is one way in: a method and path of the API, and the function behind it.
// What is not in the list does not exist, and the gateway answers 404.
type route struct{ function, method, path string }

// routes lists every route. Who may use one is decided by its function: only the
// liveness check, the providers' webhooks (which are signed) and the console's
// login take requests without a key or token.
func routes() []route {
	return []route{
		{env.Generate, "POST", "/api/generate"},
		{env.Generate, "POST", "/api/generate/image"},
		{env.Generate, "POST", "/api/generate/video"},
		{env.Generate, "POST", "/api/batches"},
		{env.Generate, "GET", "/api/batches"},
		{env.Generate, "GET", "/api/batches/{id}"},
		{env.Generate, "GET", "/api/batches/{id}/items"},
		{env.Generate, "POST", "/api/batches/{id}/cancel"},
		{env.Generate, "POST", "/api/quote"},
		{env.Generate, "GET", "/api/models"},
		{env.Generate, "GET", "/api/account"},
		{env.Generate, "GET", "/api/account/ledger"},
		{env.Generate, "GET", "/api/account/preferences"},
		{env.Generate, "PUT", "/api/account/preferences"},
		{env.Generate, "PATCH", "/api/account/preferences"},
		{env.Generate, "GET", "/api/account/webhook-secret"},
		{env.Generate, "POST", "/api/account/webhook-secret/rotate"},
		{env.Generate, "POST", "/v1/images/generations"},
		{env.Generate, "POST", "/v1/images/edits"},
		{env.Generate, "GET", "/v1/models"},
		{env.Generate, "GET", "/v1/models/{model}"},
		{env.Generate, "POST", "/v1/videos"},
		{env.Generate, "GET", "/v1/videos/{id}"},
		{env.Generate, "DELETE", "/v1/videos/{id}"},
		{env.Generate, "GET", "/v1/videos/{id}/content"},

		{env.Prompt, "POST", "/api/prompt"},
		{env.Prompt, "GET", "/api/prompt/presets"},
		{env.Prompt, "POST", "/v1/chat/completions"},

		{env.Task, "GET", "/healthz"},
		{env.Task, "GET", "/api/task"},
		{env.Task, "GET", "/api/task/{id}"},
		{env.Task, "POST", "/api/task/{id}/cancel"},
		{env.Task, "GET", "/api/task/{id}/events"},

		{env.Webhook, "POST", "/api/webhooks/{provider}"},

		{env.Admin, "ANY", "/api/admin/{proxy+}"},
	}
}
