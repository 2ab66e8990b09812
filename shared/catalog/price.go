package catalog

import (
	"encoding/json"
	"maps"
	"math"
	"slices"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/task"
)

// Unit is what a price counts.
type Unit string

// The units.
const (
	PerImage   Unit = "image"   // each image asked for
	PerVideo   Unit = "video"   // each video
	PerSecond  Unit = "second"  // each second of video
	PerRequest Unit = "request" // each call, whatever it holds
	PerTokens  Unit = "tokens"  // each started 1,000 tokens of answer
)

// Price is what a model costs in credits. A model without a known price is not
// free: Known must be set, and Credits may then be 0.
type Price struct {
	Known   bool  `json:"known"`
	Credits int64 `json:"credits"`
	Unit    Unit  `json:"unit"`
	// Percent scales Credits by a request's member, such as
	// {"quality": {"high": 400}} for four times the price; 100 is unchanged. A
	// value that is not listed is 100; results are rounded up.
	Percent map[string]map[string]int64 `json:"percent,omitempty"`
	// Megapixels is how many million pixels Credits pay for; each started further
	// so many cost Credits again. 0 asks nothing for size.
	Megapixels float64 `json:"megapixels,omitempty"`
	// DefaultSeconds is charged per second when the request has no duration.
	DefaultSeconds int64 `json:"default_seconds,omitempty"`
	// DefaultTokens is reserved per tokens when the request has no max_tokens, and
	// is then its max_tokens; 0 is 1,000.
	DefaultTokens int64 `json:"default_tokens,omitempty"`
}

const maxCredits = 1_000_000_000 // keeps every product far from overflow

func (p Price) check(f *fault.Fields) {
	f.Check(!p.Known || (p.Credits >= 0 && p.Credits <= maxCredits), "price.credits", "must be 0 to %d", maxCredits)
	switch p.Unit {
	case PerImage, PerVideo, PerSecond, PerRequest, PerTokens:
	default:
		f.Check(!p.Known, "price.unit", "must be image, video, second, request or tokens")
	}
	f.Check(p.Megapixels == 0 || p.Megapixels >= 0.01 && p.Megapixels <= 1000, "price.megapixels", "must be 0.01 to 1000, or 0 where size costs nothing")
	for member, scale := range p.Percent {
		for value, percent := range scale {
			f.Check(percent >= 0 && percent <= 100_000, "price.percent."+member+"."+value, "must be 0 to 100000")
		}
	}
}

// Quote is the price of one request, and how it came about.
type Quote struct {
	Credits int64            `json:"credits"`
	Lines   []task.PriceLine `json:"lines"`
	// Quantity and UnitCredits are the whole price: their product is Credits.
	Quantity    int64 `json:"quantity"`
	UnitCredits int64 `json:"unit_credits"`
	Unit        Unit  `json:"unit"`
}

// Quote returns what the request costs when all of it is delivered. It returns
// an Unavailable error when the model's price is not known: unknown is never free.
func (m Model) Quote(r generation.Request) (Quote, error) {
	if !m.Price.Known {
		return Quote{}, fault.New(fault.Unavailable, "the price of model %s is not known, so it cannot be used; an operator must set it", m.Name)
	}
	unit := min(m.Price.Credits*m.Price.areas(r), maxCredits)
	for _, member := range slices.Sorted(maps.Keys(m.Price.Percent)) {
		unit = min((unit*percentOf(m.Price.Percent[member], r, member)+99)/100, maxCredits)
	}
	quantity := m.Price.quantity(r)
	line := task.PriceLine{What: string(m.Price.Unit), Quantity: quantity, Credits: unit}
	return Quote{Credits: unit * quantity, Lines: []task.PriceLine{line}, Quantity: quantity, UnitCredits: unit, Unit: m.Price.Unit}, nil
}

func (p Price) quantity(r generation.Request) int64 {
	switch p.Unit {
	case PerImage:
		return int64(r.Count())
	case PerSecond:
		if r.Duration > 0 {
			return int64(r.Duration)
		}
		return max(p.DefaultSeconds, 1)
	case PerTokens:
		return (p.Tokens(r) + tokensPerUnit - 1) / tokensPerUnit
	default:
		return 1
	}
}

// tokensPerUnit is how many tokens of answer one unit pays for.
const tokensPerUnit = 1000

// Tokens returns how long, in tokens, the answer to a request may get for what is
// reserved for it: its max_tokens, or the default. It is 0 where tokens are not
// what is paid for.
func (p Price) Tokens(r generation.Request) int64 {
	switch {
	case p.Unit != PerTokens:
		return 0
	case r.MaxTokens > 0:
		return int64(r.MaxTokens)
	case p.DefaultTokens > 0:
		return p.DefaultTokens
	default:
		return tokensPerUnit
	}
}

// areas is how many times the request's size pays for the pixels that Credits
// pay for: 1 without a size.
func (p Price) areas(r generation.Request) int64 {
	width, height, ok := pair(sizeForm, r.Size)
	if p.Megapixels <= 0 || !ok {
		return 1
	}
	return max(1, int64(math.Ceil(float64(width)*float64(height)/(p.Megapixels*1e6))))
}

// percentOf is how a member of the request scales the price. A member may be
// given as a field, among the options, and among those of one provider; the dearest counts,
// so nothing is had for less by another spelling.
func percentOf(scale map[string]int64, r generation.Request, member string) int64 {
	percent, found := int64(100), false
	for _, value := range valuesOf(r, member) {
		if of, ok := scale[value]; ok && (!found || of > percent) {
			percent, found = of, true
		}
	}
	return percent
}

func valuesOf(r generation.Request, member string) []string {
	values := make([]string, 0, 2)
	switch member {
	case "quality":
		values = append(values, r.Quality)
	case "size":
		values = append(values, r.Size)
	case "aspect_ratio":
		values = append(values, r.AspectRatio)
	}
	if raw, ok := r.Options[member]; ok {
		values = append(values, trimQuotes(string(raw)))
	}
	for _, raw := range r.Options {
		var own map[string]json.RawMessage // a provider's own options
		if json.Unmarshal(raw, &own) != nil {
			continue
		}
		if raw, ok := own[member]; ok {
			values = append(values, trimQuotes(string(raw)))
		}
	}
	return values
}

func trimQuotes(s string) string {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}

// Charge returns what is to be charged of a task's price when delivered of the
// images asked for arrived: a full delivery costs the price, a partial one its
// share rounded down, so that a caller never pays for an image that is missing.
func Charge(price int64, asked, delivered int) int64 {
	if asked <= 0 || delivered >= asked {
		return price
	}
	if delivered <= 0 {
		return 0
	}
	return price * int64(delivered) / int64(asked)
}
