// Package jobs keeps durable timers: something that is to be done at a time, whatever happens to the process until then.
//
// # Promises
//
//   - A job is scheduled in the caller's transaction: it is there exactly if what it belongs to is.
//   - It runs at least once, not before its time, and again after a crash or an error; effects in the database are exactly
//     once for a handler that calls [Jobs.Done] in the transaction that makes them.
//   - A holder has a lease, and its context ends with the lease, so two never work at the same job at the same time.
//   - A clock that is set back delays nothing longer than it was set back, and a lease never outlives its length.
//   - After its last try a job is dead: kept, listed by [Jobs.Dead], never run until [Jobs.Revive].
//
// One table, job; see migrations. A payload is the handler's business; put ids there, not secrets.
package jobs
