package names

import (
	"math/bits"
	"slices"
)

// keyTable leads from hashed keys to numbers, of words or of names. Two keys may share a hash, so whoever asks compares
// what comes back. It is three flat arrays: a million parties cost tens of megabytes, and the garbage collector
// has nothing to follow in it.
type keyTable struct {
	first []uint32 // where the keys with the same upper bits begin
	shift uint
	keys  []uint32 // rising
	ids   []uint32 // rising among equal keys
}

// keyEntries collects what goes into a keyTable: the key in the upper half, the number in the lower.
type keyEntries []uint64

func (e *keyEntries) add(key, id uint32) { *e = append(*e, uint64(key)<<32|uint64(id)) }

// table sorts the entries, which are of no use afterwards, and drops doubles.
func (e keyEntries) table() keyTable {
	slices.Sort(e)
	e = slices.Compact(e)
	width := uint(max(bits.Len(uint(len(e)))-2, 1))
	t := keyTable{
		first: make([]uint32, 1<<width+1),
		shift: 32 - width,
		keys:  make([]uint32, len(e)),
		ids:   make([]uint32, len(e)),
	}
	for i, x := range e {
		t.keys[i], t.ids[i] = uint32(x>>32), uint32(x)
		t.first[t.keys[i]>>t.shift+1]++
	}
	for i := 1; i < len(t.first); i++ {
		t.first[i] += t.first[i-1]
	}
	return t
}

// find gives the numbers under a key; they belong to the table.
func (t *keyTable) find(key uint32) []uint32 {
	if len(t.keys) == 0 {
		return nil
	}
	i, end := t.first[key>>t.shift], t.first[key>>t.shift+1]
	for i < end && t.keys[i] < key {
		i++
	}
	from := i
	for i < end && t.keys[i] == key {
		i++
	}
	return t.ids[from:i]
}

// rows is a list of numbers for each of many things, in two flat arrays.
type rows struct {
	first []uint32
	items []uint32
}

func (l *rows) of(i uint32) []uint32 { return l.items[l.first[i]:l.first[i+1]] }

func (l *rows) add(items []uint32) {
	if l.first == nil {
		l.first = append(l.first, 0)
	}
	l.items = append(l.items, items...)
	l.first = append(l.first, uint32(len(l.items)))
}

func (l *rows) len() int { return max(len(l.first)-1, 0) }

// turned gives for each of n items the rows that hold it, rising, each once.
func (l *rows) turned(n int) rows {
	first := make([]uint32, n+1)
	last := make([]uint32, n) // 1 + the row that an item was last seen in
	each := func(f func(row, item uint32)) {
		clear(last)
		for i := range l.len() {
			for _, item := range l.of(uint32(i)) {
				if last[item] != uint32(i)+1 {
					last[item] = uint32(i) + 1
					f(uint32(i), item)
				}
			}
		}
	}
	each(func(_, item uint32) { first[item+1]++ })
	for i := 1; i <= n; i++ {
		first[i] += first[i-1]
	}
	items, next := make([]uint32, first[n]), slices.Clone(first[:n])
	each(func(row, item uint32) {
		items[next[item]] = row
		next[item]++
	})
	return rows{first: first, items: items}
}

// The kinds of keys are hashed apart.
const (
	readingHash uint32 = 2166136261 + iota*16777619
	lackingHash
	soundHash
	soundLackingHash
	conceptHash
	givenHash
	joinedHash
	lettersHash
	orgHash
)

// hashKey is FNV-1a over the bytes of a key of the given kind, without the byte at skip; -1 skips none. Its upper bits are mixed, since
// tables go by them.
func hashKey(kind uint32, s string, skip int) uint32 {
	h := kind
	for i := range len(s) {
		if i != skip {
			h = (h ^ uint32(s[i])) * 16777619
		}
	}
	return mixKey(h)
}

func mixKey(h uint32) uint32 {
	h ^= h >> 16
	h *= 0x85ebca6b
	h ^= h >> 13
	h *= 0xc2b2ae35
	return h ^ h>>16
}
