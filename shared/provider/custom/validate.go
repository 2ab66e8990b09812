package custom

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"easel/shared/fault"
)

const (
	root = "config_data"
	// What a description may at most have.
	maxDepth        = 20
	maxPlaceholders = 200
	maxRules        = 100
)

var (
	headerName = regexp.MustCompile(`^[A-Za-z0-9-]{1,100}$`)
	hostName   = regexp.MustCompile(`^[a-z0-9.-]{1,253}(:[0-9]{1,5})?$`)
	unknown    = regexp.MustCompile(`unknown field "([^"]*)"`)
)

// Validate returns one error that names every member of a description that is
// wrong, and what would be right; nil when it can be used. Names start with
// "config_data". The config's data is the description; its members "models" and
// "cloudflare", which are the gateway's own, are passed over.
func Validate(data json.RawMessage) error {
	_, err := parse(data)
	return err
}

// parse decodes and validates a description.
func parse(data json.RawMessage) (definition, error) {
	var d definition
	if len(data) == 0 {
		return d, fault.Invalid(root, "must describe the API: at least mode and submit")
	}
	var sections map[string]json.RawMessage
	if err := json.Unmarshal(data, &sections); err != nil || sections == nil {
		return d, fault.Invalid(root, "must be a JSON object")
	}
	v := validator{}
	v.decode(sections, &d)
	if v.fields.Err() == nil {
		v.check(d)
	}
	return d, v.fields.Err()
}

type validator struct{ fields fault.Fields }

// decode reads each section by itself, so that an error names its own.
func (v *validator) decode(sections map[string]json.RawMessage, d *definition) {
	targets := map[string]any{
		"mode": &d.Mode, "auth": &d.Auth, "headers": &d.Headers, "hosts": &d.Hosts, "submit": &d.Submit,
		"submit_image": &d.SubmitImage, "poll": &d.Poll, "cancel": &d.Cancel, "job": &d.Job, "answer": &d.Answer,
		"states": &d.States, "ok": &d.OK, "errors": &d.Errors, "webhook": &d.Webhook, "allowed": &d.Allowed,
		"poll_seconds": &d.PollSeconds, "options": &d.Options,
	}
	for _, section := range slices.Sorted(maps.Keys(sections)) {
		target, ok := targets[section]
		if section == "models" || section == "cloudflare" {
			continue
		}
		if !ok {
			v.fields.Add(root+"."+section, "is not known")
			continue
		}
		decoder := json.NewDecoder(bytes.NewReader(sections[section]))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(target); err != nil {
			name, message := explain(err)
			v.fields.Add(strings.TrimSuffix(root+"."+section+"."+name, "."), "%s", message)
		}
	}
}

// explain turns a decoder's error into a member and what is wrong with it.
func explain(err error) (member, message string) {
	if found := unknown.FindStringSubmatch(err.Error()); found != nil {
		return found[1], "is not known"
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return wrong.Field, "must be a " + wrong.Type.String()
	}
	return "", "cannot be read"
}

func (v *validator) check(d definition) {
	v.one("mode", d.Mode, sync, async)
	if d.Submit == nil {
		v.fields.Add(root+".submit", "is missing")
	}
	v.operation("submit", d.Submit, http.MethodPost, http.MethodPut)
	v.operation("submit_image", d.SubmitImage, http.MethodPost, http.MethodPut)
	v.operation("poll", d.Poll, http.MethodGet, http.MethodPost)
	v.operation("cancel", d.Cancel, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodGet)
	v.mode(d)
	v.auth(d)
	v.answer(d)
	v.rules(d)
	v.webhook(d)
	for i, host := range d.Hosts {
		v.fields.Check(hostName.MatchString(host), fmt.Sprintf("%s.hosts[%d]", root, i), "must be a host name in lower case")
	}
	for _, name := range slices.Sorted(maps.Keys(d.Allowed)) {
		v.fields.Check(isKnown(name), root+".allowed."+name, "is not a placeholder")
	}
	v.fields.Check(d.PollSeconds >= 0 && d.PollSeconds <= 300, root+".poll_seconds", "must be 0 to 300")
}

// mode checks what a mode needs, and that it has nothing of the other's.
func (v *validator) mode(d definition) {
	if d.Mode == sync {
		v.fields.Check(d.Poll == nil, root+".poll", "has no place in mode sync")
		v.fields.Check(d.Cancel == nil, root+".cancel", "has no place in mode sync")
		v.fields.Check(d.Job == jobFinder{}, root+".job", "has no place in mode sync")
		return
	}
	v.fields.Check(d.Job.ID != "", root+".job.id", "is missing: mode async needs it")
	v.fields.Check(d.Poll != nil, root+".poll", "is missing: mode async needs it")
	v.fields.Check(d.Answer.Status != "", root+".answer.status", "is missing: mode async needs it")
	v.fields.Check(d.Answer.Type != "bytes", root+".answer.type", "bytes has no place in mode async")
	v.fields.Check(len(d.States.Succeeded) > 0, root+".states.succeeded", "is missing: mode async needs it")
	v.fields.Check(len(d.States.Failed) > 0, root+".states.failed", "is missing: mode async needs it")
	if d.Poll != nil && d.Poll.Path == "" {
		v.fields.Check(d.Job.PollURL != "", root+".poll.path", "is missing; it may be only where job.poll_url is given")
	}
	v.expression("job.id", d.Job.ID)
	v.expression("job.poll_url", d.Job.PollURL)
}

func (v *validator) operation(name string, op *operation, methods ...string) {
	if op == nil {
		return
	}
	v.one(name+".method", op.Method, methods...)
	v.one(name+".format", op.Format, "", "json", "form")
	v.path(name+".path", op.Path, name == "poll")
	if op.Format == "form" {
		_, object := op.Body.(map[string]any)
		v.fields.Check(object, root+"."+name+".body", "must be an object where format is form")
	}
	v.fields.Check(depth(op.Body) <= maxDepth, root+"."+name+".body", "is nested deeper than %d", maxDepth)
	used := placeholdersOf(op)
	v.fields.Check(len(used) <= maxPlaceholders, root+"."+name, "has more than %d placeholders", maxPlaceholders)
	for _, used := range used {
		job := strings.HasPrefix(used, "job.")
		v.fields.Check(isKnown(used) && (!job || (name != "submit" && name != "submit_image")),
			root+"."+name, "uses {{%s}}, which is not a placeholder here", used)
	}
	v.template(name+".path", op.Path)
	v.template(name+".body", op.Body)
	for _, parameter := range slices.Sorted(maps.Keys(op.Query)) {
		v.template(name+".query."+parameter, op.Query[parameter])
	}
}

// path checks that a path stays below the base URL.
func (v *validator) path(name, path string, optional bool) {
	if path == "" && optional {
		return
	}
	plain := placeholder.ReplaceAllString(path, "x")
	starts := strings.HasPrefix(plain, "/") || strings.HasPrefix(path, "{{job.path}}")
	bad := strings.Contains(plain, "..") || strings.Contains(plain, "//") || strings.ContainsAny(plain, " \t\r\n\\#?@")
	v.fields.Check(starts && !bad && len(path) <= maxExpression, root+"."+name,
		"must be a path below the base URL that starts with /, without a query")
}

// template checks that nothing looks like a placeholder and is none.
func (v *validator) template(name string, template any) {
	switch t := template.(type) {
	case string:
		rest := placeholder.ReplaceAllString(t, "")
		v.fields.Check(!strings.Contains(rest, "{{") && !strings.Contains(rest, "}}"), root+"."+name, "holds a placeholder that cannot be read")
	case map[string]any:
		for _, member := range slices.Sorted(maps.Keys(t)) {
			v.template(name+"."+member, t[member])
		}
	case []any:
		for i, element := range t {
			v.template(fmt.Sprintf("%s[%d]", name, i), element)
		}
	}
}

func (v *validator) auth(d definition) {
	v.one("auth.type", d.Auth.Type, "", "bearer", "header", "query", "none")
	if d.Auth.Type == "header" || d.Auth.Type == "query" {
		v.fields.Check(headerName.MatchString(strings.ReplaceAll(d.Auth.Name, "_", "-")), root+".auth.name", "must name the header or parameter")
	}
	v.fields.Check(!strings.ContainsAny(d.Auth.Prefix, "\r\n"), root+".auth.prefix", "must be one line")
	for _, name := range slices.Sorted(maps.Keys(d.Headers)) {
		where := root + ".headers." + name
		v.fields.Check(headerName.MatchString(name), where, "is not the name of a header")
		v.fields.Check(!strings.ContainsAny(d.Headers[name], "\r\n"), where, "must be one line")
		switch http.CanonicalHeaderKey(name) {
		case "Host", "Content-Length", "Content-Type", "Transfer-Encoding", "Connection", "Authorization":
			v.fields.Add(where, "is set by the gateway")
		}
		v.template("headers."+name, d.Headers[name])
	}
}

func (v *validator) answer(d definition) {
	a := d.Answer
	v.one("answer.type", a.Type, "", "json", "bytes")
	v.one("answer.encoding", a.Encoding, "", "url", "base64")
	v.fields.Check(a.Type == "bytes" || a.Outputs != "" || a.Text != "", root+".answer", "needs outputs or text")
	v.expression("answer.status", a.Status)
	v.expression("answer.progress", a.Progress)
	v.expression("answer.outputs", a.Outputs)
	v.expression("answer.text", a.Text)
	v.expression("answer.error_code", a.ErrorCode)
	v.expression("answer.error_message", a.ErrorMessage)
	v.expression("answer.request_id", a.RequestID)
}

func (v *validator) rules(d definition) {
	v.expression("ok.code", d.OK.Code)
	v.fields.Check((d.OK.Code == "") == (len(d.OK.Values) == 0), root+".ok", "needs both code and values")
	v.fields.Check(len(d.Errors) <= maxRules, root+".errors", "has more than %d rules", maxRules)
	for i, r := range d.Errors {
		where := fmt.Sprintf("errors[%d]", i)
		v.one(where+".class", r.Class, classes()...)
		v.fields.Check(len(r.HTTP)+len(r.Codes)+len(r.Contains) > 0, root+"."+where, "needs http, codes or contains")
	}
}

func (v *validator) webhook(d definition) {
	if d.Webhook == nil {
		return
	}
	h := *d.Webhook
	v.one("webhook.signature", h.Signature, "none", "hmac", "standard")
	v.one("webhook.encoding", h.Encoding, "", "hex", "base64")
	if h.Signature == "hmac" {
		v.fields.Check(headerName.MatchString(h.Header), root+".webhook.header", "must name the header of the signature")
	}
	v.fields.Check(h.Job != "", root+".webhook.job", "is missing")
	v.expression("webhook.job", h.Job)
	v.expression("webhook.status", h.Status)
	v.expression("webhook.id", h.ID)
}

func (v *validator) expression(name, expression string) {
	if expression == "" {
		return
	}
	if _, err := compile(expression); err != nil {
		v.fields.Add(root+"."+name, "%s", err.Error())
	}
}

func (v *validator) one(name, value string, allowed ...string) {
	v.fields.Check(slices.Contains(allowed, value), root+"."+name, "must be %s", strings.Join(slices.DeleteFunc(allowed, func(a string) bool { return a == "" }), " or "))
}

func isKnown(placeholder string) bool {
	return slices.Contains(known(), placeholder) || strings.HasPrefix(placeholder, "options.")
}

func depth(template any) int {
	deepest := 0
	switch t := template.(type) {
	case map[string]any:
		for _, inner := range t {
			deepest = max(deepest, depth(inner))
		}
	case []any:
		for _, inner := range t {
			deepest = max(deepest, depth(inner))
		}
	default:
		return 0
	}
	return deepest + 1
}
