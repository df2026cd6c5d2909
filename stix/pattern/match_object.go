package pattern

// Object is a cyber-observable object made by hand, from an event of a log. It is used again after Reset, which keeps
// its memory.
type Object struct {
	Type string
	node node
}

// Reset empties the object and gives it a type.
func (x *Object) Reset(objectType string) {
	x.Type = objectType
	x.node.reset(isObject)
	x.put([]Step{{Kind: Key, Key: "type"}}).setText(objectType)
}

// Text puts a text at the end of the steps, Int a whole number, Float a decimal one, Bool a truth value. Objects and
// lists on the way are made; an [Any] step adds an element to its list. False says that something else stands in the
// way. An object behind a property such as dst_ref is the one referred to, put in its place.
func (x *Object) Text(steps []Step, s string) bool {
	n := x.put(steps)
	if n == nil {
		return false
	}
	n.setText(s)
	return true
}

// Int puts a whole number; see [Object.Text].
func (x *Object) Int(steps []Step, i int64) bool {
	n := x.put(steps)
	if n == nil {
		return false
	}
	n.kind, n.whole = isInt, i
	return true
}

// Float puts a decimal number; see [Object.Text].
func (x *Object) Float(steps []Step, f float64) bool {
	n := x.put(steps)
	if n == nil {
		return false
	}
	n.kind, n.float = isFloat, f
	return true
}

// Bool puts a truth value; see [Object.Text].
func (x *Object) Bool(steps []Step, yes bool) bool {
	n := x.put(steps)
	if n == nil {
		return false
	}
	n.kind, n.yes = isBool, yes
	return true
}

// maxIndex bounds the elements of a list that Put makes.
const maxIndex = 1 << 12

// put walks the steps and makes what is missing; nil when something else stands in the way.
func (x *Object) put(steps []Step) *node {
	n := &x.node
	for _, s := range steps {
		want := isList
		if s.Kind == Key {
			want = isObject
		}
		if n.kind != want {
			if n.kind != isNull {
				return nil
			}
			n.reset(want)
		}
		switch s.Kind {
		case Key:
			v := n.get(s.Key)
			if v == nil {
				v = n.grow(s.Key)
			}
			n = v
		case Any:
			if len(n.list) == maxIndex {
				return nil
			}
			n = n.extend()
		case Index:
			if s.Index < 0 || s.Index >= maxIndex {
				return nil
			}
			for len(n.list) <= s.Index {
				n.extend()
			}
			n = &n.list[s.Index]
		}
	}
	return n
}

func (n *node) reset(kind nodeKind) {
	n.kind, n.text, n.list, n.keys = kind, "", n.list[:0], n.keys[:0]
}

func (n *node) setText(s string) { n.kind, n.text = isText, s }

// grow adds a property, in memory that was used before when there is some.
func (n *node) grow(key string) *node {
	if len(n.keys) < cap(n.keys) {
		n.keys = n.keys[:len(n.keys)+1]
	} else {
		n.keys = append(n.keys, member{})
	}
	m := &n.keys[len(n.keys)-1]
	m.name = key
	m.value.reset(isNull)
	return &m.value
}

// extend adds an element, in memory that was used before when there is some.
func (n *node) extend() *node {
	if len(n.list) < cap(n.list) {
		n.list = n.list[:len(n.list)+1]
	} else {
		n.list = append(n.list, node{})
	}
	v := &n.list[len(n.list)-1]
	v.reset(isNull)
	return v
}
