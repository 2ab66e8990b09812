package intake

import (
	"context"
	"slices"

	"easel/shared/fault"
)

// CheckBeside checks what comes along with a set of requests rather than with one
// of them: the ticket's metadata and callback URL, where the account's preference
// is filled in. Errors: InvalidInput that names every wrong field.
func (d *Desk) CheckBeside(ctx context.Context, t Ticket) (Ticket, error) {
	if d.Preferences != nil && t.CallbackURL == "" && !slices.Contains(t.Blank, "callback_url") {
		set, err := d.Preferences.Preferences(ctx, t.Account)
		if err != nil {
			return t, err
		}
		t.CallbackURL = set.CallbackURL
	}
	var f fault.Fields
	checkMetadata(&f, t.Metadata)
	d.checkURL(&f, "callback_url", t.CallbackURL)
	return t, f.Err()
}
