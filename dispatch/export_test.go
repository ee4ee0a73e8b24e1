package dispatch

import "time"

// SetLease sets how long a loop's leases last.
func (l *Loop) SetLease(ttl time.Duration) { l.ttl = ttl }

// FallsTo says which of some nodes an area belongs to.
func FallsTo(area string, nodes []string) string { return fallsTo(area, nodes) }
