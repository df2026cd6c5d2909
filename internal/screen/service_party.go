package screen

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// Groups are the groups of parties: those that everybody has, then the organisation's own.
func (s *Service) Groups(ctx context.Context, by polder.Actor) (out []PartyGroup, err error) {
	if err := mayScreen(by, polder.RoleReader); err != nil {
		return nil, err
	}
	a := s.reader(ctx)
	for _, name := range CommonGroups {
		out = append(out, PartyGroup{Name: name})
	}
	own, err := ownGroups(a, by.Org)
	if err != nil {
		return nil, err
	}
	out = append(out, own...)
	counts, err := countGroups(a, by.Org)
	for i := range out {
		out[i].Parties = counts[out[i].Name]
	}
	return out, err
}

// AddGroup makes a group of one's own. It asks for a steward.
func (s *Service) AddGroup(ctx context.Context, by polder.Actor, g PartyGroup) error {
	if err := mayScreen(by, polder.RoleSteward); err != nil {
		return err
	}
	if err := checkGroup(&g); err != nil {
		return err
	}
	return s.write(ctx, func(tx *db.Tx) error {
		own, err := ownGroups(tx, by.Org)
		switch {
		case err != nil:
			return err
		case slices.ContainsFunc(own, func(h PartyGroup) bool { return h.Name == g.Name }):
			return polder.Errorf(polder.Conflict, "name: there is a group %s already", g.Name)
		case len(own) >= MaxGroups:
			return polder.Errorf(polder.Conflict, "there are %d groups already; remove one first", len(own))
		}
		if err := insertGroup(tx, by.Org, g, whoActs(by), s.o.Now()); err != nil {
			return err
		}
		return s.noteTx(tx, by, "screen.group.add", g.Name, nil)
	})
}

// RemoveGroup takes an empty group of one's own away. It asks for a steward.
func (s *Service) RemoveGroup(ctx context.Context, by polder.Actor, name string) error {
	if err := mayScreen(by, polder.RoleSteward); err != nil {
		return err
	}
	return s.write(ctx, func(tx *db.Tx) error {
		counts, err := countGroups(tx, by.Org)
		if err != nil {
			return err
		}
		if n := counts[name]; n > 0 {
			return polder.Errorf(polder.Conflict, "the group has %d parties; move or remove them first", n)
		}
		found, err := deleteGroup(tx, by.Org, name)
		if err != nil {
			return err
		}
		if !found {
			return polder.Errorf(polder.NotFound, "no such group of your own")
		}
		return s.noteTx(tx, by, "screen.group.remove", name, nil)
	})
}

// checkKnownGroup refuses a group that the organisation does not have.
func checkKnownGroup(a db.Querier, org polder.OrgID, name string) error {
	if slices.Contains(CommonGroups, name) {
		return nil
	}
	own, err := ownGroups(a, org)
	if err != nil || slices.ContainsFunc(own, func(g PartyGroup) bool { return g.Name == name }) {
		return err
	}
	have := slices.Clone(CommonGroups)
	for _, g := range own {
		have = append(have, g.Name)
	}
	return polder.Errorf(polder.Invalid, "group: %.40q is unknown; use one of %s, or make a group first", name, strings.Join(have, ", "))
}

// Parties lists known parties by name.
func (s *Service) Parties(ctx context.Context, by polder.Actor, f PartyFilter) (PartyPage, error) {
	if err := mayScreen(by, polder.RoleReader); err != nil {
		return PartyPage{}, err
	}
	if err := f.check(); err != nil {
		return PartyPage{}, err
	}
	return listParties(s.reader(ctx), by.Org, f)
}

// Party is one party, known now or removed.
func (s *Service) Party(ctx context.Context, by polder.Actor, id string) (Party, error) {
	if err := mayScreen(by, polder.RoleReader); err != nil {
		return Party{}, err
	}
	a := s.reader(ctx)
	p, err := readParty(a, by.Org, id)
	if err != nil {
		return Party{}, err
	}
	one := []Party{p}
	err = completeParties(a, one)
	return one[0], err
}

// AddParty makes a party known: it is asked about soon, against everything, and again whenever a list changes. One that
// is there already, by its reference or, without one, by its fields, is [polder.Conflict]. It asks for a contributor.
func (s *Service) AddParty(ctx context.Context, by polder.Actor, group string, q Query) (p Party, err error) {
	if err := mayScreen(by, polder.RoleContributor); err != nil {
		return Party{}, err
	}
	q = keptQuery(q)
	if err := checkQuery(q, maxKeptName); err != nil {
		return Party{}, err
	}
	if n, err := countParties(s.reader(ctx), by.Org); err != nil || n >= MaxParties {
		return Party{}, tooManyParties(err)
	}
	if err := s.o.DB.Room(); err != nil {
		return Party{}, err
	}
	err = s.write(ctx, func(tx *db.Tx) error {
		if err := checkKnownGroup(tx, by.Org, group); err != nil {
			return err
		}
		_, found, err := partyLike(tx, by.Org, group, q, QueryFingerprint(q))
		if err != nil {
			return err
		}
		if found && q.Ref != "" {
			return polder.Errorf(polder.Conflict, "reference: the group %s has a party with this reference already; change that one", group)
		} else if found {
			return polder.Errorf(polder.Conflict, "name: the group %s has this very party already; give it a reference if it is another one", group)
		}
		p = s.partyOf(by, group, q)
		if err := insertParty(tx, p); err != nil {
			return err
		}
		tx.OnCommit(s.toWork)
		return s.noteTx(tx, by, "party.add", p.ID, map[string]string{"group": group})
	})
	if err != nil {
		return Party{}, err
	}
	return p, nil
}

func tooManyParties(err error) error {
	if err != nil {
		return err
	}
	return polder.Errorf(polder.Conflict, "%d parties are as many as are watched for one organisation; remove some first", MaxParties)
}

// partyOf is a new party.
func (s *Service) partyOf(by polder.Actor, group string, q Query) Party {
	now := s.o.Now().UTC().Truncate(time.Microsecond)
	return Party{ID: newScreenID(), Org: by.Org, Group: group, Query: q, Added: now, AddedBy: whoActs(by), Changed: now, Version: 1, fingerprint: QueryFingerprint(q)}
}

// Bounds of an import.
const (
	importAtOnce = 200 // rows in one transaction
	mostFaults   = 100 // that are told
	mostRefused  = 5_000
)

// ImportParties makes many parties known, or changes those that are known by their reference; rows without a reference
// are known by all their fields. So the same file may be imported again: nothing is doubled. Rows that cannot be asked
// about, and those that come with a [RowFault], are left out and told. Rows are stored some at a time: when rows or the disk fail half-way, what was stored
// stays, the answer says how much that is, and importing again goes on. It asks for a contributor.
func (s *Service) ImportParties(ctx context.Context, by polder.Actor, group string, rows iter.Seq2[Query, error]) (out PartyImport, err error) {
	if err := mayScreen(by, polder.RoleContributor); err != nil {
		return out, err
	}
	known, err := countParties(s.reader(ctx), by.Org)
	if err == nil {
		err = s.o.DB.Room()
	}
	if err != nil {
		return out, err
	}
	if err := checkKnownGroup(s.reader(ctx), by.Org, group); err != nil {
		return out, err
	}
	row, part := 0, []Query(nil)
	flush := func() error {
		if known+out.Added+len(part) > MaxParties {
			return tooManyParties(nil)
		}
		err := s.importSome(ctx, by, group, part, &out)
		part = part[:0]
		return err
	}
	for q, bad := range rows {
		row++
		q, fault, err := takeRow(q, bad)
		if err != nil {
			return out, polder.Errorf(polder.KindOf(err), "row %d: %w; %d parties before it are stored, and importing the mended file doubles none", row, err, out.Added+out.Changed+out.Same)
		}
		if fault != nil {
			out.Refused++
			if len(out.Faults) < mostFaults {
				out.Faults = append(out.Faults, clipKept(rowFault(row, fault.Error()), maxFault))
			}
			if out.Refused > mostRefused {
				return out, polder.Errorf(polder.Invalid, "more than %d rows cannot be asked about; the first is %s; %d parties are stored", mostRefused, out.Faults[0], out.Added+out.Changed+out.Same)
			}
			continue
		}
		if part = append(part, q); len(part) == importAtOnce {
			if err := flush(); err != nil {
				return out, err
			}
		}
	}
	if len(part) > 0 {
		err = flush()
	}
	return out, err
}

// rowFault says which row cannot be asked about, and why.
func rowFault(row int, why string) string { return fmt.Sprintf("row %d: %s", row, why) }

// importSome stores a few rows in one transaction.
func (s *Service) importSome(ctx context.Context, by polder.Actor, group string, part []Query, out *PartyImport) error {
	return s.write(ctx, func(tx *db.Tx) error {
		var did PartyImport
		if err := checkKnownGroup(tx, by.Org, group); err != nil {
			return err
		}
		for _, q := range part {
			fp := QueryFingerprint(q)
			p, found, err := partyLike(tx, by.Org, group, q, fp)
			switch {
			case err != nil:
				return err
			case !found:
				did.Added++
				err = insertParty(tx, s.partyOf(by, group, q))
			case p.fingerprint == fp:
				did.Same++
			default:
				did.Changed++
				err = s.changeTx(tx, p, p.Group, q)
			}
			if err != nil {
				return err
			}
		}
		if did.Added+did.Changed > 0 {
			if err := s.noteTx(tx, by, "party.import", group, map[string]string{"added": strconv.Itoa(did.Added), "changed": strconv.Itoa(did.Changed)}); err != nil {
				return err
			}
		}
		tx.OnCommit(func() {
			out.Added, out.Changed, out.Same = out.Added+did.Added, out.Changed+did.Changed, out.Same+did.Same
			s.toWork()
		})
		return nil
	})
}

// changeTx gives a party other fields. When they are others than before it is asked about anew, against everything.
func (s *Service) changeTx(tx *db.Tx, p Party, group string, q Query) error {
	fp := QueryFingerprint(q)
	if group != p.Group {
		if err := regroup(tx, p.ID, group); err != nil {
			return err
		}
	}
	if fp != p.fingerprint {
		p.against, p.Screened = 0, time.Time{}
	}
	p.Group, p.Query, p.fingerprint, p.Version, p.Changed = group, q, fp, p.Version+1, s.o.Now().UTC().Truncate(time.Microsecond)
	return updateParty(tx, p)
}

// mostRegrouped bounds how many reviews of a party move with it at once; others follow when they are met again.
const mostRegrouped = 200

// regroup moves the reviews of a party into another group.
func regroup(tx *db.Tx, party, group string) error {
	rs, err := reviewsOfParty(tx, party, mostRegrouped)
	if err != nil {
		return err
	}
	for _, r := range rs {
		r.Group = group
		if err := updateReview(tx, r); err != nil {
			return err
		}
	}
	return nil
}

// ChangeParty gives a known party other fields, another reference or another group. It asks for a contributor.
func (s *Service) ChangeParty(ctx context.Context, by polder.Actor, id string, c PartyChange) (Party, error) {
	if err := mayScreen(by, polder.RoleContributor); err != nil {
		return Party{}, err
	}
	q := keptQuery(c.Query)
	if err := checkQuery(q, maxKeptName); err != nil {
		return Party{}, err
	}
	err := s.write(ctx, func(tx *db.Tx) error {
		p, err := readParty(tx, by.Org, id)
		if err != nil {
			return err
		}
		group := c.Group
		if group == "" {
			group = p.Group
		}
		switch {
		case !p.Removed.IsZero():
			return polder.Errorf(polder.Conflict, "the party was removed; add it again")
		case c.Seen != p.Version:
			return polder.Errorf(polder.Conflict, "the party has changed since you opened it: you saw version %d, it is at %d; read it again, then change it", c.Seen, p.Version)
		}
		if err := checkKnownGroup(tx, by.Org, group); err != nil {
			return err
		}
		if like, found, err := partyLike(tx, by.Org, group, q, QueryFingerprint(q)); err != nil || found && like.ID != p.ID {
			if err == nil {
				err = polder.Errorf(polder.Conflict, "the group %s has a party with this reference, or these very fields, already", group)
			}
			return err
		}
		if err := s.changeTx(tx, p, group, q); err != nil {
			return err
		}
		tx.OnCommit(s.toWork)
		return s.noteTx(tx, by, "party.change", p.ID, nil)
	})
	if err != nil {
		return Party{}, err
	}
	return s.Party(ctx, by, id)
}

// reviewsAtOnce is how many reviews one transaction changes.
const reviewsAtOnce = 100

// RemoveParty ends the watching of a party: it is asked about no more, and what waits for a person about it is closed.
// What is on record of it stays, for as long as the settings say. It asks for a contributor.
func (s *Service) RemoveParty(ctx context.Context, by polder.Actor, id string) error {
	if err := mayScreen(by, polder.RoleContributor); err != nil {
		return err
	}
	err := s.write(ctx, func(tx *db.Tx) error {
		p, err := readParty(tx, by.Org, id)
		if err != nil || !p.Removed.IsZero() {
			return err // removed twice is removed once
		}
		p.Removed, p.against, p.Version = s.o.Now().UTC(), -1, p.Version+1
		if err := updateParty(tx, p); err != nil {
			return err
		}
		return s.noteTx(tx, by, "party.remove", p.ID, nil)
	})
	for more := true; more && err == nil; {
		err = s.write(ctx, func(tx *db.Tx) (err error) {
			more, err = s.closeSome(tx, by, id)
			return err
		})
	}
	return err
}

// closeSome closes some of the reviews of a party that was removed.
func (s *Service) closeSome(tx *db.Tx, by polder.Actor, party string) (more bool, err error) {
	open, err := closeReviewsOf(tx, party, reviewsAtOnce)
	if err != nil {
		return false, err
	}
	now := s.o.Now().UTC().Truncate(time.Microsecond)
	for _, r := range open {
		seen, err := readSnapshot(tx, r.n, r.current)
		if err != nil {
			return false, err
		}
		r = r.remark(Remark{Kind: RemarkForgotten})
		r.State, r.Question, r.Changed, r.Version = StateClosed, "", now, r.Version+1
		if err := updateReview(tx, r); err != nil {
			return false, err
		}
		d := Decision{At: now, By: whoActs(by), Person: by.Person, Token: by.Token, Verdict: StepRemoved, Reason: r.Note, Told: r.Told, ListDate: seen.List.Date, SHA256: seen.List.SHA256}
		if err := insertDecision(tx, r, d); err != nil {
			return false, err
		}
	}
	if len(open) > 0 {
		tx.OnCommit(s.wake)
	}
	return len(open) == reviewsAtOnce, nil
}
