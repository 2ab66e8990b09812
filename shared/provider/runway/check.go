package runway

import (
	"context"
	"net/http"

	"easel/shared/fault"
	"easel/shared/provider"
	"easel/shared/provider/httpcall"
)

// Check asks for the key's organization, which has a balance of credits.
func (p *Provider) Check(ctx context.Context, c provider.Call) (funded bool, err error) {
	response, err := p.calls.Do(ctx, request(c, http.MethodGet, "v1/organization"))
	if err != nil {
		return false, err
	}
	if !response.OK() {
		return false, refusal(response)
	}
	var organization struct {
		CreditBalance *float64 `json:"creditBalance"` //nolint:tagliatelle // the vendor's name
	}
	if err := response.JSON(&organization); err != nil {
		return false, err
	}
	if organization.CreditBalance == nil {
		return false, response.Bad("the provider's answer has no balance", nil)
	}
	if *organization.CreditBalance <= 0 {
		return false, response.Refusal(httpcall.Verdict{Class: fault.ClassOutOfCredit, Detail: "the balance is used up"})
	}
	return true, nil
}
