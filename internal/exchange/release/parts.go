package release

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/polder-exchange/polder/stix"
)

// Parts is the object without the properties that are marked stricter than level, and what was taken out. An object
// without such marks comes back as it is. The identifier, times and creator are the caller's to change: an object with
// parts taken out is another object (STIX 2.1, part 3.6).
func Parts(o stix.Object, level stix.Marking) (stix.Object, []Change, error) {
	whole := stix.None
	for _, id := range o.MarkingRefs {
		whole = max(whole, stix.MarkingOf(id))
	}
	if whole > level {
		return o, nil, fmt.Errorf("object_marking_refs: the object as a whole is %s; only single properties that are marked stricter than %s can be taken out", whole.Label(), level.Label())
	}
	var gone [][]string
	for _, g := range o.Granular {
		if g.MarkingRef == "" || stix.MarkingOf(g.MarkingRef) <= level {
			continue
		}
		for _, s := range g.Selectors {
			gone = append(gone, strings.Split(s, "."))
		}
	}
	if len(gone) == 0 {
		return o, nil, nil
	}
	root, err := parse(o.Raw())
	if err != nil {
		return o, nil, err
	}
	var changes []Change
	slices.SortFunc(gone, backwards)
	for _, path := range slices.CompactFunc(gone, slices.Equal) {
		name := strings.Join(path, ".")
		if slices.Contains([]string{"id", "type", "spec_version", "created", "modified", "created_by_ref", "object_marking_refs", "granular_markings"}, path[0]) {
			return o, nil, fmt.Errorf("%s: is marked stricter than %s, and no object is without it", name, level.Label())
		}
		if v := root.cut(path); v != nil {
			changes = append(changes, Change{strings.ReplaceAll(name, ".[", "["), v.shown(), "", string(RuleDerive), why[RuleDerive]})
		}
	}
	slices.Reverse(changes)
	root.compact()
	unsign(root)
	pruneSelectors(root)
	out, err := stix.Parse(root.json())
	if err != nil {
		return o, nil, fmt.Errorf("without what is marked stricter than %s it is no object any more: %w", level.Label(), err)
	}
	return out, changes, nil
}

// backwards orders paths so that what stands behind in a list, and what lies within something, comes first.
func backwards(a, b []string) int {
	for i := range min(len(a), len(b)) {
		if a[i] == b[i] {
			continue
		}
		x, xs := position(a[i])
		y, ys := position(b[i])
		if xs && ys {
			return y - x
		}
		return strings.Compare(b[i], a[i])
	}
	return len(b) - len(a)
}

// position is the place in a list that a step of a selector names.
func position(step string) (int, bool) {
	if !strings.HasPrefix(step, "[") || !strings.HasSuffix(step, "]") {
		return 0, false
	}
	i, err := strconv.Atoi(step[1 : len(step)-1])
	return i, err == nil && i >= 0
}

// at is what a step leads to.
func (n *node) at(step string) *node {
	if i, ok := position(step); ok {
		if n.kind != '[' || i >= len(n.items) {
			return nil
		}
		return n.items[i]
	}
	return n.get(step)
}

// cut takes out what a path leads to. In a list it leaves a hole, so that the places of the others stay until [node.compact].
func (n *node) cut(path []string) *node {
	for _, step := range path[:len(path)-1] {
		if n = n.at(step); n == nil {
			return nil
		}
	}
	last := path[len(path)-1]
	v := n.at(last)
	if v == nil || v.kind == 0 {
		return nil
	}
	if i, ok := position(last); ok {
		n.items[i] = &node{}
	} else {
		n.drop(last)
	}
	return v
}

// compact closes the holes and rewrites the selectors of granular markings for the new places.
func (n *node) compact() {
	marks := n.get("granular_markings")
	for _, m := range listOf(marks) {
		list := m.get("selectors")
		if list == nil {
			continue
		}
		var kept []*node
		for _, s := range list.items {
			if moved, ok := n.moved(strings.Split(s.string(), ".")); ok {
				kept = append(kept, textNode(moved))
			}
		}
		list.items = kept
	}
	n.close()
}

func listOf(n *node) []*node {
	if n == nil {
		return nil
	}
	return n.items
}

// moved is where a selector leads once the holes are closed; false when it leads into one or nowhere.
func (n *node) moved(path []string) (string, bool) {
	for i, step := range path {
		next := n.at(step)
		if next == nil || next.kind == 0 {
			return "", false
		}
		if at, ok := position(step); ok {
			holes := 0
			for _, x := range n.items[:at] {
				if x.kind == 0 {
					holes++
				}
			}
			path[i] = "[" + strconv.Itoa(at-holes) + "]"
		}
		n = next
	}
	return strings.Join(path, "."), true
}

// close drops the holes, and lists and objects that hold nothing but holes.
func (n *node) close() {
	n.items = slices.DeleteFunc(n.items, func(x *node) bool { return x.kind == 0 })
	for _, x := range n.items {
		x.close()
	}
	for _, m := range n.members {
		m.value.close()
	}
	n.members = slices.DeleteFunc(n.members, func(m member) bool {
		return m.value.kind == '[' && len(m.value.items) == 0 || m.value.kind == '{' && len(m.value.members) == 0
	})
}

// pruneSelectors drops selectors that lead nowhere any more, and granular markings without selectors.
func pruneSelectors(root *node) {
	marks := root.get("granular_markings")
	if marks == nil {
		return
	}
	for _, m := range marks.items {
		if list := m.get("selectors"); list != nil {
			list.items = slices.DeleteFunc(list.items, func(s *node) bool {
				_, ok := root.moved(strings.Split(s.string(), "."))
				return !ok
			})
		}
	}
	marks.items = slices.DeleteFunc(marks.items, func(m *node) bool { list := m.get("selectors"); return list == nil || len(list.items) == 0 })
	if len(marks.items) == 0 {
		root.drop("granular_markings")
	}
}

// Anew is the object as another one: its id, and where it has any its times; without its creator, and without being
// revoked. The signature of what it was is gone too.
func Anew(o stix.Object, id, at string) ([]byte, error) {
	root, err := parse(o.Raw())
	if err != nil {
		return nil, err
	}
	root.set("id", textNode(id))
	if !o.IsObservable() {
		root.drop("created_by_ref")
		root.drop("revoked")
		root.set("created", textNode(at))
		root.set("modified", textNode(at))
	}
	unsign(root)
	return root.json(), nil
}

// unsign takes a signature away, which does not fit what was changed.
func unsign(root *node) {
	all := root.get("extensions")
	if all == nil {
		return
	}
	all.drop(stix.SignatureExtension)
	if len(all.members) == 0 {
		root.drop("extensions")
	}
}

// Unsigned is the object without the signature that it may carry.
func Unsigned(o stix.Object) stix.Object {
	root, err := parse(o.Raw())
	if err != nil {
		return o
	}
	unsign(root)
	if out, err := stix.Parse(root.json()); err == nil {
		return out
	}
	return o
}
