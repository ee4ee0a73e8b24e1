package web

import (
	"context"
	"time"

	"courier/dispatch"
	"courier/geo"
	"courier/internal/auth"
	"courier/tracking"
)

// Dispatch is what the API asks of dispatch.Service, which says what each
// method means.
type Dispatch interface {
	Orders
	Overrides
	Couriers
	Zones
	Proofs
	View(ctx context.Context, order string) (dispatch.View, error)
	Stats(ctx context.Context) (dispatch.Stats, error)
	Report(ctx context.Context, q dispatch.ReportQuery) (dispatch.Report, error)
}

// Orders places and reads orders.
type Orders interface {
	Place(ctx context.Context, by dispatch.Actor, n dispatch.NewOrder, key string) (o dispatch.Order, replayed bool, err error)
	Order(ctx context.Context, scope dispatch.Scope, id string) (dispatch.Order, error)
	Orders(ctx context.Context, scope dispatch.Scope, q dispatch.OrderQuery) (page []dispatch.Order, next string, err error)
	Events(ctx context.Context, scope dispatch.Scope, id string, after int64) ([]dispatch.Event, error)
	Decisions(ctx context.Context, id string) ([]dispatch.Decision, error)
	History(ctx context.Context, from, to time.Time, limit int, cursor string) (page []dispatch.OrderHistory, next string, err error)
}

// Proofs keeps couriers' pictures, and what else only they look at.
type Proofs interface {
	AddProof(ctx context.Context, courier string, epoch int64, n dispatch.NewProof) (dispatch.ProofFile, error)
	ProofFile(ctx context.Context, scope dispatch.Scope, order, id string) (dispatch.ProofFile, error)
	CustomerProofFile(ctx context.Context, order, id string) (dispatch.ProofFile, error)
	Day(ctx context.Context, courier string, from, to time.Time) (dispatch.Day, error)
}

// Overrides are people's decisions on orders.
type Overrides interface {
	Cancel(ctx context.Context, id string, ov dispatch.Override) (dispatch.Order, error)
	Assign(ctx context.Context, id, courier string, ov dispatch.Override) (dispatch.Order, error)
	Unassign(ctx context.Context, id string, ov dispatch.Override) (dispatch.Order, error)
	Pin(ctx context.Context, id, courier string, ov dispatch.Override) (dispatch.Order, error)
	Retry(ctx context.Context, id string, ov dispatch.Override) (dispatch.Order, error)
	Return(ctx context.Context, id string, ov dispatch.Override) (dispatch.Order, error)
}

// Couriers manages couriers and their sessions.
type Couriers interface {
	CreateCourier(ctx context.Context, by dispatch.Actor, n dispatch.NewCourier) (dispatch.CourierView, error)
	Courier(ctx context.Context, id string) (dispatch.CourierView, error)
	Couriers(ctx context.Context, q dispatch.CourierQuery) (page []dispatch.CourierView, next string, err error)
	UpdateCourier(ctx context.Context, by dispatch.Actor, id string, seen int64, p dispatch.CourierPatch) (dispatch.CourierView, error)
	Duties(ctx context.Context, courier string, from, to time.Time) ([]dispatch.DutyChange, error)
	StartSession(ctx context.Context, courier string) (dispatch.Courier, error)
	EndSessions(ctx context.Context, by dispatch.Actor, courier string) (dispatch.CourierView, error)
}

// Zones manages service areas.
type Zones interface {
	Zones(ctx context.Context) ([]dispatch.Zone, error)
	CreateZone(ctx context.Context, by dispatch.Actor, name string, area geo.Area) (dispatch.Zone, error)
	UpdateZone(ctx context.Context, by dispatch.Actor, id string, version int64, name string, area geo.Area) (dispatch.Zone, error)
	DeleteZone(ctx context.Context, by dispatch.Actor, id string, version int64) error
}

// Trails knows where couriers have been.
type Trails interface {
	// Between returns a courier's fixes in [from, to), oldest first.
	Between(ctx context.Context, courier string, from, to time.Time) ([]tracking.Fix, error)
}

// Auth makes, checks and revokes credentials; auth.Service says what each
// method means.
type Auth interface {
	Check(ctx context.Context, bearer string) (auth.Identity, error)
	MintCourier(courier string, epoch int64, ttl time.Duration) (token string, expires time.Time, err error)
	CreateCode(ctx context.Context, courier string) (code string, expires time.Time, err error)
	TakeCode(ctx context.Context, code string) (courier string, err error)
	CreateKey(ctx context.Context, merchant, name string) (k auth.Key, plain string, err error)
	ListKeys(ctx context.Context) ([]auth.Key, error)
	RevokeKey(ctx context.Context, id string) error
	CreateLink(ctx context.Context, order string, ttl time.Duration) (l auth.Link, plain string, err error)
	Links(ctx context.Context, order string) ([]auth.Link, error)
	RevokeLink(ctx context.Context, order, id string) error
}

var (
	_ Dispatch = (*dispatch.Service)(nil)
	_ Auth     = (*auth.Service)(nil)
	_ Trails   = (*tracking.Trails)(nil)
)
