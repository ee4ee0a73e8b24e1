package auth

import (
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"courier/dispatch"
)

// claims are what a signed token says.
type claims struct {
	jwt.RegisteredClaims
	Role  dispatch.Role `json:"role"`
	Epoch int64         `json:"epoch,omitempty"` // couriers: the session
}

// tokens signs and reads JSON Web Tokens (RFC 7519). The algorithm is
// pinned: what a token's header asks for is not obeyed.
type tokens struct {
	config Config
	now    func() time.Time
	parser *jwt.Parser
}

func newTokens(c Config, now func() time.Time) tokens {
	return tokens{config: c, now: now, parser: jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithIssuer(c.Issuer), jwt.WithAudience(c.Audience),
		jwt.WithExpirationRequired(), jwt.WithTimeFunc(now), jwt.WithStrictDecoding(),
	)}
}

func (t tokens) sign(who Identity) (string, error) {
	c := claims{Role: who.Role, Epoch: who.Epoch, RegisteredClaims: jwt.RegisteredClaims{
		Issuer: t.config.Issuer, Audience: jwt.ClaimStrings{t.config.Audience}, Subject: who.ID,
		IssuedAt: jwt.NewNumericDate(t.now()), ExpiresAt: jwt.NewNumericDate(who.Expires),
	}}
	signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, c).SignedString(t.config.Secret)
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	return signed, nil
}

// parse returns ErrUnauthenticated, without the reason: it would help only
// whoever forges tokens.
func (t tokens) parse(bearer string) (Identity, error) {
	var c claims
	_, err := t.parser.ParseWithClaims(bearer, &c, func(*jwt.Token) (any, error) { return t.config.Secret, nil })
	if err != nil || c.Subject == "" || !signedRole(c.Role) || (c.Role == dispatch.RoleCourier) != (c.Epoch > 0) {
		return Identity{}, ErrUnauthenticated
	}
	return Identity{Role: c.Role, ID: c.Subject, Epoch: c.Epoch, Expires: c.ExpiresAt.UTC()}, nil
}

// signedRole says whether a token may carry the role. Merchants and customers
// have secrets instead, which can be revoked one by one.
func signedRole(r dispatch.Role) bool { return staff(r) || r == dispatch.RoleCourier }

func staff(r dispatch.Role) bool {
	return r == dispatch.RoleAdmin || r == dispatch.RoleDispatcher || r == dispatch.RoleViewer
}

// MintStaff signs a token for a member of staff, valid for ttl (0: StaffTTL).
func (s *Service) MintStaff(role dispatch.Role, subject string, ttl time.Duration) (token string, err error) {
	if !staff(role) {
		return "", fmt.Errorf("mint a token: %q is no role of staff", role)
	}
	token, _, err = s.mint(Identity{Role: role, ID: subject}, ttl, s.config.StaffTTL)
	return token, err
}

// MintCourier signs a token for a courier's session, valid for ttl (0:
// CourierTTL) and only while the session's epoch is the courier's newest.
func (s *Service) MintCourier(courier string, epoch int64, ttl time.Duration) (token string, expires time.Time, err error) {
	if epoch < 1 {
		return "", time.Time{}, fmt.Errorf("mint a token: courier %s has no session", courier)
	}
	return s.mint(Identity{Role: dispatch.RoleCourier, ID: courier, Epoch: epoch}, ttl, s.config.CourierTTL)
}

func (s *Service) mint(who Identity, ttl, otherwise time.Duration) (string, time.Time, error) {
	if ttl == 0 {
		ttl = otherwise
	}
	if who.ID == "" || ttl < 0 || ttl > s.config.MaxTTL {
		return "", time.Time{}, fmt.Errorf("mint a token: for %q, valid for %v (at most %v)", who.ID, ttl, s.config.MaxTTL)
	}
	who.Expires = s.clock.Now().Add(ttl).Truncate(time.Second) // as exact as a token is
	token, err := s.tokens.sign(who)
	return token, who.Expires, err
}
