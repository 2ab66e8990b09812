package probe

import (
	"context"
	"net/http"
	"slices"

	"easel/shared/fault"
	"easel/shared/health"
	"easel/shared/provider"
	"easel/shared/settings"
)

// question is a free call. Its answer is nil when what was down works, and of
// class unsupported when the vendor cannot tell.
type question func(ctx context.Context, c provider.Call) *fault.Failure

// question returns the free call that can tell whether what is down works again,
// nil where there is none:
//
//   - a model that was gone is there when the vendor lists it;
//   - an account without credit is mended when the vendor says that it can pay;
//   - a key that was refused is mended when any call takes it;
//   - a vendor that could not be reached works when it answers.
//
// Jobs that fail, and answers that nobody understands, say nothing about such
// calls, nor such calls about them.
func (p *Prober) question(down health.Down, config settings.Config) question {
	if p.silent(config) {
		return nil
	}
	driver := p.Providers[config.Provider]
	lister, lists := driver.(provider.Lister)
	checker, checks := driver.(provider.Checker)
	if down.Model != "" {
		if !lists || down.Class != fault.ClassModelGone {
			return nil
		}
		return listed(lister, down.Model)
	}
	switch down.Class { //nolint:exhaustive // see above
	case fault.ClassOutOfCredit:
		if checks {
			return funded(checker)
		}
	case fault.ClassAuth, fault.ClassConnect, fault.ClassTimeout, fault.ClassUnavailable:
		if checks {
			return func(ctx context.Context, c provider.Call) *fault.Failure {
				_, err := checker.Check(ctx, c)
				return told(err)
			}
		}
		if lists {
			return func(ctx context.Context, c provider.Call) *fault.Failure {
				_, err := lister.Models(ctx, c)
				return told(err)
			}
		}
	}
	return nil
}

func listed(lister provider.Lister, model string) question {
	return func(ctx context.Context, c provider.Call) *fault.Failure {
		models, err := lister.Models(ctx, c)
		if err == nil && !slices.ContainsFunc(models, func(m provider.Model) bool { return m.Name == model }) {
			return &fault.Failure{Class: fault.ClassModelGone, Detail: "the vendor does not list the model"}
		}
		return told(err)
	}
}

func funded(checker provider.Checker) question {
	return func(ctx context.Context, c provider.Call) *fault.Failure {
		ok, err := checker.Check(ctx, c)
		if err == nil && !ok {
			return &fault.Failure{Class: fault.ClassUnsupported, Detail: "the vendor does not tell the balance"}
		}
		return told(err)
	}
}

// told returns what the error of a free call says about its config. A path that
// does not exist, or that the key may not use, says nothing: generating may work.
func told(err error) *fault.Failure {
	f := fault.FailureOf(err)
	if f == nil {
		return nil
	}
	switch f.Class { //nolint:exhaustive // the others say what they say
	case fault.ClassNotFound, fault.ClassModelGone, fault.ClassInvalidInput, fault.ClassUnsupported:
		return &fault.Failure{Class: fault.ClassUnsupported, Cause: f}
	case fault.ClassAuth:
		if f.Status == http.StatusForbidden {
			return &fault.Failure{Class: fault.ClassUnsupported, Cause: f}
		}
	}
	return f
}
