package dispatch

import (
	"hash/fnv"
	"sync"
)

// nodes are those whose loops live, as far as this one knows.
type nodes struct {
	mu    sync.RWMutex
	alive []string
}

func (n *nodes) set(alive []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.alive = alive
}

// of is the node that an area belongs to; empty where that is not known.
func (n *nodes) of(area string) string {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return fallsTo(area, n.alive)
}

// fallsTo is the node that an area belongs to: of all nodes the one that
// scores highest with it. When a node comes or goes, only its own areas move.
func fallsTo(area string, nodes []string) (node string) {
	best := uint64(0)
	for _, n := range nodes {
		h := fnv.New64a()
		_, _ = h.Write([]byte(area + "\x00" + n)) // never fails
		if score := mixed(h.Sum64()); node == "" || score > best || score == best && n < node {
			node, best = n, score
		}
	}
	return node
}

// mixed spreads what differs in few bits over all of them (splitmix64).
func mixed(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// look asks the nodes that areas belong to for a round now.
func (s *Service) look(areas ...string) {
	for _, area := range areas {
		switch node := s.nodes.of(area); {
		case node == "" || node == s.Node || s.WakeNode == nil:
			s.Wake()
		default:
			s.WakeNode(node)
		}
	}
}
