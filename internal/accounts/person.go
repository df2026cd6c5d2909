package accounts

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
)

// Person is somebody of an organisation who logs in.
type Person struct {
	ID         polder.PersonID
	Org        polder.OrgID
	Email      string // the log-in name, in its canonical form
	Name       string
	Role       polder.Role
	Disabled   bool
	MustChange bool // the password was generated and printed; the console asks for another first
	Preferences
	Created time.Time
}

// Named tells whether p is called by a name of its own: the first administrator of a node is called by its task.
func (p Person) Named() bool { return p.Email != AdminName }

// Preferences are how a person likes the console.
type Preferences struct {
	Language  string // one of [Languages]; empty: what the browser asks for
	Theme     string // one of [Themes]; empty: what the device asks for
	Shortcuts bool   // single keys do things (WCAG 2.1.4 asks that they can be turned off)
}

// Languages and Themes are what a person can choose from.
var (
	Languages = []string{"en", "nl"}
	Themes    = []string{"light", "dark"}
)

// NewPerson is what a person is made from. Name may be empty: then it is the log-in name.
type NewPerson struct {
	Org   polder.OrgID
	Email string
	Name  string
	Role  polder.Role
}

// AddPerson adds a person and answers the generated password, which is stored nowhere and must be changed at the first
// log-in. A steward adds people of the own organisation up to the own role, an administrator anybody.
func (s *Service) AddPerson(ctx context.Context, by polder.Actor, n NewPerson) (Person, string, error) {
	email, err := cleanEmail(n.Email)
	if err != nil {
		return Person{}, "", err
	}
	n.Email = email
	if n, err = n.clean(); err != nil {
		return Person{}, "", err
	}
	password, hash, err := s.generated(ctx)
	if err != nil {
		return Person{}, "", err
	}
	var p Person
	err = s.change(ctx, by, func(c *change) error {
		if err := c.mayManagePeople(n.Org, n.Role); err != nil {
			return err
		}
		p, err = c.addPerson(n, hash)
		return err
	})
	if err != nil {
		return Person{}, "", err
	}
	return p, password, nil
}

func (n NewPerson) clean() (NewPerson, error) {
	if n.Role < polder.RoleReader || n.Role > polder.RoleAdmin {
		return n, polder.Errorf(polder.Invalid, "a person needs a role: reader, contributor, steward or admin")
	}
	if strings.TrimSpace(n.Name) == "" {
		n.Name = n.Email
	}
	name, err := cleanName("name of the person", n.Name, MaxName)
	n.Name = name
	return n, err
}

// generated is a new password and its hash.
func (s *Service) generated(ctx context.Context) (password, hash string, err error) {
	if password, err = s.newPassword(); err != nil {
		return "", "", err
	}
	hash, err = s.hashPassword(ctx, password)
	return password, hash, err
}

func (c *change) addPerson(n NewPerson, hash string) (Person, error) {
	o, err := readOrg(c.tx, n.Org)
	if err != nil {
		return Person{}, err
	}
	if err := acts(c.tx, o); err != nil {
		return Person{}, err
	}
	taken, err := exists(c.tx, `SELECT 1 FROM accounts_person WHERE email = ?`, n.Email)
	if err != nil {
		return Person{}, err
	}
	if taken {
		return Person{}, polder.Errorf(polder.Conflict, "%s logs in on this node already; use another address", n.Email)
	}
	id, err := c.s.ids.uuid()
	if err != nil {
		return Person{}, err
	}
	p := Person{ID: polder.PersonID(id), Org: n.Org, Email: n.Email, Name: n.Name, Role: n.Role, MustChange: true,
		Preferences: Preferences{Shortcuts: true}, Created: when(c.now)}
	if err := insertPerson(c.tx, p, hash, c.now); err != nil {
		return Person{}, err
	}
	return p, c.log("person.add", "", id, "org", string(n.Org), "role", n.Role.String())
}

// manage reads the person that by wants to change, if by may: nobody changes an account that stands above his own.
func (c *change) manage(id polder.PersonID) (Person, error) {
	p, err := readPerson(c.tx, id)
	if err != nil {
		return p, err
	}
	if c.by.Role != polder.RoleAdmin && c.by.Org != p.Org {
		return Person{}, noPerson(id)
	}
	return p, c.mayManagePeople(p.Org, p.Role)
}

func noPerson(id polder.PersonID) error { return polder.Errorf(polder.NotFound, "no person %.80s", id) }

// SetRole gives a person another role. By needs to hold both the old and the new one. Tokens that the person made and
// that allow more than the new role are lowered to it: who made a token has read it.
func (s *Service) SetRole(ctx context.Context, by polder.Actor, id polder.PersonID, r polder.Role) error {
	if r < polder.RoleReader || r > polder.RoleAdmin {
		return polder.Errorf(polder.Invalid, "a person needs a role: reader, contributor, steward or admin")
	}
	return s.change(ctx, by, func(c *change) error {
		p, err := c.manage(id)
		if err != nil {
			return err
		}
		if err := c.mayManagePeople(p.Org, r); err != nil {
			return err
		}
		if p.Role == polder.RoleAdmin && r != polder.RoleAdmin {
			if err := otherAdmin(c.tx, id); err != nil {
				return err
			}
		}
		if _, err := c.tx.Exec(`UPDATE accounts_person SET role = ? WHERE id = ?`, r.String(), id); err != nil {
			return err
		}
		if err := c.lowerTokensOf(id, r); err != nil {
			return err
		}
		return c.log("person.role", "", string(id), "org", string(p.Org), "from", p.Role.String(), "role", r.String())
	})
}

// Disable ends a person's access: sessions end, and the tokens the person made are revoked. It can be undone by
// [Service.Enable], but what ended stays ended.
func (s *Service) Disable(ctx context.Context, by polder.Actor, id polder.PersonID) error {
	return s.change(ctx, by, func(c *change) error {
		p, err := c.manage(id)
		if err != nil {
			return err
		}
		if p.Role == polder.RoleAdmin {
			if err := otherAdmin(c.tx, id); err != nil {
				return err
			}
		}
		if _, err := c.tx.Exec(`UPDATE accounts_person SET disabled = 1 WHERE id = ?`, id); err != nil {
			return err
		}
		if err := endSessions(c.tx, id, "", c.now); err != nil {
			return err
		}
		if err := c.revokeTokensOf(id); err != nil {
			return err
		}
		return c.log("person.disable", "", string(id), "org", string(p.Org))
	})
}

// Enable lets a disabled person log in again.
func (s *Service) Enable(ctx context.Context, by polder.Actor, id polder.PersonID) error {
	return s.change(ctx, by, func(c *change) error {
		p, err := c.manage(id)
		if err != nil {
			return err
		}
		if _, err := c.tx.Exec(`UPDATE accounts_person SET disabled = 0 WHERE id = ?`, id); err != nil {
			return err
		}
		return c.log("person.enable", "", string(id), "org", string(p.Org))
	})
}

// ResetPassword answers a new generated password for a person, ends the person's sessions, takes away passkeys and
// accounts at providers, since nobody knows who added them, and asks for another password at the next log-in.
func (s *Service) ResetPassword(ctx context.Context, by polder.Actor, id polder.PersonID) (string, error) {
	password, hash, err := s.generated(ctx)
	if err != nil {
		return "", err
	}
	err = s.change(ctx, by, func(c *change) error {
		p, err := c.manage(id)
		if err != nil {
			return err
		}
		if err := setPassword(c.tx, id, hash, true); err != nil {
			return err
		}
		if err := endSessions(c.tx, id, "", c.now); err != nil {
			return err
		}
		if err := dropOtherWays(c.tx, id); err != nil {
			return err
		}
		return c.log("person.reset", "", string(id), "org", string(p.Org))
	})
	if err != nil {
		return "", err
	}
	return password, nil
}

// ChangePassword changes a person's own password, who proves to know the old one. Other sessions than keep end.
// Wrong old passwords count as failed log-ins of the account.
func (s *Service) ChangePassword(ctx context.Context, by polder.Actor, old, password string, keep SessionID) error {
	if by.Person == "" {
		return polder.Errorf(polder.Forbidden, "only a person has a password")
	}
	p, err := s.Person(ctx, by.Person)
	if err != nil {
		return err
	}
	if err := CheckPassword(password, p.Email); err != nil {
		return err
	}
	if old == password {
		return polder.Errorf(polder.Invalid, "the new password is the old one; choose another")
	}
	if err := s.provePassword(ctx, p, old); err != nil {
		return err
	}
	hash, err := s.hashPassword(ctx, password)
	if err != nil {
		return err
	}
	return s.change(ctx, by, func(c *change) error {
		if err := setPassword(c.tx, p.ID, hash, false); err != nil {
			return err
		}
		if err := endSessions(c.tx, p.ID, keep, c.now); err != nil {
			return err
		}
		return c.log("person.password", "", string(p.ID), "org", string(p.Org))
	})
}

// SetPreferences changes how by's own console behaves.
func (s *Service) SetPreferences(ctx context.Context, by polder.Actor, p Preferences) error {
	if p.Language != "" && !slices.Contains(Languages, p.Language) {
		return polder.Errorf(polder.Invalid, "the language %.20q is unknown; use one of %s", p.Language, strings.Join(Languages, ", "))
	}
	if p.Theme != "" && !slices.Contains(Themes, p.Theme) {
		return polder.Errorf(polder.Invalid, "the theme %.20q is unknown; use one of %s", p.Theme, strings.Join(Themes, ", "))
	}
	return s.change(ctx, by, func(c *change) error {
		if c.by.Person == "" {
			return polder.Errorf(polder.Forbidden, "only a person has preferences")
		}
		if err := setPreferences(c.tx, c.by.Person, p); err != nil {
			return err
		}
		return c.log("person.preferences", "", string(c.by.Person))
	})
}

// Person is one person; NotFound when there is none of that id. It checks no right: the caller shows it to itself.
func (s *Service) Person(ctx context.Context, id polder.PersonID) (Person, error) {
	return readPerson(s.read(ctx), id)
}

// People are the people of an organisation, by log-in name; with org empty, of all. An organisation's people are shown
// to its own people and to administrators.
func (s *Service) People(ctx context.Context, by polder.Actor, org polder.OrgID) ([]Person, error) {
	q := s.read(ctx)
	by, scoped, err := s.readActorNow(q, by)
	if err != nil {
		return nil, err
	}
	if by.Role != polder.RoleAdmin && (by.Org != org || scoped) {
		return nil, polder.Errorf(polder.NotFound, "no organisation %.80s", org)
	}
	return listPeople(q, org)
}
