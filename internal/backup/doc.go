// Package backup writes a node into one encrypted file while it runs, and reads it back into an empty folder.
//
// # Format
//
// age (a passphrase or X25519 recipients) around gzip around tar. Members, in this order:
//
//	manifest.json   what this is: see [Manifest]
//	…               databases, each a compact copy of one moment, then files
//	SHA256SUMS      the hash of every member before it, one a line, as sha256sum writes it
//
// So a stranger without this program restores it with `age -d`, `tar xz` and `sha256sum -c`.
//
// # Promises
//
//   - What was acknowledged before [Backup] began is in it (F19).
//   - [Restore] writes into a folder that does not exist or is empty, never over anything (F20). Every member is checked
//     against its hash, and every database is read whole, before the first name appears in the folder.
//   - A backup is a file from anywhere: whoever knows a recipient can have made it. Names that lead elsewhere, links,
//     devices, journals of a database, doubled names, too much data and databases with triggers are refused (S42, S48).
//
// Recipients say who can read a backup, not who wrote it.
package backup
