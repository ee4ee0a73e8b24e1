package ws

import _ "embed"

// AsyncAPI is the machine-readable description of the three endpoints, YAML.
// Tests hold every frame of real connections against it.
//
//go:embed asyncapi.yaml
var AsyncAPI []byte
