package replicate

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"easel/shared/fault"
	"easel/shared/provider"
	"easel/shared/provider/httpcall"
)

const (
	maxPages = 5
	// clockSkew is how far the vendor's clock may be behind ours.
	clockSkew = 30 * time.Second
	// dataLife is how long the vendor keeps inputs, with a margin.
	dataLife = 50 * time.Minute
)

// Find looks for the prediction of an attempt in the list of the key's latest
// ones, by its webhook or by the seed that Submit derived from the attempt.
//
// A caller's own seed proves nothing: another attempt may have it too. Then a
// look-alike is an error, and only its absence is an answer.
func (p *Provider) Find(ctx context.Context, c provider.Call) (provider.Job, bool, error) {
	if !familyOf(c).known && c.CallbackURL == "" {
		return provider.Job{}, false, httpcall.Unsupported("a job of this model cannot be recognised")
	}
	if time.Since(c.StartedAt) > dataLife {
		return provider.Job{}, false, httpcall.Unsupported("the provider does not keep inputs that long")
	}
	since := c.StartedAt.Add(-clockSkew)
	query := url.Values{"created_after": {since.UTC().Format(time.RFC3339)}}
	for range maxPages {
		page, err := p.page(ctx, c, query)
		if err != nil {
			return provider.Job{}, false, err
		}
		for _, row := range page.Results {
			switch match(c, row) {
			case same:
				return provider.Job{ID: row.ID}, true, nil
			case alike:
				return provider.Job{}, false, httpcall.Unsupported("a job looks like this one, but may be another's")
			case different:
			}
		}
		if page.Next == "" || len(page.Results) == 0 || page.Results[len(page.Results)-1].CreatedAt.Before(since) {
			return provider.Job{}, false, nil
		}
		next, err := url.Parse(page.Next)
		if err != nil {
			return provider.Job{}, false, httpcall.Unsupported("the provider's list of jobs cannot be followed")
		}
		query = next.Query() // of the vendor's URL only the cursor is used
	}
	return provider.Job{}, false, httpcall.Unsupported("the provider's list of jobs is too long")
}

func (p *Provider) page(ctx context.Context, c provider.Call, query url.Values) (predictionPage, error) {
	r := request(c, http.MethodGet, "predictions?"+query.Encode())
	response, err := p.calls.Do(ctx, r)
	if err != nil {
		return predictionPage{}, err
	}
	if !response.OK() {
		return predictionPage{}, refusal(response)
	}
	var page predictionPage
	if err := response.JSON(&page); err != nil {
		return predictionPage{}, err
	}
	if page.Results == nil {
		return predictionPage{}, &fault.Failure{Class: fault.ClassBadAnswer, Message: "the provider's answer is not a list of jobs"}
	}
	return page, nil
}

type likeness int

const (
	different likeness = iota
	alike
	same
)

func match(c provider.Call, row prediction) likeness {
	if c.CallbackURL != "" && row.Webhook != "" {
		if row.Webhook == c.CallbackURL {
			return same
		}
		return different
	}
	if row.DataRemoved {
		return alike
	}
	var seed int64
	if json.Unmarshal(row.Input["seed"], &seed) != nil || seed != seedOf(c) {
		return different
	}
	var prompt string
	_ = json.Unmarshal(row.Input["prompt"], &prompt)
	if !familyOf(c).video && prompt != c.Request.Prompt {
		return different
	}
	if c.Request.Seed != nil {
		return alike
	}
	return same
}
