package web

import (
	"net/http"
	"slices"

	"courier/dispatch"
)

// route is one line of the table that says what may be asked, and by whom. It
// registers the handlers, decides who gets in, and is compared with the
// OpenAPI document by a test.
type route struct {
	method string
	path   string
	roles  []dispatch.Role // nil: anyone, without a credential
	handle func(*Server, *call) (answer, error)
	limit  int64                             // of the body, in bytes
	slow   bool                              // the body may take slowFactor times as long as others
	now    func(*Server, *call) (any, error) // what stands there now, for a conflict
	socket func(*Server) http.Handler        // instead of handle
	places bool                              // an order, which has the request's id
	fixes  bool                              // traces follow what it brings as they do fixes, not as a request
}

// Limits of bodies, in bytes.
const (
	maxBody  = 64 << 10
	maxZone  = 1 << 20
	longPath = 2048 // of a request's path and query
)

// slowFactor gives a picture from a phone at the edge of a network the time
// that it takes: a quarter of a megabyte at 5 kB/s.
const slowFactor = 6

// Route is a line of the table for those who test or document the API.
type Route struct {
	Method string
	Path   string
	Roles  []dispatch.Role
}

// Routes lists what is served under /v1, and the health checks.
func Routes() []Route {
	table := routes()
	out := make([]Route, len(table))
	for i, rt := range table {
		out[i] = Route{Method: rt.method, Path: rt.path, Roles: slices.Clone(rt.roles)}
	}
	return out
}

func routes() []route {
	const get, post, put, patch, del = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete
	admin := []dispatch.Role{dispatch.RoleAdmin}
	rule := []dispatch.Role{dispatch.RoleDispatcher, dispatch.RoleAdmin}
	staff := []dispatch.Role{dispatch.RoleViewer, dispatch.RoleDispatcher, dispatch.RoleAdmin}
	sell := []dispatch.Role{dispatch.RoleMerchant, dispatch.RoleDispatcher, dispatch.RoleAdmin}
	look := []dispatch.Role{dispatch.RoleMerchant, dispatch.RoleViewer, dispatch.RoleDispatcher, dispatch.RoleAdmin}
	ride := []dispatch.Role{dispatch.RoleCourier}
	order, courier := (*Server).currentOrder, (*Server).currentCourier
	return []route{
		{method: get, path: "/healthz", handle: (*Server).healthy},
		{method: get, path: "/readyz", handle: (*Server).ready},
		{method: get, path: "/v1/time", handle: (*Server).time},
		{method: get, path: "/v1/config", handle: (*Server).pageConfig},
		{method: get, path: "/v1/basemap", handle: (*Server).basemap},
		{method: post, path: "/v1/sign-in", handle: (*Server).signIn},
		{method: get, path: "/v1/me", handle: (*Server).me, roles: []dispatch.Role{
			dispatch.RoleViewer, dispatch.RoleDispatcher, dispatch.RoleAdmin, dispatch.RoleCourier, dispatch.RoleMerchant}},
		{method: post, path: "/v1/background", handle: (*Server).background, fixes: true}, // whose it is stands where the apps can put it
		{method: get, path: "/v1/me/day", handle: (*Server).day, roles: ride},

		{method: post, path: "/v1/orders", handle: (*Server).place, roles: sell, places: true},
		{method: get, path: "/v1/orders", handle: (*Server).listOrders, roles: look},
		{method: get, path: "/v1/orders/{id}", handle: (*Server).readOrder, roles: look},
		{method: get, path: "/v1/orders/{id}/events", handle: (*Server).listEvents, roles: look},
		{method: get, path: "/v1/orders/{id}/decisions", handle: (*Server).listDecisions, roles: staff},
		{method: get, path: "/v1/orders/{id}/trail", handle: (*Server).orderTrail, roles: staff},
		{method: post, path: "/v1/orders/{id}/cancel", handle: (*Server).cancel, roles: sell, now: order},
		{method: post, path: "/v1/orders/{id}/assign", handle: (*Server).assign, roles: rule, now: order},
		{method: post, path: "/v1/orders/{id}/unassign", handle: (*Server).unassign, roles: rule, now: order},
		{method: post, path: "/v1/orders/{id}/pin", handle: (*Server).pin, roles: rule, now: order},
		{method: post, path: "/v1/orders/{id}/retry", handle: (*Server).retry, roles: rule, now: order},
		{method: post, path: "/v1/orders/{id}/return", handle: (*Server).bringBack, roles: rule, now: order},
		{method: post, path: "/v1/orders/{id}/tracking-links", handle: (*Server).createLink, roles: sell},
		{method: get, path: "/v1/orders/{id}/tracking-links", handle: (*Server).listLinks, roles: look},
		{method: del, path: "/v1/orders/{id}/tracking-links/{link}", handle: (*Server).revokeLink, roles: sell},
		{method: put, path: "/v1/orders/{id}/proofs/{proof}", handle: (*Server).putProof, roles: ride, limit: dispatch.MaxProofBytes, slow: true},
		{method: get, path: "/v1/orders/{id}/proofs/{proof}", handle: (*Server).readProof, roles: look},
		{method: get, path: "/v1/track", handle: (*Server).track, roles: []dispatch.Role{dispatch.RoleCustomer}},
		{method: get, path: "/v1/track/proofs/{proof}", handle: (*Server).trackProof, roles: []dispatch.Role{dispatch.RoleCustomer}},

		{method: post, path: "/v1/couriers", handle: (*Server).createCourier, roles: rule},
		{method: get, path: "/v1/couriers", handle: (*Server).listCouriers, roles: staff},
		{method: get, path: "/v1/couriers/{id}", handle: (*Server).readCourier, roles: staff},
		{method: patch, path: "/v1/couriers/{id}", handle: (*Server).updateCourier, roles: rule, now: courier},
		{method: post, path: "/v1/couriers/{id}/sign-in-code", handle: (*Server).createCode, roles: rule},
		{method: post, path: "/v1/couriers/{id}/revoke", handle: (*Server).revokeCourier, roles: rule, now: courier},
		{method: get, path: "/v1/couriers/{id}/trail", handle: (*Server).courierTrail, roles: staff},

		{method: get, path: "/v1/zones", handle: (*Server).listZones, roles: look},
		{method: post, path: "/v1/zones", handle: (*Server).createZone, roles: rule, limit: maxZone},
		{method: put, path: "/v1/zones/{id}", handle: (*Server).updateZone, roles: rule, limit: maxZone, now: (*Server).currentZone},
		{method: del, path: "/v1/zones/{id}", handle: (*Server).deleteZone, roles: rule, now: (*Server).currentZone},

		{method: post, path: "/v1/api-keys", handle: (*Server).createKey, roles: admin},
		{method: get, path: "/v1/api-keys", handle: (*Server).listKeys, roles: admin},
		{method: del, path: "/v1/api-keys/{id}", handle: (*Server).revokeKey, roles: admin},
		{method: get, path: "/v1/replay/couriers", handle: (*Server).replayCouriers, roles: staff},
		{method: get, path: "/v1/replay/orders", handle: (*Server).replayOrders, roles: staff},
		{method: get, path: "/v1/stats", handle: (*Server).stats, roles: staff},
		{method: get, path: "/v1/reports/day", handle: (*Server).report, roles: staff},
		{method: get, path: "/v1/reports/day.csv", handle: (*Server).reportTable, roles: staff},

		{method: get, path: "/v1/ws/courier", socket: func(s *Server) http.Handler { return s.deps.CourierSocket }},
		{method: get, path: "/v1/ws/track", socket: func(s *Server) http.Handler { return s.deps.TrackSocket }},
		{method: get, path: "/v1/ws/fleet", socket: func(s *Server) http.Handler { return s.deps.FleetSocket }},
	}
}
