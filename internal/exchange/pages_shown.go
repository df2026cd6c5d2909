package exchange

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// shown is a delivery as its reader reads it.
type shown struct {
	journal.Delivery
	o     stix.Object // zero when it was erased
	Title string
	By    string // its creator in words
}

// soon is how long before its end an object is said to end.
const soon = 7 * 24 * time.Hour

// show reads deliveries for people: what they are called, and by whom. What they refer to is looked up in the reader's
// sight; what is not there is not told from what is not for the reader.
func (p *Pages) show(rd *reader, all []journal.Delivery) ([]shown, error) {
	out := make([]shown, len(all))
	var ids []string
	for i, d := range all {
		out[i].Delivery = d
		if d.Raw == nil {
			continue
		}
		o, err := stix.Parse(d.Raw)
		if err != nil {
			return nil, err
		}
		out[i].o = o
		ids = append(ids, o.CreatedByRef)
		ids = append(ids, targets(o)...)
	}
	known, err := p.titles(rd, ids)
	if err != nil {
		return nil, err
	}
	for i := range out {
		out[i].Title = rd.title(out[i].Delivery.ID, out[i].o, known)
		out[i].By = rd.creator(out[i].o.CreatedByRef, known)
	}
	return out, nil
}

// targets are the objects that stand in the title of o.
func targets(o stix.Object) (ids []string) {
	switch o.Type {
	case "relationship":
		return []string{o.SourceRef, o.TargetRef}
	case "sighting":
		return []string{o.SightingOfRef}
	case "opinion", "note":
		if len(o.ObjectRefs) > 0 {
			return o.ObjectRefs[:1]
		}
	case "observed-data":
		return o.ObjectRefs[:min(len(o.ObjectRefs), maxObserved)]
	}
	return nil
}

// maxObserved is how many values stand in the title of an observation.
const maxObserved = 3

// titles are the own titles of objects by id, of those that the reader sees.
func (p *Pages) titles(rd *reader, ids []string) (map[string]stix.Object, error) {
	slices.Sort(ids)
	ids = slices.DeleteFunc(slices.Compact(ids), func(id string) bool { return !stix.ValidID(id) })
	out := map[string]stix.Object{}
	if len(ids) == 0 {
		return out, nil
	}
	page, err := p.journal.Page(rd.ctx, rd.sight, journal.Query{IDs: ids, Limit: 4 * len(ids)})
	if err != nil {
		return nil, err
	}
	for _, d := range page.Deliveries {
		if d.Raw == nil {
			continue
		}
		o, err := stix.Parse(d.Raw)
		if err != nil {
			return nil, err
		}
		out[d.ID] = o
	}
	return out, nil
}

// title is what a person calls an object.
func (rd *reader) title(id string, o stix.Object, known map[string]stix.Object) string {
	name := func(id string) string {
		if to, ok := known[id]; ok {
			return rd.title(id, to, nil)
		}
		return rd.words.T("exchange.not-here", "type", rd.kind(stix.TypeOf(id)))
	}
	switch o.Type {
	case "":
		return rd.words.T("exchange.erased", "type", rd.kind(stix.TypeOf(id)))
	case "relationship":
		return name(o.SourceRef) + " " + strings.ReplaceAll(o.RelationshipType, "-", " ") + " " + name(o.TargetRef)
	case "sighting":
		return rd.words.T("exchange.title.sighting", "what", name(o.SightingOfRef))
	case "opinion":
		if len(o.ObjectRefs) > 0 {
			return rd.words.T("exchange.title.opinion", "what", name(o.ObjectRefs[0]))
		}
	case "observed-data":
		return rd.observed(o, known)
	}
	if t := ownTitle(o); t != o.ID {
		return muzzled(clip(t, 120))
	}
	return rd.kind(o.Type)
}

// observed is what was observed, as far as it is known: its first values, else how often.
func (rd *reader) observed(o stix.Object, known map[string]stix.Object) string {
	var values []string
	for _, id := range targets(o) {
		if to, ok := known[id]; ok {
			values = append(values, rd.title(id, to, nil))
		}
	}
	if len(values) == 0 {
		return rd.words.T("exchange.title.observed", "n", max(1, number(o, "number_observed")))
	}
	if len(o.ObjectRefs) > len(values) {
		values = append(values, "…")
	}
	return clip(strings.Join(values, ", "), 120)
}

// ownTitle is what o says of itself: for an indicator of one value that value, unless it has a name.
func ownTitle(o stix.Object) string {
	if o.Name == "" && o.Type == "indicator" {
		if values, err := indicator.AnyFromPattern(o.Pattern); err == nil && len(values) > 0 {
			return values[0].Value
		}
	}
	if t := title(o); t != "" {
		return t
	}
	return o.ID
}

// muzzled is a text so that nobody follows it by accident, where the whole of it is a value that bites.
func muzzled(text string) string {
	if strings.ContainsAny(text, " \t\n") || len(text) > 300 {
		return text
	}
	kind, _, err := indicator.Recognise(text)
	if err != nil {
		return text
	}
	return indicator.Defang(kind, text)
}

// kind is a type in words.
func (rd *reader) kind(typ string) string {
	if key := "exchange.type." + typ; rd.words.Has(key) {
		return rd.words.T(key)
	}
	return typ
}

// creator says whom an object names as its creator: one of the reader's neighbours, "a member", somebody elsewhere whose
// identity is here, or nobody. Who shared it is never told (X20).
func (rd *reader) creator(id string, known map[string]stix.Object) string {
	if id == "" {
		return rd.words.T("exchange.by.nobody")
	}
	if _, ok := rd.blind[id]; ok {
		return rd.words.T("exchange.by.member")
	}
	for org, name := range rd.orgs {
		switch {
		case string(org) != id:
		case org == rd.by.Org:
			return rd.words.T("exchange.by.you", "name", name)
		default:
			return name
		}
	}
	if o, ok := known[id]; ok {
		return clip(title(o), 120)
	}
	return rd.words.T("exchange.by.unknown")
}

// tag is a state in a word.
type tag struct{ Class, Icon, Text string }

// worth says what an object is worth now (X17). The zero tag has nothing to say.
func (p *Pages) worth(words web.Words, s shown) tag {
	now, until := p.now(), s.o.ValidUntil.Time
	switch {
	case s.Erased:
		return tag{"bad", "cross", words.T("exchange.worth.erased")}
	case s.Revoked:
		return tag{"bad", "block", words.T("exchange.worth.revoked")}
	case !until.IsZero() && !until.After(now):
		return tag{"", "clock", words.T("exchange.worth.expired", "date", words.Date(until))}
	case !until.IsZero() && until.Before(now.Add(soon)):
		return tag{"warn", "clock", words.T("exchange.worth.ends", "date", words.Date(until))}
	case s.o.Type == "indicator":
		return tag{"ok", "check", words.T("exchange.worth.counts")}
	}
	return tag{}
}

// icons of types; every other one has the icon of a document.
var icons = map[string]string{
	"indicator": "target", "malware": "bug", "malware-analysis": "bug", "intrusion-set": "flag", "threat-actor": "flag", "campaign": "flag", "vulnerability": "alert",
	"note": "pen", "opinion": "pen", "sighting": "eye", "observed-data": "radar", "relationship": "chain", "identity": "build", "course-of-action": "shield",
	"attack-pattern": "list", "infrastructure": "layers", "tool": "key", "location": "grid", "grouping": "layers", "marking-definition": "lock", questionType: "question",
	"ipv4-addr": "target", "ipv6-addr": "target", "domain-name": "target", "url": "target", "file": "target", "email-addr": "target", "email-message": "target",
	"user-account": "person",
}

func iconOf(typ string) string {
	if icon, ok := icons[typ]; ok {
		return icon
	}
	return "doc"
}

// link is where an object is read.
func link(id string) string { return address("objects", id) }

// highest is the strictest level among them, for the head of a page.
func highest(all []shown) (level stix.Marking) {
	for _, s := range all {
		level = max(level, s.Level)
	}
	return level
}

// number reads a property that is a whole number; 0 when it is none.
func number(o stix.Object, name string) (n int64) {
	_ = json.Unmarshal(o.Property(name), &n) // another kind of value is no number
	return n
}

// text reads a property that is a string; "" when it is none.
func text(o stix.Object, name string) (s string) {
	_ = json.Unmarshal(o.Property(name), &s) // another kind of value is no text
	return s
}
