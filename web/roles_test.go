package web_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"courier/dispatch"
	"courier/web"
	"courier/web/api"
	"courier/web/webtest"
)

var everyone = []dispatch.Role{dispatch.RoleAdmin, dispatch.RoleDispatcher, dispatch.RoleViewer, dispatch.RoleCourier, dispatch.RoleMerchant, dispatch.RoleCustomer}

func TestRoutesAndDocumentAgree(t *testing.T) {
	v, err := webtest.New(api.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]webtest.Operation{}
	for _, op := range v.Operations() {
		documented[op.Method+" "+op.Path] = op
	}
	for _, rt := range web.Routes() {
		name := rt.Method + " " + rt.Path
		op, ok := documented[name]
		delete(documented, name)
		var roles []string
		for _, r := range rt.Roles {
			roles = append(roles, string(r))
		}
		slices.Sort(roles)
		slices.Sort(op.Roles)
		switch {
		case !ok:
			t.Errorf("%s is not documented", name)
		case !slices.Equal(roles, op.Roles):
			t.Errorf("%s: roles %v, documented %v", name, roles, op.Roles)
		case op.Open != (rt.Roles == nil):
			t.Errorf("%s: needs no credential: %v, documented %v", name, rt.Roles == nil, op.Open)
		}
	}
	for name := range documented {
		t.Errorf("%s is documented and does not exist", name)
	}
}

// TestRoles is the whole matrix: every route, every role.
func TestRoles(t *testing.T) {
	s := newSite(t)
	for _, rt := range web.Routes() {
		if rt.Roles == nil {
			continue
		}
		s.want(good(rt), http.StatusUnauthorized, "unauthenticated")
		for _, role := range everyone {
			q := good(rt)
			q.as = string(role)
			if !slices.Contains(rt.Roles, role) {
				s.want(q, http.StatusForbidden, "forbidden")
			} else if w := s.do(q); w.Code >= 300 {
				t.Errorf("%s %s as %s: %d %s", rt.Method, rt.Path, role, w.Code, w.Body)
			}
		}
	}
}

func TestCredentials(t *testing.T) {
	s := newSite(t)
	for name, tt := range map[string]struct {
		header string
		status int
		code   string
	}{
		"bearer":              {"Bearer admin", 200, ""},
		"lower case":          {"bearer admin", 200, ""},
		"no scheme":           {"admin", 401, "unauthenticated"},
		"another scheme":      {"Basic admin", 401, "unauthenticated"},
		"nothing":             {"Bearer ", 401, "unauthenticated"},
		"another credential":  {"Bearer wrong", 401, "unauthenticated"},
		"two in one header":   {"Bearer admin, Bearer admin", 401, "unauthenticated"},
		"a role it is not":    {"Bearer system", 401, "unauthenticated"},
		"a role in UPPERCASE": {"Bearer ADMIN", 401, "unauthenticated"},
	} {
		t.Run(name, func(t *testing.T) {
			s.want(request{path: "/v1/stats", header: map[string]string{"Authorization": tt.header}}, tt.status, tt.code)
		})
	}
	if got := s.do(request{path: "/v1/stats"}).Header().Get("WWW-Authenticate"); got != "Bearer" {
		t.Errorf("WWW-Authenticate is %q", got)
	}
	s.desk.down = dispatch.ErrUnavailable
	s.want(request{path: "/v1/stats", as: "admin"}, http.StatusServiceUnavailable, "unavailable")
	s.desk.down = errors.New("broken")
	s.want(request{path: "/v1/stats", as: "admin"}, http.StatusInternalServerError, "internal")
}

// TestAnothersLooksLikeNothing is I11: what is another's and what does not
// exist get the same answer, to the byte.
func TestAnothersLooksLikeNothing(t *testing.T) {
	s := newSite(t)
	for _, rt := range web.Routes() {
		if !strings.HasPrefix(rt.Path, "/v1/orders/{id}") || !slices.Contains(rt.Roles, dispatch.RoleMerchant) {
			continue
		}
		theirs := good(rt)
		theirs.as = "other-merchant"
		none := theirs
		none.path = strings.Replace(theirs.path, "/o1", "/o2", 1)
		unfit := theirs
		unfit.path = strings.Replace(theirs.path, "/o1", "/"+strings.Repeat("x", 65), 1)
		a, b, c := s.do(theirs), s.do(none), s.do(unfit)
		if a.Code != http.StatusNotFound || b.Code != http.StatusNotFound || a.Body.String() != b.Body.String() || a.Body.String() != c.Body.String() {
			t.Errorf("%s %s: %d %s and %d %s", rt.Method, rt.Path, a.Code, a.Body, b.Code, b.Body)
		}
		for name := range a.Header() {
			if got, want := a.Header().Get(name), b.Header().Get(name); got != want {
				t.Errorf("%s: %q and %q", name, got, want)
			}
		}
	}
	var page struct{ Orders []any }
	w := s.do(request{path: "/v1/orders", as: "other-merchant"})
	decode(t, w, &page)
	if page.Orders == nil || len(page.Orders) != 0 {
		t.Errorf("another merchant lists %s", w.Body)
	}
}

func TestMerchantsPlaceTheirOwn(t *testing.T) {
	s := newSite(t)
	key := map[string]string{"Idempotency-Key": "k"}
	body := func(merchant string) string {
		return strings.Replace(goodOrder, "{", `{"merchant":"`+merchant+`",`, 1)
	}
	s.want(request{method: "POST", path: "/v1/orders", as: "merchant", body: body("m2"), header: key}, 422, "invalid")
	s.want(request{method: "POST", path: "/v1/orders", as: "merchant", body: body("m1"), header: key}, 201, "")
	s.want(request{method: "POST", path: "/v1/orders", as: "merchant", body: goodOrder, header: key}, 201, "")
	if s.company.placed.Merchant != "m1" || s.company.by != (dispatch.Actor{Role: dispatch.RoleMerchant, ID: "m1"}) {
		t.Errorf("placed for %q by %+v", s.company.placed.Merchant, s.company.by)
	}
	s.want(request{method: "POST", path: "/v1/orders", as: "dispatcher", body: body("m2"), header: key}, 201, "")
	if s.company.placed.Merchant != "m2" {
		t.Errorf("placed for %q", s.company.placed.Merchant)
	}
}
