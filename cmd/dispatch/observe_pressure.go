package main

import "courier/internal/pressure"

// observePressure names the figures of what is turned away.
func (n *node) observePressure(gauge func(name, help string, read func() float64)) {
	gauge("pressure", "1 while there is more to do than goes.", func() float64 {
		if n.gate.Pressed() {
			return 1
		}
		return 0
	})
	gauge("work_limit", "Orders and reads that may be worked on at once; fewer under overload.", func() float64 { return float64(n.gate.Stats().Limit) })
	gauge("work_busy", "Orders and reads that are worked on.", func() float64 { return float64(n.gate.Stats().Busy) })
	gauge("work_waiting", "Orders and reads that wait to be worked on.", func() float64 { return float64(n.gate.Stats().Waiting) })
	for _, class := range pressure.Sheddable() {
		n.metrics.Counter("courier_shed_total", "What was turned away because there was too much to do, by class.",
			map[string]string{"class": class.String()}, func() float64 { return float64(n.gate.Stats().Shed[class]) })
	}
}
