package telemetry

import (
	"regexp"
	"strings"
)

// reported are the attributes of a log record that go to an error tracker.
// Others stay here: a new one may say who somebody is.
var reported = map[string]bool{
	"request_id": true, "route": true, "method": true, "status": true,
	"order_id": true, "courier_id": true, "offer_id": true, "area": true, "node": true, "nodes": true,
	"topic": true, "queue": true, "message_id": true, "attempt": true, "count": true, "doing": true, "took": true, "ended_at": true,
}

// Texts of errors may hold anything: an address that was asked, a row that was
// refused. What looks like one of these is replaced, and so much is left that
// one can tell what was there.
var secrets = []struct {
	looks   *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`(?i)\b([a-z][a-z0-9+.-]*://)[^\s"']*@`), "${1}…@"}, // user and password of a URL
	{regexp.MustCompile(`(/[^\s?"']*)\?[^\s"']+`), "${1}?…"},                // the query of a URL or a path
	{regexp.MustCompile(`(?i)((?:\b|_)(?:password|passwd|secret|token|key|dsn|authorization|bearer|auth)["']?\s*[:= ]\s*["']?(?:(?:bearer|basic)\s+)?)[^\s"',;&)]+`), "${1}…"},
	{regexp.MustCompile(`\beyJ[\w-]+\.[\w-]+\.[\w-]*`), "…"},  // a signed token
	{regexp.MustCompile(`[\w.+-]+@[\w-]+(\.[\w-]+)+`), "…@…"}, // an e-mail address
	{regexp.MustCompile(`\+\d[\d ()/.-]{5,}\d`), "+…"},        // a phone number
	{regexp.MustCompile(`-?\b\d{1,3}\.\d{5,}\b`), "…"},        // where somebody is
}

// opaque are keys and hashes. Ids are none of them: they have dashes.
var opaque = regexp.MustCompile(`[A-Za-z0-9_+/=-]{24,}`)

// longest is how much of a text is reported.
const longest = 16 << 10

func scrub(text string) string {
	for _, s := range secrets {
		text = s.looks.ReplaceAllString(text, s.instead)
	}
	text = opaque.ReplaceAllStringFunc(text, func(word string) string {
		if strings.ContainsAny(word, "0123456789") && !strings.Contains(word, "/") && !isID(word) {
			return "…"
		}
		return word
	})
	return text[:min(len(text), longest)] // cut last: half a secret is not seen to be one
}

func isID(word string) bool { return len(word) == 36 && strings.Count(word, "-") == 4 }
