package catalog

import "easel/shared/settings"

// View is what the operator has configured, as of one moment: the models and
// the configs that serve them. It is immutable.
type View struct {
	Models  Catalog
	Configs []settings.Config
}

// Config returns the config with the id; ok is false when there is none.
func (v View) Config(id string) (c settings.Config, ok bool) {
	for _, c := range v.Configs {
		if c.ID == id {
			return c, true
		}
	}
	return settings.Config{}, false
}
