// Package peers links this node with others: invitations, what flows over a link and how far it has come, and plain
// TAXII servers.
package peers
