package docs_test

import (
	"regexp"
	"strings"
	"testing"

	"courier/web/api"
	"courier/web/docs"
	"courier/ws"
)

func render(t *testing.T, openAPI, asyncAPI []byte) string {
	t.Helper()
	page, err := docs.Render(openAPI, asyncAPI)
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

func TestRender(t *testing.T) {
	page := render(t, api.OpenAPI, ws.AsyncAPI)
	for _, want := range []string{
		`<article id="placeOrder">`, "/v1/orders/{id}/tracking-links/{link}", `id="schema-Order"`, `id="channel-courier"`, "offer.accept",
		"merchant, dispatcher, admin", "no credential needed", `<code>Idempotency-Key</code>`, "AsyncAPI document", "placed | searching | offered",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
	if strings.Contains(page, "<script") {
		t.Error("the page runs scripts")
	}
}

func TestLinksLeadSomewhere(t *testing.T) {
	page := render(t, api.OpenAPI, ws.AsyncAPI)
	places := map[string]int{}
	for _, m := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		places[m[1]]++
	}
	for id, n := range places {
		if n > 1 {
			t.Errorf("%d places are called %q", n, id)
		}
	}
	for _, m := range regexp.MustCompile(` href="#([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if places[m[1]] == 0 {
			t.Errorf("a link to %q leads nowhere", m[1])
		}
	}
}

func TestRenderWithoutSockets(t *testing.T) {
	page := render(t, api.OpenAPI, nil)
	if strings.Contains(page, "asyncapi.yaml") || !strings.Contains(page, "placeOrder") {
		t.Error("the page promises what there is not")
	}
}

func TestRenderEscapes(t *testing.T) {
	page := render(t, []byte("info: {title: '<b>x', description: '<i>`<u>`'}\n"), nil)
	for _, bad := range []string{"<b>x", "<i>", "<u>"} {
		if strings.Contains(page, bad) {
			t.Errorf("%q got through", bad)
		}
	}
}

func TestRenderRefusesWhatIsNoYAML(t *testing.T) {
	if _, err := docs.Render([]byte("a: ["), nil); err == nil {
		t.Error("no error")
	}
}
