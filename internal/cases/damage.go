package cases

import (
	"slices"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/stix"
)

// Damage is what an assessment says at the end of a case.
type Damage struct {
	Taken      Taken           `json:"taken"`
	Jewels     []string        `json:"jewels"` // ids
	What       string          `json:"what"`
	Partners   []string        `json:"partners"` // touched; proposed from the jewels
	Products   []string        `json:"products"`
	Platforms  []string        `json:"platforms"`
	Told       []string        `json:"told"` // who was told of it
	Measures   string          `json:"measures"`
	Assessed   time.Time       `json:"assessed,omitzero"`
	AssessedBy polder.PersonID `json:"assessed_by"`
	Level      stix.Marking    `json:"tlp"`
	Version    int             `json:"version"`
}

// Taken is whether something was taken.
type Taken string

const (
	TakenNothing Taken = "nothing"
	TakenMaybe   Taken = "maybe"
	TakenSome    Taken = "some"
	TakenAll     Taken = "all"
)

// DamageView is the damage assessment of a case, and what the jewels that it touches propose.
type DamageView struct {
	Damage
	Touched  []Jewel `json:"touched"`  // by the case; only people of its own organisation see them
	Proposed Damage  `json:"proposed"` // partners, products and platforms of those
	Signed   bool    `json:"signed"`   // somebody has assessed
}

// damageTakens are the answers to what was taken, in the order in which they are offered.
var damageTakens = []Taken{TakenNothing, TakenMaybe, TakenSome, TakenAll}

// check puts an assessment right, or says what is wrong with it.
func (d *Damage) check() (err error) {
	if err := caseOneOf("taken", d.Taken, damageTakens); err != nil {
		return err
	}
	if d.Level != stix.None {
		if err := caseLevel("tlp", d.Level); err != nil {
			return err
		}
	}
	if d.What, err = caseProse("what", d.What, maxCaseText); err != nil {
		return err
	}
	if d.Measures, err = caseProse("measures", d.Measures, maxCaseText); err != nil {
		return err
	}
	if d.What == "" {
		return polder.Errorf(polder.Invalid, "what: is empty; say in a few words what was taken, or how it is known that nothing was")
	}
	for _, f := range []struct {
		name string
		list *[]string
	}{{"partners", &d.Partners}, {"products", &d.Products}, {"platforms", &d.Platforms}, {"told", &d.Told}} {
		if *f.list, err = jewelWords(f.name, *f.list); err != nil {
			return err
		}
	}
	slices.Sort(d.Jewels)
	d.Jewels = slices.Compact(d.Jewels)
	return nil
}

// tidy makes lists that are there, so that JSON has them.
func (d *Damage) tidy() {
	for _, l := range []*[]string{&d.Jewels, &d.Partners, &d.Products, &d.Platforms, &d.Told} {
		if *l == nil {
			*l = []string{}
		}
	}
}

// proposedDamage is what jewels say of who and what a theft of them touches: each name once.
func proposedDamage(jewels []Jewel) (d Damage) {
	for _, j := range jewels {
		d.Jewels = append(d.Jewels, j.ID)
		d.Partners = append(d.Partners, j.Partners...)
		d.Products = append(d.Products, j.Products...)
		d.Platforms = append(d.Platforms, j.Platforms...)
	}
	for _, l := range []*[]string{&d.Jewels, &d.Partners, &d.Products, &d.Platforms} {
		slices.Sort(*l)
		*l = slices.Compact(*l)
	}
	return d
}
