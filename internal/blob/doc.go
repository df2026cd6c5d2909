// Package blob keeps files that belong to something in the database: attachments and evidence.
//
// # Promises
//
//   - A content is named by its SHA-256 and by nothing else. A name from outside never reaches the file system (trust.md
//     S43), and every path is opened below the folder (os.Root).
//   - What [Store.Put] returned is on disk, whole. A crash leaves no half file under a hash.
//   - A content lives as long as something refers to it. References are rows, written in the caller's transaction.
//   - [Store.Erase] takes a content from every reader at once, and from the disk soon after, whatever happens to the
//     process (rule X19).
//   - A content whose bytes no longer have its hash is never served; [Store.Verify] finds it.
//
// Who may read a content is the business of the capability that refers to it.
package blob
