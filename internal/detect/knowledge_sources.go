package detect

import (
	"fmt"
	"slices"
	"strings"

	"github.com/polder-exchange/polder/internal/detect/history"
)

// Sources says where the indicators come from and how many there are.
func (k *Knowledge) Sources() []KnowledgeSource {
	n := k.Len()
	k.mu.RLock()
	defer k.mu.RUnlock()
	var names []string
	for _, l := range k.lists {
		names = append(names, orElse(l.community, l.name))
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) == 0 {
		return nil
	}
	return []KnowledgeSource{{Name: strings.Join(names, ", "), Count: n}}
}

// kept says in words how much history there is.
func (o *orgDetector) kept() string {
	if o.store == nil {
		return ""
	}
	segments, err := o.store.Segments()
	var events, bytes int64
	var timed []history.Segment
	for _, s := range segments {
		events, bytes = events+s.Events, bytes+s.Bytes
		if !s.First.IsZero() {
			timed = append(timed, s)
		}
	}
	text := fmt.Sprintf("%d events, %d MiB", events, bytes>>20)
	if len(timed) > 0 {
		text += ", " + span(timed[0].First, timed[len(timed)-1].Last)
	}
	if err != nil {
		text += "; some of it cannot be read"
	}
	return text
}
