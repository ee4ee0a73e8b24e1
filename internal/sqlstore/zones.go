package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"courier/dispatch"
)

// zoneDoc is what of a zone is not in a column of its own. An area is kept
// as it came; one that was never set is left out.
type zoneDoc struct {
	Name      string          `json:"name"`
	Area      json.RawMessage `json:"area,omitempty"`
	ChangedBy dispatch.Actor  `json:"changed_by,omitzero"`
	ChangedAt time.Time       `json:"changed_at,omitzero"`
}

func scanZone(row scanner) (z dispatch.Zone, err error) {
	var raw []byte
	if err := row.Scan(&z.ID, &z.Version, &raw); err != nil {
		return z, err
	}
	var d zoneDoc
	if err := decode("zone", z.ID, raw, &d); err != nil {
		return z, err
	}
	z.Name, z.ChangedBy, z.ChangedAt = d.Name, d.ChangedBy, d.ChangedAt
	if d.Area != nil {
		err = decode("area of zone", z.ID, d.Area, &z.Area)
	}
	return z, err
}

const (
	selectZone  = "SELECT id, version, doc FROM zones WHERE id = $1"
	selectZones = "SELECT id, version, doc FROM zones ORDER BY id"
)

// Zones implements dispatch.OrderReader.
func (s *Store) Zones(ctx context.Context) ([]dispatch.Zone, error) {
	zones, err := collect(ctx, s.read, scanZone, selectZones)
	return zones, s.dialect.failed(err, "list zones")
}

func (t *tx) Zone(id string) (dispatch.Zone, error) {
	if err := t.use("zone", id); err != nil {
		return dispatch.Zone{}, err
	}
	z, err := scanZone(t.q.QueryRowContext(context.Background(), t.forUpdate(selectZone), id))
	return z, t.missing(err, "zone", id)
}

// Zones is read for every order that is placed, so it locks nothing: zones
// change rarely and an order that just missed a change is no fault.
func (t *tx) Zones() ([]dispatch.Zone, error) {
	if t.closed {
		return nil, errTxKept
	}
	zones, err := collect(context.Background(), t.q, scanZone, selectZones)
	return zones, t.dialect.failed(err, "list zones")
}

// SaveZone implements dispatch.Tx.
func (t *tx) SaveZone(z dispatch.Zone, seen int64) error {
	if err := t.use("zone", z.ID); err != nil {
		return err
	}
	attempted := fmt.Sprintf("save zone %q", z.ID)
	switch {
	case z.ID == "":
		return t.fail(errors.New("save zone: no id"))
	case seen < 0 || z.Version <= seen:
		return t.fail(fmt.Errorf("%s: version goes from %d to %d", attempted, seen, z.Version))
	}
	area, err := z.Area.MarshalJSON()
	if err != nil {
		return t.fail(fmt.Errorf("%s: %w", attempted, err))
	}
	if string(area) == "null" {
		area = nil
	}
	doc, err := encode("zone", z.ID, zoneDoc{Name: z.Name, Area: area, ChangedBy: z.ChangedBy, ChangedAt: z.ChangedAt})
	if err != nil {
		return t.fail(err)
	}
	var n int64
	if seen == 0 {
		n, err = t.exec(attempted, "INSERT INTO zones (id, version, doc) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING", z.ID, z.Version, doc)
	} else {
		n, err = t.exec(attempted, "UPDATE zones SET version = $1, doc = $2 WHERE id = $3 AND version = $4", z.Version, doc, z.ID, seen)
	}
	if err == nil && n == 0 {
		t.exists("zone", z.ID)
		return fmt.Errorf("zone %q is no longer version %d: %w", z.ID, seen, dispatch.ErrConflict)
	}
	return err
}

// DeleteZone implements dispatch.Tx; ErrNotFound.
func (t *tx) DeleteZone(id string) error {
	if err := t.use("zone", id); err != nil {
		return err
	}
	n, err := t.exec(fmt.Sprintf("delete zone %q", id), "DELETE FROM zones WHERE id = $1", id)
	if err == nil && n == 0 {
		return fmt.Errorf("zone %q: %w", id, dispatch.ErrNotFound)
	}
	return err
}
