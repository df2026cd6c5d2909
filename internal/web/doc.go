// Package web is the console's ground: it opens the door (who asks, and may they), turns errors into answers once,
// and gives every capability the same page shell, components, words, charts, graphs and live updates.
//
// A capability brings a [Part] (templates and catalogues, embedded) and a list of [Route]; node hands the parts to
// [New] and the routes to [Site.Handler]. What a route promises is declared in it: the method, the least role asked
// at the door, the longest body, whether it streams. Whatever is not declared is refused: 404, 405, 401, 403, 413.
//
// What always holds here:
//
//   - Data never becomes markup. Pages are html/template; the few helpers that make elements themselves use the one
//     builder of markup.go, which escapes every text and knows the elements and attributes that exist. A test greps
//     for any other maker of template.HTML.
//   - Controls that change reading direction, zero-width characters and words of mixed scripts are shown marked.
//   - No page needs script, a style attribute, or anything from elsewhere; the Content-Security-Policy says so.
//   - The text of an internal fault goes to the log under the request's id; the reader gets the id.
//   - Every word of a page is in the catalogues of all languages.
//
// The package keeps nothing: preferences of a device and the toast of the last form are cookies of the reader.
package web
