package catalog

import (
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
	unit := m.Price.Credits
	for member, scale := range m.Price.Percent {
		if percent, ok := scale[memberOf(r, member)]; ok {
			unit = (unit*percent + 99) / 100
		}
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

func memberOf(r generation.Request, member string) string {
	switch member {
	case "quality":
		return r.Quality
	case "size":
		return r.Size
	case "aspect_ratio":
		return r.AspectRatio
	default:
		var text string
		if raw, ok := r.Options[member]; ok {
			text = trimQuotes(string(raw))
		}
		return text
	}
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
