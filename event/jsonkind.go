package event

import (
	"slices"
	"strings"
	"time"
)

// jsonKind says what the formats written as JSON differ in. The reader of JSON walks the record and adds a field for each
// value (objects become dotted names, lists repeat the name), then asks the kind for the source and the time.
type jsonKind struct {
	format Format
	// sure says how certain it is, 0 to 100, that this event is of the kind; recognition asks it of the first events
	// of a file and takes the least certain answer that is not 0, less when some are 0.
	sure func(e *Event) int
	// watch are paths whose fields the kind asks for by jsonReader.seen: the first of that path in the record. At
	// most maxWatch. It costs nothing to watch.
	watch []string
	// times are where the time of the event stands, the best place first; at most maxTimes.
	times []stamp
	// whole are paths of objects and lists whose JSON text is a field as well, since rules search in it.
	whole []string
	// pairs are lists of objects that each hold a name and its values; each becomes a field of that name besides.
	pairs []nameValues
	// source is the source of the event, interned: see knownSource. nil when nothing is known.
	source func(r *jsonReader, e *Event) *Source
	// finish may add fields that the record holds in another shape, after the walk; nil when there are none. It may
	// take memory for them by jsonReader.keep.
	finish func(r *jsonReader, e *Event)
}

// Bounds of a kind.
const (
	maxWatch = 32
	maxTimes = 24
)

// stamp is a path at which a time stands, and how it is written there.
type stamp struct {
	path string
	read func([]byte) time.Time
}

// nameValues is a list of name-value objects: [{"Name":"Identity","Value":"x"}] at Parameters gives Parameters.Identity. With
// several values, as the old and the new one, the value's own name follows: ModifiedProperties.Role.NewValue.
type nameValues struct {
	list   string
	name   string
	values []string
}

// role is what the kind wants of the values at path, nil when nothing.
func (k *jsonKind) role(path string) *role {
	o := role{
		watch: 1 + slices.Index(k.watch, path),
		time:  1 + slices.IndexFunc(k.times, func(s stamp) bool { return s.path == path }),
		whole: slices.Contains(k.whole, path),
	}
	for i, p := range k.pairs {
		member, ok := strings.CutPrefix(path, p.list+".")
		if !ok {
			continue
		}
		if at := slices.Index(p.values, member); at >= 0 || member == p.name {
			o.pairs, o.value = i+1, at+1
		}
	}
	if o == (role{}) {
		return nil
	}
	return &o
}
