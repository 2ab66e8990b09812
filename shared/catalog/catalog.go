// Package catalog is the list of models that callers can name: what each costs,
// what it accepts, and what each provider calls it.
package catalog

import (
	"fmt"
	"sort"
	"strings"
	"time"

	"easel/shared/fault"
	"easel/shared/generation"
)

// Model is one public model name.
type Model struct {
	Name  string          `json:"name"`
	Title string          `json:"title,omitempty"`
	Kind  generation.Kind `json:"kind"`
	// Auto marks the kind's default model: every active config of the kind serves
	// it with the config's own upstream model, at one price.
	Auto bool `json:"auto,omitempty"`
	// Configured is true for a model that no provider serves by itself: only configs
	// serve it whose data names it, {"models":{"<name>":"<upstream name>"}}.
	Configured bool `json:"configured,omitempty"`
	// Upstreams say which providers serve the model and under which name.
	Upstreams []Upstream `json:"upstreams,omitempty"`
	// Aliases are further names that resolve to this model.
	Aliases []Alias `json:"aliases,omitempty"`
	Price   Price   `json:"price"`
	Limits  Limits  `json:"limits"`
	// RetiresAt is when the last upstream shuts the model down; zero when not announced.
	RetiresAt time.Time `json:"retires_at,omitzero"`
	// Notice is a sentence for callers, such as why the name is deprecated.
	Notice string `json:"notice,omitempty"`
	// MonthlyPerUser is how many tasks a user may create per calendar month (UTC); 0 is no limit.
	MonthlyPerUser int `json:"monthly_per_user,omitempty"`
	// ChargeModerated is true when a task that a provider refused for its content
	// is charged its full price. The default is to refund it whole.
	ChargeModerated bool `json:"charge_moderated,omitempty"`
	// DeadlineSeconds is how long a task of the model may take in all, 10 to 86400;
	// 0 is the kind's usual time. A submit with an unknown outcome is waited for until then.
	DeadlineSeconds int `json:"deadline_seconds,omitempty"`
	// Routing is the order in which configs are tried.
	Routing Routing `json:"routing,omitzero"`
	// Hidden models work but are not listed.
	Hidden bool `json:"hidden,omitempty"`
}

// Upstream is one provider's name for a model.
type Upstream struct {
	Provider string `json:"provider"`
	Model    string `json:"model"`
	// Endpoint overrides the path for this model; "" does not.
	Endpoint string `json:"endpoint,omitempty"`
	// CostMicroUSD is the provider's price of one unit of Price.Unit; 0 is not known.
	CostMicroUSD int64 `json:"cost_micro_usd,omitempty"`
}

// Alias is another name of a model. A retired alias stands for a model that its
// vendor no longer serves; answers then carry a deprecation notice.
type Alias struct {
	Name    string `json:"name"`
	Retired bool   `json:"retired,omitempty"`
	// DeprecatedAt is the day of the vendor's shutdown where it is known, also a
	// coming one, else the day since which this catalog calls the name retired;
	// zero when nobody wrote one down.
	DeprecatedAt time.Time `json:"deprecated_at,omitzero"`
}

// Limits bound what a request for a model may ask. Zero values do not limit,
// but for MaxN, where zero means 1.
type Limits struct {
	MaxPrompt int `json:"max_prompt,omitempty"` // characters
	// UTF16Prompt counts a character outside of Unicode's basic plane, such as an
	// emoji, as two, as vendors with JavaScript inside do.
	UTF16Prompt bool `json:"utf16_prompt,omitempty"`
	MaxN        int  `json:"max_n,omitempty"`

	Sizes        []string `json:"sizes,omitempty"`
	AspectRatios []string `json:"aspect_ratios,omitempty"`
	// WithoutImage holds the shapes of requests without an input image, where
	// they are fewer; nil where they are the same.
	WithoutImage *Shapes `json:"without_image,omitempty"`
	// ImageSetsShape is true where an input image has the result's shape, so
	// that neither a size nor a ratio may come with one.
	ImageSetsShape bool `json:"image_sets_shape,omitempty"`
	// SizeByRatio is true where a size must have one of AspectRatios, to three in a hundred.
	SizeByRatio  bool `json:"size_by_ratio,omitempty"`
	MinSide      int  `json:"min_side,omitempty"` // pixels
	MaxSide      int  `json:"max_side,omitempty"`
	SideMultiple int  `json:"side_multiple,omitempty"`
	MinPixels    int  `json:"min_pixels,omitempty"`
	MaxPixels    int  `json:"max_pixels,omitempty"`
	// MaxRatio is how many times the shorter side the longer one may be.
	MaxRatio int `json:"max_ratio,omitempty"`

	Durations   []int `json:"durations,omitempty"` // seconds; the allowed ones
	MinDuration int   `json:"min_duration,omitempty"`
	MaxDuration int   `json:"max_duration,omitempty"`
	MinFPS      int   `json:"min_fps,omitempty"`
	MaxFPS      int   `json:"max_fps,omitempty"`
	// MaxFrames is the most that fps and duration may come to, where both are given.
	MaxFrames int `json:"max_frames,omitempty"`

	MaxSeed   int64    `json:"max_seed,omitempty"`
	MaxLoras  int      `json:"max_loras,omitempty"`
	Formats   []string `json:"formats,omitempty"`
	MaxTokens int      `json:"max_tokens,omitempty"`
	// Needs and Takes name members of the request that the model requires or,
	// beyond the basic ones, accepts: image, mask, loras, negative_prompt, seed, strength, quality, format, fps.
	Needs []string `json:"needs,omitempty"`
	Takes []string `json:"takes,omitempty"`
}

// Shapes are sizes and ratios.
type Shapes struct {
	Sizes        []string `json:"sizes,omitempty"`
	AspectRatios []string `json:"aspect_ratios,omitempty"`
}

// Catalog is a set of models, found by name or alias. It is immutable and safe
// for concurrent use; the zero value is empty.
type Catalog struct {
	models []Model
	byName map[string]int
	alias  map[string]Alias
}

// New returns the catalog of the models. It returns an error for an invalid
// model or a name that is used twice.
func New(models []Model) (Catalog, error) {
	c := Catalog{byName: map[string]int{}, alias: map[string]Alias{}}
	c.models = append(c.models, models...)
	sort.SliceStable(c.models, func(i, j int) bool { return c.models[i].Name < c.models[j].Name })
	for i, m := range c.models {
		if err := m.Validate(); err != nil {
			return Catalog{}, fmt.Errorf("model %q: %w", m.Name, err)
		}
		names := append([]Alias{{Name: m.Name}}, m.Aliases...)
		for _, a := range names {
			if _, taken := c.byName[a.Name]; taken {
				return Catalog{}, fmt.Errorf("model name %q is used twice", a.Name)
			}
			c.byName[a.Name] = i
			c.alias[a.Name] = a
		}
	}
	return c, nil
}

// Models returns every model in order of name.
func (c Catalog) Models() []Model { return append([]Model(nil), c.models...) }

// Resolved is a model found by one of its names.
type Resolved struct {
	Model
	// Asked is the name that was used, and Retired whether its vendor has retired it.
	Asked   string
	Retired bool
	// DeprecatedAt is [Alias.DeprecatedAt] of the name.
	DeprecatedAt time.Time
}

// Advice is a sentence for the caller about the name that was used or the model
// that it stands for, "" when there is nothing to say.
func (r Resolved) Advice() string {
	if r.Retired {
		return "the model " + r.Asked + " is retired by its vendor; " + r.Name + " serves this request"
	}
	return r.Notice
}

// Resolve finds the model of a kind by name or alias; an empty name is the
// kind's default model. It returns an InvalidInput error about "model" that
// suggests near names when there is none.
func (c Catalog) Resolve(kind generation.Kind, name string) (Resolved, error) {
	asked := name
	if name == "" {
		asked = kind.DefaultModel()
	}
	i, ok := c.byName[asked]
	if !ok {
		return Resolved{}, c.unknown(kind)
	}
	m := c.models[i]
	if kind != "" && m.Kind != kind {
		return Resolved{}, fault.Invalid("model", "makes %s, not %s", m.Kind, kind)
	}
	alias := c.alias[asked]
	return Resolved{Model: m, Asked: asked, Retired: alias.Retired, DeprecatedAt: alias.DeprecatedAt}, nil
}

func (c Catalog) unknown(kind generation.Kind) error {
	var names []string
	for _, m := range c.models {
		if !m.Hidden && (kind == "" || m.Kind == kind) {
			names = append(names, m.Name)
		}
	}
	if len(names) == 0 {
		return fault.Invalid("model", "is not known; the catalog is empty")
	}
	return fault.Invalid("model", "is not known; use one of %s", strings.Join(names, ", "))
}

// Validate returns one error that names every wrong field of the model, or nil.
func (m Model) Validate() error {
	var f fault.Fields
	f.Check(m.Name != "" && len(m.Name) <= 100 && !strings.ContainsAny(m.Name, " \t\r\n/?#"), "name", "must have 1 to 100 bytes without spaces, '/', '?' or '#'")
	f.Check(m.Kind.Valid(), "kind", "must be image, video or text")
	f.Check(m.Auto || m.Configured || len(m.Upstreams) > 0, "upstreams", "must name at least one provider, or auto or configured must be true")
	f.Check(!m.Configured || !m.Auto && len(m.Upstreams) == 0, "configured", "must not come with upstreams or auto")
	for i, u := range m.Upstreams {
		f.Check(u.Provider != "" && u.Model != "", fmt.Sprintf("upstreams[%d]", i), "must have provider and model")
	}
	f.Check(m.DeadlineSeconds == 0 || m.DeadlineSeconds >= 10 && m.DeadlineSeconds <= 86_400, "deadline_seconds", "must be 10 to 86400, or 0 for the usual time")
	m.Price.check(&f)
	m.Routing.check(&f)
	return f.Err()
}

// Upstream returns what the provider calls the model; ok is false when the
// provider does not serve it.
func (m Model) Upstream(providerName string) (u Upstream, ok bool) {
	for _, u := range m.Upstreams {
		if u.Provider == providerName {
			return u, true
		}
	}
	return Upstream{}, false
}
