package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"easel/shared/fault"
)

const (
	// maxDepth bounds how deep objects and arrays may nest.
	maxDepth = 32
	// maxValues bounds how many values a body may have: each takes far more memory
	// than the two bytes that it may be written with.
	maxValues = 200_000
)

type nodeKind int

const (
	nullNode nodeKind = iota
	boolNode
	numberNode
	stringNode
	arrayNode
	objectNode
)

// String is the kind's name in messages.
func (k nodeKind) String() string {
	return [...]string{"null", "a boolean", "a number", "a string", "an array", "an object"}[k]
}

// node is one JSON value with its own bytes.
type node struct {
	kind nodeKind
	raw  []byte
	// text is a string's value or a number's digits.
	text    string
	yes     bool
	members []member
	items   []node
}

type member struct {
	name string
	node node
}

// parseJSON reads exactly one value. Unlike encoding/json it refuses a name that
// occurs twice in one object, text that is not UTF-8, and deep nesting.
func parseJSON(body []byte) (node, error) {
	if !utf8.Valid(body) {
		return node{}, fault.New(fault.InvalidInput, "the body is not UTF-8 text")
	}
	p := &treeParser{body: body, decoder: json.NewDecoder(bytes.NewReader(body))}
	p.decoder.UseNumber()
	root, err := p.value("", 0)
	if err != nil {
		return node{}, p.explain(err)
	}
	if _, err := p.decoder.Token(); !errors.Is(err, io.EOF) {
		return node{}, fault.New(fault.InvalidInput, "the body has more data after its JSON value")
	}
	return root, nil
}

type treeParser struct {
	body    []byte
	decoder *json.Decoder
	values  int
}

// explain keeps our own errors and describes the decoder's, which may quote the body.
func (p *treeParser) explain(err error) error {
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	if len(bytes.TrimSpace(p.body)) == 0 {
		return fault.New(fault.InvalidInput, "the body is empty; send a JSON object")
	}
	return fault.New(fault.InvalidInput, "the body is not valid JSON (near byte %d)", p.decoder.InputOffset())
}

func (p *treeParser) value(path string, depth int) (node, error) {
	if depth > maxDepth {
		return node{}, fault.New(fault.InvalidInput, "the body nests deeper than %d levels", maxDepth)
	}
	if p.values++; p.values > maxValues {
		return node{}, fault.New(fault.InvalidInput, "the body has more than %d values", maxValues)
	}
	start := p.decoder.InputOffset()
	token, err := p.decoder.Token()
	if err != nil {
		return node{}, err
	}
	n, err := p.of(token, path, depth)
	if err != nil {
		return node{}, err
	}
	n.raw = bytes.TrimLeft(p.body[start:p.decoder.InputOffset()], " \t\r\n:,")
	return n, nil
}

func (p *treeParser) of(token json.Token, path string, depth int) (node, error) {
	switch v := token.(type) {
	case bool:
		return node{kind: boolNode, yes: v}, nil
	case json.Number:
		return node{kind: numberNode, text: v.String()}, nil
	case string:
		return node{kind: stringNode, text: v}, nil
	case json.Delim:
		if v == '{' {
			return p.object(path, depth)
		}
		return p.array(path, depth)
	default:
		return node{kind: nullNode}, nil
	}
}

func (p *treeParser) object(path string, depth int) (node, error) {
	n := node{kind: objectNode}
	seen := map[string]bool{}
	for p.decoder.More() {
		token, err := p.decoder.Token()
		if err != nil {
			return node{}, err
		}
		name, _ := token.(string)
		at := join(path, name)
		if seen[name] {
			return node{}, fault.Invalid(at, "occurs twice")
		}
		seen[name] = true
		value, err := p.value(at, depth+1)
		if err != nil {
			return node{}, err
		}
		n.members = append(n.members, member{name, value})
	}
	_, err := p.decoder.Token()
	return n, err
}

func (p *treeParser) array(path string, depth int) (node, error) {
	n := node{kind: arrayNode}
	for p.decoder.More() {
		value, err := p.value(element(path, len(n.items)), depth+1)
		if err != nil {
			return node{}, err
		}
		n.items = append(n.items, value)
	}
	_, err := p.decoder.Token()
	return n, err
}

// maxName is the longest name that a message repeats.
const maxName = 64

// join returns the path of a member. A name that is long or not plain is shown
// quoted and cut, so that a message stays one readable line.
func join(path, name string) string {
	if !plainName(name) {
		if runes := []rune(name); len(runes) > maxName {
			name = string(runes[:maxName]) + "…"
		}
		return path + "[" + strconv.QuoteToASCII(name) + "]"
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

func plainName(name string) bool {
	return name != "" && len(name) <= maxName && strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == ""
}

func element(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }
