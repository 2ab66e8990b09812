package httpcall

import (
	"encoding/json"
	"errors"
	"fmt"

	"easel/shared/fault"
	"easel/shared/provider"
)

// Options reads a vendor's own settings into the struct that into points to.
//
// They come, later ones over earlier ones, from the "options" member of the
// config's data, from the request's options, and from the object that the
// request's options hold under the protocol's name. Members that the struct does
// not have are dropped: they are for another provider, or for none. A member of
// the wrong type is a Failure of class invalid_input.
func Options(c provider.Call, protocol string, into any) error {
	merged, err := MergedOptions(c, protocol)
	if err != nil {
		return err
	}
	encoded, err := json.Marshal(merged)
	if err != nil {
		return badOption("options", err)
	}
	if err := json.Unmarshal(encoded, into); err != nil {
		name := "options"
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
			name += "." + wrong.Field
		}
		return badOption(name, err)
	}
	return nil
}

// MergedOptions is the object that [Options] decodes.
func MergedOptions(c provider.Call, protocol string) (map[string]json.RawMessage, error) {
	var data struct {
		Options map[string]json.RawMessage `json:"options"`
	}
	if len(c.Data) > 0 {
		if err := json.Unmarshal(c.Data, &data); err != nil {
			return nil, badOption("config_data.options", err)
		}
	}
	merged := make(map[string]json.RawMessage, len(data.Options)+len(c.Request.Options))
	add := func(members map[string]json.RawMessage) {
		for name, value := range members {
			if name != protocol {
				merged[name] = value
			}
		}
	}
	add(data.Options)
	add(c.Request.Options)
	if own, ok := c.Request.Options[protocol]; ok {
		var members map[string]json.RawMessage
		if err := json.Unmarshal(own, &members); err != nil {
			return nil, badOption("options."+protocol, err)
		}
		add(members)
	}
	return merged, nil
}

func badOption(name string, err error) error {
	return &fault.Failure{
		Class: fault.ClassInvalidInput, Message: name + " has the wrong type", Cause: fmt.Errorf("read options: %w", err),
	}
}

// Invalid is a Failure of class invalid_input: the request is wrong everywhere.
// The message is our own words.
func Invalid(format string, args ...any) *fault.Failure {
	return &fault.Failure{Class: fault.ClassInvalidInput, Message: fmt.Sprintf(format, args...)}
}

// Unsupported is a Failure of class unsupported: only this provider lacks what
// the request needs, and nothing was sent. The message is our own words.
func Unsupported(format string, args ...any) *fault.Failure {
	return &fault.Failure{Class: fault.ClassUnsupported, Message: fmt.Sprintf(format, args...)}
}

// The JSON types of a setting, for [KnownOptions].
const (
	Number  = "number"
	Boolean = "boolean"
	String  = "string"
)

// KnownOptions copies the settings that known lists, by name and JSON type, into
// the object into. It reads them as [Options] does: others are dropped, and one
// of the wrong type is a Failure of class invalid_input.
func KnownOptions(c provider.Call, protocol string, known map[string]string, into map[string]any) error {
	options, err := MergedOptions(c, protocol)
	if err != nil {
		return err
	}
	for name, raw := range options {
		want, ok := known[name]
		if !ok {
			continue
		}
		var value any
		if err := json.Unmarshal(raw, &value); err != nil || typeOf(value) != want {
			return Invalid("options.%s must be a %s", name, want)
		}
		into[name] = value
	}
	return nil
}

func typeOf(value any) string {
	switch value.(type) {
	case float64:
		return Number
	case bool:
		return Boolean
	case string:
		return String
	default:
		return ""
	}
}

// OwnOptions are the settings that are meant for this protocol alone: those of
// the config, and those that the request holds under the protocol's name. They
// are what a model that a driver does not know gets, unchecked.
func OwnOptions(c provider.Call, protocol string) (map[string]any, error) {
	own := c
	own.Request.Options = map[string]json.RawMessage{}
	if members, ok := c.Request.Options[protocol]; ok {
		own.Request.Options[protocol] = members
	}
	options, err := MergedOptions(own, protocol)
	if err != nil {
		return nil, err
	}
	values := make(map[string]any, len(options))
	for name, raw := range options {
		values[name] = raw
	}
	return values, nil
}
