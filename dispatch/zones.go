package dispatch

import (
	"context"
	"fmt"
	"time"
)

// zoneAge bounds how long a change of zones made on another node goes
// unnoticed.
const zoneAge = time.Second

type zoneCache = cached[[]Zone]

// Zones lists the service areas.
func (s *Service) Zones(ctx context.Context) ([]Zone, error) {
	zones, err := s.Store.Zones(ctx)
	if err != nil {
		return nil, fmt.Errorf("list zones: %w", err)
	}
	return zones, nil
}

// SaveZone makes a zone (an empty id) or replaces one.
func (s *Service) SaveZone(ctx context.Context, z Zone) (Zone, error) {
	var f faults
	f.needed("name", z.Name, maxShort)
	if err := f.err(); err != nil {
		return Zone{}, err
	}
	err := s.Store.Update(ctx, func(tx Tx) error {
		seen := int64(0)
		if z.ID == "" {
			z.ID = s.NewID()
		} else {
			old, err := tx.Zone(z.ID)
			if err != nil {
				return err
			}
			seen = old.Version
		}
		z.Version = seen + 1
		return tx.SaveZone(z, seen)
	})
	if err != nil {
		return Zone{}, fmt.Errorf("save zone: %w", err)
	}
	s.zones.drop()
	return z, nil
}

// DeleteZone forgets a zone.
func (s *Service) DeleteZone(ctx context.Context, id string) error {
	err := s.Store.Update(ctx, func(tx Tx) error {
		if _, err := tx.Zone(id); err != nil {
			return err
		}
		return tx.DeleteZone(id)
	})
	if err != nil {
		return fmt.Errorf("delete zone: %w", err)
	}
	s.zones.drop()
	return nil
}
