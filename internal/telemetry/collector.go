package telemetry

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// collector posts spans by OTLP over HTTP, as gzipped protobuf. It is an
// otlptrace.Client of our own because the library's brings all of gRPC along:
// 2 MiB of the process at rest, and of the binary.
type collector struct {
	url     string
	headers map[string]string
	http    *http.Client
}

// errNotTaken is a collector's answer that says that it took nothing.
var errNotTaken = errors.New("the collector answered")

// pause is what a try after a failed one waits, if the collector does not say.
const pause = time.Second

// Start implements otlptrace.Client.
func (c *collector) Start(context.Context) error { return nil }

// Stop implements otlptrace.Client.
func (c *collector) Stop(context.Context) error {
	c.http.CloseIdleConnections()
	return nil
}

// UploadTraces implements otlptrace.Client. It tries until ctx ends, or the
// collector says that trying again is no use.
func (c *collector) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	body, err := pack(spans)
	if err != nil {
		return err
	}
	for {
		after, err := c.post(ctx, body)
		if err == nil || after < 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(after):
		}
	}
}

// pack writes an ExportTraceServiceRequest: its only field is that of TracesData.
func pack(spans []*tracepb.ResourceSpans) ([]byte, error) {
	raw, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans})
	if err != nil {
		return nil, fmt.Errorf("encode spans: %w", err)
	}
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	_, err = zip.Write(raw)
	if err = errors.Join(err, zip.Close()); err != nil {
		return nil, fmt.Errorf("compress spans: %w", err)
	}
	return packed.Bytes(), nil
}

// post tries once. After an error the time is when to try again, below zero
// for never.
func (c *collector) post(ctx context.Context, body []byte) (after time.Duration, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return -1, fmt.Errorf("post spans: %w", err)
	}
	r.Header.Set("Content-Type", "application/x-protobuf")
	r.Header.Set("Content-Encoding", "gzip")
	for name, value := range c.headers {
		r.Header.Set(name, value)
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return pause, fmt.Errorf("post spans: %w", err)
	}
	defer answer.Body.Close()
	const most = 64 << 10 // an answer to be read to its end, so that the connection is used again
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, most))
	switch answer.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		after = pause
		if s, err := strconv.Atoi(answer.Header.Get("Retry-After")); err == nil && s > 0 {
			after = time.Duration(s) * time.Second
		}
	default:
		if answer.StatusCode/100 == 2 {
			return 0, nil
		}
		after = -1
	}
	return after, fmt.Errorf("%w: %s", errNotTaken, answer.Status)
}
