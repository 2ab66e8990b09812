package adminapi

import (
	"net/http"
	"time"

	"easel/shared/apikey"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/httpapi"
)

// Facts are what the deployment knows about itself; absent where unknown.
type Facts struct {
	Version       string    `json:"version"`
	Commit        string    `json:"commit,omitempty"`
	Local         bool      `json:"local"`
	Region        string    `json:"region,omitempty"`
	StartedAt     time.Time `json:"started_at,omitzero"`
	PublicURL     string    `json:"public_url,omitempty"`
	AssetOrigin   string    `json:"asset_origin,omitempty"`
	Data          string    `json:"data,omitempty"`
	RetentionDays int       `json:"retention_days,omitempty"`
	RevealKeys    bool      `json:"reveal_keys"`
	OIDCIssuer    string    `json:"oidc_issuer,omitempty"`
	GoVersion     string    `json:"go_version,omitempty"`
}

// login tells a browser, before it has a token, how to get one.
func (h *handler) login(w http.ResponseWriter, _ *http.Request) error {
	answer := struct {
		Version string     `json:"version"`
		Local   bool       `json:"local"`
		OIDC    *LoginForm `json:"oidc,omitempty"`
	}{Version: h.Facts.Version, Local: h.Facts.Local}
	if h.Login != nil {
		form := h.Login.Describe()
		answer.OIDC = &form
	}
	return httpapi.Write(w, http.StatusOK, answer)
}

func (h *handler) exchange(w http.ResponseWriter, r *http.Request) error {
	if h.Login == nil {
		return fault.New(fault.NotFound, "no identity provider is configured; log in with a key")
	}
	var body struct {
		Code         string `json:"code"`
		CodeVerifier string `json:"code_verifier"`
		RedirectURI  string `json:"redirect_uri"`
	}
	if err := decode(w, r, &body); err != nil {
		return err
	}
	var f fault.Fields
	f.Check(body.Code != "" && len(body.Code) <= 4096, "code", "is required")
	f.Check(len(body.CodeVerifier) >= 43 && len(body.CodeVerifier) <= 128, "code_verifier", "must have 43 to 128 characters")
	f.Check(body.RedirectURI != "" && len(body.RedirectURI) <= 2048, "redirect_uri", "is required")
	if err := f.Err(); err != nil {
		return err
	}
	token, expires, err := h.Login.Exchange(r.Context(), body.Code, body.CodeVerifier, body.RedirectURI)
	if err != nil {
		return err
	}
	return httpapi.Write(w, http.StatusOK, struct {
		Token     string    `json:"token"`
		ExpiresAt time.Time `json:"expires_at,omitzero"`
	}{token, expires})
}

type features struct {
	RevealKeys bool `json:"reveal_keys"`
	Simulator  bool `json:"simulator"`
	Generate   bool `json:"generate"`
}

func (h *handler) session(w http.ResponseWriter, r *http.Request) error {
	c := callerOf(r)
	answer := struct {
		Role      apikey.Scope   `json:"role"`
		Subject   string         `json:"subject"`
		Name      string         `json:"name,omitempty"`
		KeyID     string         `json:"key_id,omitempty"`
		Account   string         `json:"account,omitempty"`
		Scopes    []apikey.Scope `json:"scopes,omitempty"`
		ExpiresAt time.Time      `json:"expires_at,omitzero"`
		Local     bool           `json:"local"`
		Version   string         `json:"version"`
		Features  features       `json:"features"`
	}{
		Role: role(c), Subject: c.User, Account: c.Account, Scopes: c.Scopes, Local: h.Facts.Local, Version: h.Facts.Version,
		Features: features{
			RevealKeys: h.AllowReveal, Simulator: h.Simulator,
			Generate: c.Account != "" && (c.May(apikey.Generate) || c.May(apikey.ActAs)),
		},
	}
	if key, err := h.Store.Key(r.Context(), c.KeyID); err == nil {
		answer.Subject, answer.KeyID, answer.Name, answer.ExpiresAt = "key_"+key.ID, key.ID, key.Name, key.ExpiresAt
	}
	return httpapi.Write(w, http.StatusOK, answer)
}

func (h *handler) settings(w http.ResponseWriter, _ *http.Request) error {
	facts := h.Facts
	facts.RevealKeys = h.AllowReveal
	return httpapi.Write(w, http.StatusOK, facts)
}

type providerView struct {
	Name           string            `json:"name"`
	Title          string            `json:"title"`
	Kinds          []generation.Kind `json:"kinds"`
	BaseURL        string            `json:"base_url"`
	Jobs           bool              `json:"jobs"`
	Webhooks       bool              `json:"webhooks"`
	SignedWebhooks bool              `json:"signed_webhooks"`
	Cancels        bool              `json:"cancels"`
	Features       []string          `json:"features"`
}

func (h *handler) providers(w http.ResponseWriter, _ *http.Request) error {
	views := make([]providerView, len(h.Providers))
	for i, d := range h.Providers {
		views[i] = providerView{
			Name: d.Name, Title: d.Title, Kinds: d.Kinds, BaseURL: d.BaseURL, Jobs: d.Jobs, Webhooks: d.Webhooks,
			SignedWebhooks: d.SignedWebhooks, Cancels: d.Cancels, Features: append([]string{}, d.Features...),
		}
	}
	return list(w, views)
}
