package web

import (
	"net/http"
	"time"

	"courier/dispatch"
)

// putProof keeps a picture that a courier took. Its bytes say what it is,
// not its sender.
func (s *Server) putProof(c *call) (answer, error) {
	q, err := newQuery(c.Request, "kind")
	if err != nil {
		return answer{}, err
	}
	kind := dispatch.ProofKind(q.text("kind"))
	if err := q.err(); err != nil {
		return answer{}, err
	}
	body, err := c.body()
	if err != nil {
		return answer{}, err
	}
	file, err := s.deps.Dispatch.AddProof(c.Context(), c.who.ID, c.who.Epoch, dispatch.NewProof{
		ID: c.vars["proof"], Order: c.id(), Kind: kind, Data: body,
	})
	return answer{body: file}, err
}

func (s *Server) readProof(c *call) (answer, error) {
	file, err := s.deps.Dispatch.ProofFile(c.Context(), c.scope(), c.id(), c.vars["proof"])
	return picture(file), err
}

func (s *Server) trackProof(c *call) (answer, error) {
	file, err := s.deps.Dispatch.CustomerProofFile(c.Context(), c.who.Order, c.vars["proof"])
	return picture(file), err
}

// picture is a file as it came, which a browser must not take for anything
// else (nosniff is set for every answer) nor run.
func picture(f dispatch.ProofFile) answer {
	return answer{body: plain{f.Type, f.Data}, header: http.Header{
		"Content-Security-Policy": {"default-src 'none'; sandbox"},
		"Content-Disposition":     {"inline"},
	}}
}

// day is what became of a courier's own orders, since its midnight say.
func (s *Server) day(c *call) (answer, error) {
	q, err := newQuery(c.Request, "from", "to")
	if err != nil {
		return answer{}, err
	}
	from, to := q.time("from"), q.time("to")
	if !q.values.Has("from") {
		q.fault("from", "is missing")
	}
	if to.IsZero() {
		to = s.deps.Clock.Now().Add(time.Minute) // what has just ended is in it
	}
	if len(q.wrong) == 0 && (!from.Before(to) || to.Sub(from) > dispatch.MaxDay) {
		q.fault("from", "must be before to, by 7 days at most")
	}
	if err := q.err(); err != nil {
		return answer{}, err
	}
	day, err := s.deps.Dispatch.Day(c.Context(), c.who.ID, from, to)
	return answer{body: day}, err
}
