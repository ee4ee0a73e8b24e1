// Package docs makes a page to read of the API's two documents.
//
//	OpenAPI, AsyncAPI → node → page → html/template → HTML
package docs

import (
	"bytes"
	_ "embed"
	"fmt"
	"html"
	"html/template"
	"regexp"
	"strings"
)

//go:embed page.html
var pageHTML string

// Render returns the page. A document may be empty; what it lacks is left
// out.
func Render(openAPI, asyncAPI []byte) ([]byte, error) {
	http, err := parse(openAPI)
	if err != nil {
		return nil, fmt.Errorf("read the OpenAPI document: %w", err)
	}
	sockets, err := parse(asyncAPI)
	if err != nil {
		return nil, fmt.Errorf("read the AsyncAPI document: %w", err)
	}
	t, err := template.New("page").Parse(pageHTML)
	if err != nil {
		return nil, fmt.Errorf("read the page's template: %w", err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, pageOf(http, sockets)); err != nil {
		return nil, fmt.Errorf("render the documents: %w", err)
	}
	return out.Bytes(), nil
}

type page struct {
	Title, Summary string
	About          template.HTML
	Groups         []group
	Channels       []channel
	Schemas        []schema
	Async          bool
}

type group struct {
	Name, ID   string
	About      template.HTML
	Operations []operation
}

type operation struct {
	ID, Method, Path, Summary string
	About                     template.HTML
	Roles                     []string
	Open                      bool
	Parameters                []property
	Request                   body
	Responses                 []response
}

type body struct {
	Ref        string // a schema to look at
	Properties []property
	Example    string
}

func (b body) Any() bool { return b.Ref != "" || len(b.Properties) > 0 || b.Example != "" }

type response struct {
	Status string
	About  template.HTML
	body
}

type property struct {
	Name, In, Type, Ref string
	Required            bool
	About               template.HTML
}

type schema struct {
	Name  string
	About template.HTML
	body
}

// shapes are the named schemas that have a place on the page, by their names
// in lower case: the two documents write them differently.
type shapes map[string]string

func pageOf(http, sockets node) page {
	s, order := shapes{}, []member(nil)
	for _, doc := range []node{http, sockets} {
		for _, m := range doc.get("components", "schemas").members() {
			key := strings.ToLower(m.name)
			if _, known := s[key]; !known && len(m.value.get("properties").members()) > 0 {
				s[key] = m.name
				order = append(order, m)
			}
		}
	}
	p := page{
		Title: http.get("info", "title").text(), Summary: http.get("info", "summary").text(),
		About: prose(http.get("info", "description").text()), Async: sockets.ok(),
	}
	for _, tag := range http.get("tags").list() {
		name := tag.get("name").text()
		p.Groups = append(p.Groups, group{Name: name, ID: anchor(name), About: prose(tag.get("description").text()), Operations: s.operations(http, name)})
	}
	p.Channels = s.channels(sockets)
	for _, m := range order {
		p.Schemas = append(p.Schemas, schema{Name: m.name, About: prose(m.value.get("description").text()), body: s.bodyOf(m.value)})
	}
	return p
}

func (s shapes) operations(doc node, tag string) []operation {
	var out []operation
	for _, path := range doc.get("paths").members() {
		for _, m := range path.value.members() {
			if first := m.value.get("tags").texts(); len(first) == 0 || first[0] != tag {
				continue
			}
			op := operation{
				ID: m.value.get("operationId").text(), Method: strings.ToUpper(m.name), Path: path.name,
				Summary: m.value.get("summary").text(), About: prose(m.value.get("description").text()),
				Roles: m.value.get("x-roles").texts(), Open: m.value.get("security").ok(),
				Request: s.bodyOf(jsonIn(m.value.get("requestBody"))),
			}
			for _, param := range append(path.value.get("parameters").list(), m.value.get("parameters").list()...) {
				param = param.resolve()
				f := s.propertyOf(param.get("name").text(), param.get("schema"), param.get("required").text() == "true")
				f.In, f.About = param.get("in").text(), prose(param.get("description").text())
				op.Parameters = append(op.Parameters, f)
			}
			for _, r := range m.value.get("responses").members() {
				if r.name == "default" {
					continue // said once for all
				}
				op.Responses = append(op.Responses, response{Status: r.name, About: prose(r.value.get("description").text()), body: s.bodyOf(jsonIn(r.value))})
			}
			out = append(out, op)
		}
	}
	return out
}

// jsonIn is the media type with a schema, of a request or response.
func jsonIn(n node) node {
	for _, m := range n.get("content").members() {
		if strings.Contains(m.name, "json") {
			return m.value
		}
	}
	return node{}
}

// bodyOf reads a media type, a message's payload, or a schema by itself.
func (s shapes) bodyOf(n node) body {
	at := n
	if inner := n.get("schema"); inner.ok() {
		at = inner
	}
	b := body{Ref: s[strings.ToLower(at.ref())]}
	resolved := at.resolve()
	required := map[string]bool{}
	for _, name := range resolved.get("required").texts() {
		required[name] = true
	}
	for _, m := range resolved.get("properties").members() {
		b.Properties = append(b.Properties, s.propertyOf(m.name, m.value, required[m.name]))
	}
	for _, example := range []node{n.get("example"), resolved.get("example"), first(resolved.get("examples"))} {
		if example.ok() {
			b.Example = example.json("")
			break
		}
	}
	return b
}

func first(n node) node {
	if l := n.list(); len(l) > 0 {
		return l[0]
	}
	return node{}
}

func (s shapes) propertyOf(name string, at node, required bool) property {
	ref := at.ref()
	if ref == "" {
		ref = at.get("items").ref()
	}
	p := property{Name: name, Required: required, Ref: s[strings.ToLower(ref)], Type: typeOf(at)}
	about := at.member("description").text()
	if about == "" && p.Ref == "" {
		about = at.get("description").text()
	}
	p.About = prose(about)
	return p
}

func typeOf(s node) string {
	if ref := s.ref(); ref != "" {
		if words := s.get("enum").texts(); words != nil {
			return strings.Join(words, " | ")
		}
		if len(s.get("properties").members()) > 0 {
			return ref
		}
		s = s.resolve()
	}
	switch t := s.get("type").text(); {
	case s.get("enum").ok():
		return strings.Join(s.get("enum").texts(), " | ")
	case s.get("const").ok():
		return s.get("const").flat()
	case s.get("oneOf").ok():
		var parts []string
		for _, one := range s.get("oneOf").list() {
			parts = append(parts, typeOf(one))
		}
		return strings.Join(parts, " | ")
	case t == "array":
		return "list of " + typeOf(s.get("items"))
	case s.get("format").ok():
		return s.get("format").text()
	case t != "":
		return t + bounds(s)
	}
	return "any"
}

func bounds(s node) string {
	low, high := s.get("minimum").text(), s.get("maximum").text()
	switch {
	case low != "" && high != "":
		return " " + low + "–" + high
	case low != "":
		return " ≥ " + low
	}
	return ""
}

func anchor(s string) string { return strings.ReplaceAll(strings.ToLower(s), " ", "-") }

var (
	code      = regexp.MustCompile("`([^`]+)`")
	paragraph = regexp.MustCompile(`\n\s*\n`)
)

// prose is text with `code` in it, in paragraphs.
func prose(s string) template.HTML {
	s = strings.TrimSpace(s)
	if s == "" {
		return ""
	}
	var b strings.Builder
	for _, p := range paragraph.Split(s, -1) {
		b.WriteString("<p>" + code.ReplaceAllString(html.EscapeString(p), "<code>$1</code>") + "</p>")
	}
	return template.HTML(b.String()) //nolint:gosec // escaped above
}
