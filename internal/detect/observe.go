package detect

import (
	"bytes"

	"golang.org/x/net/publicsuffix"

	"github.com/polder-exchange/polder/event"
	"github.com/polder-exchange/polder/indicator"
)

// Bounds of what one field of an event gives.
const (
	maxParts    = 64       // values in a list, hashes in a field, URLs in a text
	maxSearched = 64 << 10 // bytes of a text that are searched
	maxTLDs     = 4096     // top-level names that an observer remembers
)

// Observer finds the observables of events: the values that an indicator may name. It remembers what each field holds, so
// that an event costs no look-up by name. One goroutine uses it at a time.
type Observer struct {
	holds   map[*event.Mapping][]holding // by name
	mapping *event.Mapping               // of the last event
	current []holding
	tlds    map[string]bool
	text    []byte // a value with its escapes resolved
	key     []byte // what is yielded

	field event.Name
	yield func(kind indicator.Kind, value []byte, field event.Name)
}

// NewObserver has met no field yet.
func NewObserver() *Observer {
	return &Observer{holds: map[*event.Mapping][]holding{}, tlds: map[string]bool{}}
}

// Observe yields each observable of an event with its kind and the field that holds it, in the form of
// [indicator.AppendKey]: hosts of URLs and domains of mail addresses too, the base name of a path, each hash of a list.
// The kind "" stands for the whole path of a file, as it is, for expressions over paths. A value holds until yield
// returns. The same value may come more than once.
func (o *Observer) Observe(ev *event.Event, yield func(kind indicator.Kind, value []byte, field event.Name)) {
	if ev.Mapping != o.mapping || o.current == nil {
		o.holds[o.mapping] = o.current
		o.mapping, o.current = ev.Mapping, o.holds[ev.Mapping]
	}
	o.yield = yield
	for i := range ev.Fields {
		f := &ev.Fields[i]
		if len(f.Value) < 2 || f.Kind == event.Bool || f.Kind == event.Null {
			continue
		}
		r := o.holding(ev.Mapping, f.Name)
		if r == holdNone || r == holdGuess && (f.Kind == event.Number || len(f.Value) < 4) {
			continue
		}
		value := f.Value
		if f.Escaped {
			if (r == holdGuess || r == holdText) && !mayHoldURL(value) {
				continue
			}
			o.text = f.Text(o.text[:0])
			value = o.text
		}
		o.field = f.Name
		o.value(r, value)
	}
	o.yield = nil
}

// mayHoldURL says whether a value with escapes may hold a URL. Nothing else that can be told by its form has any.
func mayHoldURL(v []byte) bool {
	v = v[:min(len(v), maxSearched)]
	return bytes.Contains(v, []byte("://")) || bytes.Contains(v, []byte(`:\/\/`))
}

// holding is what a field holds; it is found out when a name is met for the first time.
func (o *Observer) holding(m *event.Mapping, n event.Name) holding {
	if int(n) >= len(o.current) {
		grown := make([]holding, int(n)+64)
		copy(grown, o.current)
		o.current = grown
		o.holds[m] = grown
	}
	r := o.current[n]
	if r == holdUnknown {
		r = holdGuess
		if n != event.Other && m != nil {
			r = holdingOf(m.Names(n.String()))
		} else if n != event.Other {
			r = holdingOf([]string{n.String()})
		}
		o.current[n] = r
	}
	return r
}

// give yields a value if it is one of its kind, and says so.
func (o *Observer) give(kind indicator.Kind, value []byte) bool {
	key, ok := indicator.AppendKey(o.key[:0], kind, value)
	o.key = key
	if ok {
		o.yield(kind, key, o.field)
	}
	return ok
}

// simple are the roles whose value is one of one kind.
var simple = [...]indicator.Kind{holdImphash: indicator.Imphash, holdJA3: indicator.JA3, holdJA3S: indicator.JA3S, holdSerial: indicator.CertSerial,
	holdCertificate: indicator.CertHash, holdAgent: indicator.UserAgent, holdMutex: indicator.Mutex, holdRegistry: indicator.RegistryKey, holdText: ""}

func (o *Observer) value(r holding, v []byte) {
	switch r {
	case holdGuess:
		o.guess(v)
	case holdAddress, holdHost, holdAnswers:
		o.hosts(v)
	case holdURL:
		o.url(v)
	case holdPath:
		o.path(v)
	case holdHashes:
		o.hashes(v)
	case holdHash:
		o.hash(v)
	case holdMail:
		o.mails(v)
	case holdText:
		o.urls(v)
	default:
		o.give(simple[r], v)
	}
}

// hosts reads names and addresses: one, or several between commas, semicolons or spaces, as Sysmon writes answers.
func (o *Observer) hosts(v []byte) {
	for n := 0; len(v) > 0 && n < maxParts; n++ {
		end := bytes.IndexAny(v, ",; ")
		part := v
		if end >= 0 {
			part, v = v[:end], v[end+1:]
		} else {
			v = nil
		}
		if len(part) > 1 {
			o.host(part)
		}
	}
}

// host reads a name or an address, with a port or without.
func (o *Observer) host(v []byte) {
	if v[0] == '[' {
		if end := bytes.IndexByte(v, ']'); end > 0 {
			v = v[1:end]
		}
	}
	colon := bytes.IndexByte(v, ':')
	switch {
	case colon >= 0 && bytes.IndexByte(v[colon+1:], ':') >= 0:
		if percent := bytes.IndexByte(v, '%'); percent > 0 {
			v = v[:percent] // the zone is this machine's
		}
		o.address6(v)
		return
	case colon > 0:
		v = v[:colon]
	}
	if len(v) == 0 {
		return
	}
	if last := v[len(v)-1]; last >= '0' && last <= '9' && o.give(indicator.IPv4, v) {
		return
	}
	if bytes.IndexByte(v, '.') > 0 {
		o.give(indicator.Domain, v)
	}
}

// address6 reads an IPv6 address; one that carries an IPv4 address is that.
func (o *Observer) address6(v []byte) bool {
	key, ok := indicator.AppendKey(o.key[:0], indicator.IPv6, v)
	o.key = key
	switch four, mapped := bytes.CutPrefix(key, []byte("::ffff:")); {
	case !ok:
		return false
	case mapped && bytes.IndexByte(four, '.') > 0:
		o.yield(indicator.IPv4, four, o.field)
	default:
		o.yield(indicator.IPv6, key, o.field)
	}
	return true
}

// url reads a URL and its host; what has no scheme is a host with a path.
func (o *Observer) url(v []byte) {
	if bytes.Contains(v, []byte("://")) {
		if o.give(indicator.URL, v) {
			o.hostOf(v)
			return
		}
		o.urls(v)
		return
	}
	if v[0] == '/' {
		return // a path alone
	}
	end := bytes.IndexAny(v, "/?#")
	if end < 0 {
		end = len(v)
	}
	o.host(v[:max(end, 1)])
}

// hostOf yields the host of a URL.
func (o *Observer) hostOf(v []byte) {
	_, after, _ := bytes.Cut(v, []byte("://"))
	if end := bytes.IndexAny(after, "/?#\\"); end >= 0 {
		after = after[:end]
	}
	if at := bytes.LastIndexByte(after, '@'); at >= 0 {
		after = after[at+1:]
	}
	if len(after) > 1 {
		o.host(after)
	}
}

// urls finds the URLs in a text.
func (o *Observer) urls(v []byte) {
	v = v[:min(len(v), maxSearched)]
	for n := 0; n < maxParts; n++ {
		at := bytes.Index(v, []byte("://"))
		if at < 0 {
			return
		}
		from := at
		for from > 0 && (v[from-1]|0x20 >= 'a' && v[from-1]|0x20 <= 'z') && at-from < 10 {
			from--
		}
		end := at + 3
		for end < len(v) && end-at < indicator.MaxValue && !urlEnds[v[end]] {
			end++
		}
		one := bytes.TrimRight(v[from:end], ".,;:!?")
		if from < at && o.give(indicator.URL, one) {
			o.hostOf(one)
		}
		v = v[end:]
	}
}

// urlEnds are the signs that end a URL in a text.
var urlEnds = func() (ends [256]bool) {
	for c := range 33 {
		ends[c] = true
	}
	for _, c := range "\"'<>`)]}|^\x7f" {
		ends[c] = true
	}
	return ends
}()

// path reads the path of a file: the whole for expressions, and the name of the file.
func (o *Observer) path(v []byte) {
	if len(v) > indicator.MaxValue {
		return
	}
	o.yield("", v, o.field)
	if end := bytes.LastIndexAny(v, `\/`); end >= 0 {
		v = v[end+1:]
	}
	if stream := bytes.IndexByte(v, ':'); stream > 0 {
		v = v[:stream] // an alternate data stream
	}
	if len(v) > 0 {
		o.give(indicator.Filename, v)
	}
}

// hashes reads SHA1=…,MD5=… or one hash.
func (o *Observer) hashes(v []byte) {
	for n := 0; len(v) > 0 && n < maxParts; n++ {
		end := bytes.IndexAny(v, ",; |")
		part := v
		if end >= 0 {
			part, v = v[:end], v[end+1:]
		} else {
			v = nil
		}
		name, value, named := bytes.Cut(part, []byte("="))
		switch {
		case !named:
			o.hash(part)
		case bytes.EqualFold(name, []byte("IMPHASH")):
			o.give(indicator.Imphash, value)
		default:
			o.hash(value)
		}
	}
}

// hash tells a hash by its length.
func (o *Observer) hash(v []byte) bool {
	switch len(v) {
	case 32:
		return o.give(indicator.MD5, v)
	case 40:
		return o.give(indicator.SHA1, v)
	case 64:
		return o.give(indicator.SHA256, v)
	case 128:
		return o.give(indicator.SHA512, v)
	}
	return false
}

// mails reads mail addresses: one, or several between commas or semicolons, with names before them or not.
func (o *Observer) mails(v []byte) {
	for n := 0; len(v) > 0 && n < maxParts; n++ {
		at := bytes.IndexByte(v, '@')
		if at < 0 {
			return
		}
		from := bytes.LastIndexAny(v[:at], " \t<>,;:\"'(") + 1
		end := at + 1
		for end < len(v) && bytes.IndexByte([]byte(" \t<>,;:\"')"), v[end]) < 0 {
			end++
		}
		if o.give(indicator.Email, v[from:end]) {
			o.give(indicator.Domain, v[at+1:end])
		}
		v = v[end:]
	}
}

// guess tells by its form what a value is of whose field nothing is known. Only what can hardly be anything else counts.
func (o *Observer) guess(v []byte) {
	if bytes.Contains(v[:min(len(v), maxSearched)], []byte("://")) {
		o.urls(v)
		return
	}
	if len(v) > 253 {
		return
	}
	letters, dots, colons, other := 0, 0, 0, 0
	hex := true
	for _, c := range v {
		switch {
		case c >= '0' && c <= '9':
		case c|0x20 >= 'a' && c|0x20 <= 'z':
			letters++
			hex = hex && c|0x20 <= 'f'
		case c == '.':
			dots++
		case c == ':':
			colons++
		case c == '-' || c == '_':
			other++
		case c == '@' && len(v) > 5:
			o.mails(v)
			return
		default:
			return
		}
	}
	switch {
	case dots+colons+other == 0:
		if hex && letters > 0 {
			o.hash(v)
		}
	case colons > 1:
		if hex && other == 0 {
			o.address6(v)
		}
	case colons == 0 && letters == 0:
		if dots == 3 {
			o.give(indicator.IPv4, v)
		}
	case colons == 0 && dots > 0 && o.known(v):
		o.give(indicator.Domain, v)
	}
}

// known says whether a name ends in a top-level name that a registry keeps.
func (o *Observer) known(v []byte) bool {
	last := v[bytes.LastIndexByte(v, '.')+1:]
	if len(last) < 2 || len(last) > 63 {
		return false
	}
	is, met := o.tlds[string(last)]
	if !met && len(o.tlds) < maxTLDs {
		_, is = publicsuffix.PublicSuffix(string(bytes.ToLower(last)))
		o.tlds[string(last)] = is
	}
	return is
}
