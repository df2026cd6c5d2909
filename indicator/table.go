package indicator

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"math/bits"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gaissmai/bart"
	"github.com/polder-exchange/polder/stix"
)

// Bounds of a [Table].
const (
	// MaxSources is how many references one value keeps. What comes after them is refused: so many sources add nothing,
	// and a value that is shared without end must not make each look-up dear.
	MaxSources = 1024
	// maxTerms is how many different combinations of list, confidence, marking and PAP a table holds.
	maxTerms = 1 << 20

	shardBits  = 10
	shardCount = 1 << shardBits
	orderBits  = 64 - shardBits // of the first hash, by which the entries of a shard are ordered
	checkBits  = 12             // of the second hash that stand beside the number of the terms
)

// NoConfidence is the confidence of a reference that states none.
const NoConfidence uint8 = 255

// Reference says whose knowledge a value is and under which terms. It is small; what else is known is found by it.
type Reference struct {
	// Object is the UUID of the object that holds the value, or what the list means by it, such as a line.
	Object [16]byte
	// List is the number that the owner of the table gave the list, file or community that the value came from.
	List uint32
	// ValidFrom and ValidUntil bound when the value means something, to the second, until 2106; zero: no bound. The
	// value is valid from ValidFrom on and no longer at ValidUntil.
	ValidFrom, ValidUntil time.Time
	// Confidence is 0 to 100, or NoConfidence.
	Confidence uint8
	Marking    stix.Marking
	PAP        stix.PAP
}

// ValidAt says whether the value means something at t. An event that does not say when it happened is taken for one of
// any time at which the value was valid.
func (r *Reference) ValidAt(t time.Time) bool {
	return t.IsZero() || (r.ValidFrom.IsZero() || !t.Before(r.ValidFrom)) && (r.ValidUntil.IsZero() || t.Before(r.ValidUntil))
}

// Known is a value with the reference to what is known of it.
type Known struct {
	Kind  Kind
	Value string
	Reference
}

// Found is a reference that a look-up came upon.
type Found struct {
	Reference
	// Kind is that of the entry: CIDR where an address lies in a network.
	Kind Kind
	// From is where in the value that was looked up the entry begins: behind the left labels of a name, else 0.
	From int
	// Network is the entry where it is a network.
	Network netip.Prefix
}

// Table holds single values by the million: addresses and networks, names with everything below them, URLs, hashes and
// the other kinds. Any number of goroutines may look up while values are added and removed; writers wait for each other.
// A write copies the thousandth part of the table in which it falls and nothing else, so it stops no reader, and
// none is ever dearer because the table grows. Make it with [NewTable].
//
// Values are kept as 86 bits of two hashes under seeds that are made anew for each table and never leave it: of
// 5,000,000 entries a look-up of another value meets one by chance about once in 10^19 times, which at a million look-ups
// a second is once in half a million years, and nobody who does not know the seeds can look for two values that meet. An entry
// costs 37 bytes; networks, kept exactly, about 100.
type Table struct {
	seeds   [kindCodes][2]maphash.Seed
	shards  []atomic.Pointer[shard]
	nets    atomic.Pointer[bart.Table[[]Reference]]
	terms   atomic.Pointer[[]terms]
	size    atomic.Int64 // of the shards
	netSize atomic.Int64

	writer  sync.Mutex
	termNos map[terms]uint32

	gone    forgotten
	sweepAt int // the next shard to sweep
}

// shard is never changed once it is published. Its two columns have one element each for an entry.
type shard struct {
	keys    []uint64 // 54 bits of the first hash, by which they are ordered, then 10 of the second
	entries []entry
	filter  []uint64 // 3 bits for each entry in one of its words; what lacks one of its bits is not here
}

// entry is one value from one source beside its key: when it means something, whose it is.
type entry struct {
	check  uint32 // number of the terms, then 12 bits of the second hash
	from   uint32 // in seconds since 1970; 0 for no bound
	until  uint32
	object [16]byte
}

// terms are what many entries have in common.
type terms struct {
	list       uint32
	confidence uint8
	marking    stix.Marking
	pap        stix.PAP
}

// kindCodes bounds the numbers that kinds have in a table.
const kindCodes = 32

// kindCode is the number of a kind, 0 for what is no kind.
func kindCode(k Kind) int {
	switch k {
	case IPv4:
		return 1
	case IPv6:
		return 2
	case CIDR:
		return 3
	case Domain:
		return 4
	case URL:
		return 5
	case Email:
		return 6
	case MD5:
		return 7
	case SHA1:
		return 8
	case SHA256:
		return 9
	case SHA512:
		return 10
	case Filename:
		return 11
	case Mutex:
		return 12
	case ASN:
		return 13
	case CVE:
		return 14
	case MAC:
		return 15
	case RegistryKey:
		return 16
	case Imphash:
		return 17
	case JA3:
		return 18
	case JA3S:
		return 19
	case CertSerial:
		return 20
	case CertHash:
		return 21
	case UserAgent:
		return 22
	}
	return 0
}

// NewTable is an empty table.
func NewTable() *Table {
	t := &Table{shards: make([]atomic.Pointer[shard], shardCount), termNos: map[terms]uint32{}}
	for i := range t.seeds {
		t.seeds[i] = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}
	}
	t.nets.Store(&bart.Table[[]Reference]{})
	t.terms.Store(&[]terms{})
	t.gone.set, t.gone.next = map[source]bool{}, map[source]bool{}
	return t
}

// Len is how many references the table holds, those of forgotten objects included until they are swept.
func (t *Table) Len() int { return int(t.size.Load() + t.netSize.Load()) }

// spot is where a value belongs.
type spot struct {
	shard  int
	order  uint64 // 54 bits
	second uint64 // 22 bits of the other hash
}

// first finds the place by the first hash alone, which is enough for most look-ups of what is not there.
func (t *Table) first(code int, key []byte) spot {
	h := maphash.Bytes(t.seeds[code][0], key)
	return spot{shard: int(h >> (64 - shardBits)), order: h & (1<<orderBits - 1)}
}

func (t *Table) second(code int, key []byte) uint64 {
	return maphash.Bytes(t.seeds[code][1], key) >> (orderBits - checkBits)
}

func (s spot) key() uint64   { return s.order<<shardBits | s.second>>checkBits }
func (s spot) check() uint32 { return uint32(s.second & (1<<checkBits - 1)) }

// bit is where the filter of n words keeps an order: the word, and the bits in it.
func bit(order uint64, n int) (word int, mask uint64) {
	w, _ := bits.Mul64(order<<shardBits, uint64(n))
	return int(w), 1<<(order&63) | 1<<(order>>6&63) | 1<<(order>>12&63)
}

// maybe says whether an order may be in the shard; where it says no, it is not.
func (s *shard) maybe(order uint64) bool {
	word, mask := bit(order, len(s.filter))
	return s.filter[word]&mask == mask
}

// at is the index of the first entry that is not below an order. Hashes are spread evenly, so it looks where the order
// would be, then as far on as what it finds there is off, and goes the few steps from there.
func (s *shard) at(order uint64) int {
	keys := s.keys
	n := uint64(len(keys))
	where, _ := bits.Mul64(order<<shardBits, n)
	i := int(where)
	if have := keys[i] >> shardBits; have < order {
		off, _ := bits.Mul64((order-have)<<shardBits, n)
		i = min(i+int(off), len(keys)-1)
	} else {
		off, _ := bits.Mul64((have-order)<<shardBits, n)
		i = max(i-int(off), 0)
	}
	for i > 0 && keys[i-1]>>shardBits >= order {
		i--
	}
	for i < len(keys) && keys[i]>>shardBits < order {
		i++
	}
	return i
}

// Lookup appends to found the references to a value, which must be in the form of [AppendKey]; anything else is not
// found. A name is found under itself and under every name above it but public suffixes, an address under itself and
// under the networks that it lies in. References whose time is over or has not come are found too; see
// [Reference.ValidAt]. It allocates only to append.
func (t *Table) Lookup(found []Found, kind Kind, key []byte) []Found {
	switch kind {
	case Domain:
		return t.lookupName(found, key)
	case IPv6:
		if four, ok := mapped(key); ok {
			return t.lookupAddress(found, IPv4, four)
		}
		return t.lookupAddress(found, kind, key)
	case IPv4:
		return t.lookupAddress(found, kind, key)
	case CIDR:
		return t.lookupNetwork(found, key)
	}
	return t.lookup(found, kind, kindCode(kind), key, 0)
}

// mapped is the IPv4 address of an IPv6 address that carries one.
func mapped(key []byte) ([]byte, bool) {
	const prefix = "::ffff:"
	if len(key) > len(prefix) && string(key[:len(prefix)]) == prefix && bytes.IndexByte(key, '.') > 0 {
		return key[len(prefix):], true
	}
	return nil, false
}

var domainCode = kindCode(Domain)

// lookupName walks from the whole name to the last two labels. Public suffixes were never let in.
func (t *Table) lookupName(found []Found, key []byte) []Found {
	for from := 0; ; {
		dot := bytes.IndexByte(key[from:], '.')
		if dot < 0 {
			return found
		}
		found = t.lookup(found, Domain, domainCode, key[from:], from)
		from += dot + 1
	}
}

func (t *Table) lookupAddress(found []Found, kind Kind, key []byte) []Found {
	found = t.lookup(found, kind, kindCode(kind), key, 0)
	nets := t.nets.Load()
	if kind == IPv4 && nets.Size4() == 0 || kind == IPv6 && nets.Size6() == 0 {
		return found
	}
	a, ok := parseIPv4(key)
	if kind == IPv6 {
		a, ok = parseIPv6(key)
	}
	if !ok || !nets.Contains(a) {
		return found
	}
	return t.around(found, nets, netip.PrefixFrom(a, a.BitLen()))
}

func (t *Table) lookupNetwork(found []Found, key []byte) []Found {
	p, err := netip.ParsePrefix(string(key))
	if err != nil {
		return found
	}
	return t.around(found, t.nets.Load(), p.Masked())
}

// around appends the networks that hold p.
func (t *Table) around(found []Found, nets *bart.Table[[]Reference], p netip.Prefix) []Found {
	for network, refs := range nets.Supernets(p) {
		for _, r := range refs {
			if !t.gone.has(r.Object, r.List) {
				found = append(found, Found{Reference: r, Kind: CIDR, Network: network})
			}
		}
	}
	return found
}

func (t *Table) lookup(found []Found, kind Kind, code int, key []byte, from int) []Found {
	where := t.first(code, key)
	s := t.shards[where.shard].Load()
	if s == nil || !s.maybe(where.order) {
		return found
	}
	i := s.at(where.order)
	if i == len(s.keys) || s.keys[i]>>shardBits != where.order {
		return found
	}
	where.second = t.second(code, key)
	all := *t.terms.Load()
	for ; i < len(s.keys) && s.keys[i]>>shardBits == where.order; i++ {
		if !s.holds(i, where) {
			continue
		}
		if r := s.reference(i, all); !t.gone.has(r.Object, r.List) {
			found = append(found, Found{Reference: r, Kind: kind, From: from})
		}
	}
	return found
}

// holds says whether entry i is of the value whose place is known.
func (s *shard) holds(i int, where spot) bool {
	return s.keys[i] == where.key() && s.entries[i].check&(1<<checkBits-1) == where.check()
}

// reference unfolds entry i.
func (s *shard) reference(i int, all []terms) Reference {
	e := &s.entries[i]
	in := all[e.check>>checkBits]
	return Reference{Object: e.object, List: in.list, Confidence: in.confidence, Marking: in.marking, PAP: in.pap, ValidFrom: moment(e.from), ValidUntil: moment(e.until)}
}

func moment(seconds uint32) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0).UTC()
}

// seconds is the whole second of t, later rather than earlier when up; 0 stands for no bound.
func seconds(t time.Time, up bool) uint32 {
	if t.IsZero() {
		return 0
	}
	s := t.Unix()
	if up && t.Nanosecond() > 0 {
		s++
	}
	return uint32(min(max(s, 1), math.MaxUint32))
}

var errManySources = fmt.Errorf("the value has %d sources already; more add nothing", MaxSources)

// Errors of [Table.Add] that a caller may want to tell apart.
var (
	// ErrPublicSuffix says that anybody can register names below a name, so that it would match everybody's.
	ErrPublicSuffix = errors.New("anybody can register names below it, so it would match all of theirs; name what somebody registered")
	// ErrWideNetwork says that a network takes in too much to mean anything.
	ErrWideNetwork = errors.New("the network takes in too many that are innocent")
)

// place normalises a value and finds the kind and key under which it is kept.
func place(kind Kind, value string) (Kind, []byte, error) {
	text, err := Key(kind, value)
	if err != nil {
		return "", nil, err
	}
	switch kind {
	case Domain:
		if isPublicSuffix(text) {
			return "", nil, fmt.Errorf("%s: %w", show(text), ErrPublicSuffix)
		}
	case IPv6:
		if four, ok := mapped([]byte(text)); ok {
			return IPv4, four, nil
		}
	case CIDR:
		return placeNetwork(text)
	}
	return kind, []byte(text), nil
}

// placeNetwork makes a network of one address that address.
func placeNetwork(text string) (Kind, []byte, error) {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return "", nil, err
	}
	if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	switch {
	case p.Bits() < widestBlock(p):
		return "", nil, fmt.Errorf("%s: %w: write /%d or narrower", p, ErrWideNetwork, widestBlock(p))
	case !p.IsSingleIP():
		return CIDR, []byte(p.String()), nil
	case p.Addr().Is4():
		return IPv4, []byte(p.Addr().String()), nil
	}
	return IPv6, []byte(p.Addr().String()), nil
}

// Add puts a value into the table, normalised, or changes the terms of the one that is there from the same object and
// list. The error says what is wrong with the value, and then nothing has changed.
func (t *Table) Add(k Known) error {
	kind, key, err := place(k.Kind, k.Value)
	if err != nil {
		return err
	}
	t.writer.Lock()
	defer t.writer.Unlock()
	t.finish(k.Object, k.List)
	if kind == CIDR {
		return t.addNetwork(key, k.Reference)
	}
	no, err := t.term(k.Reference)
	if err != nil {
		return err
	}
	code := kindCode(kind)
	where := t.first(code, key)
	where.second = t.second(code, key)
	t.put(where.shard, []pending{newPending(where, no, k.Reference)}, func(_ int, e error) { err = e })
	return err
}

// term numbers what a reference has in common with others.
func (t *Table) term(r Reference) (uint32, error) {
	in := terms{r.List, r.Confidence, r.Marking, r.PAP}
	if no, ok := t.termNos[in]; ok {
		return no, nil
	}
	all := *t.terms.Load()
	if len(all) >= maxTerms {
		return 0, fmt.Errorf("there are more than %d different combinations of list, confidence and marking", maxTerms)
	}
	grown := append(all, in)
	t.terms.Store(&grown)
	t.termNos[in] = uint32(len(all))
	return uint32(len(all)), nil
}

// pending is an entry on its way in.
type pending struct {
	key uint64
	entry
	shard int
	index int // in what the caller gave
}

func newPending(where spot, term uint32, r Reference) pending {
	return pending{where.key(), entry{term<<checkBits | where.check(), seconds(r.ValidFrom, false), seconds(r.ValidUntil, true), r.Object}, where.shard, 0}
}

// same says whether two entries of one key are one value from one source, whatever its terms.
func same(a, b *entry, all []terms) bool {
	return (a.check^b.check)&(1<<checkBits-1) == 0 && a.object == b.object &&
		all[a.check>>checkBits].list == all[b.check>>checkBits].list
}

// put merges entries, ordered by key, into one shard, and says which did not go in.
func (t *Table) put(no int, more []pending, wrong func(i int, err error)) {
	old := t.shards[no].Load()
	if old == nil {
		old = &shard{}
	}
	m := newMerger(len(old.keys) + len(more))
	all := *t.terms.Load()
	i := 0
	for _, p := range more {
		for ; i < len(old.keys) && old.keys[i] <= p.key; i++ {
			m.add(old.keys[i], old.entries[i])
		}
		if err := m.merge(p, all); err != nil {
			wrong(p.index, err)
		}
	}
	for ; i < len(old.keys); i++ {
		m.add(old.keys[i], old.entries[i])
	}
	t.publish(no, m)
}

// publish makes what was gathered the content of a shard.
func (t *Table) publish(no int, m *merger) {
	before := 0
	if old := t.shards[no].Load(); old != nil {
		before = len(old.keys)
	}
	t.size.Add(int64(len(m.keys) - before))
	if len(m.keys) == 0 {
		t.shards[no].Store(nil)
		return
	}
	m.filter = make([]uint64, len(m.keys)/12+1)
	for _, key := range m.keys {
		word, mask := bit(key>>shardBits, len(m.filter))
		m.filter[word] |= mask
	}
	t.shards[no].Store(&m.shard)
}

// merger gathers the entries of a shard in their order.
type merger struct{ shard }

func newMerger(room int) *merger {
	return &merger{shard{keys: make([]uint64, 0, room), entries: make([]entry, 0, room)}}
}

func (m *merger) add(key uint64, e entry) {
	m.keys, m.entries = append(m.keys, key), append(m.entries, e)
}

// merge adds an entry or replaces the one that is the same.
func (m *merger) merge(p pending, all []terms) error {
	alike := 0
	for i := len(m.keys) - 1; i >= 0 && m.keys[i] == p.key; i-- {
		if same(&m.entries[i], &p.entry, all) {
			m.entries[i] = p.entry
			return nil
		}
		alike++
	}
	if alike >= MaxSources {
		return errManySources
	}
	m.add(p.key, p.entry)
	return nil
}

func (t *Table) addNetwork(key []byte, r Reference) error {
	p, err := netip.ParsePrefix(string(key))
	if err != nil {
		return err
	}
	r.ValidFrom, r.ValidUntil = moment(seconds(r.ValidFrom, false)), moment(seconds(r.ValidUntil, true))
	nets := t.nets.Load()
	have, _ := nets.Get(p)
	kept := slices.DeleteFunc(slices.Clone(have), func(h Reference) bool { return h.Object == r.Object && h.List == r.List })
	if len(kept) >= MaxSources {
		return errManySources
	}
	t.storeNetwork(p, len(have), append(kept, r))
	return nil
}

// Remove takes a value of one object and list out. It says whether it was there.
func (t *Table) Remove(kind Kind, value string, object [16]byte, list uint32) bool {
	kind, key, err := place(kind, value)
	if err != nil {
		return false
	}
	t.writer.Lock()
	defer t.writer.Unlock()
	if kind == CIDR {
		return t.removeNetwork(key, object, list)
	}
	code := kindCode(kind)
	where := t.first(code, key)
	where.second = t.second(code, key)
	all, gone := *t.terms.Load(), t.gone.has(object, list)
	removed := t.keep(where.shard, func(s *shard, i int) bool {
		return !s.holds(i, where) || s.entries[i].object != object || all[s.entries[i].check>>checkBits].list != list
	})
	return removed && !gone
}

func (t *Table) removeNetwork(key []byte, object [16]byte, list uint32) bool {
	p, err := netip.ParsePrefix(string(key))
	if err != nil {
		return false
	}
	nets := t.nets.Load()
	have, _ := nets.Get(p)
	kept := slices.DeleteFunc(slices.Clone(have), func(r Reference) bool { return r.Object == object && r.List == list })
	t.storeNetwork(p, len(have), kept)
	return len(kept) < len(have) && !t.gone.has(object, list)
}

// storeNetwork makes refs the references of a network that had before many.
func (t *Table) storeNetwork(p netip.Prefix, before int, refs []Reference) {
	t.netSize.Add(int64(len(refs) - before))
	if len(refs) == 0 {
		t.nets.Store(t.nets.Load().DeletePersist(p))
		return
	}
	t.nets.Store(t.nets.Load().InsertPersist(p, refs))
}

// keep leaves in a shard the entries for which ok says so; it tells whether something went.
func (t *Table) keep(no int, ok func(s *shard, i int) bool) bool {
	old := t.shards[no].Load()
	if old == nil {
		return false
	}
	first := 0
	for first < len(old.keys) && ok(old, first) {
		first++
	}
	if first == len(old.keys) {
		return false
	}
	m := newMerger(len(old.keys) - 1)
	for i := range old.keys {
		if i < first || i > first && ok(old, i) {
			m.add(old.keys[i], old.entries[i])
		}
	}
	t.publish(no, m)
	return true
}

// AddAll adds many values at once, which costs a fraction of adding each. It returns how many went in and calls wrong,
// which may be nil, for each that did not. It does not keep the slice.
func (t *Table) AddAll(all []Known, wrong func(i int, err error)) (added int) {
	if wrong == nil {
		wrong = func(int, error) {}
	}
	batch, refused := make([]pending, 0, len(all)), 0
	refuse := func(i int, err error) {
		refused++
		wrong(i, err)
	}
	t.writer.Lock()
	defer t.writer.Unlock()
	for i := range all {
		p, network, err := t.prepare(&all[i])
		switch {
		case err != nil:
			refuse(i, err)
		case !network:
			p.index = i
			batch = append(batch, p)
		}
	}
	slices.SortStableFunc(batch, func(a, b pending) int { return cmp.Or(cmp.Compare(a.shard, b.shard), cmp.Compare(a.key, b.key)) })
	for from := 0; from < len(batch); {
		to := from + 1
		for to < len(batch) && batch[to].shard == batch[from].shard {
			to++
		}
		t.put(batch[from].shard, batch[from:to], refuse)
		from = to
	}
	return len(all) - refused
}

// prepare finds the place of a value; a network goes in at once.
func (t *Table) prepare(k *Known) (p pending, network bool, err error) {
	kind, key, err := place(k.Kind, k.Value)
	if err != nil {
		return p, false, err
	}
	t.finish(k.Object, k.List)
	if kind == CIDR {
		return p, true, t.addNetwork(key, k.Reference)
	}
	no, err := t.term(k.Reference)
	if err != nil {
		return p, false, err
	}
	code := kindCode(kind)
	where := t.first(code, key)
	where.second = t.second(code, key)
	return newPending(where, no, k.Reference), false, nil
}
