package custom

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/jmespath/go-jmespath"
)

// maxExpression bounds an expression, and with it what it can cost: JMESPath has
// neither loops nor recursion.
const maxExpression = 500

// compile checks an expression.
func compile(expression string) (compiled *jmespath.JMESPath, err error) {
	if len(expression) > maxExpression {
		return nil, fmt.Errorf("has more than %d bytes", maxExpression)
	}
	defer func() {
		if recover() != nil { // the parser is somebody else's, the text is the operator's
			compiled, err = nil, errors.New("is not a JMESPath expression")
		}
	}()
	if compiled, err = jmespath.Compile(expression); err != nil {
		return nil, errors.New("is not a JMESPath expression")
	}
	return compiled, nil
}

// tree is a JSON answer that expressions are asked about.
type tree struct {
	// plain has numbers as float64, which expressions compare; exact keeps their
	// digits, which an id may need.
	plain, exact any
	broken       error
}

func read(body []byte) tree {
	var t tree
	if t.broken = json.Unmarshal(body, &t.plain); t.broken != nil {
		return t
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	t.broken = decoder.Decode(&t.exact)
	return t
}

// search evaluates an expression; what cannot be evaluated is null.
func search(expression string, data any) (value any) {
	if expression == "" || data == nil {
		return nil
	}
	compiled, err := compile(expression)
	if err != nil {
		return nil
	}
	defer func() {
		if recover() != nil {
			value = nil
		}
	}()
	if value, err = compiled.Search(data); err != nil {
		return nil
	}
	return value
}

// text evaluates to a string, a number or a truth, as text; "" is anything else.
func (t tree) text(expression string) string {
	value := search(expression, t.plain)
	if _, number := value.(float64); number {
		if exact, ok := search(expression, t.exact).(json.Number); ok {
			return exact.String()
		}
	}
	return scalar(value)
}

// texts evaluates to a list of strings; one string is a list of one.
func (t tree) texts(expression string) []string {
	switch value := search(expression, t.plain).(type) {
	case []any:
		list := make([]string, 0, len(value))
		for _, element := range value {
			if text, ok := element.(string); ok && text != "" {
				list = append(list, text)
			}
		}
		return list
	case string:
		if value != "" {
			return []string{value}
		}
	}
	return nil
}

// fraction evaluates to a progress: 0 to 1, or percent.
func (t tree) fraction(expression string) float64 {
	text := t.text(expression)
	number, err := strconv.ParseFloat(text, 64)
	if err != nil || !(number > 0) {
		return 0
	}
	if number > 1 {
		number /= 100
	}
	return min(number, 1)
}

func scalar(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return ""
	}
}
