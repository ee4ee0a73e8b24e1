package auth_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"courier/dispatch"
	"courier/internal/auth"
)

var secret = []byte("kX9v2LqT7mZ4pW1sB8nR6cY3dF5gH0jA") //nolint:gosec // a test's

// frozen is a clock that moves only when told.
type frozen struct{ now time.Time }

func (c *frozen) Now() time.Time                      { return c.now }
func (c *frozen) Rate() float64                       { return 1 }
func (c *frozen) Ticker(d time.Duration) *time.Ticker { return time.NewTicker(d) }
func (c *frozen) Timer(d time.Duration) *time.Timer   { return time.NewTimer(d) }

func start() *frozen { return &frozen{now: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)} }

func newService(t *testing.T) (*auth.Service, *memory, *frozen) {
	t.Helper()
	store, clk, n := newMemory(), start(), 0
	newID := func() string { n++; return fmt.Sprintf("id%d", n) }
	s, err := auth.New(auth.Config{Secret: secret}, store, clk, newID, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return s, store, clk
}

func wantRefused(t *testing.T, s *auth.Service, bearer string) {
	t.Helper()
	if who, err := s.Check(t.Context(), bearer); !errors.Is(err, auth.ErrUnauthenticated) || who != (auth.Identity{}) {
		t.Errorf("got %+v, %v; want ErrUnauthenticated and nobody", who, err)
	}
}

func wantIdentity(t *testing.T, s *auth.Service, bearer string, want auth.Identity) {
	t.Helper()
	if who, err := s.Check(t.Context(), bearer); err != nil || who != want {
		t.Errorf("got %+v, %v; want %+v", who, err, want)
	}
}

func TestNewReportsEveryFault(t *testing.T) {
	_, err := auth.New(auth.Config{Secret: []byte("short"), StaffTTL: -1, LinkTTL: 1e6 * time.Hour}, newMemory(), start(), nil, rand.Reader)
	for _, want := range []string{"Secret: 5 bytes", "StaffTTL: ", "LinkTTL: "} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
}

func TestNewRefusesWeakSecrets(t *testing.T) {
	for name, tt := range map[string]struct {
		secret string
		weak   bool
		ok     bool
	}{
		"good":                 {string(secret), false, true},
		"none":                 {"", false, false},
		"none, for a demo":     {"", true, false},
		"short":                {string(secret[:31]), false, false},
		"short, for a demo":    {"x", true, true},
		"all the same":         {strings.Repeat("a", 64), false, false},
		"from jwt.io":          {"a-string-secret-at-least-256-bits-long", false, false},
		"a placeholder":        {"CHANGEME-please-change-this-secret-now", false, false},
		"counting up":          {"0123456789abcdef0123456789abcdef", false, false},
		"the demo's":           {"courier-demo-secret-0123456789-abcdef", false, false},
		"the demo's, the demo": {"courier-demo-secret-0123456789-abcdef", true, true},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := auth.New(auth.Config{Secret: []byte(tt.secret), AllowWeakSecret: tt.weak}, newMemory(), start(), nil, rand.Reader)
			if (err == nil) != tt.ok {
				t.Errorf("got %v", err)
			}
			if err != nil && tt.secret != "" && strings.Contains(err.Error(), tt.secret) {
				t.Error("the error shows the secret")
			}
		})
	}
}

func TestStaffToken(t *testing.T) {
	s, _, clk := newService(t)
	for _, role := range []dispatch.Role{dispatch.RoleAdmin, dispatch.RoleDispatcher, dispatch.RoleViewer} {
		token, err := s.MintStaff(role, "ann", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		wantIdentity(t, s, token, auth.Identity{Role: role, ID: "ann", Expires: clk.now.Add(time.Hour)})
	}
	token, _ := s.MintStaff(dispatch.RoleViewer, "ann", 0)
	expires := clk.now.Add(12 * time.Hour)
	wantIdentity(t, s, token, auth.Identity{Role: dispatch.RoleViewer, ID: "ann", Expires: expires})
	clk.now = expires
	wantRefused(t, s, token)
}

func TestMintRefuses(t *testing.T) {
	s, _, _ := newService(t)
	for name, mint := range map[string]func() (string, error){
		"a merchant's token":    func() (string, error) { return s.MintStaff(dispatch.RoleMerchant, "m1", 0) },
		"nobody's token":        func() (string, error) { return s.MintStaff(dispatch.RoleAdmin, "", 0) },
		"a token for ten years": func() (string, error) { return s.MintStaff(dispatch.RoleAdmin, "a", 87600*time.Hour) },
		"a token that is over":  func() (string, error) { return s.MintStaff(dispatch.RoleAdmin, "a", -1) },
		"a courier's, no session": func() (string, error) {
			token, _, err := s.MintCourier("c1", 0, 0)
			return token, err
		},
	} {
		if token, err := mint(); err == nil || token != "" {
			t.Errorf("%s: minted %q", name, token)
		}
	}
}

func TestCourierTokenEndsWithItsSession(t *testing.T) {
	s, store, _ := newService(t)
	store.epochs["c1"] = 3
	token, expires, err := s.MintCourier("c1", 3, 0)
	if err != nil {
		t.Fatal(err)
	}
	wantIdentity(t, s, token, auth.Identity{Role: dispatch.RoleCourier, ID: "c1", Epoch: 3, Expires: expires})
	store.epochs["c1"] = 4 // signed in elsewhere
	wantRefused(t, s, token)
	delete(store.epochs, "c1")
	wantRefused(t, s, token)
}

func TestForgedTokens(t *testing.T) {
	s, store, clk := newService(t)
	store.epochs["c1"] = 1
	good := func() jwt.MapClaims {
		return jwt.MapClaims{"iss": "courier", "aud": "courier", "sub": "ann", "role": "admin", "exp": clk.now.Add(time.Hour).Unix()}
	}
	sign := func(m jwt.SigningMethod, key any, change func(jwt.MapClaims)) string {
		c := good()
		change(c)
		token, err := jwt.NewWithClaims(m, c).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	set := func(name string, v any) func(jwt.MapClaims) { return func(c jwt.MapClaims) { c[name] = v } }
	drop := func(name string) func(jwt.MapClaims) { return func(c jwt.MapClaims) { delete(c, name) } }
	same := func(jwt.MapClaims) {}

	wantIdentity(t, s, sign(jwt.SigningMethodHS256, secret, same), auth.Identity{Role: dispatch.RoleAdmin, ID: "ann", Expires: clk.now.Add(time.Hour)})
	valid := sign(jwt.SigningMethodHS256, secret, same)
	parts := strings.Split(valid, ".")
	for name, token := range map[string]string{
		"no algorithm":             sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, same),
		"another algorithm":        sign(jwt.SigningMethodHS512, secret, same),
		"another secret":           sign(jwt.SigningMethodHS256, []byte("another"), same),
		"no expiry":                sign(jwt.SigningMethodHS256, secret, drop("exp")),
		"no subject":               sign(jwt.SigningMethodHS256, secret, drop("sub")),
		"no role":                  sign(jwt.SigningMethodHS256, secret, drop("role")),
		"no issuer":                sign(jwt.SigningMethodHS256, secret, drop("iss")),
		"no audience":              sign(jwt.SigningMethodHS256, secret, drop("aud")),
		"another issuer":           sign(jwt.SigningMethodHS256, secret, set("iss", "other")),
		"another audience":         sign(jwt.SigningMethodHS256, secret, set("aud", "other")),
		"role merchant":            sign(jwt.SigningMethodHS256, secret, set("role", "merchant")),
		"role customer":            sign(jwt.SigningMethodHS256, secret, set("role", "customer")),
		"role system":              sign(jwt.SigningMethodHS256, secret, set("role", "system")),
		"a courier with no epoch":  sign(jwt.SigningMethodHS256, secret, set("role", "courier")),
		"staff with an epoch":      sign(jwt.SigningMethodHS256, secret, set("epoch", 1)),
		"not yet valid":            sign(jwt.SigningMethodHS256, secret, set("nbf", clk.now.Add(time.Hour).Unix())),
		"signature cut":            valid[:len(valid)-1],
		"signature gone":           parts[0] + "." + parts[1] + ".",
		"claims changed":           parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"eve","role":"admin"}`)) + "." + parts[2],
		"not a token":              "hello",
		"nothing":                  "",
		"too long":                 strings.Repeat("a", 5000),
		"a key that never was":     "ck_" + strings.Repeat("a", 43),
		"a secret that never was":  "ct_" + strings.Repeat("a", 43),
		"the prefix and no more":   "ck_",
		"the word Bearer included": "Bearer " + valid,
	} {
		t.Run(name, func(t *testing.T) { wantRefused(t, s, token) })
	}
}

func TestKeys(t *testing.T) {
	s, store, clk := newService(t)
	k, plain, err := s.CreateKey(t.Context(), "m1", "till")
	if err != nil || !strings.HasPrefix(plain, "ck_") || len(plain) != 46 {
		t.Fatal(plain, err)
	}
	if bytes.Contains(store.keys[k.ID].Hash, []byte(plain)) || len(k.Hash) != 32 {
		t.Error("more than a hash is stored")
	}
	wantIdentity(t, s, plain, auth.Identity{Role: dispatch.RoleMerchant, ID: "m1"})
	if err := s.RevokeKey(t.Context(), k.ID); err != nil {
		t.Fatal(err)
	}
	wantRefused(t, s, plain)
	first := *store.keys[k.ID].RevokedAt
	clk.now = clk.now.Add(time.Hour)
	if err := s.RevokeKey(t.Context(), k.ID); err != nil || !store.keys[k.ID].RevokedAt.Equal(first) {
		t.Error("to revoke again changed something", err)
	}
	if err := s.RevokeKey(t.Context(), "no"); !errors.Is(err, dispatch.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestLinksCloseAfterTheEnd(t *testing.T) {
	s, store, clk := newService(t)
	_, long, err1 := s.CreateLink(t.Context(), "o1", 0)
	_, short, err2 := s.CreateLink(t.Context(), "o1", time.Hour)
	_, other, err3 := s.CreateLink(t.Context(), "o2", 0)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	ended := clk.now.Add(30 * time.Minute)
	for range 3 { // a message that comes again
		if err := s.CloseLinks(t.Context(), "o1", ended); err != nil {
			t.Fatal(err)
		}
	}
	if store.shortened != 1 {
		t.Errorf("%d commits, want 1: there was nothing left to do", store.shortened)
	}
	clk.now = ended.Add(24*time.Hour - 1)
	wantRefused(t, s, short) // is not lengthened
	if who, err := s.Check(t.Context(), long); err != nil || !who.Expires.Equal(ended.Add(24*time.Hour)) {
		t.Errorf("within the grace: %+v, %v", who, err)
	}
	clk.now = ended.Add(24 * time.Hour)
	wantRefused(t, s, long)
	if _, err := s.Check(t.Context(), other); err != nil {
		t.Errorf("another order's: %v", err)
	}
	store.down = errors.New("down")
	if err := s.CloseLinks(t.Context(), "o2", ended); !errors.Is(err, store.down) {
		t.Errorf("without a store: %v, so that it comes again", err)
	}
}

func TestLinks(t *testing.T) {
	s, store, clk := newService(t)
	l, plain, err := s.CreateLink(t.Context(), "o1", 0)
	if err != nil || !strings.HasPrefix(plain, "ct_") || len(plain) != 46 || len(store.links[l.ID].Hash) != 32 {
		t.Fatal(plain, err)
	}
	want := auth.Identity{Role: dispatch.RoleCustomer, ID: l.ID, Order: "o1", Expires: clk.now.Add(72 * time.Hour)}
	wantIdentity(t, s, plain, want)
	if err := s.RevokeLink(t.Context(), "o2", l.ID); !errors.Is(err, dispatch.ErrNotFound) {
		t.Errorf("revoked through another order: %v", err)
	}
	wantIdentity(t, s, plain, want)
	if err := s.RevokeLink(t.Context(), "o1", l.ID); err != nil {
		t.Fatal(err)
	}
	wantRefused(t, s, plain)

	_, short, err := s.CreateLink(t.Context(), "o1", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	clk.now = clk.now.Add(time.Minute)
	wantRefused(t, s, short)
	var invalid *dispatch.Invalid
	for _, ttl := range []time.Duration{-1, 1e6 * time.Hour} {
		if _, _, err := s.CreateLink(t.Context(), "o1", ttl); !errors.As(err, &invalid) {
			t.Errorf("%v: got %v", ttl, err)
		}
	}
}

func TestCodes(t *testing.T) {
	s, store, clk := newService(t)
	code, expires, err := s.CreateCode(t.Context(), "c1")
	if err != nil || len(code) != 8 || !expires.Equal(clk.now.Add(15*time.Minute)) {
		t.Fatal(code, expires, err)
	}
	for _, c := range store.codes {
		if bytes.Contains(c.Hash, []byte(code)) {
			t.Error("the code itself is stored")
		}
	}
	if courier, err := s.TakeCode(t.Context(), code); err != nil || courier != "c1" {
		t.Fatal(courier, err)
	}
	for name, bad := range map[string]string{"used": code, "empty": "", "short": "1234567", "letters": "1234567a", "other digits": "１２３４５６７８"} {
		if _, err := s.TakeCode(t.Context(), bad); !errors.Is(err, auth.ErrUnauthenticated) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	code, expires, _ = s.CreateCode(t.Context(), "c1")
	clk.now = expires
	if _, err := s.TakeCode(t.Context(), code); !errors.Is(err, auth.ErrUnauthenticated) {
		t.Errorf("expired: got %v", err)
	}
}

// A store that is down is no reason to say "unauthenticated": phones would
// throw their tokens away.
func TestStoreFailureIsNotARefusal(t *testing.T) {
	s, store, _ := newService(t)
	store.epochs["c1"] = 1
	token, _, _ := s.MintCourier("c1", 1, 0)
	_, key, _ := s.CreateKey(t.Context(), "m1", "")
	_, link, _ := s.CreateLink(t.Context(), "o1", 0)
	code, _, _ := s.CreateCode(t.Context(), "c1")
	store.down = dispatch.ErrUnavailable
	for _, bearer := range []string{token, key, link} {
		if _, err := s.Check(t.Context(), bearer); !errors.Is(err, dispatch.ErrUnavailable) || errors.Is(err, auth.ErrUnauthenticated) {
			t.Errorf("%.3s: got %v", bearer, err)
		}
	}
	if _, err := s.TakeCode(t.Context(), code); !errors.Is(err, dispatch.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

func FuzzCheck(f *testing.F) {
	store := newMemory()
	s, err := auth.New(auth.Config{Secret: secret}, store, start(), func() string { return "id" }, rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	token, _ := s.MintStaff(dispatch.RoleAdmin, "ann", 0)
	f.Add(token[:len(token)-2])
	f.Add("ck_")
	f.Add("ct_x")
	f.Fuzz(func(t *testing.T, bearer string) {
		if bearer != token {
			wantRefused(t, s, bearer)
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	store := newMemory()
	s, _ := auth.New(auth.Config{Secret: secret}, store, start(), func() string { return "id" }, rand.Reader)
	token, _ := s.MintStaff(dispatch.RoleAdmin, "ann", 0)
	_, key, _ := s.CreateKey(context.Background(), "m1", "")
	for name, bearer := range map[string]string{"token": token, "key": key} {
		b.Run("credential="+name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Check(b.Context(), bearer); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
