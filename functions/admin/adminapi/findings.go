package adminapi

import (
	"net/http"
	"time"

	"easel/shared/catalog"
	"easel/shared/httpapi"
	"easel/shared/retire"
	"easel/shared/settings"
)

// findingsView is what the daily check of models found, as it stands now.
// CheckedAt is null before the first check.
type findingsView struct {
	CheckedAt *time.Time    `json:"checked_at"`
	Configs   int           `json:"configs"`
	Data      []findingView `json:"data"`
	Skipped   []skipView    `json:"skipped"`
}

type findingView struct {
	retire.Finding

	ConfigName string `json:"config_name,omitempty"`
}

type skipView struct {
	retire.Skip

	ConfigName string `json:"config_name"`
}

func (h *handler) modelFindings(w http.ResponseWriter, r *http.Request) error {
	if _, err := queryOf(r); err != nil {
		return err
	}
	last, err := h.Store.LastCheck(r.Context())
	if err != nil {
		return err
	}
	configs, err := h.Store.Configs(r.Context())
	if err != nil {
		return err
	}
	views, _, err := h.models(r)
	if err != nil {
		return err
	}
	models := make([]catalog.Model, len(views))
	for i, v := range views {
		models[i] = v.Model
	}
	return httpapi.Write(w, http.StatusOK, viewFindings(last.At(h.Now(), models, configs), configs))
}

func viewFindings(report retire.Report, configs []settings.Config) findingsView {
	names := map[string]string{}
	for _, c := range configs {
		names[c.ID] = c.Name
	}
	view := findingsView{Configs: report.Configs, Data: []findingView{}, Skipped: []skipView{}}
	if !report.CheckedAt.IsZero() {
		view.CheckedAt = &report.CheckedAt
	}
	for _, f := range report.Findings {
		view.Data = append(view.Data, findingView{f, names[f.Config]})
	}
	for _, s := range report.Skipped {
		view.Skipped = append(view.Skipped, skipView{s, names[s.Config]})
	}
	return view
}
