package exchange

import (
	"encoding/json"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/notify"
	"github.com/polder-exchange/polder/stix"
	"github.com/polder-exchange/polder/stix/pattern"
)

// RuleKind says what a rule looks at.
type RuleKind string

// The kinds of a rule: everything new in sight; what is about a sector; what holds a word; what holds an own asset (a
// domain, an address, a network or any other value).
const (
	RuleEverything RuleKind = "everything"
	RuleSector     RuleKind = "sector"
	RuleKeyword    RuleKind = "keyword"
	RuleAsset      RuleKind = "asset"
)

// RuleKinds lists them.
var RuleKinds = []RuleKind{RuleEverything, RuleSector, RuleKeyword, RuleAsset}

// maxRules is how many rules one person has at most.
const maxRules = 50

// Rule is what one person wants to be told of, and how.
type Rule struct {
	ID      string
	Person  polder.PersonID
	Org     polder.OrgID
	Kind    RuleKind
	Value   string // of a sector, keyword or asset
	Channel notify.Channel
	Target  string // the webhook's address
	Secret  []byte // the webhook's, for its signature
	Digest  notify.Rhythm
	Enabled bool
	Created time.Time
}

// check puts the rule into its kept form, or says what must be mended.
func (r *Rule) check() error {
	r.Value = strings.Join(strings.Fields(r.Value), " ")
	switch {
	case !slices.Contains(RuleKinds, r.Kind):
		return polder.Errorf(polder.Invalid, "kind: %.40q is unknown; use everything, sector, keyword or asset", r.Kind)
	case r.Kind == RuleEverything:
		r.Value = ""
	case utf8.RuneCountInString(r.Value) < 2 || len(r.Value) > 200:
		return polder.Errorf(polder.Invalid, "value: write 2 to 200 characters to look for")
	}
	if r.Digest > notify.Daily {
		return polder.Errorf(polder.Invalid, "digest: use now, hourly or daily")
	}
	return r.checkChannel()
}

func (r *Rule) checkChannel() error {
	switch r.Channel {
	case notify.ByMail:
		r.Target = ""
		return nil
	case notify.ByWebhook:
		u, err := url.Parse(r.Target)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || len(r.Target) > 1000 {
			return polder.Errorf(polder.Invalid, "target: write the whole address of the webhook, such as https://chat.example/hooks/1")
		}
		return nil
	}
	return polder.Errorf(polder.Invalid, "channel: use mail or webhook")
}

// watched is what rules look at of one object.
type watched struct {
	texts   []string // in lower case
	values  []string // normalised, in lower case
	sectors []string // in lower case
}

// watch takes out of an object what rules look at; sectors of identities that it refers to are added by the caller.
func watch(o stix.Object) watched {
	w := watched{texts: []string{strings.ToLower(o.Name), strings.ToLower(o.Pattern)}}
	for _, p := range []string{"description", "abstract", "content", "question", "explanation"} {
		w.texts = append(w.texts, strings.ToLower(watchedText(o, p)))
	}
	for _, p := range []string{"sectors", "labels"} {
		for _, s := range watchedList(o, p) {
			w.sectors = append(w.sectors, strings.ToLower(s))
		}
	}
	for _, p := range []string{"value", "name", "path", "display_name", "subject", "serial_number"} {
		if o.IsObservable() {
			w.value(watchedText(o, p))
		}
	}
	if o.PatternType == "stix" {
		if parsed, err := pattern.Parse(o.Pattern); err == nil {
			for _, v := range parsed.Values() {
				w.value(v.Value)
			}
		}
	}
	for _, t := range w.texts {
		for _, m := range indicator.Find(clip(t, 100_000)) {
			w.value(m.Value)
		}
	}
	return w
}

func (w *watched) value(s string) {
	if s = strings.ToLower(strings.TrimSpace(s)); s != "" {
		w.values = append(w.values, s)
	}
}

// matches tells whether the rule is about the object.
func (r Rule) matches(w watched) bool {
	value := strings.ToLower(r.Value)
	switch r.Kind {
	case RuleEverything:
		return true
	case RuleSector:
		return slices.Contains(w.sectors, value) || slices.Contains(w.sectors, strings.ReplaceAll(value, " ", "-"))
	case RuleKeyword:
		return slices.ContainsFunc(w.texts, func(t string) bool { return hasWord(t, value) })
	case RuleAsset:
		return slices.ContainsFunc(w.values, func(v string) bool { return touches(value, v) })
	}
	return false
}

// hasWord tells whether word stands in text with neither a letter nor a digit beside it.
func hasWord(text, word string) bool {
	for at := 0; ; {
		i := strings.Index(text[at:], word)
		if i < 0 {
			return false
		}
		before, _ := utf8.DecodeLastRuneInString(text[:at+i])
		after, _ := utf8.DecodeRuneInString(text[at+i+len(word):])
		if !wordRune(before) && !wordRune(after) {
			return true
		}
		_, size := utf8.DecodeRuneInString(text[at+i:])
		at += i + size
	}
}

func wordRune(r rune) bool { return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)) }

// touches tells whether a value is, or lies in, an asset: the same text, a name or mail address or URL below a domain,
// an address in a network.
func touches(asset, value string) bool {
	if asset == value {
		return true
	}
	host := hostOf(value)
	if host == asset || strings.HasSuffix(host, "."+asset) {
		return true
	}
	at, err := netip.ParsePrefix(host)
	if err != nil {
		addr, err := netip.ParseAddr(host)
		if err != nil {
			return false
		}
		at = netip.PrefixFrom(addr, addr.BitLen())
	}
	own, err := netip.ParsePrefix(asset)
	if err != nil {
		addr, err := netip.ParseAddr(asset)
		if err != nil {
			return false
		}
		own = netip.PrefixFrom(addr, addr.BitLen())
	}
	return own.Overlaps(at)
}

// hostOf is the host of a URL or of a mail address, or the value itself.
func hostOf(value string) string {
	if strings.Contains(value, "://") {
		if u, err := url.Parse(value); err == nil && u.Hostname() != "" {
			return u.Hostname()
		}
	}
	if i := strings.LastIndexByte(value, '@'); i >= 0 {
		return value[i+1:]
	}
	return strings.TrimSuffix(value, ".")
}

// defanged writes a text so that no value in it can be followed by accident.
func defanged(text string) string {
	var b strings.Builder
	at := 0
	for _, m := range indicator.Find(text) {
		if m.Start < at {
			continue
		}
		b.WriteString(text[at:m.Start] + indicator.Defang(m.Kind, m.Value))
		at = m.End
	}
	return b.String() + text[at:]
}

// watchedText is a property that is a text, or "".
func watchedText(o stix.Object, property string) (s string) {
	if json.Unmarshal(o.Property(property), &s) != nil {
		return ""
	}
	return s
}

// watchedList is a property that is a list of texts, or nothing.
func watchedList(o stix.Object, property string) (list []string) {
	if json.Unmarshal(o.Property(property), &list) != nil {
		return nil
	}
	return list
}
