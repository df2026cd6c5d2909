package exchange

import (
	"encoding/hex"
	"encoding/json"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
	"github.com/polder-exchange/polder/stix/pattern"
)

// This file says, purely, under what an object is found. Keys are exact: a letter or a kind, a colon, and
//
//	i: an address, in 16 bytes of hex, so that those of a block are a range
//	c: a block of addresses
//	d: a domain with its labels reversed and a dot behind, so that the names below it are a range
//	h: the host of a URL or the domain of a mail address, in the same form
//	x: a hash
//	e: an external id, in lower case
//	n: a name or alias, folded
//	r: the id of an object that it refers to
//
// and other values under their kind.

// What one object adds to the index at most; beyond that it is found by less.
const (
	maxKeys  = 20_000
	maxWords = 256 << 10 // bytes of its text
	maxWord  = 64        // bytes of a word; longer ones are cut, in queries too
)

// entry is what the index keeps of a delivery.
type entry struct {
	seq        polder.Seq
	scope      int64
	id, typ    string
	sharer     polder.OrgID
	level      stix.Marking
	keys       []string
	name, body string
}

// entryOf reads a delivery for the index. Withdrawn ones and those that reach nobody are not in it.
func entryOf(d journal.Scanned) (entry, bool) {
	if d.Gone != 0 || d.Raw == nil || d.Scope == 0 {
		return entry{}, false
	}
	e := entry{seq: d.Seq, scope: d.Scope, id: d.ID, typ: d.Type(), sharer: d.Sharer, level: d.Level}
	o, err := stix.Parse(d.Raw)
	if err != nil { // held by an earlier version of the rules: its id still finds it
		return e, true
	}
	e.keys = keysOf(o)
	e.name, e.body = textOf(o)
	return e, true
}

// keysOf lists the keys of an object, each once.
func keysOf(o stix.Object) []string {
	var keys []string
	for _, v := range valuesOf(o) {
		keys = append(keys, keysOfValue(v)...)
	}
	for _, id := range externalIDs(o) {
		keys = append(keys, "e:"+strings.ToLower(id))
	}
	for _, n := range append(texts(o, "aliases", "x_mitre_aliases"), o.Name) {
		if k := nameKey(n); k != "" {
			keys = append(keys, k)
		}
	}
	for _, r := range o.Refs() {
		if r.Property != "created_by_ref" && !strings.HasPrefix(r.ID, "marking-definition--") {
			keys = append(keys, "r:"+r.ID)
		}
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	return keys[:min(len(keys), maxKeys)]
}

// valuesOf lists the values that an object names: an observable's own, and those that an indicator's pattern compares.
func valuesOf(o stix.Object) (out []indicator.Value) {
	add := func(k indicator.Kind, v string) {
		if n, err := indicator.Normalise(k, v); err == nil {
			out = append(out, indicator.Value{Kind: k, Value: n})
		}
	}
	switch o.Type {
	case "indicator":
		if o.PatternType == "stix" {
			out = valuesOfPattern(o.Pattern)
		}
	case "ipv4-addr", "ipv6-addr":
		if strings.Contains(o.Value, "/") {
			add(indicator.CIDR, o.Value)
		}
		if o.Type == "ipv4-addr" {
			add(indicator.IPv4, o.Value)
		}
		add(indicator.IPv6, o.Value)
	case "domain-name", "url", "email-addr", "mac-addr":
		if k, err := indicator.ParseKind(o.Type); err == nil {
			add(k, o.Value)
		}
	case "file":
		add(indicator.Filename, o.Name)
	case "mutex":
		add(indicator.Mutex, o.Name)
	case "windows-registry-key":
		add(indicator.RegistryKey, first(texts(o, "key")))
	case "autonomous-system":
		add(indicator.ASN, string(o.Property("number")))
	case "vulnerability":
		add(indicator.CVE, o.Name)
	}
	for alg, sum := range hashesOf(o) {
		if k, err := indicator.ParseKind(alg); err == nil {
			add(k, sum)
		}
	}
	return out
}

// valuesOfPattern are the values of a pattern that any of them meets, or else those that it compares in combination.
func valuesOfPattern(text string) []indicator.Value {
	p, err := pattern.Parse(text)
	if err != nil {
		return nil
	}
	if list, err := indicator.Values(p); err == nil {
		return list
	}
	var out []indicator.Value
	for _, v := range p.Values() {
		if k, value, err := indicator.FromPattern("[" + v.ObjectType + ":" + v.Path + " = " + pattern.Quote(v.Value) + "]"); err == nil {
			out = append(out, indicator.Value{Kind: k, Value: value})
		}
	}
	return out
}

func hashesOf(o stix.Object) (out map[string]string) {
	_ = json.Unmarshal(o.Property("hashes"), &out) // absent, or of a form of its own
	return out
}

func externalIDs(o stix.Object) (out []string) {
	var refs []struct {
		ID string `json:"external_id"`
	}
	_ = json.Unmarshal(o.Property("external_references"), &refs) // absent in most
	for _, r := range refs {
		if r.ID != "" {
			out = append(out, r.ID)
		}
	}
	return out
}

// texts are the values of properties that are a text or a list of texts.
func texts(o stix.Object, properties ...string) (out []string) {
	for _, p := range properties {
		raw := o.Property(p)
		if len(raw) == 0 {
			continue
		}
		var one string
		var many []string
		if json.Unmarshal(raw, &one) == nil {
			out = append(out, one)
		} else if json.Unmarshal(raw, &many) == nil {
			out = append(out, many...)
		}
	}
	return out
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// textOf is what words are found in: what an object is called, and what it says.
func textOf(o stix.Object) (name, body string) {
	called := append(texts(o, "name", "aliases", "x_mitre_aliases", "value", "path", "key", "display_name", "account_login", "subject"), externalIDs(o)...)
	says := texts(o, "description", "abstract", "content", "question", "explanation", "labels", "goals", "objective", "pattern", "command_line", "issuer")
	return clipBytes(strings.Join(called, "\n")), clipBytes(strings.Join(says, "\n"))
}

func clipBytes(s string) string { return s[:min(len(s), maxWords)] }

// keyOfValue is the key under which exactly this value is found.
func keyOfValue(v indicator.Value) string {
	switch v.Kind {
	case indicator.IPv4, indicator.IPv6:
		if a, err := netip.ParseAddr(v.Value); err == nil {
			return "i:" + hexOf(a)
		}
	case indicator.CIDR:
		return "c:" + v.Value
	case indicator.Domain:
		return "d:" + reversed(v.Value)
	case indicator.MD5, indicator.SHA1, indicator.SHA256, indicator.SHA512:
		return "x:" + v.Value
	case indicator.CVE, indicator.ASN:
		return "e:" + strings.ToLower(v.Value)
	case indicator.Filename, indicator.RegistryKey:
		return string(v.Kind) + ":" + strings.ToLower(v.Value)
	}
	return string(v.Kind) + ":" + v.Value
}

// keysOfValue are all keys of an object that names this value.
func keysOfValue(v indicator.Value) []string {
	keys := []string{keyOfValue(v)}
	if v.Kind == indicator.URL || v.Kind == indicator.Email {
		if k, host, ok := indicator.Host(v.Kind, v.Value); ok && k == indicator.Domain {
			keys = append(keys, "h:"+reversed(host))
		} else if ok {
			keys = append(keys, "h:"+host)
		}
	}
	return keys
}

func hexOf(a netip.Addr) string {
	b := a.Unmap().As16()
	return hex.EncodeToString(b[:])
}

// reversed turns a name around by its labels: a.b.example is example.b.a. with a dot at the end.
func reversed(domain string) string {
	labels := strings.Split(domain, ".")
	slices.Reverse(labels)
	return strings.Join(labels, ".") + "."
}

// nameKey is the key of a name; "" when it has no letter or digit.
func nameKey(name string) string {
	if len(name) > 512 {
		return ""
	}
	list := words(name)
	if len(list) == 0 {
		return ""
	}
	return "n:" + strings.Join(list, " ")
}

// words cuts a text into words in lower case without accents. Where a script writes no spaces, each sign is a word.
func words(text string) (out []string) {
	text = strings.ToLower(norm.NFKD.String(text))
	start := -1
	end := func(i int) {
		if start >= 0 {
			out = append(out, plain(text[start:i]))
			start = -1
		}
	}
	for i, r := range text {
		switch {
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai) && unicode.IsLetter(r):
			end(i)
			out = append(out, string(r))
		case unicode.IsLetter(r) || unicode.IsNumber(r) || start >= 0 && unicode.IsMark(r):
			if start < 0 {
				start = i
			}
		default:
			end(i)
		}
	}
	end(len(text))
	return out
}

// plain is a word without its marks, cut to a length.
func plain(word string) string {
	ascii := true
	for i := range len(word) {
		ascii = ascii && word[i] < 0x80
	}
	if !ascii {
		word = strings.Map(func(r rune) rune {
			if unicode.IsMark(r) {
				return -1
			}
			return r
		}, word)
	}
	if len(word) > maxWord {
		word = strings.ToValidUTF8(word[:maxWord], "")
	}
	return word
}

// scoped puts the number of a scope before each word, so that words of one scope are no matches in another and no search
// reads the list of a scope that is not its reader's.
func scoped(scope int64, text string) string {
	before := "s" + strconv.FormatInt(scope, 10) + "x"
	var b strings.Builder
	for i, w := range words(text) {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(before)
		b.WriteString(w)
	}
	return b.String()
}
