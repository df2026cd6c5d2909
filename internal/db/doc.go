// Package db is the node's database: one SQLite file, one writer, many readers.
//
// # Promises
//
//   - [DB.Write] answers nil only after its transaction is on disk (write-ahead log, synchronous=FULL, one fsync per
//     commit). Writes that wait at the same time share one transaction and one fsync; each stands alone in it: one that
//     fails is rolled back without the others. A lone write waits for nobody.
//   - A write runs exactly once. One whose context ends before it began never runs; one that began is carried through.
//   - An error is not always a no: after a failed commit nobody knows what the disk kept. Such a write is answered with
//     [polder.Unavailable] and may be there after a restart, so every write is repeatable by its id.
//   - The first failed read, write or fsync of the disk, or a damaged page, ends the database for this process:
//     [DB.Failed] is closed and no write is acknowledged any more. A full disk does not: it refuses the write with
//     [polder.Full] and goes on when there is room.
//   - Another process (a command with --data) may write to the same file at any time. So nothing read from the database
//     may be trusted across transactions unless it is read again inside one.
//
// # Rules for callers
//
// Times and durations are stored as numbers; a time.Time as an argument is refused. Statements are prepared once per
// text and connection and kept, so put values into arguments and not into the text. Never open, hash or copy the
// database's files while they are in use: use VACUUM INTO on a reader.
package db
