package main

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"

	"easel/shared/env"
)

// contextOf returns the app's context values: cdk.json with the command line's on top.
func contextOf(app awscdk.App) map[string]any {
	values, _ := app.Node().GetAllContext(nil).(map[string]any)
	return values
}

// reader takes typed values out of a context and gathers what is wrong with it.
// Its methods return the zero value or the default after a problem, so that all
// problems are found in one go.
type reader struct {
	values map[string]any
	known  []string
	errs   []error
}

func (r *reader) refuse(key, problem string) {
	r.errs = append(r.errs, fmt.Errorf("context value %s: %s", key, problem))
}

// err returns all problems, with those values that nobody asked for. The CDK's
// own context values have a colon in their names and are left alone.
func (r *reader) err() error {
	for _, key := range slices.Sorted(maps.Keys(r.values)) {
		if !slices.Contains(r.known, key) && !strings.Contains(key, ":") {
			r.refuse(key, "unknown; known are "+strings.Join(r.known, ", "))
		}
	}
	return errors.Join(r.errs...)
}

// raw returns the value as text, "" when absent or empty.
func (r *reader) raw(key string) string {
	r.known = append(r.known, key)
	switch v := r.values[key].(type) {
	case nil:
		return ""
	case string:
		return strings.TrimSpace(v)
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		r.refuse(key, fmt.Sprintf("it must be a string, a number or a boolean, not %T", v))
		return ""
	}
}

func (r *reader) text(key, otherwise string) string {
	if v := r.raw(key); v != "" {
		return v
	}
	return otherwise
}

// choice reads one of the options; otherwise "" makes the value required.
func (r *reader) choice(key, otherwise string, options ...string) string {
	v := r.text(key, otherwise)
	if !slices.Contains(options, v) {
		r.refuse(key, fmt.Sprintf("it must be one of %s, as in: cdk deploy -c %s=%s",
			strings.Join(options, ", "), key, options[0]))
		return options[0]
	}
	return v
}

func (r *reader) form(key string, form *regexp.Regexp, what string) string {
	return r.formOr(key, "", form, what)
}

func (r *reader) formOr(key, otherwise string, form *regexp.Regexp, what string) string {
	v := r.text(key, otherwise)
	if v != "" && !form.MatchString(v) {
		r.refuse(key, fmt.Sprintf("%q is not %s", v, what))
		return otherwise
	}
	return v
}

func (r *reader) number(key string, otherwise, least, most int) int {
	v := r.raw(key)
	if v == "" {
		return otherwise
	}
	return r.bounded(key, v, otherwise, least, most)
}

func (r *reader) bounded(key, text string, otherwise, least, most int) int {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n != math.Trunc(n) || n < float64(least) || n > float64(most) {
		r.refuse(key, fmt.Sprintf("%q is not a whole number from %d to %d", text, least, most))
		return otherwise
	}
	return int(n)
}

func (r *reader) flag(key string, otherwise bool) bool {
	switch v := strings.ToLower(r.raw(key)); v {
	case "":
		return otherwise
	case "true", "on", "yes":
		return true
	case "false", "off", "no":
		return false
	default:
		r.refuse(key, fmt.Sprintf("%q is not true or false", v))
		return otherwise
	}
}

// perFunction reads "256" for every function, "worker=512" for one, or both:
// "256,worker=512". Functions that are not named have the general value, or
// otherwise; 0 is left out of the result.
func (r *reader) perFunction(key string, otherwise, least, most int) map[string]int {
	general, named := otherwise, map[string]int{}
	if text := r.raw(key); text != "" {
		for part := range strings.SplitSeq(text, ",") {
			name, value, one := strings.Cut(strings.TrimSpace(part), "=")
			switch {
			case !one:
				general = r.bounded(key, name, otherwise, least, most)
			case !slices.Contains(env.Functions(), name):
				r.refuse(key, fmt.Sprintf("there is no function %q; there are %s", name, strings.Join(env.Functions(), ", ")))
			default:
				named[name] = r.bounded(key, value, otherwise, least, most)
			}
		}
	}
	for _, name := range env.Functions() {
		if _, set := named[name]; !set && general > 0 {
			named[name] = general
		}
	}
	return named
}
