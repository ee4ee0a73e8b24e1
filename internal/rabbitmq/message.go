package rabbitmq

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"courier/internal/bus"
	"courier/internal/follow"
)

// The headers are CloudEvents' attributes under the prefix of its AMQP
// binding; sequence and partitionkey are its documented extensions.
const (
	headerSpec    = "cloudEvents:specversion"
	headerID      = "cloudEvents:id"
	headerSource  = "cloudEvents:source"
	headerType    = "cloudEvents:type"
	headerTime    = "cloudEvents:time"
	headerVersion = "cloudEvents:sequence"
	headerKey     = "cloudEvents:partitionkey"
)

// everything is the binding that matches each routing key.
const everything = "#"

// longest is AMQP's bound on a routing key, in bytes.
const longest = 255

func routingKey(m bus.Message) string { return shardKey(bus.Shard(m.Key)) + m.Topic }
func shardKey(shard uint8) string     { return fmt.Sprintf("%03d.", shard) }
func bindingKey(shard uint8) string   { return shardKey(shard) + everything }

func encode(m bus.Message, source string) (amqp.Publishing, error) {
	if n := len(routingKey(m)); n > longest {
		return amqp.Publishing{}, fmt.Errorf("topic of message %q is %d bytes too long", m.ID, n-longest)
	}
	p := amqp.Publishing{
		DeliveryMode: amqp.Persistent,
		ContentType:  "application/json",
		Headers: amqp.Table{
			headerSpec:    "1.0",
			headerID:      m.ID,
			headerSource:  source,
			headerType:    m.Topic,
			headerTime:    m.Time.UTC().Format(time.RFC3339Nano),
			headerVersion: strconv.FormatInt(m.Version, 10),
			headerKey:     m.Key,
		},
		Body: m.Body,
	}
	if m.Trace != "" {
		p.Headers[follow.Header] = m.Trace
	}
	if len(m.ID) <= longest {
		p.MessageId = m.ID // for the broker's tools
	}
	return p, nil
}

func decode(headers amqp.Table, body []byte) (bus.Message, error) {
	var errs []error
	text := func(name string) string {
		s, ok := headers[name].(string)
		if !ok {
			errs = append(errs, fmt.Errorf("no header %s", name))
		}
		return s
	}
	m := bus.Message{ID: text(headerID), Topic: text(headerType), Key: text(headerKey), Body: body}
	m.Trace, _ = headers[follow.Header].(string)
	at, version := text(headerTime), text(headerVersion)
	if err := errors.Join(errs...); err != nil {
		return bus.Message{}, err
	}
	var err1, err2 error
	m.Time, err1 = time.Parse(time.RFC3339Nano, at)
	m.Version, err2 = strconv.ParseInt(version, 10, 64)
	if err := errors.Join(err1, err2); err != nil {
		return bus.Message{}, fmt.Errorf("message %q: %w", m.ID, err)
	}
	return m, nil
}
