// Package webtest holds real HTTP traffic against the API's OpenAPI document.
//
//	request, response → operation by method and path → status, headers, bodies → what does not fit
//
// It is stricter than the document: an object in an answer must not have
// members that the document does not name.
package webtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// Validator compares traffic with a document. It is safe for concurrent use.
type Validator struct {
	operations []*operation
	mu         sync.Mutex
	met        map[string]bool // "GET /v1/time 200"
}

type operation struct {
	method, path string
	pattern      *regexp.Regexp
	roles        []string
	open         bool // needs no credential
	headers      []header
	query        []string
	request      *content
	needsBody    bool
	responses    map[string]*content // by status, or "default"
}

type header struct {
	name     string
	required bool
}

// content is what may be in a body, by media type; a nil schema is anything.
type content struct{ types map[string]*jsonschema.Schema }

// New reads an OpenAPI 3.1 document in YAML.
func New(document []byte) (*Validator, error) {
	doc, err := read(document)
	if err != nil {
		return nil, err
	}
	c := &compiler{doc: doc, schemas: jsonschema.NewCompiler()}
	c.schemas.AssertFormat()
	if err := c.schemas.AddResource(base, doc); err != nil {
		return nil, fmt.Errorf("read the document: %w", err)
	}
	v := &Validator{met: map[string]bool{}}
	if v.operations, err = c.operations(); err != nil {
		return nil, err
	}
	return v, c.examples()
}

// read turns YAML into what a JSON decoder would give, with closed objects.
func read(document []byte) (any, error) {
	var raw any
	if err := yaml.Unmarshal(document, &raw); err != nil {
		return nil, fmt.Errorf("read the document: %w", err)
	}
	asJSON, err := json.Marshal(raw)
	if err != nil {
		return nil, fmt.Errorf("read the document: %w", err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
	if err != nil {
		return nil, fmt.Errorf("read the document: %w", err)
	}
	closeObjects(doc)
	return doc, nil
}

// closeObjects makes an undocumented member an error, where the document
// leaves it open so that clients bear new ones.
func closeObjects(at any) {
	switch at := at.(type) {
	case []any:
		for _, v := range at {
			closeObjects(v)
		}
	case map[string]any:
		if at["type"] == "object" && at["properties"] != nil && at["additionalProperties"] == nil {
			at["additionalProperties"] = false
		}
		for name, v := range at {
			if name != "example" && name != "examples" {
				closeObjects(v)
			}
		}
	}
}

// Operation is one that the document describes.
type Operation struct {
	Method, Path string
	Roles        []string // x-roles
	Open         bool     // needs no credential
}

// Operations lists them all.
func (v *Validator) Operations() []Operation {
	out := make([]Operation, len(v.operations))
	for i, op := range v.operations {
		out[i] = Operation{op.method, op.path, op.roles, op.open}
	}
	return out
}

// Unmet lists the documented successes that no traffic has shown yet, as
// "GET /v1/time 200".
func (v *Validator) Unmet() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	var out []string
	for _, op := range v.operations {
		for status := range op.responses {
			if name := op.method + " " + op.path + " " + status; status < "300" && !v.met[name] {
				out = append(out, name)
			}
		}
	}
	slices.Sort(out)
	return out
}

// Check says what about an exchange the document does not allow. A request
// is held to it only if it was answered with success: a test may well send
// nonsense and want it refused.
func (v *Validator) Check(r *http.Request, sent []byte, status int, h http.Header, got []byte) error {
	op := v.find(r)
	if op == nil {
		if status == http.StatusNotFound || status == http.StatusMethodNotAllowed {
			return nil
		}
		return fmt.Errorf("%s %s: %d, but the document does not know it", r.Method, r.URL.Path, status)
	}
	want, name := op.responses[strconv.Itoa(status)], strconv.Itoa(status)
	if want == nil && status >= 400 {
		want, name = op.responses["default"], "default"
	}
	if want == nil {
		return fmt.Errorf("%s %s: status %d is not documented", op.method, op.path, status)
	}
	v.mu.Lock()
	v.met[op.method+" "+op.path+" "+name] = true
	v.mu.Unlock()
	var errs []error
	if status < 300 {
		errs = append(errs, op.checkRequest(r, sent))
	}
	if r.Method != http.MethodHead && status != http.StatusSwitchingProtocols {
		errs = append(errs, want.check(h.Get("Content-Type"), got))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%s %s %d: %w", op.method, op.path, status, err)
	}
	return nil
}

func (v *Validator) find(r *http.Request) *operation {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	for _, op := range v.operations {
		if op.method == method && op.pattern.MatchString(r.URL.Path) {
			return op
		}
	}
	return nil
}

func (op *operation) checkRequest(r *http.Request, sent []byte) error {
	for _, h := range op.headers {
		if h.required && r.Header.Get(h.name) == "" {
			return fmt.Errorf("accepted without the header %s", h.name)
		}
	}
	for name := range r.URL.Query() {
		if !slices.Contains(op.query, name) {
			return fmt.Errorf("accepted the undocumented parameter %s", name)
		}
	}
	switch {
	case len(sent) == 0 && op.needsBody:
		return errors.New("accepted without a body")
	case len(sent) == 0 || op.request == nil:
		return nil
	}
	media := "application/json"
	if _, ok := op.request.types[media]; !ok {
		media = r.Header.Get("Content-Type")
	}
	if err := op.request.check(media, sent); err != nil {
		return fmt.Errorf("accepted a request that the document does not allow: %w", err)
	}
	return nil
}

func (c *content) check(contentType string, body []byte) error {
	if len(c.types) == 0 {
		if len(body) > 0 {
			return fmt.Errorf("a body of %d bytes where none is documented", len(body))
		}
		return nil
	}
	media, _, _ := mime.ParseMediaType(contentType)
	schema, ok := c.types[media]
	if !ok {
		return fmt.Errorf("content type %q is not documented", contentType)
	}
	if schema == nil || !strings.Contains(media, "json") {
		return nil
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("the body is no JSON: %w", err)
	}
	if err := schema.Validate(value); err != nil {
		return fmt.Errorf("%w\n%s", err, body)
	}
	return nil
}

// Handler passes requests on and reports what the document does not allow.
// WebSockets pass through unchecked.
func (v *Validator) Handler(next http.Handler, report func(error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" || !described(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		sent, err := io.ReadAll(r.Body)
		if err != nil {
			report(fmt.Errorf("read the request: %w", err))
		}
		r.Body = io.NopCloser(bytes.NewReader(sent))
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		if err := v.Check(r, sent, rec.Code, rec.Header(), rec.Body.Bytes()); err != nil {
			report(err)
		}
		for name, values := range rec.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	})
}

// Transport is an http.RoundTripper that reports what the document does not
// allow. A nil next is http.DefaultTransport.
func (v *Validator) Transport(next http.RoundTripper, report func(error)) http.RoundTripper {
	if next == nil {
		next = http.DefaultTransport
	}
	return transport{v, next, report}
}

type transport struct {
	v      *Validator
	next   http.RoundTripper
	report func(error)
}

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Header.Get("Upgrade") != "" || !described(r.URL.Path) {
		return t.next.RoundTrip(r) //nolint:wrapcheck // passed through
	}
	var sent []byte
	if r.Body != nil {
		var err error
		if sent, err = io.ReadAll(r.Body); err != nil {
			return nil, fmt.Errorf("read the request: %w", err)
		}
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(sent))
	}
	res, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err //nolint:wrapcheck // passed through
	}
	got, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil {
		return nil, fmt.Errorf("read the response: %w", err)
	}
	res.Body = io.NopCloser(bytes.NewReader(got))
	if err := t.v.Check(r, sent, res.StatusCode, res.Header, got); err != nil {
		t.report(err)
	}
	return res, nil
}

// described says whether a path is the API's, and no page's.
func described(path string) bool {
	return strings.HasPrefix(path, "/v1/") || path == "/healthz" || path == "/readyz"
}
