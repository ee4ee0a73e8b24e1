package dispatch

import (
	"context"
	"errors"
	"time"
)

// The errors that a Store and the Service return, to be told apart with
// errors.Is.
var (
	ErrNotFound = errors.New("not found")
	ErrConflict = errors.New("conflict")          // the version or state has moved on
	ErrCapacity = errors.New("capacity exceeded") // a plan that the courier cannot load

	ErrOutsideZones = errors.New("outside every service zone")
	ErrKeyReused    = errors.New("idempotency key used for another request")
	ErrStaleSession = errors.New("signed in elsewhere, or revoked")
	ErrUnavailable  = errors.New("unavailable") // the store cannot commit now
)

// Store keeps the truth.
type Store interface {
	OrderReader
	CourierReader
	// Update runs fn in one durable, serialisable transaction: what fn wrote
	// is on disk when Update returns nil, and nowhere when it returns an
	// error. Many callers may share a commit. fn must not block, must not
	// keep tx, and may run again after a serialisation failure.
	Update(ctx context.Context, fn func(tx Tx) error) error
	// Create stores a new order, its first events with an outbox row each,
	// and the answer to its key, in one durable commit that many callers
	// share. If the key has an answer already, nothing is stored and that
	// answer is returned. ErrConflict: the order's id is taken. When ctx ends
	// or the store becomes unavailable meanwhile, it may have been done or
	// not: the same key again tells.
	Create(ctx context.Context, c Creation) (kept *Answer, err error)
	// Leases takes or renews a holder's leases of areas for a time, by the
	// store's clock, and returns the token of each that it holds now. A token
	// grows whenever its area changes hands, and never goes back; a newer Run
	// of the same Node takes over at once. A ttl of 0 gives back.
	Leases(ctx context.Context, h Holder, areas []string, ttl time.Duration) (tokens map[string]int64, err error)
	// Beat says that a node lives, for a time by the store's clock, and
	// returns all that do, sorted. A ttl of 0: it leaves.
	Beat(ctx context.Context, node string, ttl time.Duration) (alive []string, err error)
	// Areas returns the areas that have orders placed or searching, sorted.
	Areas(ctx context.Context) ([]string, error)
	// Purge deletes answers, decisions and departed nodes older than a time.
	Purge(ctx context.Context, before time.Time) error
	// PurgeProofs deletes pictures older than a time.
	PurgeProofs(ctx context.Context, before time.Time) error
}

// OrderReader reads committed orders.
type OrderReader interface {
	Order(ctx context.Context, id string) (Order, error) // ErrNotFound
	// OrdersByID returns those that exist, by id ascending.
	OrdersByID(ctx context.Context, ids []string) ([]Order, error)
	// Orders lists by (placed time, id) descending and returns the cursor of
	// the next page, empty at the end.
	Orders(ctx context.Context, q OrderQuery) (page []Order, next string, err error)
	// CountOrders counts what Orders would list, whatever Limit and Cursor.
	CountOrders(ctx context.Context, q OrderQuery) (int, error)
	// EachOrder calls fn with each order that CountOrders would count, one
	// after the other in no order. It stops at the first error of fn and
	// returns it. fn must not ask the store.
	EachOrder(ctx context.Context, q OrderQuery, fn func(Order) error) error
	// Versions returns the versions of those orders that exist.
	Versions(ctx context.Context, ids []string) (map[string]int64, error)
	// Events returns an order's events with a version over after, ascending.
	Events(ctx context.Context, order string, after int64) ([]Event, error)
	// EventsByOrder returns all events of some orders, by order and version.
	EventsByOrder(ctx context.Context, orders []string) ([]Event, error)
	// Decisions returns at most limit decisions on an order, newest first.
	Decisions(ctx context.Context, order string, limit int) ([]Decision, error)
	Zones(ctx context.Context) ([]Zone, error) // by id
	// ProofFile is a picture of an order with its Data; ErrNotFound.
	ProofFile(ctx context.Context, order, id string) (ProofFile, error)
}

// CourierReader reads committed couriers and offers.
type CourierReader interface {
	Courier(ctx context.Context, id string) (Courier, error) // ErrNotFound
	// Couriers lists by id ascending.
	Couriers(ctx context.Context, q CourierQuery) (page []Courier, next string, err error)
	// CouriersByID returns those that exist, by id ascending.
	CouriersByID(ctx context.Context, ids []string) ([]Courier, error)
	// Starting returns at most limit couriers who are off duty and whose shift
	// begins after one time and not after another, at a Start that is known;
	// who starts soonest first.
	Starting(ctx context.Context, after, until time.Time, limit int) ([]Courier, error)
	// Duties returns a courier's changes of duty in [from, to), oldest first,
	// and before them the last one until from.
	Duties(ctx context.Context, courier string, from, to time.Time) ([]DutyChange, error)
	Offer(ctx context.Context, id string) (Offer, error) // ErrNotFound
	// OpenOffers returns the open offers with a deadline before a time.
	OpenOffers(ctx context.Context, before time.Time) ([]Offer, error)
}

// Tx is a transaction. Its reads lock what they return and see its writes.
// Lock order: courier, then order.
type Tx interface {
	Order(id string) (Order, error)
	// SaveOrder writes an order whose version was seen when it was read (0:
	// it is new), its new events and one outbox row for each.
	// ErrConflict: another version is stored.
	SaveOrder(o Order, seen int64, events []Event) error
	// CheckLease returns ErrConflict unless the token is an area's newest
	// (I5). The lease cannot change hands before the transaction ends.
	CheckLease(area string, token int64) error
	Courier(id string) (Courier, error)
	// SaveCourier is SaveOrder's like; it writes one outbox row.
	// ErrCapacity: Load is over Capacity.
	SaveCourier(c Courier, seen int64) error
	// SaveDuty keeps a change of duty. ErrConflict: it is kept already.
	SaveDuty(d DutyChange) error
	Offer(id string) (Offer, error)
	SaveOffer(o Offer) error
	Zone(id string) (Zone, error)
	Zones() ([]Zone, error)
	SaveZone(z Zone, seen int64) error
	DeleteZone(id string) error
	SaveDecision(d Decision) error
	// Answer is what was once answered to a key in a scope; ErrNotFound.
	Answer(scope, key string) (Answer, error)
	SaveAnswer(a Answer) error
	// ProofFiles are an order's pictures without their Data, by id.
	ProofFiles(order string) ([]ProofFile, error)
	// SaveProofFile keeps a picture. ErrConflict: the order has one with its id.
	SaveProofFile(f ProofFile) error
}

// Creation is a new order as it is stored at first.
type Creation struct {
	Order  Order
	Events []Event
	Answer Answer
}

// Holder is who holds leases.
type Holder struct {
	Node string // the same after a restart
	Run  string // new at each start of the process, and sorts after the ones before
}

// Answer is a kept answer to an idempotent request.
type Answer struct {
	Scope string // whose key: "orders/<merchant>", "courier/<id>"
	Key   string
	Hash  []byte // of the request
	Body  []byte
	At    time.Time
}

// OrderQuery selects orders; a zero field selects all.
type OrderQuery struct {
	Merchant    string
	Statuses    []Status
	Courier     string
	Reference   string
	PlacedFrom  time.Time // inclusive
	PlacedTo    time.Time // exclusive
	ReadyBy     time.Time // ready by then; some that are not may be among them
	ChangedFrom time.Time // changed last at or after
	ChangedTo   time.Time // changed last before
	Open        bool      // only those that are not Terminal
	Areas       []string  // whose pickup lies in one of these, see Order.Area
	Limit       int       // 1-1000; 0: 50
	Cursor      string    // ErrCursor when it is none of ours
}

// CourierQuery selects couriers; a zero field selects all.
type CourierQuery struct {
	Duty   []Duty
	Limit  int // 1-1000; 0: 50
	Cursor string
}

// ErrCursor says that a page's cursor is none that was handed out.
var ErrCursor = errors.New("bad cursor")
