package dispatch

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"courier/geo"
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

// CreateZone makes a service area.
func (s *Service) CreateZone(ctx context.Context, by Actor, name string, area geo.Area) (Zone, error) {
	return s.saveZone(ctx, by, Zone{Name: name, Area: area})
}

// UpdateZone replaces a service area.
func (s *Service) UpdateZone(ctx context.Context, by Actor, id, name string, area geo.Area) (Zone, error) {
	return s.saveZone(ctx, by, Zone{ID: id, Name: name, Area: area})
}

func (s *Service) saveZone(ctx context.Context, by Actor, z Zone) (Zone, error) {
	var f faults
	f.needed("name", z.Name, maxShort)
	if err := f.err(); err != nil {
		return Zone{}, err
	}
	fresh := z.ID == ""
	if fresh {
		z.ID = s.NewID()
	}
	err := s.Store.Update(ctx, func(tx Tx) error {
		seen := int64(0)
		if !fresh {
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
	s.Log.LogAttrs(ctx, slog.LevelInfo, "zone saved", slog.String("zone_id", z.ID), slog.String("by", by.ID))
	return z, nil
}

// DeleteZone forgets a service area.
func (s *Service) DeleteZone(ctx context.Context, by Actor, id string) error {
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
	s.Log.LogAttrs(ctx, slog.LevelInfo, "zone deleted", slog.String("zone_id", id), slog.String("by", by.ID))
	return nil
}
