package main

import (
	"crypto/rand"
	"fmt"
	"path/filepath"
	"time"

	"courier/dispatch"
	"courier/internal/auth"
	"courier/internal/clock"
)

type tokenCommand struct {
	Role    string        `required:"" enum:"admin,dispatcher,viewer" help:"admin, dispatcher or viewer."`
	Subject string        `default:"operator" help:"Who it is for; named in the history of what they do."`
	TTL     time.Duration `default:"12h" name:"ttl" help:"How long it is good, in the server's time."`
	secretFlags
}

// secretFlags find the key that signs tokens.
type secretFlags struct {
	AuthSecret string `help:"Key that signs tokens, 32 bytes or more. Default: made once and kept in --data-dir." placeholder:"KEY" group:"Data"`
	DataDir    string `default:"./data" help:"Where the SQLite file and the signing key are." type:"path" group:"Data"`
}

func (f secretFlags) secret() ([]byte, error) {
	if f.AuthSecret != "" {
		return []byte(f.AuthSecret), nil
	}
	return auth.LoadOrCreateSecret(filepath.Join(f.DataDir, "auth.secret"))
}

func (c tokenCommand) Run(s *streams, wrong *settings) error {
	if c.TTL <= 0 {
		wrong.add("ttl", "%s is not over 0", c.TTL)
	}
	if err := wrong.err(); err != nil {
		return err
	}
	secret, err := c.secret()
	if err != nil {
		return err
	}
	service, err := auth.New(auth.Config{Secret: secret}, nil, clock.New(time.Now(), 1), newID, rand.Reader)
	if err != nil {
		return err
	}
	token, err := service.MintStaff(dispatch.Role(c.Role), c.Subject, c.TTL)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.out, token)
	return err
}
