package indicator

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/polder-exchange/polder/stix"
)

func objectNo(n int) (id [16]byte) {
	binary.BigEndian.PutUint64(id[8:], uint64(n))
	return id
}

func ref(n int, list uint32) Reference {
	return Reference{Object: objectNo(n), List: list, Confidence: NoConfidence}
}

// lookup looks a raw value up and lists the objects that were found, in order.
func lookup(t testing.TB, table *Table, kind Kind, value string) (found []Found) {
	t.Helper()
	key, ok := AppendKey(nil, kind, []byte(value))
	if !ok {
		t.Fatalf("%s %q has no key", kind, value)
	}
	return table.Lookup(nil, kind, key)
}

func numbers(found []Found) string {
	var out []string
	for _, f := range found {
		out = append(out, fmt.Sprint(binary.BigEndian.Uint64(f.Object[8:])))
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func TestTableLookup(t *testing.T) {
	table := NewTable()
	for i, k := range []Value{
		{Domain, "Evil.Example.net."}, {IPv4, "45.155.205.233"}, {CIDR, "45.155.205.0/24"}, {IPv6, "2A03:2880:0::1"}, {CIDR, "2a03:2880::/32"},
		{URL, "HTTP://Evil.net:80"}, {SHA256, strings.Repeat("AB", 32)}, {Email, "Bad@Evil.NET"}, {Filename, "Invoice.EXE"}, {Mutex, "Global\\X"},
		{CertSerial, "0A:1B:2c"}, {CertHash, strings.Repeat("0A:", 19) + "0A"}, {JA3, strings.Repeat("e0", 16)}, {Imphash, strings.Repeat("e0", 16)},
		{CIDR, "198.18.7.7/32"}, {IPv6, "::ffff:45.155.205.9"}, {Domain, "bücher-evil.de"}, {RegistryKey, `HKCU\Software\X`}, {Domain, "sub.evil.example.net"},
	} {
		if err := table.Add(Known{k.Kind, k.Value, ref(i, 1)}); err != nil {
			t.Fatalf("%v: %v", k, err)
		}
	}
	for _, c := range []struct {
		kind        Kind
		value, want string
		why         string
	}{
		{Domain, "evil.example.net", "0", "the name itself"},
		{Domain, "a.b.EVIL.example.net.", "0", "a name below it, in another spelling"},
		{Domain, "x.sub.evil.example.net", "0 18", "a name below two"},
		{Domain, "notevil.example.net", "", "the end of a label is not a label"},
		{Domain, "example.net", "", "a name above it is somebody else's"},
		{IPv4, "45.155.205.233", "1 2", "the address and the network around it"},
		{IPv4, "45.155.205.9", "15 2", "an IPv4 address that was written as IPv6"},
		{IPv6, "::ffff:45.155.205.233", "1 2", "the same address seen in an IPv6 log"},
		{IPv4, "45.155.206.1", "", "outside the network"},
		{IPv6, "2a03:2880::0001", "3 4", "another spelling of the address"},
		{IPv6, "2a03:2881::1", "", "outside the IPv6 network"},
		{CIDR, "45.155.205.128/25", "2", "a part of the network"},
		{CIDR, "45.155.0.0/16", "", "a wider network is not the indicator"},
		{URL, "http://evil.net/", "5", "an empty path and the usual port change no request"},
		{URL, "http://evil.net/#top", "5", "a fragment reaches no server"},
		{URL, "http://evil.net:8080/", "", "another port"},
		{URL, "https://evil.net/", "", "another scheme"},
		{SHA256, strings.Repeat("ab", 32), "6", "case means nothing in a hash"},
		{Email, "bad@evil.net", "7", "case means nothing in a mail address"},
		{Filename, "INVOICE.exe", "8", "Windows tells no case in names of files"},
		{Mutex, "Global\\X", "9", "as it is"},
		{Mutex, "global\\x", "", "case counts in a mutex"},
		{CertSerial, "a1b2c", "10", "leading zeros and colons mean nothing"},
		{CertHash, strings.Repeat("0a", 20), "11", "without colons"},
		{JA3, strings.Repeat("E0", 16), "12", "the same digits as another kind"},
		{MD5, strings.Repeat("E0", 16), "", "the same digits, another kind"},
		{IPv4, "198.18.7.7", "14", "a network of one address is an address"},
		{Domain, "www.BÜCHER-evil.de", "16", "an international name"},
		{RegistryKey, `hkcu\software\x`, "17", "case means nothing in the registry"},
	} {
		if got := numbers(lookup(t, table, c.kind, c.value)); got != c.want {
			t.Errorf("%s %q found %q, want %q: %s", c.kind, c.value, got, c.want, c.why)
		}
	}
	f := lookup(t, table, Domain, "a.b.evil.example.net")
	if f[0].From != 4 || f[0].Kind != Domain {
		t.Errorf("the entry begins at %d, want 4", f[0].From)
	}
	f = lookup(t, table, IPv4, "45.155.205.1")
	if f[0].Network != netip.MustParsePrefix("45.155.205.0/24") || f[0].Kind != CIDR {
		t.Errorf("found %+v, want the network", f[0])
	}
}

func TestTableRefuses(t *testing.T) {
	table := NewTable()
	for _, c := range []struct {
		kind  Kind
		value string
		want  error
		why   string
	}{
		{Domain, "com", ErrPublicSuffix, "it would match every name"},
		{Domain, "co.uk", ErrPublicSuffix, "it would match every name in it"},
		{Domain, "github.io", ErrPublicSuffix, "it would match everybody's pages"},
		{CIDR, "0.0.0.0/0", ErrWideNetwork, "it would match every address"},
		{CIDR, "::/0", ErrWideNetwork, "the same"},
		{IPv4, "1.2.3", nil, "no address"}, {Domain, "a b", nil, "no name"}, {MD5, "xyz", nil, "no hash"}, {"colour", "red", nil, "no kind"},
	} {
		err := table.Add(Known{c.kind, c.value, ref(1, 1)})
		if err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("Add(%s %q) = %v, want %v: %s", c.kind, c.value, err, c.want, c.why)
		}
	}
	if table.Len() != 0 {
		t.Errorf("the table holds %d", table.Len())
	}
	if err := table.Add(Known{Domain, "evil.github.io", ref(1, 1)}); err != nil {
		t.Errorf("a name below a public suffix is refused: %v", err)
	}
}

func TestTableTerms(t *testing.T) {
	table := NewTable()
	day := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	r := Reference{Object: objectNo(1), List: 7, ValidFrom: day, ValidUntil: day.Add(time.Hour), Confidence: 85, Marking: stix.Amber, PAP: stix.PAPRed}
	for _, kind := range []Value{{Domain, "evil.net"}, {CIDR, "45.155.205.0/24"}} {
		if err := table.Add(Known{kind.Kind, kind.Value, r}); err != nil {
			t.Fatal(err)
		}
	}
	for _, kind := range []Value{{Domain, "evil.net"}, {IPv4, "45.155.205.7"}} {
		found := lookup(t, table, kind.Kind, kind.Value)
		if len(found) != 1 || found[0].Reference != r {
			t.Fatalf("%s came back as %+v, want %+v", kind.Value, found, r)
		}
	}
	for at, want := range map[time.Time]bool{{}: true, day.Add(-time.Second): false, day: true, day.Add(time.Hour - 1): true, day.Add(time.Hour): false} {
		if got := r.ValidAt(at); got != want {
			t.Errorf("valid at %s: %v, want %v", at, got, want)
		}
	}
	if n := table.Expire(day.Add(30 * time.Minute)); n != 0 {
		t.Errorf("%d went before their time", n)
	}
	if n := table.Expire(day.Add(time.Hour)); n != 2 || table.Len() != 0 {
		t.Errorf("%d went, %d stayed; want both to go at the end of their time", n, table.Len())
	}
}

// TestTableManySources: one value that is shared without end does not make its place without end.
func TestTableManySources(t *testing.T) {
	table := NewTable()
	var all []Known
	for i := range 3 * MaxSources {
		all = append(all, Known{Domain, "evil.net", ref(i, 1)})
	}
	wrong := 0
	if n := table.AddAll(all, func(i int, err error) {
		if wrong++; !errors.Is(err, errManySources) {
			t.Fatalf("%d: %v", i, err)
		}
	}); n != MaxSources || wrong != 2*MaxSources {
		t.Errorf("%d went in and %d did not", n, wrong)
	}
	if n := len(lookup(t, table, Domain, "evil.net")); n != MaxSources {
		t.Errorf("found %d, want %d", n, MaxSources)
	}
	if err := table.Add(all[0]); err != nil {
		t.Errorf("a source that is in already may change its terms: %v", err)
	}
}

// TestTableForget: what is forgotten counts no longer at once, and comes back only with what is added anew.
func TestTableForget(t *testing.T) {
	table := NewTable()
	for i := range 2000 {
		ok(t, table.Add(Known{Domain, fmt.Sprintf("evil%d.net", i), ref(i%10, 1)}))
	}
	ok(t, table.Add(Known{CIDR, "45.155.205.0/24", ref(3, 1)}))
	table.Forget(objectNo(3), 1)
	if got := numbers(lookup(t, table, Domain, "evil3.net")) + numbers(lookup(t, table, IPv4, "45.155.205.1")); got != "" {
		t.Fatalf("found %q after it was forgotten", got)
	}
	if !table.Sweep(8) {
		t.Fatal("one part in 64 is the whole table")
	}
	table.Forget(objectNo(4), 1)
	ok(t, table.Add(Known{Domain, "again.net", ref(3, 1)}))
	if got := numbers(lookup(t, table, Domain, "evil3.net")) + numbers(lookup(t, table, Domain, "again.net")); got != "3" {
		t.Fatalf("found %q after the object came back with another value, want 3", got)
	}
	if got := numbers(lookup(t, table, Domain, "evil4.net")); got != "" {
		t.Fatalf("found %q: forgotten during a sweep", got)
	}
	for table.Sweep(8) {
	}
	if table.Len() != 2000-200-200+1 {
		t.Errorf("%d are left, want 1601", table.Len())
	}
	if n := table.DropList(1); n != 1601 || table.Len() != 0 {
		t.Errorf("dropping the list took %d and left %d", n, table.Len())
	}
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// modelEntry is what a table should hold.
type modelEntry struct {
	value  Value
	object int
	list   uint32
}

// TestTableModel: the table finds what a plain map of everything added and not removed would find.
func TestTableModel(t *testing.T) {
	names := []string{"evil.net", "a.evil.net", "b.a.evil.net", "good.org", "x.co.uk", "y.x.co.uk"}
	networks := []string{"45.155.205.0/24", "45.155.0.0/16", "45.155.205.7/32", "45.128.0.0/9"}
	addresses := []string{"45.155.205.7", "45.155.205.8", "45.155.1.1", "45.1.1.1", "99.1.1.1"}
	rapid.Check(t, func(t *rapid.T) {
		table, model := NewTable(), map[modelEntry]bool{}
		value := rapid.Custom(func(t *rapid.T) Value {
			switch rapid.IntRange(0, 2).Draw(t, "kind") {
			case 0:
				return Value{Domain, rapid.SampledFrom(names).Draw(t, "name")}
			case 1:
				return Value{CIDR, rapid.SampledFrom(networks).Draw(t, "network")}
			}
			return Value{IPv4, rapid.SampledFrom(addresses).Draw(t, "address")}
		})
		draw := func() modelEntry {
			v := value.Draw(t, "value")
			if v.Value == "45.155.205.7/32" {
				v = Value{IPv4, "45.155.205.7"} // the same indicator
			}
			return modelEntry{v, rapid.IntRange(1, 4).Draw(t, "object"), uint32(rapid.IntRange(1, 2).Draw(t, "list"))}
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 5).Draw(t, "step") {
			case 0, 1:
				e := draw()
				if err := table.Add(Known{e.value.Kind, e.value.Value, ref(e.object, e.list)}); err != nil {
					t.Fatal(err)
				}
				model[e] = true
			case 2:
				var all []Known
				for range 3 {
					e := draw()
					all = append(all, Known{e.value.Kind, e.value.Value, ref(e.object, e.list)})
					model[e] = true
				}
				table.AddAll(all, func(i int, err error) { t.Fatal(err) })
			case 3:
				e := draw()
				if got := table.Remove(e.value.Kind, e.value.Value, objectNo(e.object), e.list); got != model[e] {
					t.Fatalf("Remove(%v) = %v", e, got)
				}
				delete(model, e)
			case 4:
				gone := draw()
				table.Forget(objectNo(gone.object), gone.list)
				for e := range model {
					if e.object == gone.object && e.list == gone.list {
						delete(model, e)
					}
				}
			case 5:
				table.Sweep(rapid.SampledFrom([]int{8, shardCount}).Draw(t, "parts"))
			}
		}
		for _, name := range names {
			compare(t, table, model, Value{Domain, name})
		}
		for _, a := range addresses {
			compare(t, table, model, Value{IPv4, a})
		}
		for table.Sweep(shardCount) {
		}
		if table.Len() != len(model) {
			t.Fatalf("the table holds %d, the model %d", table.Len(), len(model))
		}
	})
}

func compare(t *rapid.T, table *Table, model map[modelEntry]bool, v Value) {
	var want, got []string
	for e := range model {
		hit := e.value == v
		switch {
		case v.Kind == Domain && e.value.Kind == Domain:
			hit = hit || strings.HasSuffix(v.Value, "."+e.value.Value)
		case e.value.Kind == CIDR:
			hit = v.Kind == IPv4 && netip.MustParsePrefix(e.value.Value).Contains(netip.MustParseAddr(v.Value))
		}
		if hit {
			want = append(want, fmt.Sprint(e.object, e.list))
		}
	}
	for _, f := range table.Lookup(nil, v.Kind, []byte(v.Value)) {
		got = append(got, fmt.Sprint(binary.BigEndian.Uint64(f.Object[8:]), f.List))
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Fatalf("%v found %v, want %v", v, got, want)
	}
}

// TestTableReaders: while one writes, readers never miss what stands and never see half of a write.
func TestTableReaders(t *testing.T) {
	table := NewTable()
	for i := range 500 {
		ok(t, table.Add(Known{Domain, fmt.Sprintf("stays%d.net", i), ref(i, 1)}))
	}
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			var found []Found
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				n := i % 500
				found = table.Lookup(found[:0], Domain, fmt.Appendf(nil, "stays%d.net", n))
				if len(found) != 1 || found[0].Object != objectNo(n) || found[0].List != 1 {
					t.Errorf("stays%d.net found %+v", n, found)
					return
				}
				table.Lookup(found[:0], IPv4, []byte("45.155.205.7"))
			}
		})
	}
	for i := range 3000 {
		k := Known{Domain, fmt.Sprintf("goes%d.net", i%700), ref(i, uint32(i%50))}
		ok(t, table.Add(k))
		ok(t, table.Add(Known{CIDR, "45.155.205.0/24", ref(i%20, 1)}))
		table.Remove(CIDR, "45.155.205.0/24", objectNo((i+7)%20), 1)
		if i%2 == 0 {
			table.Remove(k.Kind, k.Value, k.Object, k.List)
		}
		if i%500 == 0 {
			table.Forget(k.Object, k.List)
			table.Sweep(40)
		}
	}
	close(stop)
	readers.Wait()
}

// TestAppendKeyAgrees: the quick way gives what the careful way gives, and its own result again.
func TestAppendKeyAgrees(t *testing.T) {
	texts := []string{"evil.net", "EVIL.net.", "a..b", "-a.net", "a-.net", "a_b.net", "x.123", "1.2.3.4", "01.2.3.4", "1.2.3.256", "::1", "1::2::3", "::ffff:1.2.3.4",
		"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "12345::", ":1", "1:", "fe80::1%eth0", "::1.2.3.4", "1:2:3:4:5:6:1.2.3.4", "1.2.3.4::",
		"http://a.net", "HTTP://A.net:80/x", "https://u:p@a.net/x", "http://[::1]:8080/", "http://[::1", "http://", "http:///x", "http://a.net:99999/", "ftp://a.net:21",
		"http://bücher.de/ä", "a@b.net", "A.B@B.net.", "a b@b.net", "@b.net", "bücher.de", "bücher..de", strings.Repeat("a", 64) + ".net", strings.Repeat("ab", 16),
		strings.Repeat("g", 32), "file.EXE", "Ärger.exe", "  evil.net  ", "a\x00b", "\xff", "CVE-2024-1", "AS64500", "00:1a:2b:3c:4d:5e", "0x0A1B", "10.0.0.0/8", ""}
	for _, kind := range Kinds() {
		for _, text := range texts {
			agree(t, kind, text)
		}
	}
}

func agree(t *testing.T, kind Kind, text string) {
	t.Helper()
	normal, err := Normalise(kind, text)
	key, good := AppendKey([]byte("x"), kind, []byte(text))
	if !bytes.HasPrefix(key, []byte("x")) {
		t.Fatalf("AppendKey(%s, %q) lost what was there", kind, text)
	}
	key = key[1:]
	if good != (err == nil) {
		t.Fatalf("AppendKey(%s, %q) = %q, %v; Normalise: %v", kind, text, key, good, err)
	}
	if !good {
		return
	}
	if of, _ := AppendKey(nil, kind, []byte(normal)); string(of) != string(key) {
		t.Fatalf("%s %q has the key %q, its normal form %q the key %q", kind, text, key, normal, of)
	}
	again, _ := AppendKey(nil, kind, key)
	if string(again) != string(key) {
		t.Fatalf("the key %q of %s %q has the key %q", key, kind, text, again)
	}
	switch kind {
	case IPv4, IPv6, Domain, MD5, SHA1, SHA256, SHA512, Email, Mutex:
		if string(key) != normal {
			t.Fatalf("the key of %s %q is %q, its normal form %q", kind, text, key, normal)
		}
	}
}

// FuzzAppendKey: the same for anything.
func FuzzAppendKey(f *testing.F) {
	for i, text := range []string{"evil.net", "1.2.3.4", "2001:db8::1", "http://a.net/x?y#z", "a@b.net", "C:\\x.exe"} {
		f.Add(uint8(i), text)
	}
	f.Fuzz(func(t *testing.T, kind uint8, text string) {
		agree(t, Kinds()[int(kind)%len(Kinds())], text)
	})
}

// TestTableNoAllocation: a look-up costs no memory, whether or not something is found.
func TestTableNoAllocation(t *testing.T) {
	table := NewTable()
	ok(t, table.Add(Known{Domain, "evil.net", ref(1, 1)}))
	ok(t, table.Add(Known{CIDR, "45.155.205.0/24", ref(1, 1)}))
	found, buf := make([]Found, 0, 8), make([]byte, 0, 256)
	for _, c := range []Value{{Domain, "WWW.evil.net"}, {Domain, "a.b.c.good.org"}, {IPv4, "9.9.9.9"}, {IPv4, "45.155.205.1"}, {IPv6, "2a03:2880::1"},
		{URL, "http://User@Evil.net:80/path?q"}, {SHA256, strings.Repeat("AB", 32)}, {Email, "A@evil.net"}, {Filename, "Ärger.EXE"}, {Mutex, "x"}} {
		value := []byte(c.Value)
		n := testing.AllocsPerRun(100, func() {
			key, _ := AppendKey(buf[:0], c.Kind, value)
			found = table.Lookup(found[:0], c.Kind, key)
		})
		if limit := map[Kind]float64{Mutex: 1}[c.Kind]; n > limit {
			t.Errorf("%s %s allocates %v times", c.Kind, c.Value, n)
		}
	}
}
