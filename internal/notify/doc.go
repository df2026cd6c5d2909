// Package notify tells people what happened: by mail and by webhook, at once or as a digest.
//
// # Promises
//
//   - A message is put into the outbox in the caller's transaction ([Box.Enqueue]): it is there exactly if what it tells
//     of is. The same key twice is one message.
//   - It is delivered at least once, tried again with growing waits, and after the last try kept as dead, with the reason.
//   - Where a person is reached, and whether it still may be told, is asked at the moment of delivery ([Directory]): who
//     left, lost sight or clicked "off" gets nothing that was still waiting.
//   - A person gets at most so many messages an hour; what is more comes together in one.
//   - A delivered message leaves its key only: subject, body and link are taken out of the database.
//   - A request to an address that came from a user goes through [Guard], which reaches the public internet only
//     (trust.md S20). Mail goes to the one server that the administrator named.
//   - No header of a mail can be made by its subject, body or recipient.
//   - Passwords, secrets and addresses are in no log line and no error.
//
// What a message may hold (the body only for clear and green) is decided by who writes it.
package notify
