package webtest

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// base is the document's name among schemas.
const base = "https://courier.invalid/openapi"

type compiler struct {
	doc     any
	schemas *jsonschema.Compiler
}

// place is a value of the document and where it stands, as a JSON pointer.
type place struct {
	c       *compiler
	at      any
	pointer string
}

func (p place) get(name string) place {
	p = p.resolve()
	m, _ := p.at.(map[string]any)
	return place{p.c, m[name], p.pointer + "/" + escape(name)}
}

func (p place) resolve() place {
	for range 16 {
		m, _ := p.at.(map[string]any)
		to, ok := m["$ref"].(string)
		if !ok {
			return p
		}
		p = place{p.c, p.c.doc, ""}
		for _, part := range strings.Split(strings.TrimPrefix(to, "#/"), "/") {
			p = p.get(unescape(part))
		}
	}
	return p
}

func (p place) members() []string {
	m, _ := p.resolve().at.(map[string]any)
	var names []string
	for name := range m {
		names = append(names, name)
	}
	return names
}

func (p place) list() []place {
	l, _ := p.at.([]any)
	out := make([]place, len(l))
	for i, v := range l {
		out[i] = place{p.c, v, fmt.Sprintf("%s/%d", p.pointer, i)}
	}
	return out
}

func (p place) texts() []string {
	var out []string
	for _, v := range p.list() {
		s, _ := v.at.(string)
		out = append(out, s)
	}
	return out
}

func escape(s string) string   { return strings.NewReplacer("~", "~0", "/", "~1").Replace(s) }
func unescape(s string) string { return strings.NewReplacer("~1", "/", "~0", "~").Replace(s) }

var parameter = regexp.MustCompile(`\\\{[a-z_]+\\\}`)

func (c *compiler) operations() ([]*operation, error) {
	var out []*operation
	paths := place{c, c.doc, ""}.get("paths")
	for _, path := range paths.members() {
		item := paths.get(path)
		for _, method := range item.members() {
			if method == "parameters" {
				continue
			}
			op, err := c.operation(item, item.get(method))
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", method, path, err)
			}
			op.method, op.path = strings.ToUpper(method), path
			op.pattern, err = regexp.Compile("^" + parameter.ReplaceAllString(regexp.QuoteMeta(path), "[^/]+") + "$")
			if err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			out = append(out, op)
		}
	}
	return out, nil
}

func (c *compiler) operation(item, at place) (*operation, error) {
	op := &operation{roles: at.get("x-roles").texts(), open: at.get("security").at != nil, responses: map[string]*content{}}
	for _, p := range append(item.get("parameters").list(), at.get("parameters").list()...) {
		name, _ := p.get("name").at.(string)
		switch p.get("in").at {
		case "header":
			op.headers = append(op.headers, header{name: name, required: p.get("required").at == true})
		case "query":
			op.query = append(op.query, name)
		}
	}
	var err error
	if body := at.get("requestBody"); body.at != nil {
		op.needsBody = body.get("required").at == true
		if op.request, err = c.content(body.get("content")); err != nil {
			return nil, err
		}
	}
	responses := at.get("responses")
	for _, status := range responses.members() {
		if op.responses[status], err = c.content(responses.get(status).get("content")); err != nil {
			return nil, fmt.Errorf("%s: %w", status, err)
		}
	}
	return op, nil
}

// content compiles the schemas of a body, and holds its example to them.
func (c *compiler) content(at place) (*content, error) {
	out := &content{types: map[string]*jsonschema.Schema{}}
	for _, media := range at.members() {
		s := at.get(media).get("schema")
		if s.at == nil {
			out.types[media] = nil
			continue
		}
		schema, err := c.schemas.Compile(base + "#" + s.pointer)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", media, err)
		}
		out.types[media] = schema
		if example := at.get(media).get("example"); example.at != nil && strings.Contains(media, "json") {
			if err := schema.Validate(example.at); err != nil {
				return nil, fmt.Errorf("%s: its example: %w", media, err)
			}
		}
	}
	return out, nil
}

// examples holds the examples of named schemas to those schemas.
func (c *compiler) examples() error {
	schemas := place{c, c.doc, ""}.get("components").get("schemas")
	for _, name := range schemas.members() {
		at := schemas.get(name)
		schema, err := c.schemas.Compile(base + "#" + at.pointer)
		if err != nil {
			return fmt.Errorf("schema %s: %w", name, err)
		}
		for _, example := range at.get("examples").list() {
			if err := schema.Validate(example.at); err != nil {
				return fmt.Errorf("schema %s: its example: %w", name, err)
			}
		}
	}
	return nil
}
