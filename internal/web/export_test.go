package web

// Own is the part that web brings itself.
var Own = Part{"web", own}

// StaticPrefix is where the static files are.
func (s *Site) StaticPrefix() string { return s.static.prefix }

// Specimens is the data of the page of components.
func (s *Site) Specimens() map[string]any { return specimens(s.o.Now()) }
