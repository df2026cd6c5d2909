package names

import (
	"math"
	"slices"
)

// Up to maxExact words of each name are assigned at their best; more are assigned greedily.
const maxExact = 12

// offer is a pair of words that may be partners, and what that is worth.
type offer struct {
	i, j  int16
	value float64
}

// assignment finds the pairs of greatest value in all, each word in one pair at most. It keeps its memory from one use
// to the next.
type assignment struct {
	offers []offer
	pairs  []offer
	rows   []int16 // the words of each side that have an offer
	cols   []int16

	cost        [maxExact + 1][maxExact + 1]float64
	u, v, least [maxExact + 1]float64
	of, way     [maxExact + 1]int
	used        [maxExact + 1]bool
}

func (x *assignment) begin() { x.offers = x.offers[:0] }

// offer adds a pair.
func (x *assignment) offer(i, j int, value float64) {
	x.offers = append(x.offers, offer{int16(i), int16(j), value})
}

// solve is the pairs of greatest value, until the next begin.
func (x *assignment) solve() []offer {
	x.pairs = x.pairs[:0]
	if x.disjoint() {
		x.pairs = append(x.pairs, x.offers...)
		return x.pairs
	}
	if x.index(); len(x.rows) > maxExact || len(x.cols) > maxExact {
		return x.greedy()
	}
	return x.exact()
}

// disjoint says whether no word is offered twice.
func (x *assignment) disjoint() bool {
	var rows, cols uint64
	for _, o := range x.offers {
		r, c := uint64(1)<<o.i, uint64(1)<<o.j
		if rows&r != 0 || cols&c != 0 {
			return false
		}
		rows, cols = rows|r, cols|c
	}
	return true
}

// index lists the words that have an offer.
func (x *assignment) index() {
	x.rows, x.cols = x.rows[:0], x.cols[:0]
	var cols uint64
	for _, o := range x.offers { // offers come by row
		if len(x.rows) == 0 || x.rows[len(x.rows)-1] != o.i {
			x.rows = append(x.rows, o.i)
		}
		cols |= 1 << o.j
	}
	for j := range int16(maxWords) {
		if cols>>j&1 == 1 {
			x.cols = append(x.cols, j)
		}
	}
}

// greedy takes the best offer, then the best of what is left.
func (x *assignment) greedy() []offer {
	slices.SortFunc(x.offers, func(a, b offer) int {
		switch {
		case a.value > b.value:
			return -1
		case a.value < b.value:
			return 1
		case a.i != b.i:
			return int(a.i - b.i)
		}
		return int(a.j - b.j)
	})
	var rows, cols uint64
	for _, o := range x.offers {
		r, c := uint64(1)<<o.i, uint64(1)<<o.j
		if rows&r == 0 && cols&c == 0 {
			rows, cols = rows|r, cols|c
			x.pairs = append(x.pairs, o)
		}
	}
	return x.pairs
}

// exact is the Hungarian method over a square table; what was not offered is worth nothing.
func (x *assignment) exact() []offer {
	n := max(len(x.rows), len(x.cols))
	for i := range n + 1 {
		clear(x.cost[i][:n+1])
		x.u[i], x.v[i], x.of[i] = 0, 0, 0
	}
	for _, o := range x.offers {
		i, _ := slices.BinarySearch(x.rows, o.i)
		j, _ := slices.BinarySearch(x.cols, o.j)
		x.cost[i+1][j+1] = -o.value
	}
	for i := 1; i <= n; i++ {
		x.augment(i, n)
	}
	for j := 1; j <= n; j++ {
		if i := x.of[j]; x.cost[i][j] < 0 {
			x.pairs = append(x.pairs, offer{x.rows[i-1], x.cols[j-1], -x.cost[i][j]})
		}
	}
	return x.pairs
}

// augment gives row i a column, and moves others where that is better.
func (x *assignment) augment(i, n int) {
	for j := range n + 1 {
		x.least[j], x.used[j] = math.Inf(1), false
	}
	x.of[0] = i
	j0 := 0
	for x.of[j0] != 0 {
		x.used[j0] = true
		i0, j1, delta := x.of[j0], 0, math.Inf(1)
		for j := 1; j <= n; j++ {
			if x.used[j] {
				continue
			}
			if cur := x.cost[i0][j] - x.u[i0] - x.v[j]; cur < x.least[j] {
				x.least[j], x.way[j] = cur, j0
			}
			if x.least[j] < delta {
				delta, j1 = x.least[j], j
			}
		}
		for j := range n + 1 {
			if x.used[j] {
				x.u[x.of[j]] += delta
				x.v[j] -= delta
			} else {
				x.least[j] -= delta
			}
		}
		j0 = j1
	}
	for j0 != 0 {
		j1 := x.way[j0]
		x.of[j0] = x.of[j1]
		j0 = j1
	}
}
