// Package api holds the document of the HTTP API.
package api

import _ "embed"

// OpenAPI is the API's description, OpenAPI 3.1 in YAML.
//
//go:embed openapi.yaml
var OpenAPI []byte
