package custom

import (
	"reflect"
	"strings"
)

// Members lists every member of a description, and every placeholder.
func Members() []string {
	list := known()
	for _, t := range []reflect.Type{
		reflect.TypeFor[definition](), reflect.TypeFor[operation](), reflect.TypeFor[rule](), reflect.TypeFor[hook](), reflect.TypeFor[states](),
	} {
		list = append(list, members(t, "")...)
	}
	return append(append(list, members(reflect.TypeFor[answer](), "answer.")...), members(reflect.TypeFor[jobFinder](), "job.")...)
}

func members(t reflect.Type, prefix string) []string {
	list := make([]string, 0, t.NumField())
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		list = append(list, prefix+name)
	}
	return list
}
