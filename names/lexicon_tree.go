package names

import "unicode"

// wordTree holds runs of words. Node 0 is the root, and stands for "no such run" as an answer.
type wordTree struct {
	ids   map[string]int32 // words that occur in any run, from 1
	first []int32          // by word: the node of the run of that word alone, 0 for none
	edges map[uint64]int32 // node and word to node
	nodes []treeNode
}

// treeNode is what is known of one run.
type treeNode struct {
	entry int32   // in lexicon.entries, 0 for none
	org   Concept // the organisation of that name, 0 for none
}

func newWordTree() wordTree {
	const words, runs = 1 << 15, 1 << 14 // about what the tables hold
	return wordTree{ids: make(map[string]int32, words), first: make([]int32, 1, words),
		edges: make(map[uint64]int32, runs), nodes: make([]treeNode, 1, words+runs)}
}

func edge(node, label int32) uint64 { return uint64(uint32(node))<<32 | uint64(uint32(label)) }

// step is the node of the run that is one word longer, 0 when there is none.
func (t *wordTree) step(node int32, word string) int32 {
	id := t.ids[word]
	if id == 0 {
		return 0
	}
	if node == 0 {
		return t.first[id]
	}
	return t.edges[edge(node, id)]
}

// node makes the node of a run of words.
func (t *wordTree) node(words []string) int32 {
	node := int32(0)
	for _, w := range words {
		id, ok := t.ids[w]
		if !ok {
			id = int32(len(t.first))
			t.ids[w], t.first = id, append(t.first, 0)
		}
		next := t.step(node, w)
		if next == 0 {
			next = int32(len(t.nodes))
			t.nodes = append(t.nodes, treeNode{})
			if node == 0 {
				t.first[id] = next
			} else {
				t.edges[edge(node, id)] = next
			}
		}
		node = next
	}
	return node
}

// runeTree holds unspaced words, letter by letter, in simplified Han.
type runeTree struct {
	edges map[uint64]int32
	nodes []treeNode
}

func newRuneTree() runeTree { return runeTree{edges: map[uint64]int32{}, nodes: make([]treeNode, 1)} }

// node makes the node of a word.
func (t *runeTree) node(word string, plain map[rune]rune) int32 {
	node := int32(0)
	for _, r := range word {
		k := edge(node, simple(r, plain))
		next := t.edges[k]
		if next == 0 {
			next = int32(len(t.nodes))
			t.nodes = append(t.nodes, treeNode{})
			t.edges[k] = next
		}
		node = next
	}
	return node
}

// step is the node after one more letter, 0 when there is none.
func (t *runeTree) step(node int32, r rune, plain map[rune]rune) int32 {
	return t.edges[edge(node, simple(r, plain))]
}

// entry is the entry of a word, 0 for none.
func (t *runeTree) entry(word string, plain map[rune]rune) int32 {
	node := int32(0)
	for _, r := range word {
		if node = t.step(node, r, plain); node == 0 {
			return 0
		}
	}
	return t.nodes[node].entry
}

// simple is a letter in the form that the tree is in.
func simple(r rune, plain map[rune]rune) rune {
	if p, ok := plain[r]; ok {
		return p
	}
	return r
}

// isHan says whether a letter is of a script that is written without spaces and cut up by [segmentHan].
func isHan(r rune) bool {
	return r >= 0x2E80 && (unicode.Is(unicode.Han, r) || unicode.In(r, unicode.Katakana, unicode.Hiragana) || r == 'ー' || r == '々')
}
