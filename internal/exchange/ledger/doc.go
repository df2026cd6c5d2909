// Package ledger keeps the transparency log of what this node delivered, witnesses the logs of others, and certifies
// pseudonyms.
package ledger
