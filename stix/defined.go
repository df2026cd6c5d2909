package stix

// Defined tells whether the standard gives objects of that type a property of that name. Of a type that is not the
// standard's, it defines nothing.
func Defined(typ, property string) bool {
	s := specs[typ]
	return s != nil && s.shape.props[property] != nil
}

// Standard tells whether a type is one of the standard's.
func Standard(typ string) bool { return specs[typ] != nil }
