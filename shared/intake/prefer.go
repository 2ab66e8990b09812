package intake

import (
	"context"
	"errors"
	"slices"

	"easel/shared/catalog"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/preference"
)

// Preferences knows what accounts prefer; *preference.Book is the one.
type Preferences interface {
	Preferences(ctx context.Context, account string) (preference.Set, error)
}

// prefer fills what the ticket's request leaves out with what its account prefers,
// and finds its model.
func (d *Desk) prefer(ctx context.Context, t Ticket, models catalog.Catalog) (Ticket, catalog.Resolved, error) {
	if t.Request.Kind == "" && t.Request.Model == "" {
		t.Request.Kind = generation.Image
	}
	var set preference.Set
	if d.Preferences != nil && !t.AsIs {
		var err error
		if set, err = d.Preferences.Preferences(ctx, t.Account); err != nil {
			return t, catalog.Resolved{}, err
		}
	}
	model, err := preferred(t, set, models)
	if err != nil {
		return t, model, err
	}
	t.Request.Kind, t.Request.Model = model.Kind, model.Name
	t.Request = set.Of(model.Kind).Fill(t.Request, t.Blank, model.Model).Request
	if t.CallbackURL == "" && model.Kind != generation.Text && !slices.Contains(t.Blank, "callback_url") {
		t.CallbackURL = set.CallbackURL
	}
	return t, model, nil
}

// preferred resolves the ticket's model, the preferred one where it names none.
// One that is preferred and gone is refused: another one has another price.
func preferred(t Ticket, set preference.Set, models catalog.Catalog) (catalog.Resolved, error) {
	name := t.Request.Model
	if name == "" && !slices.Contains(t.Blank, "model") {
		name = set.Of(t.Request.Kind).Model
	}
	model, err := models.Resolve(t.Request.Kind, name)
	if wrong, ok := errors.AsType[*fault.Error](err); ok && name != t.Request.Model {
		return model, fault.Invalid("model", "is left out, and the one that the account prefers cannot be used: %s", wrong.Message)
	}
	return model, err
}

// CheckPreferences returns one InvalidInput error that names every field of the
// set which no request could have, or nil.
func (d *Desk) CheckPreferences(ctx context.Context, s preference.Set) error {
	view, err := d.Views.View(ctx)
	if err != nil {
		return err
	}
	return s.Check(view.Models, d.CheckURL)
}
