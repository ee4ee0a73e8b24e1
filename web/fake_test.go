package web_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	"courier/dispatch"
	"courier/geo"
	"courier/internal/auth"
	"courier/tracking"
)

// now is when every test happens.
func now() time.Time { return time.Date(2026, 11, 23, 8, 30, 0, 0, time.UTC) }

type frozen struct{}

func (frozen) Now() time.Time                      { return now() }
func (frozen) Rate() float64                       { return 1 }
func (frozen) Ticker(d time.Duration) *time.Ticker { return time.NewTicker(d) }
func (frozen) Timer(d time.Duration) *time.Timer   { return time.NewTimer(d) }

// company is a dispatch.Service of one order, one courier and one zone: as
// much as the edge of the HTTP API needs. It remembers what it was asked.
type company struct {
	mu       sync.Mutex
	order    dispatch.Order
	courier  dispatch.CourierView
	zone     dispatch.Zone
	events   []dispatch.Event
	duties   []dispatch.DutyChange
	fail     error // what changes return
	read     error // what reads return
	panics   bool
	replayed bool
	placed   dispatch.NewOrder
	key      string
	override dispatch.Override
	to       string
	patch    dispatch.CourierPatch
	query    dispatch.OrderQuery
	report   dispatch.Report
	span     dispatch.ReportQuery
	by       dispatch.Actor
	proof    dispatch.NewProof

	dayOf          string
	dayFrom, dayTo time.Time
}

func newCompany() *company {
	at := now()
	area := geo.Area{}
	if err := area.UnmarshalJSON([]byte(`{"type":"Polygon","coordinates":[[[4,52],[5,52],[5,53],[4,52]]]}`)); err != nil {
		panic(err)
	}
	fix := &tracking.Fix{Courier: "c1", Time: at, Point: geo.Point{Lat: 52, Lng: 4}, Accuracy: 8}
	return &company{
		order: dispatch.Order{
			ID: "o1", Merchant: "m1", Status: dispatch.Assigned, Version: 3, Courier: "c1", ReadyAt: at, Size: 1,
			Pickup: dispatch.Place{Point: geo.Point{Lat: 52, Lng: 4}}, Dropoff: dispatch.Place{Point: geo.Point{Lat: 52.1, Lng: 4.1}},
			Times: map[dispatch.Status]time.Time{dispatch.Placed: at, dispatch.Assigned: at}, PIN: "4711",
		},
		courier: dispatch.CourierView{
			Courier: dispatch.Courier{ID: "c1", Name: "Mia Berg", Vehicle: geo.Bicycle, Capacity: 3, Duty: dispatch.Available, Version: 7, Epoch: 2},
			State:   dispatch.Free, LastSeen: &at, Fix: fix,
		},
		zone: dispatch.Zone{ID: "z1", Name: "Centre", Area: area, Version: 1},
		events: []dispatch.Event{
			{Order: "o1", Version: 1, Type: dispatch.EventPlaced, Status: dispatch.Placed, Time: at, Actor: dispatch.Actor{Role: dispatch.RoleMerchant, ID: "m1"}},
			{Order: "o1", Version: 2, Type: dispatch.EventSearching, Status: dispatch.Searching, Time: at, Actor: dispatch.Actor{Role: dispatch.RoleSystem}},
			{Order: "o1", Version: 3, Type: dispatch.EventAssigned, Status: dispatch.Assigned, Time: at, Actor: dispatch.Actor{Role: dispatch.RoleMatcher}, Data: dispatch.EventData{Courier: "c1"}},
		},
	}
}

func (f *company) Place(_ context.Context, by dispatch.Actor, n dispatch.NewOrder, key string) (dispatch.Order, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.placed, f.key, f.by = n, key, by
	return f.order, f.replayed, f.fail
}

func (f *company) Order(_ context.Context, scope dispatch.Scope, id string) (dispatch.Order, error) {
	if f.read != nil {
		return dispatch.Order{}, f.read
	}
	if f.panics {
		panic("for the test")
	}
	if id != f.order.ID || !scope.Allows(f.order) {
		return dispatch.Order{}, fmt.Errorf("order %s: %w", id, dispatch.ErrNotFound)
	}
	return f.order, nil
}

func (f *company) Orders(_ context.Context, scope dispatch.Scope, q dispatch.OrderQuery) ([]dispatch.Order, string, error) {
	f.query = q
	if q.Cursor == "forged" {
		return nil, "", dispatch.ErrCursor
	}
	if !scope.Allows(f.order) {
		return nil, "", f.read
	}
	return []dispatch.Order{f.order}, "next", f.read
}

func (f *company) Events(ctx context.Context, scope dispatch.Scope, id string, _ int64) ([]dispatch.Event, error) {
	_, err := f.Order(ctx, scope, id)
	return f.events, err
}

func (f *company) Decisions(ctx context.Context, id string) ([]dispatch.Decision, error) {
	_, err := f.Order(ctx, dispatch.Scope{}, id)
	return nil, err
}

func (f *company) History(_ context.Context, from, to time.Time, limit int, cursor string) ([]dispatch.OrderHistory, string, error) {
	f.query = dispatch.OrderQuery{PlacedFrom: from, PlacedTo: to, Limit: limit, Cursor: cursor}
	return []dispatch.OrderHistory{{Order: f.order, Events: f.events}}, "next", f.read
}

func (f *company) change(ctx context.Context, id, to string, ov dispatch.Override) (dispatch.Order, error) {
	f.override, f.to = ov, to
	if f.fail != nil {
		return dispatch.Order{}, fmt.Errorf("override: %w", f.fail)
	}
	return f.Order(ctx, ov.Scope, id)
}

func (f *company) Cancel(ctx context.Context, id string, ov dispatch.Override) (dispatch.Order, error) {
	return f.change(ctx, id, "", ov)
}

func (f *company) Assign(ctx context.Context, id, to string, ov dispatch.Override) (dispatch.Order, error) {
	return f.change(ctx, id, to, ov)
}

func (f *company) Unassign(ctx context.Context, id string, ov dispatch.Override) (dispatch.Order, error) {
	return f.change(ctx, id, "", ov)
}

func (f *company) Pin(ctx context.Context, id, to string, ov dispatch.Override) (dispatch.Order, error) {
	return f.change(ctx, id, to, ov)
}

func (f *company) Retry(ctx context.Context, id string, ov dispatch.Override) (dispatch.Order, error) {
	return f.change(ctx, id, "", ov)
}

func (f *company) Return(ctx context.Context, id string, ov dispatch.Override) (dispatch.Order, error) {
	return f.change(ctx, id, "", ov)
}

func (f *company) CreateCourier(_ context.Context, by dispatch.Actor, _ dispatch.NewCourier) (dispatch.CourierView, error) {
	f.by = by
	return f.courier, f.fail
}

func (f *company) Courier(_ context.Context, id string) (dispatch.CourierView, error) {
	if id != f.courier.ID {
		return dispatch.CourierView{}, dispatch.ErrNotFound
	}
	return f.courier, f.read
}

func (f *company) Couriers(context.Context, dispatch.CourierQuery) ([]dispatch.CourierView, string, error) {
	return []dispatch.CourierView{f.courier}, "", f.read
}

func (f *company) UpdateCourier(ctx context.Context, _ dispatch.Actor, id string, _ int64, p dispatch.CourierPatch) (dispatch.CourierView, error) {
	f.patch = p
	if f.fail != nil {
		return dispatch.CourierView{}, f.fail
	}
	return f.Courier(ctx, id)
}

func (f *company) StartSession(ctx context.Context, id string) (dispatch.Courier, error) {
	if f.fail != nil {
		return dispatch.Courier{}, f.fail
	}
	v, err := f.Courier(ctx, id)
	return v.Courier, err
}

func (f *company) EndSessions(ctx context.Context, _ dispatch.Actor, id string) (dispatch.CourierView, error) {
	if f.fail != nil {
		return dispatch.CourierView{}, f.fail
	}
	return f.Courier(ctx, id)
}

func (f *company) Zones(context.Context) ([]dispatch.Zone, error) {
	return []dispatch.Zone{f.zone}, f.read
}

func (f *company) CreateZone(context.Context, dispatch.Actor, string, geo.Area) (dispatch.Zone, error) {
	return f.zone, f.fail
}

func (f *company) UpdateZone(_ context.Context, _ dispatch.Actor, id string, version int64, _ string, _ geo.Area) (dispatch.Zone, error) {
	return f.zone, f.zoneFault(id, version)
}

func (f *company) DeleteZone(_ context.Context, _ dispatch.Actor, id string, version int64) error {
	return f.zoneFault(id, version)
}

func (f *company) zoneFault(id string, version int64) error {
	switch {
	case id != f.zone.ID:
		return dispatch.ErrNotFound
	case version > 0 && version != f.zone.Version:
		return dispatch.ErrConflict
	}
	return f.fail
}

func (f *company) View(_ context.Context, order string) (dispatch.View, error) {
	if order != f.order.ID {
		return dispatch.View{}, dispatch.ErrNotFound
	}
	return dispatch.View{Status: f.order.Status, Version: f.order.Version, Steps: f.order.Times, ReadyAt: f.order.ReadyAt}, f.read
}

func (f *company) AddProof(_ context.Context, courier string, epoch int64, n dispatch.NewProof) (dispatch.ProofFile, error) {
	f.proof = n
	if n.Order != f.order.ID || courier != f.courier.ID || epoch != f.courier.Epoch {
		return dispatch.ProofFile{}, dispatch.ErrNotFound
	}
	return f.file(n.ID)
}

func (f *company) ProofFile(ctx context.Context, scope dispatch.Scope, order, id string) (dispatch.ProofFile, error) {
	if _, err := f.Order(ctx, scope, order); err != nil {
		return dispatch.ProofFile{}, err
	}
	return f.file(id)
}

func (f *company) CustomerProofFile(_ context.Context, _, id string) (dispatch.ProofFile, error) {
	return f.file(id)
}

func (f *company) file(id string) (dispatch.ProofFile, error) {
	if id != "p1" {
		return dispatch.ProofFile{}, dispatch.ErrNotFound
	}
	return dispatch.ProofFile{
		ID: id, Order: "o1", Courier: "c1", Kind: dispatch.Photo, Type: "image/jpeg", Size: 9, At: now(), Data: []byte("a picture"),
	}, f.fail
}

func (f *company) Day(_ context.Context, courier string, from, to time.Time) (dispatch.Day, error) {
	f.dayOf, f.dayFrom, f.dayTo = courier, from, to
	return dispatch.Day{From: from, To: to, Delivered: 1, Distance: 900, Earned: []dispatch.Money{{Amount: 450, Currency: "EUR"}}, Duty: []dispatch.DutySpan{{Duty: dispatch.Available, From: from, To: from.Add(time.Hour)}}, Orders: []dispatch.DayOrder{
		{Order: "o1", Status: dispatch.Delivered, At: now(), Pay: &dispatch.Money{Amount: 450, Currency: "EUR"}, Proof: &dispatch.Proof{Photo: "p1"}},
	}}, f.read
}

func (f *company) Duties(_ context.Context, courier string, _, _ time.Time) ([]dispatch.DutyChange, error) {
	return f.duties, f.read
}

func (f *company) Stats(context.Context) (dispatch.Stats, error) { return dispatch.Stats{}, f.read }

func (f *company) Report(_ context.Context, q dispatch.ReportQuery) (dispatch.Report, error) {
	f.span = q
	r := f.report
	r.From, r.To = q.From, q.To
	if r.Hours == nil {
		r.Hours = []dispatch.HourFigures{{From: q.From, Figures: dispatch.Figures{Placed: 3}}}
	}
	return r, f.read
}

// trails remembers what it was asked for and has one fix for each courier.
type trails struct {
	asked []string
	fixes []tracking.Fix // nil: one
	away  error
}

func (f *trails) Between(_ context.Context, courier string, from, to time.Time) ([]tracking.Fix, error) {
	f.asked = append(f.asked, fmt.Sprintf("%s %s %s", courier, from.Format("01-02 15:04"), to.Format("01-02 15:04")))
	if f.fixes != nil {
		return f.fixes, f.away
	}
	return []tracking.Fix{{Courier: courier, Time: from, Accuracy: 5}}, f.away
}

// background remembers the fixes that it got.
type background struct {
	got  []tracking.Fix
	of   string
	fail error
}

func (f *background) Background(_ context.Context, courier string, epoch int64, fixes []tracking.Fix) error {
	f.of, f.got = fmt.Sprintf("%s/%d", courier, epoch), fixes
	return f.fail
}

// desk is an Auth whose credentials are the roles' names.
type desk struct {
	down error // what Check returns
	away error // what all else returns that is stored
	link auth.Link
}

func newDesk() *desk {
	return &desk{link: auth.Link{ID: "l1", Order: "o1", CreatedAt: now(), ExpiresAt: now().Add(time.Hour)}}
}

func (d *desk) Check(_ context.Context, bearer string) (auth.Identity, error) {
	if d.down != nil {
		return auth.Identity{}, d.down
	}
	switch r := dispatch.Role(bearer); r {
	case dispatch.RoleAdmin, dispatch.RoleDispatcher, dispatch.RoleViewer:
		return auth.Identity{Role: r, ID: "ann", Expires: now().Add(time.Hour)}, nil
	case dispatch.RoleCourier:
		return auth.Identity{Role: r, ID: "c1", Epoch: 2, Expires: now().Add(time.Hour)}, nil
	case dispatch.RoleMerchant:
		return auth.Identity{Role: r, ID: "m1"}, nil
	case "other-merchant":
		return auth.Identity{Role: dispatch.RoleMerchant, ID: "m2"}, nil
	case dispatch.RoleCustomer:
		return auth.Identity{Role: r, ID: "l1", Order: "o1", Expires: now().Add(time.Hour)}, nil
	}
	return auth.Identity{}, auth.ErrUnauthenticated
}

func (d *desk) MintCourier(courier string, epoch int64, _ time.Duration) (string, time.Time, error) {
	return fmt.Sprintf("token-%s-%d", courier, epoch), now().Add(time.Hour), nil
}

func (d *desk) CreateCode(context.Context, string) (string, time.Time, error) {
	return "12345678", now().Add(15 * time.Minute), d.away
}

func (d *desk) TakeCode(_ context.Context, code string) (string, error) {
	if d.away != nil {
		return "", d.away
	}
	if code != "12345678" {
		return "", auth.ErrUnauthenticated
	}
	return "c1", nil
}

func (d *desk) CreateKey(_ context.Context, merchant, name string) (auth.Key, string, error) {
	return auth.Key{ID: "k1", Merchant: merchant, Name: name, CreatedAt: now()}, "ck_x", d.away
}

func (d *desk) ListKeys(context.Context) ([]auth.Key, error) {
	return []auth.Key{{ID: "k1", Merchant: "m1", Hash: []byte("hash"), CreatedAt: now()}}, d.away
}

func (d *desk) RevokeKey(_ context.Context, id string) error {
	if id != "k1" {
		return dispatch.ErrNotFound
	}
	return d.away
}

func (d *desk) CreateLink(_ context.Context, order string, ttl time.Duration) (auth.Link, string, error) {
	l := d.link
	l.Order, l.ExpiresAt = order, now().Add(ttl)
	return l, "ct_secret", d.away
}

func (d *desk) Links(context.Context, string) ([]auth.Link, error) {
	return []auth.Link{d.link}, d.away
}

func (d *desk) RevokeLink(_ context.Context, order, id string) error {
	if order != d.link.Order || id != d.link.ID {
		return dispatch.ErrNotFound
	}
	return d.away
}
