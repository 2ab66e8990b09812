package stability

import (
	"context"
	"net/http"

	"easel/shared/fault"
	"easel/shared/provider"
	"easel/shared/provider/httpcall"
)

// Check asks for the balance, which both of the vendor's APIs share.
func (p *Provider) Check(ctx context.Context, c provider.Call) (funded bool, err error) {
	r := request(c, "v1/user/balance")
	r.Method, r.Submits = http.MethodGet, false
	response, err := p.calls.Do(ctx, r)
	if err != nil {
		return false, err
	}
	if !response.OK() {
		return false, refusal(response)
	}
	var balance struct {
		Credits *float64 `json:"credits"`
	}
	if err := response.JSON(&balance); err != nil {
		return false, err
	}
	if balance.Credits == nil {
		return false, response.Bad("the provider's answer has no balance", nil)
	}
	if *balance.Credits <= 0 {
		return false, response.Refusal(httpcall.Verdict{Class: fault.ClassOutOfCredit, Detail: "the balance is used up"})
	}
	return true, nil
}
