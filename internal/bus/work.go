package bus

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
)

// Tries is how often a message is given to a handler before it is parked.
const Tries = 5

// Handler does what a message asks for and returns once the effect is kept
// for good. It may be given the same message again, also after it returned
// nil, and several messages at once, in no order.
type Handler func(ctx context.Context, m Message) error

// Worker gives work that one of all nodes does.
type Worker interface {
	// Work gives do every message of the topics, until ctx ends; then it lets
	// go of what it has and returns nil. A topic may hold * for one word and #
	// for any. Each message goes to one worker of the queue, on whichever
	// node, and again to any of them after a pause when do returns an error or
	// panics, or its node dies. After Tries it is parked: counted, logged, and
	// left to a person, while the queue goes on.
	Work(ctx context.Context, queue string, topics []string, do Handler) error
}

// Queue is work that waits for its workers, from the moment that it is
// declared. Whoever changes its topics gives it a new name: what a broker
// knows of the old ones stays.
type Queue struct {
	Name   string
	Topics []string
}

var (
	queueName = regexp.MustCompile(`^[a-z0-9-]{1,60}$`)
	topicName = regexp.MustCompile(`^([a-z_]+|\*|#)(\.([a-z_]+|\*|#))*$`)
)

// Validate reports every fault of the queue.
func (q Queue) Validate() error {
	var errs []error
	if !queueName.MatchString(q.Name) {
		errs = append(errs, fmt.Errorf("queue %q: its name is not 1 to 60 of a-z, 0-9 and -", q.Name))
	}
	if len(q.Topics) == 0 {
		errs = append(errs, fmt.Errorf("queue %q: no topics", q.Name))
	}
	for _, topic := range q.Topics {
		if len(topic) > 200 || !topicName.MatchString(topic) {
			errs = append(errs, fmt.Errorf("queue %q: topic %q is no words with dots between", q.Name, topic))
		}
	}
	return errors.Join(errs...)
}

// Wants says whether the queue's topics name a message's.
func (q Queue) Wants(topic string) bool {
	words := strings.Split(topic, ".")
	return slices.ContainsFunc(q.Topics, func(pattern string) bool { return match(strings.Split(pattern, "."), words) })
}

func match(pattern, words []string) bool {
	switch {
	case len(pattern) == 0:
		return len(words) == 0
	case pattern[0] == "#":
		return match(pattern[1:], words) || len(words) > 0 && match(pattern, words[1:])
	case len(words) == 0:
		return false
	}
	return (pattern[0] == "*" || pattern[0] == words[0]) && match(pattern[1:], words[1:])
}

// Try calls a handler and makes an error of its panic.
func Try(ctx context.Context, do Handler, m Message) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return do(ctx, m)
}
