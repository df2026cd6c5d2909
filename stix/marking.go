package stix

// Marking is a TLP level: how far an object may travel. Levels are ordered from wide to narrow, so a stricter level
// compares greater. The zero value is None: no level was given.
type Marking uint8

const (
	None Marking = iota
	Clear
	Green
	Amber
	AmberStrict
	Red
)
