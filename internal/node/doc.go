// Package node puts one node together from its capabilities, starts it and stops it. It holds no rules: it opens the
// data folder, hands each capability what it asks for, mounts the routes, and ends everything in the right order.
package node
