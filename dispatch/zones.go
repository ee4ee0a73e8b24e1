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
	return s.saveZone(ctx, Zone{Name: name, Area: area, ChangedBy: by}, 0)
}

// UpdateZone replaces a service area. version is the one that the caller saw,
// 0: whatever it is now; ErrConflict: it has moved on.
func (s *Service) UpdateZone(ctx context.Context, by Actor, id string, version int64, name string, area geo.Area) (Zone, error) {
	return s.saveZone(ctx, Zone{ID: id, Name: name, Area: area, ChangedBy: by}, version)
}

func (s *Service) saveZone(ctx context.Context, z Zone, version int64) (Zone, error) {
	var f faults
	f.needed("name", z.Name, maxShort)
	if err := f.err(); err != nil {
		return Zone{}, err
	}
	fresh := z.ID == ""
	if fresh {
		z.ID = s.NewID()
	}
	z.ChangedAt = s.Clock.Now()
	err := s.Store.Update(ctx, func(tx Tx) error {
		seen := int64(0)
		if !fresh {
			old, err := tx.Zone(z.ID)
			if err != nil {
				return err
			}
			if err := old.sees(version); err != nil {
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
	s.Log.LogAttrs(ctx, slog.LevelInfo, "zone saved", slog.String("zone_id", z.ID), slog.String("by", z.ChangedBy.ID))
	return z, nil
}

// sees says whether a caller that saw a version sees this one.
func (z Zone) sees(version int64) error {
	if version != 0 && version != z.Version {
		return fmt.Errorf("zone %q is version %d, not %d: %w", z.ID, z.Version, version, ErrConflict)
	}
	return nil
}

// DeleteZone forgets a service area; version is as in UpdateZone.
func (s *Service) DeleteZone(ctx context.Context, by Actor, id string, version int64) error {
	err := s.Store.Update(ctx, func(tx Tx) error {
		old, err := tx.Zone(id)
		if err != nil {
			return err
		}
		if err := old.sees(version); err != nil {
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
