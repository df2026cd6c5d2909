// Package screen tells who a party is: whether it is, under any of its names and in any script, on a list of restricted
// or of verified parties. It never clears anybody: an answer names the lists, of which date, that were asked, and a
// person decides. Who asks, and about whom, stays on the node.
package screen
