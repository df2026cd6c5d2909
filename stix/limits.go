package stix

// Limits bound what a [Reader] takes in. A zero field means its default.
type Limits struct {
	ObjectBytes int // of one object; 8 MiB by default
	Depth       int // levels of one object; 64 by default
	Objects     int // of the whole stream; 10 million by default
}

func (l Limits) filled() Limits {
	if l.ObjectBytes <= 0 {
		l.ObjectBytes = defaultBytes
	}
	l.ObjectBytes = min(l.ObjectBytes, 1<<30) // offsets are 32 bits
	if l.Depth <= 0 {
		l.Depth = defaultDepth
	}
	if l.Objects <= 0 {
		l.Objects = 10_000_000
	}
	return l
}
