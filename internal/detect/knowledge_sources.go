package detect

import (
	"cmp"
	"slices"
)

// Sources are the files and communities that indicators came from, by name, with how many each gave. It counts, so it is
// for people who look, not for each event.
func (k *Knowledge) Sources() []KnowledgeSource {
	counts := k.Table.Lists()
	k.mu.RLock()
	defer k.mu.RUnlock()
	for key := range k.patterns {
		counts[key.list]++
	}
	for _, p := range k.pathOf {
		counts[p.list]++
	}
	byName := map[string]int{}
	for no, l := range k.lists {
		if n := counts[uint32(no)]; n > 0 {
			byName[cmp.Or(l.community, l.name)] += n
		}
	}
	out := make([]KnowledgeSource, 0, len(byName))
	for name, n := range byName {
		out = append(out, KnowledgeSource{Name: name, Count: n})
	}
	slices.SortFunc(out, func(a, b KnowledgeSource) int { return cmp.Compare(a.Name, b.Name) })
	return out
}
