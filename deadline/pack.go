package deadline

import (
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// book is packs that were read and found right, in the order of their files.
type book struct {
	packs []Pack
	kept  map[string]*readPack
}

// readPack is a pack with what was read of its texts.
type readPack struct {
	Pack
	zone     *time.Location
	calendar Calendar
	delays   map[string]Period // by text
	src      source
}

// builtin is the packs of the package. That they can be read is tested.
var builtin = sync.OnceValue(func() *book {
	sub, err := fs.Sub(own, "packs")
	if err != nil {
		panic(err)
	}
	p, err := Load(sub)
	if err != nil {
		panic(err)
	}
	return p.book
})

func (p Packs) open() *book {
	if p.book == nil {
		return builtin()
	}
	return p.book
}

// All are the packs, with the rules that they took over from others.
func (p Packs) All() []Pack { return slices.Clone(p.open().packs) }

// Rule is a rule by its full id, "nis2-nl/early-warning", and the pack it stands in.
func (p Packs) Rule(id string) (Rule, Pack, bool) {
	pack, name, _ := strings.Cut(id, "/")
	r, ok := p.open().kept[pack]
	if !ok {
		return Rule{}, Pack{}, false
	}
	for _, rule := range r.Rules {
		if rule.ID == name {
			return rule, r.Pack, true
		}
	}
	return Rule{}, Pack{}, false
}

// Load reads packs from the *.yaml files of a folder, and refuses all when one is wrong: the error names file and line.
// They take the place of those in the package.
func Load(files fs.FS) (Packs, error) {
	names, err := yamlFiles(files)
	if err != nil {
		return Packs{}, err
	}
	if len(names) == 0 {
		return Packs{}, fmt.Errorf("the folder holds no pack: write one to a file that ends in .yaml")
	}
	b := &book{kept: map[string]*readPack{}}
	var read []*readPack
	for _, name := range names {
		r := &readPack{delays: map[string]Period{}}
		if r.src, err = readYAML(files, name, &r.Pack); err != nil {
			return Packs{}, err
		}
		if err := r.checkHead(); err != nil {
			return Packs{}, err
		}
		if other, twice := b.kept[r.ID]; twice {
			return Packs{}, r.src.errorAt("$.id", "id %q is taken by %s; give each pack its own", r.ID, other.src.name)
		}
		b.kept[r.ID] = r
		read = append(read, r)
	}
	for _, r := range read { // their own rules first: a base may stand in a later file
		if err := r.checkRules(); err != nil {
			return Packs{}, err
		}
	}
	for _, r := range read {
		if err := r.takeOver(b); err != nil {
			return Packs{}, err
		}
	}
	for _, r := range read {
		b.packs = append(b.packs, r.Pack)
	}
	return Packs{b}, nil
}

var idForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// checkHead checks what a pack says of itself.
func (r *readPack) checkHead() error {
	switch {
	case !idForm.MatchString(r.ID):
		return r.src.errorAt("$.id", "id %q is not lower-case letters, digits and dashes", r.ID)
	case !idForm.MatchString(r.Act):
		return r.src.errorAt("$.act", "act %q is not lower-case letters, digits and dashes, such as nis2", r.Act)
	case r.Regulation == "":
		return r.src.errorAt("$.regulation", "regulation is empty; name the act as people call it")
	}
	where, err := findTerm(Packs{}.Jurisdictions(), "jurisdiction", r.Jurisdiction)
	if err != nil {
		return r.src.errorAt("$.jurisdiction", "%s", err)
	}
	if where.ID != r.Jurisdiction {
		return r.src.errorAt("$.jurisdiction", "jurisdiction %q is written %s", r.Jurisdiction, where.ID)
	}
	if r.calendar, err = CalendarNamed(r.Calendar); err != nil {
		return r.src.errorAt("$.calendar", "%s; use one of NL, BE, DE, FR, EU, common", err)
	}
	if r.zone, err = time.LoadLocation(r.Zone); err != nil || r.Zone == "" || r.Zone == "Local" {
		return r.src.errorAt("$.zone", "zone %q is not known; write one such as Europe/Amsterdam", r.Zone)
	}
	for i, s := range r.States {
		at := fmt.Sprintf("$.states[%d]", i)
		if err := r.checkDates(at, s.From, s.To, s.Status); err != nil {
			return err
		}
		if i > 0 && (r.States[i-1].To == "" || r.States[i-1].To >= s.From) {
			return r.src.errorAt(at, "from %s is not after the state before it", s.From)
		}
	}
	if len(r.Rules) == 0 && r.Base == "" {
		return r.src.errorAt("$", "the pack has neither rules nor a base")
	}
	return nil
}

func (r *readPack) checkDates(at, from, to, status string) error {
	for _, d := range []struct{ name, text string }{{"from", from}, {"to", to}} {
		if _, err := time.Parse(time.DateOnly, d.text); err != nil && (d.text != "" || d.name == "from") {
			return r.src.errorAt(at+"."+d.name, "%s %q is not a date; write it as 2026-09-11", d.name, d.text)
		}
	}
	if to != "" && to < from {
		return r.src.errorAt(at+".to", "to %s is before from %s", to, from)
	}
	if !slices.Contains([]string{InForce, Voluntary, Unconfirmed}, status) {
		return r.src.errorAt(at+".status", "status %q is not known; use %s, %s or %s", status, InForce, Voluntary, Unconfirmed)
	}
	return nil
}

// checkRules checks the rules that stand in the pack itself.
func (r *readPack) checkRules() error {
	seen := map[string]bool{}
	for i := range r.Rules {
		rule, at := &r.Rules[i], fmt.Sprintf("$.rules[%d]", i)
		if !idForm.MatchString(rule.ID) || seen[rule.ID] {
			return r.src.errorAt(at+".id", "rule id %q is taken, or not lower-case letters, digits and dashes", rule.ID)
		}
		seen[rule.ID] = true
		for _, must := range []struct{ name, text string }{{"what", rule.What}, {"article", rule.Article}, {"trigger", rule.Trigger}, {"recipient", rule.Recipient}, {"source", rule.Source}} {
			if must.text == "" {
				return r.src.errorAt(at, "rule %s: %s is empty", rule.ID, must.name)
			}
		}
		if rule.Status == "" {
			rule.Status = InForce
		}
		if rule.Report == "" {
			rule.Report = rule.ID
		}
		if err := r.checkDates(at, rule.From, rule.To, rule.Status); err != nil {
			return err
		}
		if err := r.checkWords(at, rule); err != nil {
			return err
		}
	}
	return r.checkTriggers()
}

// checkWords checks the words of a rule against the vocabulary.
func (r *readPack) checkWords(at string, rule *Rule) error {
	for i, s := range slices.Concat(rule.Sectors, rule.Not, rule.RestNot) {
		if !knownSector(s) {
			return r.src.errorAt(at, "rule %s: sector %q (no. %d) is not known; use one of %s", rule.ID, s, i+1, strings.Join(idsOf(words().sectors), ", "))
		}
	}
	if len(rule.Kinds) == 0 {
		return r.src.errorAt(at, "rule %s: kinds is empty; use some of %s", rule.ID, strings.Join(idsOf(words().kinds), ", "))
	}
	kinds := slices.Clone(rule.Kinds)
	for _, a := range rule.Also {
		if !knownSector(a.Sector) {
			return r.src.errorAt(at+".also", "sector %q is not known; use one of %s", a.Sector, strings.Join(idsOf(words().sectors), ", "))
		}
		kinds = append(kinds, a.Kind)
	}
	for _, k := range kinds {
		if !slices.Contains(idsOf(words().kinds), k) {
			return r.src.errorAt(at+".kinds", "kind %q is not known; use one of %s", k, strings.Join(idsOf(words().kinds), ", "))
		}
	}
	if !slices.Contains([]Rest{RestEU, RestAtw, RestNoon, RestNone}, rule.Rest) {
		return r.src.errorAt(at+".rest", "rest %q is not known; leave it out, or use atw, noon or none", rule.Rest)
	}
	if _, ok := words().forms[rule.Form]; !ok && rule.Form != "" {
		return r.src.errorAt(at+".form", "form %q is not known; use one of %s", rule.Form, strings.Join(formIDs(), ", "))
	}
	for _, d := range []struct {
		name  string
		limit *Limit
	}{{"delay", &Limit{Trigger: rule.Trigger, Delay: rule.Delay}}, {"cap", rule.Cap}, {"else", rule.Else}} {
		if d.limit == nil {
			continue
		}
		p, err := ParsePeriod(d.limit.Delay)
		if err != nil {
			return r.src.errorAt(at+"."+d.name, "%s", err)
		}
		r.delays[d.limit.Delay] = p
	}
	return nil
}

// knownSector tells whether a pack may name a sector or group of sectors.
func knownSector(s string) bool {
	return slices.ContainsFunc(words().sectors, func(t Term) bool { return t.ID == s || slices.Contains(t.Groups, s) })
}

// checkTriggers checks that what the rules wait for can come, and that none waits for itself.
func (r *readPack) checkTriggers() error {
	for i, rule := range r.Rules {
		at := fmt.Sprintf("$.rules[%d]", i)
		triggers := map[string]string{".trigger": rule.Trigger}
		if rule.Cap != nil {
			triggers[".cap"] = rule.Cap.Trigger
		}
		if rule.Else != nil {
			triggers[".else"] = rule.Else.Trigger
		}
		for place, t := range triggers {
			if !r.knownTrigger(t) {
				return r.src.errorAt(at+place, "rule %s: trigger %q is not known; use aware, sent: and a report of this pack, or one of %s", rule.ID, t, strings.Join(idsOf(words().events), ", "))
			}
		}
		for place, e := range map[string]string{".if": rule.If, ".unless": rule.Unless} {
			if e != "" && !slices.Contains(idsOf(words().events), e) {
				return r.src.errorAt(at+place, "rule %s: event %q is not known; use one of %s", rule.ID, e, strings.Join(idsOf(words().events), ", "))
			}
		}
		if r.waitsForItself(rule, 0) {
			return r.src.errorAt(at+".trigger", "rule %s waits for its own report", rule.ID)
		}
	}
	return nil
}

func (r *readPack) knownTrigger(t string) bool {
	if report, ok := strings.CutPrefix(t, "sent:"); ok {
		return slices.ContainsFunc(r.Rules, func(other Rule) bool { return other.Report == report })
	}
	return t == "aware" || slices.Contains(idsOf(words().events), t)
}

// waitsForItself follows the reports that a rule is counted from.
func (r *readPack) waitsForItself(rule Rule, steps int) bool {
	if steps > len(r.Rules) {
		return true
	}
	follow := []string{rule.Trigger}
	for _, l := range []*Limit{rule.Cap, rule.Else} {
		if l != nil {
			follow = append(follow, l.Trigger)
		}
	}
	for _, t := range follow {
		report, ok := strings.CutPrefix(t, "sent:")
		if !ok {
			continue
		}
		for _, other := range r.Rules {
			if other.Report == report && r.waitsForItself(other, steps+1) {
				return true
			}
		}
	}
	return false
}

// takeOver gives a pack the rules of its base.
func (r *readPack) takeOver(b *book) error {
	if r.Base == "" {
		if len(r.Recipients) > 0 {
			return r.src.errorAt("$.recipients", "recipients are for rules of a base; this pack has none")
		}
		return nil
	}
	base, ok := b.kept[r.Base]
	if !ok {
		return r.src.errorAt("$.base", "base %q is not in the folder", r.Base)
	}
	if base.Base != "" {
		return r.src.errorAt("$.base", "base %q has a base itself; name %s", r.Base, base.Base)
	}
	taken := slices.Clone(base.Rules)
	for i := range taken {
		if slices.ContainsFunc(r.Rules, func(own Rule) bool { return own.ID == taken[i].ID }) {
			return r.src.errorAt("$.rules", "rule %s stands in the base already", taken[i].ID)
		}
		if to, ok := r.Recipients[taken[i].ID]; ok {
			taken[i].Recipient = to
		}
	}
	for id := range r.Recipients {
		if !slices.ContainsFunc(taken, func(rule Rule) bool { return rule.ID == id }) {
			return r.src.errorAt("$.recipients", "recipient of %q: the base has no such rule", id)
		}
	}
	for text, p := range base.delays {
		r.delays[text] = p
	}
	r.Rules = append(taken, r.Rules...)
	return nil
}
