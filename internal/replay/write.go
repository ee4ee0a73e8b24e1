package replay

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
)

// Write writes the three files of the solution into a folder of out, made if
// need be, that bears the instance's name.
func (s Solution) Write(out string) error {
	dir := filepath.Join(out, s.Instance.Name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("write solution: %w", err)
	}
	var assignments, orders, moves bytes.Buffer
	fmt.Fprintln(&assignments, "time pickup_time courier orders")
	fmt.Fprintln(&orders, "order placement_time ready_time pickup_time dropoff_time courier")
	fmt.Fprintln(&moves, "courier departure_time origin destination")
	placed := s.byOrder()
	for _, t := range s.Tasks {
		fmt.Fprintf(&assignments, "%d %d %s", t.Given, t.Pickup, t.Courier)
		from := t.From
		if from == "" {
			from = "0"
		}
		fmt.Fprintln(&moves, t.Courier, t.Given, from, t.To)
		from = t.To
		for _, d := range t.Drops {
			o := placed[d.Order]
			fmt.Fprintf(&assignments, " %s", d.Order)
			fmt.Fprintln(&orders, d.Order, o.Placed, o.Ready, t.Pickup, d.At, t.Courier)
			fmt.Fprintln(&moves, t.Courier, d.Leave, from, d.Order)
			from = d.Order
		}
		fmt.Fprintln(&assignments)
	}
	for name, text := range map[string]*bytes.Buffer{"assignments": &assignments, "orders": &orders, "couriers": &moves} {
		path := filepath.Join(dir, "solution_info_"+name+".txt")
		if err := os.WriteFile(path, text.Bytes(), 0o644); err != nil {
			return fmt.Errorf("write solution: %w", err)
		}
	}
	return nil
}
