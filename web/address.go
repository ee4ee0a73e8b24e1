package web

import (
	"net/http"
	"net/netip"
	"strings"
)

// address is who a request comes from, as far as limits go: an IPv4 address
// or an IPv6 /64, since whoever has one address of it has them all. Behind
// trusted proxies it is the last hop that none of them is.
func (s *Server) address(r *http.Request) string {
	at, known := s.client(r)
	if !known {
		return r.RemoteAddr
	}
	if at.Is6() {
		if p, err := at.WithZone("").Prefix(64); err == nil {
			return p.String()
		}
	}
	return at.String()
}

// client is where a request comes from: the last hop that is no trusted proxy
// or, if all are, the first.
func (s *Server) client(r *http.Request) (at netip.Addr, known bool) {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, false
	}
	if at = peer.Addr().Unmap(); s.trusted(at) {
		at = s.forwardedFor(r, at)
	}
	return at, true
}

func (s *Server) forwardedFor(r *http.Request, peer netip.Addr) netip.Addr {
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	at := peer
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break // what stands before it is the client's own word
		}
		at = hop.Unmap()
		if !s.trusted(at) {
			break
		}
	}
	return at
}

func (s *Server) trusted(at netip.Addr) bool {
	for _, p := range s.config.TrustedProxies {
		if p.Contains(at) {
			return true
		}
	}
	return false
}

// publicURL is where the client reaches this server.
func (s *Server) publicURL(r *http.Request) string {
	if s.config.PublicURL != "" {
		return s.config.PublicURL
	}
	return s.scheme(r) + "://" + r.Host
}

// scheme is what the client has asked with.
func (s *Server) scheme(r *http.Request) string {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if r.TLS != nil || err == nil && s.trusted(peer.Addr().Unmap()) && r.Header.Get("X-Forwarded-Proto") == "https" {
		return "https"
	}
	return "http"
}
