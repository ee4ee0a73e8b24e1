package testenv

import "go.uber.org/goleak"

// LinkLeaks are the goroutines that toxiproxy leaves behind for good: where a
// connection ends while a Link changes, nobody takes what its first stage
// still holds.
func LinkLeaks() []goleak.Option {
	var options []goleak.Option
	for _, stage := range []string{"Noop", "Latency", "Bandwidth", "Timeout"} {
		options = append(options, goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/toxics.(*"+stage+"Toxic).Pipe"))
	}
	return options
}
