package bench

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// figures are a server's metrics at one moment. Those of one name that differ
// in labels are there summed, and each as name{label="value"}.
type figures map[string]float64

// scrape asks the admin listener.
func scrape(ctx context.Context, admin string) (figures, error) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, admin+"/metrics", nil)
	if err != nil {
		return nil, fmt.Errorf("ask for metrics: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask for metrics: %w", err)
	}
	defer resp.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	all := figures{}
	for name, family := range families {
		samples, err := expfmt.ExtractSamples(&expfmt.DecodeOptions{}, family)
		if err != nil {
			return nil, fmt.Errorf("read metric %s: %w", name, err)
		}
		for _, s := range samples {
			base := string(s.Metric[model.MetricNameLabel])
			all[base] += float64(s.Value)
			for label, value := range s.Metric {
				if label != model.MetricNameLabel {
					all[fmt.Sprintf("%s{%s=%q}", base, label, value)] += float64(s.Value)
				}
			}
		}
	}
	return all, nil
}

// collect has the server collect its garbage, so that what is left is used.
func collect(ctx context.Context, admin string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, admin+"/debug/pprof/heap?gc=1", nil)
	if err != nil {
		return fmt.Errorf("ask for a collection: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("ask for a collection: %w", err)
	}
	return resp.Body.Close()
}
