// Package taxii speaks TAXII 2.1 (OASIS Standard, 10 June 2021): a server over a small [Store], and a client.
//
// # Server
//
// [New] makes a [Server] of one API root; [Server.Routes] lists its routes for a [net/http.ServeMux] and
// [Server.Handler] mounts them. The server knows the protocol: media types, paging, filters, cursors, limits, the
// error resource. It knows nothing of policy: every request calls the [Store] with the [Subject] that
// [Options.Authenticate] found, and the store decides what that subject may see and do.
//
// A record's date_added is its [Record.Number] in microseconds since 1970. Numbers are unique and strictly rising in
// the order in which records became visible; so a number is at the same time the value of added_after and the position
// that the parameter `next` carries. `next` is stateless: the number, and a message authentication code that binds it
// to this server's key, the collection, the kind of resource, the object, the filters and the subject. It works after
// a restart and on any server with the same key, and gives no right: the store is asked again each time.
//
// Objects travel as the bytes the store holds; nothing is decoded or encoded again on the way.
//
// # Client
//
// [Client] talks to any TAXII 2.1 server and trusts none: pages, bodies, compression, redirects, waiting and repetition
// are bounded, and its credentials go to one host only. [Client.Find] finds a [Remote] collection. A [Pull] from it
// that ends for whatever reason says why and keeps its [Cursor], from which it can be resumed. What a server sends is
// handed on as it came: judging objects is the caller's business.
package taxii
