package exchange

import (
	"context"
	"slices"
	"strings"

	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/stix"
)

// This file looks at a share before it leaves, for what its sharer may not have meant to do: block what must not be
// blocked (X22), and tell in a text what it keeps closer elsewhere (S12).

// harmless warns of an indicator whose values must never become blocks (X22).
func (sh *sharing) harmless(c candidate) (out []Warning) {
	if c.object.Type != "indicator" || c.object.PatternType != "stix" {
		return nil
	}
	values, err := indicator.AnyFromPattern(c.object.Pattern)
	if err != nil {
		return nil // a combination blocks nothing by itself
	}
	for _, v := range values {
		for _, why := range sh.s.Stops(v.Kind, v.Value) {
			out = append(out, Warning{ID: c.object.ID, Value: v.Value, Reason: why})
		}
	}
	return out
}

// maxCareless bounds the warnings of one share: the sharer has to look again long before.
const maxCareless = 100

// ownValue is an object of the sharer that names a value.
type ownValue struct {
	id    string
	level stix.Marking
}

// careless looks for what its sharer would not want in a text (S12): values of its own that are marked stricter, names
// of its own people, its own mail domains, and hosts of an inner network. Only the sharer's own new texts are read;
// another's finished object is not its text, and what is held already has been looked at.
func (sh *sharing) careless(ctx context.Context) ([]Warning, error) {
	if sh.request.Confirmed {
		return nil, nil
	}
	var c *carelessness
	for i, cand := range sh.cands {
		if !sh.result.Items[i].New || !sh.ownText(cand) {
			continue
		}
		text := spoken(cand.object)
		if text == "" {
			continue
		}
		if c == nil {
			var err error
			if c, err = sh.secrets(ctx); err != nil {
				return nil, err
			}
		}
		c.read(i, text)
	}
	if c == nil {
		return nil, nil
	}
	if err := sh.stricter(ctx, c); err != nil {
		return nil, err
	}
	return c.warnings[:min(len(c.warnings), maxCareless)], nil
}

// ownText tells whether the sharer wrote what the object says.
func (sh *sharing) ownText(c candidate) bool {
	by := c.object.CreatedByRef
	return c.Made || by == "" || by == string(sh.actor.Org) || by == sh.creator
}

// spoken is the text of an object that a person wrote.
func spoken(o stix.Object) string {
	return clipBytes(strings.Join(texts(o, "name", "description", "content", "abstract", "question", "explanation"), "\n"))
}

// carelessness is what one share is held against, and what was found so far.
type carelessness struct {
	sh       *sharing
	people   map[string][][]string // names in words, by their first word
	domains  []string              // of the organisation's mail
	found    []mention
	warnings []Warning
}

// mention is a value in the text of candidate number at.
type mention struct {
	at    int
	key   string
	value string
}

// secrets gathers once what of the organisation itself should be in no text.
func (sh *sharing) secrets(ctx context.Context) (*carelessness, error) {
	people, err := sh.s.accounts.People(ctx, accounts.Local(), sh.actor.Org)
	if err != nil {
		return nil, err
	}
	c := &carelessness{sh: sh, people: map[string][][]string{}}
	for _, p := range people {
		if name := words(p.Name); p.Named() && (len(name) > 1 || len(name) == 1 && len(name[0]) > 3) {
			c.people[name[0]] = append(c.people[name[0]], name)
		}
		if _, d, ok := strings.Cut(p.Email, "@"); ok && !slices.Contains(publicMail, d) && !slices.Contains(c.domains, d) {
			c.domains = append(c.domains, d)
		}
	}
	return c, nil
}

// publicMail are mail domains that say nothing of an organisation.
var publicMail = []string{
	"gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "live.nl", "msn.com", "yahoo.com", "icloud.com", "me.com",
	"proton.me", "protonmail.com", "gmx.net", "gmx.de", "web.de", "mail.com", "zoho.com", "kpnmail.nl", "ziggo.nl", "xs4all.nl", "orange.fr",
}

// innerSuffixes end the names of hosts that only an inner network knows.
var innerSuffixes = []string{".internal", ".local", ".lan", ".corp", ".intra", ".home.arpa"}

// read looks through one text, once for names and once for values.
func (c *carelessness) read(at int, text string) {
	if len(c.people) > 0 {
		c.readNames(at, words(text))
	}
	if strings.ContainsAny(text, ".:@") || hasHash(text) {
		c.readValues(at, text)
	}
}

func (c *carelessness) readNames(at int, list []string) {
	told := map[string]bool{}
	for i, w := range list {
		for _, name := range c.people[w] {
			full := strings.Join(name, " ")
			if !told[full] && len(list)-i >= len(name) && slices.Equal(list[i:i+len(name)], name) {
				told[full] = true
				c.warn(at, full, "is the name of one of your own people; take it out, or confirm that it is meant")
			}
		}
	}
}

// readValues notes the values in a text and tells the inner names at once.
func (c *carelessness) readValues(at int, text string) {
	seen := map[string]bool{}
	note := func(v indicator.Value) {
		key := keyOfValue(v)
		if seen[key] {
			return
		}
		seen[key] = true
		switch v.Kind {
		case indicator.Filename, indicator.Mutex, indicator.RegistryKey, indicator.ASN, indicator.CVE, indicator.MAC:
			return
		}
		c.found = append(c.found, mention{at, key, v.Value})
		c.inner(at, v)
	}
	for _, m := range indicator.Find(text) {
		note(indicator.Value{Kind: m.Kind, Value: m.Value})
		if k, host, ok := indicator.Host(m.Kind, m.Value); ok {
			note(indicator.Value{Kind: k, Value: host})
		}
	}
	for _, w := range strings.FieldsFunc(indicator.Refang(text), notInName) { // names whose last part is no top-level domain
		w = strings.Trim(w, ".-")
		if strings.Contains(w, ".") {
			if v, err := indicator.Normalise(indicator.Domain, w); err == nil {
				note(indicator.Value{Kind: indicator.Domain, Value: v})
			}
		}
	}
}

func notInName(r rune) bool {
	return r < 0x80 && r != '.' && r != '-' && r != '_' && (r < '0' || r > '9') && (r|0x20 < 'a' || r|0x20 > 'z')
}

// hasHash tells whether a text may hold a hash: 32 hex digits in a row.
func hasHash(text string) bool {
	run := 0
	for i := range len(text) {
		b := text[i]
		if b >= '0' && b <= '9' || b|0x20 >= 'a' && b|0x20 <= 'f' {
			if run++; run >= 32 {
				return true
			}
			continue
		}
		run = 0
	}
	return false
}

// inner tells the organisation's own mail domains and hosts of inner networks.
func (c *carelessness) inner(at int, v indicator.Value) {
	if v.Kind != indicator.Domain {
		return
	}
	for _, d := range c.domains {
		if v.Value == d || strings.HasSuffix(v.Value, "."+d) {
			c.warn(at, v.Value, "belongs to your organisation's own mail domain "+d+"; take it out, or confirm that it is meant")
			return
		}
	}
	for _, end := range innerSuffixes {
		if strings.HasSuffix(v.Value, end) {
			c.warn(at, v.Value, "is a host of an inner network ("+end+"); take it out, or confirm that it is meant")
			return
		}
	}
}

// stricter holds the values that were found against the sharer's own objects: those shared before, and those of this
// very share. A value is told when the widest mark that the sharer gave it is stricter than the text's.
func (sh *sharing) stricter(ctx context.Context, c *carelessness) error {
	if len(c.found) == 0 {
		return nil
	}
	keys := map[string]bool{}
	for _, m := range c.found {
		keys[m.key] = true
	}
	own, err := sh.ownValues(ctx, keys)
	if err != nil {
		return err
	}
	for _, m := range c.found {
		here := sh.cands[m.at]
		widest := stix.None
		for _, v := range own[m.key] {
			if v.id == here.object.ID { // it names the value itself, so its text tells nothing more
				widest = stix.None
				break
			}
			if widest == stix.None || v.level.Wider(widest) {
				widest = v.level
			}
		}
		if widest != stix.None && here.level.Wider(widest) {
			c.warn(m.at, m.value, "is marked "+widest.Label()+" in an object of yours, and this text goes out as "+here.level.Label()+"; take it out, mark the text stricter, or confirm that it is meant")
		}
	}
	return nil
}

// ownValues are the sharer's objects that name one of these keys.
func (sh *sharing) ownValues(ctx context.Context, keys map[string]bool) (map[string][]ownValue, error) {
	sight, err := sh.s.Sight(ctx, sh.actor)
	if err != nil {
		return nil, err
	}
	if err := sh.s.search.await(ctx); err != nil {
		return nil, err
	}
	out := map[string][]ownValue{}
	list := make([]string, 0, len(keys))
	for k := range keys {
		list = append(list, k)
	}
	for some := range slices.Chunk(list, 1000) {
		got, err := sh.s.search.mine(ctx, sh.s.journal.Scopes(sight), sh.actor.Org, some)
		if err != nil {
			return nil, err
		}
		for k, v := range got {
			out[k] = append(out[k], v...)
		}
	}
	for _, cand := range sh.cands {
		for _, v := range valuesOf(cand.object) {
			if k := keyOfValue(v); keys[k] {
				out[k] = append(out[k], ownValue{cand.object.ID, cand.level})
			}
		}
	}
	return out, nil
}

func (c *carelessness) warn(at int, value, reason string) {
	c.warnings = append(c.warnings, Warning{ID: c.sh.cands[at].object.ID, Value: value, Reason: reason, Held: true})
}
