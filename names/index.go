package names

import (
	"math"
	"sync"
)

// Index finds names among many. It is built once and then only read: any number of goroutines may search it at once.
//
// A search never goes through all names. Each word of the query is met with the words of the index that are like it
// (written or read alike, one letter apart, of the same sound, of the same meaning, joined or split), and only the names
// that hold enough of them are compared. How much work one search does is bounded, whatever the query.
type Index struct {
	names    []*Name
	refs     []int32
	words    []*Word   // the vocabulary: each written word of all names once
	within   rows      // the words of each name
	holders  rows      // the names of each word
	masses   []mass    // of each name
	wordKeys keyTable  // leads to words
	joinKeys keyTable  // leads to names: adjacent words written together, first letters, organisations
	scratch  sync.Pool // of *search
}

// Found is a name of an index that met a query.
type Found struct {
	Ref   int32 // as given to [Builder.Add]
	Score float64
	name  int32
}

// Name is the name by which a found ref met. [Compare] of the query and it explains the score.
func (x *Index) Name(f Found) *Name {
	if f.name < 0 || int(f.name) >= len(x.names) {
		return &Name{}
	}
	return x.names[f.name]
}

// Len is how many names the index holds.
func (x *Index) Len() int { return len(x.names) }

// Search finds the names that are like q, at least threshold, best first, equals by ref; at most limit. Each ref comes
// once, with its best name. The type of q helps to read it, and filters nothing. The same index gives the same answer
// to the same query, always.
func (x *Index) Search(q *Name, threshold float64, limit int) []Found {
	if limit <= 0 || len(q.Words) == 0 || len(x.names) == 0 || math.IsNaN(threshold) {
		return nil
	}
	s := x.scratch.Get().(*search)
	defer x.scratch.Put(s)
	s.begin(q, threshold)
	s.gather()
	return s.compare(limit)
}

// Builder collects names for an [Index]. It is used by one goroutine.
type Builder struct {
	parser parser
	names  []*Name
	refs   []int32
	words  []*Word
	within rows
	ids    []uint32
}

// NewBuilder begins an index.
func NewBuilder() *Builder {
	return &Builder{parser: parser{words: map[wordKey]*Word{}}}
}

// Add adds a name of the party ref. A party may have many names, with one ref or several. A name in which nothing can
// be read is never found.
func (b *Builder) Add(ref int32, text string, t Type) {
	n := b.parser.parse(text, t)
	b.ids = b.ids[:0]
	for _, w := range n.Words {
		if int(w.id) >= len(b.words) || b.words[w.id] != w {
			w.id = int32(len(b.words))
			b.words = append(b.words, w)
		}
		b.ids = append(b.ids, uint32(w.id))
	}
	b.within.add(b.ids)
	b.names = append(b.names, n)
	b.refs = append(b.refs, ref)
}

// Index ends the building. The builder is of no use afterwards.
func (b *Builder) Index() *Index {
	x := &Index{names: b.names, refs: b.refs, words: b.words, within: b.within}
	*b = Builder{}
	x.holders = x.within.turned(len(x.words))
	x.wordKeys = x.keysOfWords()
	x.joinKeys = x.keysOfNames()
	x.masses = make([]mass, len(x.names))
	for i, n := range x.names {
		x.masses[i] = massOf(n)
	}
	x.scratch.New = func() any { return newSearch(x) }
	return x
}
