// Package web is Courier over HTTP: the API under /v1, its documents, and the
// pages of the three apps.
//
//	request → id, deadline, headers, log → mux → limits, credential, role → handler → answer
//	                                                                           └ error → errors.go → problem+json
//
// What may be asked, and by whom, stands in one table: routes.go.
package web

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/gorilla/mux"

	"courier/internal/clock"
	"courier/internal/follow"
	"courier/internal/pressure"
)

// Deps are what a Server stands on.
type Deps struct {
	Dispatch Dispatch
	Auth     Auth
	Trails   Trails
	// Background takes fixes of couriers that come by HTTP.
	Background Background
	Limiter    Limiter // nil: one in memory
	// Pressure turns requests away when there are too many; nil: none.
	Pressure *pressure.Gate
	Follow   *follow.Follower // nil: nothing is followed
	Clock    clock.Clock
	NewID    func() string // of requests
	Log      *slog.Logger

	// The WebSocket endpoints; they check credentials themselves.
	CourierSocket, TrackSocket, FleetSocket http.Handler
}

func (d Deps) validate() error {
	var errs []error
	for name, missing := range map[string]bool{
		"Dispatch": d.Dispatch == nil, "Auth": d.Auth == nil, "Trails": d.Trails == nil, "Background": d.Background == nil, "Clock": d.Clock == nil,
		"NewID": d.NewID == nil, "Log": d.Log == nil,
		"CourierSocket": d.CourierSocket == nil, "TrackSocket": d.TrackSocket == nil, "FleetSocket": d.FleetSocket == nil,
	} {
		if missing {
			errs = append(errs, fmt.Errorf("%s: is missing", name))
		}
	}
	return errors.Join(errs...)
}

// Server answers HTTP requests. It is safe for concurrent use.
type Server struct {
	config  Config
	deps    Deps
	limiter Limiter
	ground  *file  // what is drawn where there are no tiles
	busy    []byte // what a new order is turned away with
	handler http.Handler
}

// New checks the configuration and reports every fault of it at once.
func New(c Config, d Deps) (*Server, error) {
	c.defaults()
	if err := errors.Join(c.validate(), d.validate()); err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	s := &Server{config: c, deps: d, limiter: d.Limiter}
	if s.limiter == nil {
		s.limiter = NewLimiter(limiterKeys)
	}
	ground := c.Basemap
	if ground == nil {
		var err error
		if ground, err = groundAround(c.Center); err != nil {
			return nil, fmt.Errorf("web: %w", err)
		}
	}
	s.ground = newFile("basemap.geojson", made(ground))
	var err error
	if s.busy, err = encode(problemOf(&pressure.Busy{})); err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	docs := newDocs(c)
	pages, err := newPages(c)
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	router := mux.NewRouter().SkipClean(true)
	for _, rt := range routes() {
		methods := []string{rt.method}
		if rt.method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
		router.Path(rt.path).Methods(methods...).Handler(s.route(rt))
	}
	docs.register(router)
	pages.register(router)
	router.NotFoundHandler = http.HandlerFunc(s.nothing)
	router.MethodNotAllowedHandler = s.wrongMethod(router)
	s.handler = s.outer(router)
	return s, nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// NewHTTPServer is an http.Server with the limits that a Server relies on.
// ReadTimeout and WriteTimeout stay 0: they would end WebSockets, and a
// Server sets the deadlines of its requests itself.
func NewHTTPServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug), // scanners and aborted handshakes
	}
}
