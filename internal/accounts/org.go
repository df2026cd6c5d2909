package accounts

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/stix"
)

// NewOrg is what an organisation is made from. Name is needed; the rest may be zero.
type NewOrg struct {
	Name    string
	Country string       // ISO 3166-1 alpha-2
	Sector  string       // a term of the STIX vocabulary industry-sector-ov, or a word of one's own
	Widest  stix.Marking // the widest marking it may use (rule X4); zero is clear: any
}

func (o NewOrg) clean() (NewOrg, error) {
	var err error
	if o.Name, err = cleanName("name of the organisation", o.Name, MaxName); err != nil {
		return o, err
	}
	if o.Country, err = cleanCountry(o.Country); err != nil {
		return o, err
	}
	if o.Sector, err = cleanLine("sector", o.Sector, maxSector); err != nil {
		return o, err
	}
	if term := strings.ToLower(strings.ReplaceAll(o.Sector, " ", "-")); isSector(term) {
		o.Sector = term
	}
	if o.Widest == stix.None {
		o.Widest = stix.Clear
	}
	if o.Widest > stix.Red {
		return o, polder.Errorf(polder.Invalid, "the widest marking is unknown; use clear, green, amber, amber+strict or red")
	}
	return o, nil
}

// AddOrg adds an organisation to the node. Only an administrator may. A name that another organisation has, however
// it is cased, is a Conflict.
func (s *Service) AddOrg(ctx context.Context, by polder.Actor, n NewOrg) (polder.Org, error) {
	var org polder.Org
	err := s.change(ctx, by, func(c *change) error {
		if err := c.needAdmin("add an organisation"); err != nil {
			return err
		}
		var err error
		org, err = c.addOrg(n)
		return err
	})
	return org, err
}

func (c *change) addOrg(n NewOrg) (polder.Org, error) {
	n, err := n.clean()
	if err != nil {
		return polder.Org{}, err
	}
	if err := freeOrgName(c.tx, n.Name, ""); err != nil {
		return polder.Org{}, err
	}
	id, err := c.s.ids.identity()
	if err != nil {
		return polder.Org{}, err
	}
	org := polder.Org{ID: polder.OrgID(id), Name: n.Name, Country: n.Country, Sector: n.Sector, Widest: n.Widest, Created: when(c.now)}
	if err := insertOrg(c.tx, org, c.now); err != nil {
		return polder.Org{}, err
	}
	return org, c.log("org.add", "", id, "name", n.Name)
}

// ChangeOrg gives an organisation another name, country or sector. Only an administrator may, so that no member takes
// a name that others would trust. The widest marking is changed by [Service.SetWidest] alone; n.Widest is not looked at.
func (s *Service) ChangeOrg(ctx context.Context, by polder.Actor, id polder.OrgID, n NewOrg) error {
	return s.change(ctx, by, func(c *change) error {
		if err := c.needAdmin("change an organisation"); err != nil {
			return err
		}
		n, err := n.clean()
		if err != nil {
			return err
		}
		o, err := readOrg(c.tx, id)
		if err != nil {
			return err
		}
		if err := acts(c.tx, o); err != nil {
			return err
		}
		if err := freeOrgName(c.tx, n.Name, id); err != nil {
			return err
		}
		if err := updateOrg(c.tx, id, n, c.now); err != nil {
			return err
		}
		return c.log("org.change", "", string(id), "name", n.Name)
	})
}

// SetWidest sets the widest marking that an organisation may use (rule X4). Its own steward may, and an administrator.
func (s *Service) SetWidest(ctx context.Context, by polder.Actor, id polder.OrgID, widest stix.Marking) error {
	if widest == stix.None || widest > stix.Red {
		return polder.Errorf(polder.Invalid, "the widest marking is unknown; use clear, green, amber, amber+strict or red")
	}
	return s.change(ctx, by, func(c *change) error {
		if err := c.mayManagePeople(id, polder.RoleSteward); err != nil {
			return err
		}
		if _, err := readOrg(c.tx, id); err != nil {
			return err
		}
		if err := setWidest(c.tx, id, widest); err != nil {
			return err
		}
		return c.log("org.widest", "", string(id), "widest", widest.String())
	})
}

// Org is one organisation; NotFound when there is none of that id.
func (s *Service) Org(ctx context.Context, id polder.OrgID) (polder.Org, error) {
	return readOrg(s.read(ctx), id)
}

// Orgs are all organisations of the node, by name.
func (s *Service) Orgs(ctx context.Context) ([]polder.Org, error) { return listOrgs(s.read(ctx)) }

// IsOrg tells whether id is an organisation of this node.
func (s *Service) IsOrg(ctx context.Context, id polder.OrgID) (bool, error) {
	return exists(s.read(ctx), `SELECT 1 FROM accounts_org WHERE id = ?`, id)
}

// identity is a STIX identity object, its properties in the order in which they are written.
type identity struct {
	Type     string   `json:"type"`
	Spec     string   `json:"spec_version"`
	ID       string   `json:"id"`
	Created  string   `json:"created"`
	Modified string   `json:"modified"`
	Name     string   `json:"name"`
	Class    string   `json:"identity_class"`
	Sectors  []string `json:"sectors,omitempty"`
	Markings []string `json:"object_marking_refs,omitempty"`
}

func (i identity) bytes() ([]byte, error) {
	i.Type, i.Spec = "identity", "2.1"
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(i)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}

// stixTime writes a stored time as STIX asks, in milliseconds.
func stixTime(micro int64) string { return when(micro).Format("2006-01-02T15:04:05.000Z") }

// IdentityObject is the STIX 2.1 identity object of an organisation: the same bytes until the organisation changes,
// then with a later modified. It carries no marking; who shares it gives one.
func (s *Service) IdentityObject(ctx context.Context, id polder.OrgID) ([]byte, error) {
	q := s.read(ctx)
	o, err := readOrg(q, id)
	if err != nil {
		return nil, err
	}
	var created, modified int64
	if err := q.QueryRow(`SELECT created, modified FROM accounts_org WHERE id = ?`, id).Scan(&created, &modified); err != nil {
		return nil, err
	}
	obj := identity{ID: string(id), Created: stixTime(created), Modified: stixTime(modified), Name: o.Name, Class: "organization"}
	if isSector(o.Sector) {
		obj.Sectors = []string{o.Sector}
	}
	return obj.bytes()
}
