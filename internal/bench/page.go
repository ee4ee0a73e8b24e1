package bench

import (
	"encoding/json"
	"fmt"
)

// page is a list of orders, as far as it matters here.
type page struct {
	Orders []struct {
		Reference string `json:"reference"`
	} `json:"orders"`
	Next string `json:"next"`
}

func readPage(raw []byte) (p page, err error) {
	if err := json.Unmarshal(raw, &p); err != nil {
		return p, fmt.Errorf("read a list: %w", err)
	}
	return p, nil
}
