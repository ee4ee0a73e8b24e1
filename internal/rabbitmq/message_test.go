package rabbitmq

import (
	"bytes"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"courier/internal/bus"
)

// What decodes survives being sent on.
func FuzzDecode(f *testing.F) {
	f.Add("019a", "order.placed", "o1", "2026-11-23T10:00:00.123456Z", "7", []byte(`{}`))
	f.Add("", "", "", "2026-11-23T10:00:00+02:00", "-9223372036854775808", []byte{})
	f.Fuzz(func(t *testing.T, id, topic, key, at, version string, body []byte) {
		m, err := decode(amqp.Table{headerID: id, headerType: topic, headerKey: key, headerTime: at, headerVersion: version}, body)
		if err != nil || len(topic) > longest-len(shardKey(0)) {
			return
		}
		if y := m.Time.UTC().Year(); y < 0 || y > 9999 {
			return // a zone may push a year out of RFC 3339
		}
		p, err := encode(m, "test")
		if err != nil {
			t.Fatalf("encode %+v: %v", m, err)
		}
		again, err := decode(p.Headers, p.Body)
		if err != nil {
			t.Fatalf("decode again: %v", err)
		}
		if again.ID != id || again.Topic != topic || again.Key != key || again.Version != m.Version || !again.Time.Equal(m.Time) || !bytes.Equal(again.Body, body) {
			t.Fatalf("%+v became %+v", m, again)
		}
	})
}

func TestDecodeForeign(t *testing.T) {
	good := amqp.Table{headerID: "1", headerType: "t", headerKey: "k", headerTime: "2026-11-23T10:00:00Z", headerVersion: "1"}
	for name, change := range map[string]func(amqp.Table){
		"no id":                     func(h amqp.Table) { delete(h, headerID) },
		"a key that is a number":    func(h amqp.Table) { h[headerKey] = int64(1) },
		"a time that is none":       func(h amqp.Table) { h[headerTime] = "yesterday" },
		"a version that is a word":  func(h amqp.Table) { h[headerVersion] = "one" },
		"a version out of an int64": func(h amqp.Table) { h[headerVersion] = "9223372036854775808" },
	} {
		t.Run(name, func(t *testing.T) {
			headers := amqp.Table{}
			for k, v := range good {
				headers[k] = v
			}
			change(headers)
			if m, err := decode(headers, nil); err == nil {
				t.Errorf("decoded to %+v", m)
			}
		})
	}
}

// The broker would end the connection, and with it other publishers' batches.
func TestEncodeTooLong(t *testing.T) {
	if _, err := encode(bus.Message{Topic: strings.Repeat("x", 300), Time: time.Now()}, "test"); err == nil {
		t.Error("encoded a routing key of 304 bytes")
	}
	p, err := encode(bus.Message{ID: strings.Repeat("x", 300), Time: time.Now()}, "test")
	if err != nil || p.MessageId != "" {
		t.Errorf("a long id: %v, %q", err, p.MessageId)
	}
}

func TestBindings(t *testing.T) {
	var watched [bus.Shards]bool
	watched[7], watched[200] = true, true
	if got := bindings(watched); len(got) != 2 || !has(got, "007.#") || !has(got, "200.#") {
		t.Errorf("two shards: %v", got)
	}
	for i := range watched {
		watched[i] = true
	}
	if got := bindings(watched); len(got) != 1 || !has(got, "#") {
		t.Errorf("all shards: %v", got)
	}
}

func has(set map[string]struct{}, key string) bool { _, ok := set[key]; return ok }
