package ws

import (
	"context"

	"courier/dispatch"
	"courier/geo"
	"courier/internal/auth"
	"courier/tracking"
)

// Authenticator says whose a credential is, or auth.ErrUnauthenticated.
type Authenticator interface {
	Check(ctx context.Context, bearer string) (auth.Identity, error)
}

// Tracker takes couriers' fixes.
type Tracker interface {
	Ingest(ctx context.Context, courier string, fixes []tracking.Fix, fences []tracking.Fence) (tracking.Result, error)
	// Forget takes a courier who goes off duty off the map.
	Forget(ctx context.Context, courier string) error
}

// Index says who is in a box now: the part of a tracking.Index that
// dispatchers' maps need.
type Index interface {
	Within(ctx context.Context, box geo.Bounds, limit int) ([]tracking.Fix, error)
}

// Service is the part of dispatch.Service that the hub uses.
type Service interface {
	CourierService
	OrderService
	FleetService
}

// CourierService is what couriers do and see.
type CourierService interface {
	Act(ctx context.Context, courier string, epoch int64, id string, a dispatch.Action) error
	GeofenceArrive(ctx context.Context, courier, order string, kind dispatch.StopKind) error
	CourierState(ctx context.Context, courier string) (dispatch.Courier, *dispatch.Offer, error)
	Offer(ctx context.Context, id string) (dispatch.Offer, error)
	CourierVersions(ctx context.Context, ids []string) (map[string]int64, error)
}

// OrderService is what there is to know of an order.
type OrderService interface {
	// View decides what a customer may see at this moment (I9).
	View(ctx context.Context, order string) (dispatch.View, error)
	Views(ctx context.Context, orders []string) (map[string]dispatch.View, error)
	Events(ctx context.Context, scope dispatch.Scope, order string, after int64) ([]dispatch.Event, error)
	Order(ctx context.Context, scope dispatch.Scope, id string) (dispatch.Order, error)
	OrderVersions(ctx context.Context, ids []string) (map[string]int64, error)
}

// FleetService is what dispatchers see.
type FleetService interface {
	Fleet(ctx context.Context) ([]dispatch.Order, []dispatch.CourierView, error)
	FleetOrders(ctx context.Context, ids ...string) ([]dispatch.Order, error)
	FleetCouriers(ctx context.Context, ids ...string) ([]dispatch.CourierView, error)
	Watch(ctx context.Context) (dispatch.Watched, error)
}

var _ Service = (*dispatch.Service)(nil)
