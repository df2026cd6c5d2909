package exchange

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange/release"
	"github.com/polder-exchange/polder/stix"
)

// This file is what an organisation set about what leaves it: the rules, made ready from its profile and from what the
// node knows of it.

// releaseKnown are the extensions that leave always: Polder's own, and those of the standard's incidents.
var releaseKnown = []string{
	stix.SignatureExtension, questionExtension, advisoryExtension, proposalExtension,
	"extension-definition--6d0f3a1e-8b52-4c77-9f0e-2a4b8c6d1e35", "extension-definition--b81c5d2f-47a9-4e06-8c3d-90f7e2a1b64c", // shared cases
	"extension-definition--ef765651-680c-498d-9894-99799f2fa126", "extension-definition--4ca6de00-5b0d-45ef-a1dc-ea7279ea910e", "extension-definition--2074a052-8be4-4932-849e-f5e7798e0030", // incidents
	"extension-definition--c2f0b6f4-3a57-4d0e-9c1b-5e8d7a94f1c3", // listings
}

// releaseRules are the rules of an organisation, and what they were made of.
type releaseRules struct {
	version, epoch int64
	protected      []indicator.Value
	rules          *release.Rules
}

// releases are the rules of the organisations of a node, made when they are first needed and again when what they
// were made of changed, in this process or another.
type releases struct {
	mu  sync.Mutex
	all map[polder.OrgID]releaseRules
}

func newReleases() *releases { return &releases{all: map[polder.OrgID]releaseRules{}} }

// ReleaseRules are what holds now for what leaves an organisation.
func (s *Service) ReleaseRules(ctx context.Context, org polder.OrgID) (*release.Rules, error) {
	version, err := readReleaseVersion(ctx, s.db.Read(), org)
	if err != nil {
		return nil, err
	}
	epoch, err := s.accounts.Epoch(ctx)
	if err != nil {
		return nil, err
	}
	var protected []indicator.Value
	if version > 0 {
		if protected, err = readProtected(ctx, s.db.Read(), `SELECT kind, value FROM protected_value WHERE org = ? ORDER BY kind, value`, string(org)); err != nil {
			return nil, err
		}
	}
	s.releases.mu.Lock()
	have, ok := s.releases.all[org]
	s.releases.mu.Unlock()
	if ok && have.version == version && (version == 0 || have.epoch == epoch && slices.Equal(have.protected, protected)) {
		return have.rules, nil
	}
	p, version, err := readRelease(ctx, s.db.Read(), org)
	if err != nil {
		return nil, err
	}
	rules, err := s.releaseStore().compile(ctx, org, p)
	if err != nil {
		return nil, err
	}
	s.releases.mu.Lock()
	s.releases.all[org] = releaseRules{version, epoch, protected, rules}
	s.releases.mu.Unlock()
	return rules, nil
}

// compileRelease makes rules of a profile, and of what the node knows of the organisation: its name, its people, their
// mail domains, and what is protected for it.
func (x ReleaseStore) compile(ctx context.Context, org polder.OrgID, p release.Profile) (*release.Rules, error) {
	if p.Minimise.Any() {
		known, err := x.ownFacts(ctx, org)
		if err != nil {
			return nil, err
		}
		p.Facts = p.Facts.And(known)
	}
	r, err := release.Compile(p, releaseKnown...)
	if err != nil {
		return nil, polder.Errorf(polder.Invalid, "%w", err)
	}
	return r, nil
}

// ownFacts are what the node knows of an organisation without being told. What no rule can look for is left out.
func (x ReleaseStore) ownFacts(ctx context.Context, org polder.OrgID) (f release.Facts, err error) {
	o, err := x.Accounts.Org(ctx, org)
	if err != nil {
		return f, err
	}
	people, err := x.Accounts.People(ctx, accounts.Local(), org)
	if err != nil {
		return f, err
	}
	protected, err := readProtected(ctx, x.DB.Read(), `SELECT kind, value FROM protected_value WHERE org = ? ORDER BY kind, value`, string(org))
	if err != nil {
		return f, err
	}
	put := func(list *[]string, value string, probe release.Facts) {
		if probe.Check() == nil && !slices.Contains(*list, value) {
			*list = append(*list, value)
		}
	}
	put(&f.Names, o.Name, release.Facts{Names: []string{o.Name}})
	for _, p := range people {
		if !p.Named() {
			continue
		}
		if _, d, ok := strings.Cut(p.Email, "@"); ok && !slices.Contains(publicMail, d) {
			put(&f.Domains, d, release.Facts{Domains: []string{d}})
		}
		person := release.Person{Name: p.Name, Mail: p.Email}
		if len(words(p.Name)) > 1 && (release.Facts{Staff: []release.Person{person}}).Check() == nil {
			f.Staff = append(f.Staff, person)
		}
	}
	for _, v := range protected {
		if v.Kind == indicator.Domain {
			put(&f.Domains, v.Value, release.Facts{Domains: []string{v.Value}})
		} else {
			put(&f.Networks, v.Value, release.Facts{Networks: []string{v.Value}})
		}
	}
	return f, nil
}

// Release is an organisation's profile as its stewards set it, and its number.
func (s *Service) Release(ctx context.Context, a polder.Actor) (release.Profile, int64, error) {
	if a.Role.OnObjects() < polder.RoleSteward {
		return release.Profile{}, 0, errNoSteward
	}
	return readRelease(ctx, s.db.Read(), a.Org)
}

var errNoSteward = polder.Errorf(polder.Forbidden, "what leaves an organisation is set by its stewards; ask one of them")

// SetRelease gives an organisation another profile; only its stewards may. version is the number of the profile that
// was changed: when it is not in force any more, nothing happens. Less than 0 changes whichever is.
func (s *Service) SetRelease(ctx context.Context, a polder.Actor, p release.Profile, version int64) (int64, error) {
	if a.Role.OnObjects() < polder.RoleSteward {
		return 0, errNoSteward
	}
	return s.releaseStore().Set(ctx, a, a.Org, p, version)
}

// ReleaseStore reads and changes profiles, in the node and beside it.
type ReleaseStore struct {
	DB       *db.DB
	Audit    *audit.Log
	Accounts *accounts.Service
	Now      func() time.Time
}

func (s *Service) releaseStore() ReleaseStore {
	return ReleaseStore{s.db, s.audit, s.accounts, s.now}
}

// Get is an organisation's profile and its number: the default and 0 when it set none.
func (x ReleaseStore) Get(ctx context.Context, org polder.OrgID) (release.Profile, int64, error) {
	return readRelease(ctx, x.DB.Read(), org)
}

// Rules are a profile made ready for an organisation.
func (x ReleaseStore) Rules(ctx context.Context, org polder.OrgID, p release.Profile) (*release.Rules, error) {
	return x.compile(ctx, org, p)
}

// Set writes a profile with its audit entry, which tells what kind of thing changed and no word of it. version is the
// number of the profile that was changed; when another is in force, it is a conflict. Less than 0 changes whichever is.
func (x ReleaseStore) Set(ctx context.Context, by polder.Actor, org polder.OrgID, p release.Profile, version int64) (next int64, err error) {
	if err := p.Check(); err != nil {
		return 0, polder.Errorf(polder.Invalid, "%w", err)
	}
	if _, err := x.compile(ctx, org, p); err != nil {
		return 0, err
	}
	was, have, err := readRelease(ctx, x.DB.Read(), org)
	if err != nil {
		return 0, err
	}
	if version >= 0 && version != have {
		return 0, polder.Errorf(polder.Conflict, "somebody changed what leaves meanwhile; look at it again, and change that")
	}
	err = x.DB.Write(ctx, func(tx *db.Tx) error {
		if by.Org != "" {
			if by, err = x.Accounts.RefreshTx(tx, by); err != nil {
				return err
			}
			if by.Role.OnObjects() < polder.RoleSteward {
				return errNoSteward
			}
		}
		if next, err = writeRelease(tx, org, p, x.Now()); err != nil {
			return err
		}
		if next != have+1 {
			return polder.Errorf(polder.Conflict, "somebody changed what leaves meanwhile; look at it again, and change that")
		}
		e := audit.EntryOf(by)
		e.Action, e.Detail = "release.set", releaseChanged(was, p)
		e.Detail["org"], e.Detail["version"] = string(org), fmt.Sprint(next)
		return x.Audit.Append(tx, e)
	})
	return next, err
}

// releaseChanged says for the audit which parts of a profile changed; the settings themselves, and no fact and no word.
func releaseChanged(was, is release.Profile) map[string]string {
	out := map[string]string{"blind": string(is.Blind), "warninglists": string(is.Warninglists), "highest": is.Highest.String(), "mark": is.Mark.String(), "forbidden": itoa(len(is.Forbidden))}
	var parts []string
	for _, part := range []struct {
		name string
		same bool
	}{
		{"minimise", was.Minimise == is.Minimise}, {"facts", reflect.DeepEqual(was.Facts, is.Facts)}, {"forbidden", reflect.DeepEqual(was.Forbidden, is.Forbidden)},
		{"keep", slices.Equal(was.Keep, is.Keep)},
	} {
		if !part.same {
			parts = append(parts, part.name)
		}
	}
	out["changed"] = strings.Join(parts, " ")
	return out
}
