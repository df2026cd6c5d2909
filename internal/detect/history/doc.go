// Package history keeps the events of the past, or only the values in them that an indicator can name, so that what is
// learned today can be looked for in what happened before. Nothing in it leaves the machine.
//
// A [Store] is a folder and needs nothing else:
//
//	key                                     secret by which records are recognised again
//	day=2026-11-22/14-000003.parquet        a segment: events that happened from 14:00 to 15:00 UTC, sorted by time
//	day=2026-11-22/_filters                 for each segment of the day a filter of all values in it
//	day=undated/00-000001.parquet           events that do not say when they happened
//
// Segments are plain Parquet (zstd, bloom filters on the columns that are looked up) with columns named as in OCSF; any
// lake engine reads them, and the folder's names are a partition by day. An hour has one segment or a few: what arrives
// late gets a segment of its own, and small ones are merged. A segment is written beside, made durable and then renamed,
// so that a crash leaves whole segments only; what it interrupted is removed by the next [Open].
//
// # Promises
//
//   - A hunt finds exactly what reading all kept events would find. Filters only say where not to look; every hit is
//     verified. A filter that is damaged or missing is made again from its segment.
//   - A record that is read again is kept once: the same file, a file that has grown, two files that overlap. Equal
//     records within one reading are all kept; see [Store.NewBatch].
//   - A full disk, or one below its floor, makes [Store.Append] refuse the batch with [polder.Full] and changes nothing; it
//     resumes by itself when there is room.
//   - One process writes; any number read. A damaged segment is reported and left out; it never stops a hunt.
//
// # What finds what
//
// A domain finds itself and its subdomains, wherever they stand as a name, as the host of a URL or behind the @ of a mail
// address. A network finds the addresses and the networks within it. Everything is compared as [indicator.AppendKey] spells
// it: file names and registry keys without case, URLs without what changes no request.
//
// Filters hold, beside each value, the domains above a name and the networks of 8, 16 and 24 bits around an IPv4 address
// and of 32, 48 and 64 bits around an IPv6 address. A network query is put to them as at most 256 of those; only one that
// is wider than that needs (and a top-level domain) looks into every segment of its time.
package history
