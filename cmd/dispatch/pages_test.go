package main

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser is a headless Chromium with a profile of its own. What a page
// writes to its console as an error fails the test.
func browser(t *testing.T, width, height int64) context.Context {
	t.Helper()
	alloc, stop := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(int(width), int(height)),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true))...)
	t.Cleanup(stop)
	ctx, stopTab := chromedp.NewContext(alloc)
	t.Cleanup(stopTab)
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	t.Cleanup(cancel)
	var mu sync.Mutex
	var faults []string
	if err := chromedp.Listen(ctx, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := event.(type) {
		case *runtime.EventConsoleAPICalled:
			if e.Type == runtime.ConsoleAPICalledTypeError {
				for _, arg := range e.Args {
					faults = append(faults, string(arg.Value)+" "+arg.Description)
				}
			}
		case *runtime.EventExceptionThrown:
			faults = append(faults, e.ExceptionDetails.Text)
		}
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		if len(faults) > 0 {
			t.Errorf("the console says:\n%s", strings.Join(faults, "\n"))
		}
	})
	return ctx
}

// wantText waits until the page shows all of the texts.
func wantText(t *testing.T, ctx context.Context, texts ...string) { //nolint:revive // t first, as helpers have it
	t.Helper()
	for _, text := range texts {
		_, err := chromedp.Run(ctx, chromedp.Poll[bool]("document.body.innerText.toLowerCase().includes("+quoted(text)+")",
			chromedp.WithPollingTimeout(30*time.Second)))
		if err != nil {
			got, _ := chromedp.Run(ctx, chromedp.Evaluate[string]("document.body.innerText"))
			t.Fatalf("waiting for %q: %v; the page says:\n%s", text, err, got)
		}
	}
}

func quoted(s string) string { return strconv.Quote(strings.ToLower(s)) }

// The three pages against a real server, as their people use them: what is
// said is what is asserted.
func TestThePagesShowAnOrderOnItsWay(t *testing.T) {
	s := newServer(t, func(f *serverFlags) { f.Mode = "assign" })
	key := s.merchant("soups")
	order := s.place(key, "A-17")
	desk, customer, phone := browser(t, 1440, 900), browser(t, 390, 844), browser(t, 390, 844)
	open := func(ctx context.Context, path string) {
		t.Helper()
		if err := chromedp.Do(ctx, chromedp.Navigate(s.url()+path)); err != nil {
			t.Fatal(err)
		}
	}
	open(customer, "/t#"+s.link(key, order))
	wantText(t, customer, "A-17", "East 1")
	open(desk, "/admin#token="+s.admin)
	wantText(t, desk, "A-17", "Market 1")

	_, token := s.hire("Ada Lovelace")
	rider := s.phone(token, 0)
	rider.must("duty", obj{"duty": "available"})
	rider.fix(4.001, time.Now())
	wantText(t, customer, "Ada")
	open(phone, "/courier#token="+token+"&demo=1")
	wantText(t, phone, "Ada Lovelace", "Market 1")

	rider.must("stop.complete", obj{"order": order, "kind": "pickup"})
	wantText(t, customer, "on the way")
	wantText(t, phone, "East 1")
	var view struct{ PIN string }
	s.call("GET", "/v1/track", s.link(key, order), nil, 200, &view)
	wantText(t, customer, view.PIN)
	rider.must("stop.complete", obj{"order": order, "kind": "dropoff", "proof": obj{"pin": view.PIN}})
	wantText(t, customer, "delivered")
	wantText(t, desk, "1\ndone")
}

func TestAWrongLinkSaysNothingOfWhatThereIs(t *testing.T) {
	s := newServer(t, nil)
	ctx := browser(t, 390, 844)
	if err := chromedp.Do(ctx, chromedp.Navigate(s.url()+"/t#ct_nothing")); err != nil {
		t.Fatal(err)
	}
	wantText(t, ctx, "link")
}
