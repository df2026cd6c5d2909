package history

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/cespare/xxhash/v2"

	"github.com/polder-exchange/polder/indicator"
)

// Value is what is looked for, or what stands in an event: a kind and a value.
type Value = indicator.Value

// ParseValue recognises the kind of a value that a person typed, defanged or not. A kind that has no form of its own is
// named before it: "mutex:Global\abc", "filename:report.txt".
func ParseValue(text string) (Value, error) {
	kind, v, err := indicator.Recognise(text)
	if err == nil {
		return Value{Kind: kind, Value: v}, nil
	}
	if name, rest, ok := strings.Cut(text, ":"); ok {
		if kind, kindErr := indicator.ParseKind(name); kindErr == nil {
			v, err := indicator.Normalise(kind, rest)
			return Value{Kind: kind, Value: v}, err
		}
	}
	return Value{}, fmt.Errorf("%w, as in filename:%.40s", err, text)
}

// spelled is a value as it is compared, in the spelling of [indicator.AppendKey]; what has none stays as it is.
func spelled(v Value) Value {
	if k, ok := indicator.AppendKey(nil, v.Kind, []byte(v.Value)); ok {
		v.Value = string(k)
	}
	return v
}

// Matches says whether what stands in an event is, or belongs to, what is looked for. Both are spelled as
// [indicator.AppendKey] does.
func Matches(want, have Value) bool {
	switch want.Kind {
	case indicator.Domain:
		return have.Kind == indicator.Domain && (have.Value == want.Value || strings.HasSuffix(have.Value, "."+want.Value))
	case indicator.CIDR:
		net, err := netip.ParsePrefix(want.Value)
		return err == nil && within(net, have)
	}
	return want == have
}

// within says whether an address or a network lies in net.
func within(net netip.Prefix, have Value) bool {
	switch have.Kind {
	case indicator.IPv4, indicator.IPv6:
		a, err := netip.ParseAddr(have.Value)
		return err == nil && net.Contains(a)
	case indicator.CIDR:
		p, err := netip.ParsePrefix(have.Value)
		return err == nil && p.Bits() >= net.Bits() && net.Contains(p.Addr())
	}
	return false
}

// The widths of the networks around an address that filters hold.
var (
	widths4 = [...]int{8, 16, 24}
	widths6 = [...]int{32, 48, 64}
)

// maxProbes bounds the keys that one network query is put to a filter as.
const maxProbes = 256

// key is the stable hash of a kind and a value, by which filters know it.
func key(kind, value string) uint64 {
	var d xxhash.Digest
	d.Reset()
	_, _ = d.WriteString(kind)
	_, _ = d.Write([]byte{0})
	_, _ = d.WriteString(value)
	return d.Sum64()
}

// keysOf appends every key under which a value of an event is found.
func keysOf(keys []uint64, have Value) []uint64 {
	keys = append(keys, key(string(have.Kind), have.Value))
	switch have.Kind {
	case indicator.Domain:
		for _, up, ok := strings.Cut(have.Value, "."); ok && strings.Contains(up, "."); _, up, ok = strings.Cut(up, ".") {
			keys = append(keys, key(string(indicator.Domain), up))
		}
	case indicator.IPv4, indicator.IPv6:
		if a, err := netip.ParseAddr(have.Value); err == nil {
			keys = networksAround(keys, a)
		}
	case indicator.CIDR:
		keys = append(keys, anyNetwork)
	}
	return keys
}

func networksAround(keys []uint64, a netip.Addr) []uint64 {
	for _, w := range widthsOf(a) {
		if p, err := a.Prefix(w); err == nil {
			keys = append(keys, networkKey(p))
		}
	}
	return keys
}

func widthsOf(a netip.Addr) []int {
	if a.Is4() {
		return widths4[:]
	}
	return widths6[:]
}

// networkKey is the key of a network around an address that stands in an event.
func networkKey(p netip.Prefix) uint64 { return key("around", p.String()) }

// anyNetwork is in the filter of a segment in which networks stand, which is rare: they may lie in each other in too many
// ways for keys.
var anyNetwork = key("around", "a network")

// probes are the keys of which at least one is in the filter of every segment that holds a match; ok is false when
// filters cannot tell.
func probes(want Value) (keys []uint64, ok bool) {
	switch want.Kind {
	case indicator.Domain:
		if !strings.Contains(want.Value, ".") {
			return nil, false
		}
	case indicator.CIDR:
		return networkProbes(want.Value)
	}
	return []uint64{key(string(want.Kind), want.Value)}, true
}

// networkProbes covers a network by networks of a width that filters hold. One narrower than all of those is looked for
// as the one around it.
func networkProbes(text string) ([]uint64, bool) {
	net, err := netip.ParsePrefix(text)
	if err != nil {
		return nil, false
	}
	net = net.Masked()
	widths := widthsOf(net.Addr())
	width := widths[len(widths)-1]
	for _, w := range widths {
		if w >= net.Bits() {
			width = w
			break
		}
	}
	count := 1
	if width > net.Bits() {
		if count <<= min(width-net.Bits(), 9); count > maxProbes {
			return nil, false
		}
	}
	keys := []uint64{anyNetwork}
	sub, _ := net.Addr().Prefix(width)
	for range count {
		keys = append(keys, networkKey(sub))
		sub = nextNetwork(sub)
	}
	return keys, true
}

// nextNetwork is the network of the same width that follows p.
func nextNetwork(p netip.Prefix) netip.Prefix {
	raw := p.Addr().AsSlice()
	carry := uint(1) << (7 - (p.Bits()-1)%8)
	for i := (p.Bits() - 1) / 8; i >= 0 && carry > 0; i-- {
		carry += uint(raw[i])
		raw[i] = byte(carry)
		carry >>= 8
	}
	a, _ := netip.AddrFromSlice(raw)
	return netip.PrefixFrom(a, p.Bits())
}
