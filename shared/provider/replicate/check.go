package replicate

import (
	"context"
	"net/http"

	"easel/shared/provider"
)

// Check asks for the token's account. The vendor does not tell its balance.
func (p *Provider) Check(ctx context.Context, c provider.Call) (funded bool, err error) {
	response, err := p.calls.Do(ctx, request(c, http.MethodGet, "account"))
	if err != nil {
		return false, err
	}
	if !response.OK() {
		return false, refusal(response)
	}
	return false, nil
}
