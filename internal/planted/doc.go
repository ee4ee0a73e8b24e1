// Package planted proves that the checker can see. It builds the server with
// one known bug in it, lets the simulator loose on that, and wants the ledger
// to object. The bugs are edits laid over the sources while they are compiled
// (go build -overlay): no file of the server knows of them, and no binary that
// anybody keeps has one.
//
//	bug → edits → overlay → server → rush, faults → ledger → the violations it must name
//
// Two of them run with every test, all with make planted.
package planted
