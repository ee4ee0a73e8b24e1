// Package wstest holds real connections against the AsyncAPI document: every
// frame in either direction, of the hub's own tests and of anyone's.
package wstest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// Direction is who sends a frame.
type Direction string

// The directions.
const (
	FromClient Direction = "receive" // as the document's operations call it
	FromServer Direction = "send"
)

// Document is an AsyncAPI document that frames can be checked against.
type Document struct {
	schemas map[key]*jsonschema.Schema
}

type key struct {
	channel   string
	direction Direction
	frame     string
}

// Parse compiles every message of every operation.
func Parse(asyncapi []byte) (*Document, error) {
	var doc struct {
		Channels map[string]struct {
			Messages map[string]ref `yaml:"messages"`
		} `yaml:"channels"`
		Operations map[string]struct {
			Action   Direction `yaml:"action"`
			Channel  ref       `yaml:"channel"`
			Messages []ref     `yaml:"messages"`
		} `yaml:"operations"`
	}
	if err := yaml.Unmarshal(asyncapi, &doc); err != nil {
		return nil, fmt.Errorf("parse document: %w", err)
	}
	compiler, err := compilerOf(asyncapi)
	if err != nil {
		return nil, err
	}
	out := &Document{schemas: map[key]*jsonschema.Schema{}}
	var errs []error
	for name, op := range doc.Operations {
		channel := op.Channel.last()
		for _, m := range op.Messages {
			message, ok := doc.Channels[channel].Messages[m.last()]
			if !ok {
				errs = append(errs, fmt.Errorf("operation %s: channel %s has no message %s", name, channel, m.last()))
				continue
			}
			s, err := compiler.Compile(root + message.Ref + "/payload")
			if err != nil {
				errs = append(errs, fmt.Errorf("message %s: %w", m.last(), err))
				continue
			}
			out.schemas[key{channel, op.Action, m.last()}] = s
		}
	}
	return out, errors.Join(errs...)
}

const root = "mem:///asyncapi.json"

func compilerOf(asyncapi []byte) (*jsonschema.Compiler, error) {
	var tree any
	if err := yaml.Unmarshal(asyncapi, &tree); err != nil {
		return nil, fmt.Errorf("parse document: %w", err)
	}
	text, err := json.Marshal(tree)
	if err != nil {
		return nil, fmt.Errorf("document as JSON: %w", err)
	}
	resource, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("document as JSON: %w", err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	return c, c.AddResource(root, resource)
}

type ref struct {
	Ref string `yaml:"$ref"`
}

// last is the name at the end of the path.
func (r ref) last() string { return r.Ref[strings.LastIndexByte(r.Ref, '/')+1:] }

// Frames lists the types of frames that may go in a direction, sorted.
func (d *Document) Frames(channel string, direction Direction) []string {
	var types []string
	for k := range d.schemas {
		if k.channel == channel && k.direction == direction {
			types = append(types, k.frame)
		}
	}
	slices.Sort(types)
	return types
}

// Check returns what is wrong with a frame.
func (d *Document) Check(channel string, direction Direction, frame []byte) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(frame))
	if err != nil {
		return fmt.Errorf("%s: %w", frame, err)
	}
	var head struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(frame, &head); err != nil {
		return fmt.Errorf("%s: %w", frame, err)
	}
	s := d.schemas[key{channel, direction, head.Type}]
	if s == nil {
		return fmt.Errorf("%s: no frame %q in this direction of %s", frame, head.Type, channel)
	}
	if err := s.Validate(value); err != nil {
		return fmt.Errorf("%s: %w", frame, err)
	}
	return nil
}
