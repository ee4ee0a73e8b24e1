// Package replay runs the matcher over days that are known already, on a
// simulated clock: round by round, each with what was known by then.
//
//	mdrp.Instance ─► day: snapshot → match.Solve → instructions ─► Solution ─► Score, files
//	a store, or a made city ─► History ─► world: snapshot → match.Solve → plans ─► Outcome, beside others
package replay
