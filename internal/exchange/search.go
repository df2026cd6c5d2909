package exchange

// Index is the search over everything shared.
type Index struct{}
