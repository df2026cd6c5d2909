package pattern

import "strings"

// hop is one step of a path made ready to be walked.
type hop struct {
	kind  StepKind
	key   string
	index int
	refer bool   // the value before it is a reference, to be followed
	enc   coding // how a text at the end of this step stands for bytes
}

// route is a path made ready to be walked.
type route []hop

// routeOf makes the steps of a path ready. A key behind a property whose name ends in _ref, or behind an element of one
// whose name ends in _refs, goes through the reference.
func routeOf(steps []Step) route {
	r := make(route, 0, len(steps))
	name, depth := "", 0
	for _, s := range steps {
		h := hop{kind: s.Kind, key: s.Key, index: s.Index}
		if s.Kind == Key {
			h.refer = depth == 0 && strings.HasSuffix(name, "_ref") || depth == 1 && strings.HasSuffix(name, "_refs")
			name, depth = s.Key, 0
		} else {
			depth++
		}
		h.enc = codingOf(name)
		r = append(r, h)
	}
	return r
}

// renamed are properties that have one name in STIX 2.0 and another in 2.1. A path that leads to nothing is tried under
// the other name, since patterns outlive versions; the standard's own examples use the old ones.
var renamed = map[string][][2][]string{
	"file":                 {{{"created"}, {"ctime"}}, {{"modified"}, {"mtime"}}, {{"accessed"}, {"atime"}}},
	"directory":            {{{"created"}, {"ctime"}}, {{"modified"}, {"mtime"}}, {{"accessed"}, {"atime"}}},
	"process":              {{{"name"}, {"image_ref", "name"}}, {{"created"}, {"created_time"}}, {{"binary_ref"}, {"image_ref"}}},
	"windows-registry-key": {{{"modified"}, {"modified_time"}}},
	"user-account":         {{{"password_last_changed"}, {"credential_last_changed"}}},
}

// routesOf are the path and, when it begins with a property that was renamed, the path under its other names.
func routesOf(p ObjectPath) []route {
	routes := []route{routeOf(p.Steps)}
	for _, names := range renamed[p.ObjectType] {
		for i := range names {
			if rest, ok := cutKeys(p.Steps, names[i]); ok {
				steps := make([]Step, 0, len(p.Steps)+1)
				for _, key := range names[1-i] {
					steps = append(steps, Step{Kind: Key, Key: key})
				}
				routes = append(routes, routeOf(append(steps, rest...)))
			}
		}
	}
	return routes
}

// cutKeys is what follows these keys in the steps; false when they do not begin with them.
func cutKeys(steps []Step, keys []string) ([]Step, bool) {
	if len(steps) < len(keys) {
		return nil, false
	}
	for i, key := range keys {
		if steps[i] != (Step{Kind: Key, Key: key}) {
			return nil, false
		}
	}
	return steps[len(keys):], true
}

// walker follows a route through an object and shows each value at its end until one is taken.
type walker struct {
	scope *scope
	work  *work
	found bool // the route led to a value
	take  func(n *node, enc coding) bool
}

// follow says whether a value was taken.
func (w *walker) follow(n *node, r route, enc coding) bool {
	if !w.work.spend(1) {
		return false
	}
	if len(r) == 0 {
		w.found = true
		return w.take(n, enc)
	}
	switch h := &r[0]; h.kind {
	case Key:
		if h.refer && n.kind == isText {
			if n = w.scope.find(n.text); n == nil {
				return false
			}
		}
		if n.kind == isObject {
			if v := n.get(h.key); v != nil {
				return w.follow(v, r[1:], h.enc)
			}
		}
	case Index:
		if n.kind == isList && h.index >= 0 && h.index < len(n.list) {
			return w.follow(&n.list[h.index], r[1:], h.enc)
		}
	case Any:
		if n.kind != isList {
			return false
		}
		for i := range n.list {
			if w.follow(&n.list[i], r[1:], h.enc) {
				return true
			}
		}
	}
	return false
}

// followAny tries the routes in turn until one leads to a value.
func (w *walker) followAny(n *node, routes []route) bool {
	for _, r := range routes {
		if w.follow(n, r, plain) {
			return true
		}
		if w.found {
			return false
		}
	}
	return false
}

// scope is where references are looked up: the objects of one observed-data or bundle, then those around it.
type scope struct {
	byID   map[string]*node
	around *scope
}

func (s *scope) find(id string) *node {
	for ; s != nil; s = s.around {
		if n := s.byID[id]; n != nil {
			return n
		}
	}
	return nil
}

// ParsePath reads an object path, such as network-traffic:dst_ref.value. The error is an [*Error].
func ParsePath(s string) (ObjectPath, error) {
	p, err := Parse("[EXISTS " + s + "]")
	if err != nil {
		e := err.(*Error)
		e.Pos.Column, e.Pos.Offset = max(1, e.Pos.Column-len("[EXISTS ")), max(0, e.Pos.Offset-len("[EXISTS "))
		return ObjectPath{}, e
	}
	if c, ok := p.Root.(*Single); ok {
		if c, ok := c.Test.(*Comparison); ok && c.Exists && !c.Negated {
			return c.Path, nil
		}
	}
	return ObjectPath{}, &Error{Pos{1, 1, 0}, "this is more than an object path; write type:property"}
}
