// Package paper makes documents that people print and hand over: A4 in one pair of fonts, the mark of how far it may
// travel on every page, and the number of the page.
//
// What it promises: whatever a text holds, each character on the page is one that the fonts have ([Text]); nothing hides
// or turns what stands beside it; a line ends where the page does; and a document has at most [MaxPages] pages, and says
// where it was cut. It reads nothing and keeps nothing.
package paper
