// Package replay runs the matcher over days that are known already, on a
// simulated clock: a round every minute, which sees what was known by then.
//
//	mdrp.Instance ─► day: snapshot → match.Solve → instructions ─► Solution ─► Score, files
package replay
