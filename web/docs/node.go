package docs

import (
	"encoding/json"
	"strings"

	"go.yaml.in/yaml/v3"
)

// node is a value in a YAML document, with its members in their order. The
// zero node stands for what is not there.
type node struct {
	doc *yaml.Node // the root, for references
	at  *yaml.Node
}

func parse(raw []byte) (node, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		return node{}, err //nolint:wrapcheck // the caller says which document
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) == 0 {
		return node{}, nil
	}
	return node{doc: doc.Content[0], at: doc.Content[0]}, nil
}

// maxRefs bounds a chain of references, for documents that go in circles.
const maxRefs = 16

// get walks down by member names, and through references on its way.
func (n node) get(names ...string) node {
	for _, name := range names {
		n = n.resolve().member(name)
	}
	return n
}

func (n node) member(name string) node {
	if n.at == nil || n.at.Kind != yaml.MappingNode {
		return node{}
	}
	for i := 0; i+1 < len(n.at.Content); i += 2 {
		if n.at.Content[i].Value == name {
			return node{n.doc, n.at.Content[i+1]}
		}
	}
	return node{}
}

// ref is the last part of what the node refers to, or "".
func (n node) ref() string {
	to := n.member("$ref").text()
	return to[strings.LastIndexByte(to, '/')+1:]
}

func (n node) resolve() node {
	for range maxRefs {
		to, ok := strings.CutPrefix(n.member("$ref").text(), "#/")
		if !ok {
			return n
		}
		at := node{n.doc, n.doc}
		for _, part := range strings.Split(to, "/") {
			at = at.member(strings.NewReplacer("~1", "/", "~0", "~").Replace(part))
		}
		n = at
	}
	return node{}
}

func (n node) ok() bool { return n.at != nil }

func (n node) text() string {
	if n.at == nil || n.at.Kind != yaml.ScalarNode {
		return ""
	}
	return strings.TrimSpace(n.at.Value)
}

func (n node) list() []node {
	if n.at == nil || n.at.Kind != yaml.SequenceNode {
		return nil
	}
	out := make([]node, len(n.at.Content))
	for i, c := range n.at.Content {
		out[i] = node{n.doc, c}
	}
	return out
}

func (n node) texts() []string {
	var out []string
	for _, item := range n.list() {
		out = append(out, item.text())
	}
	return out
}

type member struct {
	name  string
	value node
}

func (n node) members() []member {
	if n.at == nil || n.at.Kind != yaml.MappingNode {
		return nil
	}
	var out []member
	for i := 0; i+1 < len(n.at.Content); i += 2 {
		out = append(out, member{n.at.Content[i].Value, node{n.doc, n.at.Content[i+1]}})
	}
	return out
}

// json writes the value as JSON for people: short things on one line.
func (n node) json(indent string) string {
	flat := n.flat()
	inner := indent + "  "
	var parts []string
	switch {
	case len(indent)+len(flat) <= 88 || n.at == nil || n.at.Kind == yaml.ScalarNode:
		return flat
	case n.at.Kind == yaml.SequenceNode:
		for _, item := range n.list() {
			parts = append(parts, inner+item.json(inner))
		}
		return "[\n" + strings.Join(parts, ",\n") + "\n" + indent + "]"
	}
	for _, m := range n.members() {
		parts = append(parts, inner+quote(m.name)+": "+m.value.json(inner))
	}
	return "{\n" + strings.Join(parts, ",\n") + "\n" + indent + "}"
}

func (n node) flat() string {
	if n.at == nil {
		return "null"
	}
	var parts []string
	switch n.at.Kind {
	case yaml.SequenceNode:
		for _, item := range n.list() {
			parts = append(parts, item.flat())
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case yaml.MappingNode:
		for _, m := range n.members() {
			parts = append(parts, quote(m.name)+": "+m.value.flat())
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	if n.at.Tag == "!!str" || n.at.Tag == "!!timestamp" {
		return quote(n.at.Value)
	}
	return n.at.Value
}

func quote(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string never fails
	return strings.TrimSpace(b.String())
}
