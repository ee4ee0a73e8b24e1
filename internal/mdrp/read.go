package mdrp

import (
	"bufio"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// The files of an instance.
const (
	ordersFile      = "orders.txt"
	restaurantsFile = "restaurants.txt"
	couriersFile    = "couriers.txt"
	parametersFile  = "instance_parameters.txt"
)

// Is says whether a folder looks like an instance.
func Is(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, parametersFile))
	return err == nil
}

// Read reads the instance in a folder. Its error names every file that is
// missing or wrong, and the line of the first fault in each.
func Read(dir string) (*Instance, error) {
	whole, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("read instance %s: %w", dir, err)
	}
	in := &Instance{Name: filepath.Base(whole)}
	kitchens := map[string]int{}
	places := map[string]string{} // the three files share one space of names
	named := func(r *row) string {
		id := r.word(0)
		if before, taken := places[id]; taken {
			r.fail("%q is in %s already", id, before)
		}
		places[id] = fmt.Sprintf("%s, line %d", filepath.Base(r.path), r.line)
		return id
	}
	restaurants := read(filepath.Join(dir, restaurantsFile), 3, func(r *row) {
		k := Restaurant{ID: named(r), At: At{r.number(1), r.number(2)}}
		kitchens[k.ID] = len(in.Restaurants)
		in.Restaurants = append(in.Restaurants, k)
	})
	orders := read(filepath.Join(dir, ordersFile), 6, func(r *row) {
		o := Order{ID: named(r), At: At{r.number(1), r.number(2)}, Placed: r.minute(3), Ready: r.minute(5)}
		k, ok := kitchens[r.word(4)]
		if !ok && restaurants == nil {
			r.fail("no restaurant %q in %s", r.word(4), restaurantsFile)
		}
		if o.Ready < o.Placed {
			r.fail("ready at %d, before it is placed at %d", o.Ready, o.Placed)
		}
		o.Restaurant = k
		in.Orders = append(in.Orders, o)
	})
	couriers := read(filepath.Join(dir, couriersFile), 5, func(r *row) {
		c := Courier{ID: named(r), At: At{r.number(1), r.number(2)}, On: r.minute(3), Off: r.minute(4)}
		if c.ID == "0" {
			r.fail(`a courier cannot be called "0"`)
		}
		if c.Off < c.On {
			r.fail("off at %d, before it is on at %d", c.Off, c.On)
		}
		in.Couriers = append(in.Couriers, c)
	})
	n := 0
	parameters := read(filepath.Join(dir, parametersFile), 4, func(r *row) {
		if n++; n > 1 {
			r.fail("one row is all there should be")
		}
		in.Speed, in.Pickup, in.Dropoff, in.Target = r.number(0), r.number(1), r.number(2), r.number(3)
		if !(in.Speed > 0) {
			r.fail("%v metres a minute", in.Speed)
		}
		for _, service := range []float64{in.Pickup, in.Dropoff} {
			if service < 0 || math.Mod(service, 2) != 0 {
				r.fail("a service of %v minutes: half of it has to be whole", service)
			}
		}
	})
	if err := errors.Join(restaurants, orders, couriers, parameters); err != nil {
		return nil, fmt.Errorf("read instance %s: %w", in.Name, err)
	}
	return in, nil
}

// row is a line of a table; the first fault found in it stays.
type row struct {
	path  string
	line  int
	cells []string
	err   error
}

func (r *row) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%s, line %d: %s", r.path, r.line, fmt.Sprintf(format, args...))
	}
}

func (r *row) word(i int) string {
	if strings.ContainsAny(r.cells[i], " \r") || r.cells[i] == "" {
		r.fail("column %d: %q is no name", i+1, r.cells[i])
	}
	return r.cells[i]
}

func (r *row) number(i int) float64 {
	v, err := strconv.ParseFloat(r.cells[i], 64)
	if err != nil || math.Abs(v) > maxNumber || math.IsNaN(v) {
		r.fail("column %d: %q is no number", i+1, r.cells[i])
	}
	return v
}

// maxNumber keeps places on the map and sums exact.
const maxNumber = 1e6

func (r *row) minute(i int) int {
	v, err := strconv.Atoi(r.cells[i])
	if err != nil || v < -maxNumber || v > maxNumber {
		r.fail("column %d: %q is no whole minute", i+1, r.cells[i])
	}
	return v
}

// read gives each row of a tab-separated file with a header row and at least
// so many columns to yield, up to the first fault.
func read(path string, columns int, yield func(*row)) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	lines, n := bufio.NewScanner(f), 0
	for line := 1; lines.Scan(); line++ {
		text := strings.TrimSuffix(lines.Text(), "\r")
		if line == 1 || strings.TrimSpace(text) == "" {
			continue
		}
		r := &row{path: path, line: line, cells: strings.Split(text, "\t")}
		if len(r.cells) < columns {
			return fmt.Errorf("%s, line %d: %d columns, not %d", path, line, len(r.cells), columns)
		}
		if yield(r); r.err != nil {
			return r.err
		}
		n++
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if n == 0 {
		return fmt.Errorf("%s: no rows", path)
	}
	return nil
}
