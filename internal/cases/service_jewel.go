package cases

import (
	"context"
	"io"
	"slices"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// jewelViewer says who asks about the register: readers only where the settings let them, and need where more is asked.
func (s *Service) jewelViewer(ctx context.Context, by polder.Actor, need polder.Role) (caseViewer, error) {
	v, err := s.caseViewer(ctx, by)
	if err != nil {
		return v, err
	}
	if v.role < need {
		return v, polder.Errorf(polder.Forbidden, "your role is %s; this asks for %s", by.Role, need)
	}
	if v.role >= polder.RoleContributor {
		return v, nil
	}
	set, err := readCaseSettings(s.committed(ctx), v.org)
	if err == nil && !set.ReadersJewels {
		err = polder.Errorf(polder.Forbidden, "the register of crown jewels is for contributors and stewards of your organisation; a steward can open it to readers")
	}
	return v, err
}

// Jewels are the crown jewels of the actor's organisation. Readers see them only where the settings say so.
func (s *Service) Jewels(ctx context.Context, by polder.Actor, f JewelFilter) (JewelPage, error) {
	page := JewelPage{Jewels: []Jewel{}}
	v, err := s.jewelViewer(ctx, by, polder.RoleReader)
	if err != nil {
		return page, err
	}
	if f.Limit, err = caseLimit(f.Limit); err != nil {
		return page, err
	}
	if f.Text, err = caseLine("text", f.Text, maxJewelWord, false); err != nil {
		return page, err
	}
	if f.Technology, err = caseLine("technology", f.Technology, maxJewelWord, false); err != nil {
		return page, err
	}
	limit := f.Limit
	f.Limit++
	all, err := listJewels(s.committed(ctx), v.org, f)
	if err != nil {
		return page, err
	}
	if len(all) > limit {
		all = all[:limit]
		page.Next = all[limit-1].ID
	}
	page.Jewels = append(page.Jewels, all...)
	return page, nil
}

// Jewel is one of them.
func (s *Service) Jewel(ctx context.Context, by polder.Actor, id string) (Jewel, error) {
	v, err := s.jewelViewer(ctx, by, polder.RoleReader)
	if err != nil {
		return Jewel{}, err
	}
	return readJewel(s.committed(ctx), v.org, id)
}

// SetJewel adds a jewel, or changes the one of that id, whose Version is the one that was read. It asks for a steward.
func (s *Service) SetJewel(ctx context.Context, by polder.Actor, n Jewel) (Jewel, error) {
	v, err := s.jewelViewer(ctx, by, polder.RoleSteward)
	if err != nil {
		return n, err
	}
	if err := n.check(); err != nil {
		return n, err
	}
	err = s.caseWrite(ctx, func(tx *db.Tx) error {
		did, err := s.setJewelTx(tx, v, &n)
		if err != nil || did == "" {
			return err
		}
		return s.caseAudit(tx, by, "jewel."+did, n.ID)
	})
	return n, err
}

// setJewelTx adds or changes a jewel that was checked.
func (s *Service) setJewelTx(tx *db.Tx, v caseViewer, n *Jewel) (did string, err error) {
	like, found, err := jewelNamed(tx, v.org, n.Name)
	if err != nil {
		return "", err
	}
	if found && like.ID != n.ID {
		return "", polder.Errorf(polder.Conflict, "name: the register has a crown jewel of this name; change that one, or choose another name")
	}
	n.Org, n.Changed, did = v.org, s.caseNow(), "changed"
	if n.ID == "" {
		have, err := countJewels(tx, v.org)
		switch {
		case err != nil:
			return "", err
		case have >= maxJewels:
			return "", polder.Errorf(polder.Conflict, "the register has %d crown jewels, as many as it holds", have)
		case n.Version != 0:
			return "", polder.Errorf(polder.Invalid, "version: there is none before a jewel is added; leave it out")
		}
		uuid, err := s.newCaseUUID()
		if err != nil {
			return "", err
		}
		n.ID, n.Version, n.Removed, did = "jewel--"+uuid, 1, caseTime(0), "added"
		return did, putJewel(tx, v, *n, did)
	}
	have, err := readJewel(tx, v.org, n.ID)
	switch {
	case err != nil:
		return "", err
	case n.Version != have.Version:
		return "", &CaseConflict{Jewel: &have}
	case n.same(have):
		*n = have
		return "", nil
	}
	n.Version, n.Removed = have.Version+1, have.Removed
	return did, putJewel(tx, v, *n, did)
}

// RemoveJewel takes a jewel out of the register, or puts it back. Cases that name it still do. It asks for a steward.
func (s *Service) RemoveJewel(ctx context.Context, by polder.Actor, id string, version int, away bool) (j Jewel, err error) {
	v, err := s.jewelViewer(ctx, by, polder.RoleSteward)
	if err != nil {
		return j, err
	}
	err = s.caseWrite(ctx, func(tx *db.Tx) error {
		if j, err = readJewel(tx, v.org, id); err != nil {
			return err
		}
		switch {
		case version != j.Version:
			return &CaseConflict{Jewel: &j}
		case away == !j.Removed.IsZero():
			return nil
		}
		did := "restored"
		j.Changed, j.Version, j.Removed = s.caseNow(), j.Version+1, caseTime(0)
		if away {
			did, j.Removed = "removed", j.Changed
		} else if _, found, err := jewelNamed(tx, v.org, j.Name); err != nil || found {
			if err == nil {
				err = polder.Errorf(polder.Conflict, "name: the register has another crown jewel of this name by now; rename that one first")
			}
			return err
		}
		if err := putJewel(tx, v, j, did); err != nil {
			return err
		}
		return s.caseAudit(tx, by, "jewel."+did, id)
	})
	return j, err
}

// JewelHistory is what a jewel once was, the latest first.
func (s *Service) JewelHistory(ctx context.Context, by polder.Actor, id string) ([]JewelRevision, error) {
	v, err := s.jewelViewer(ctx, by, polder.RoleReader)
	if err != nil {
		return nil, err
	}
	a := s.committed(ctx)
	if _, err := readJewel(a, v.org, id); err != nil {
		return nil, err
	}
	return jewelRevisions(a, id, maxHistory)
}

// importAtOnce is how many jewels of a file one transaction writes.
const importAtOnce = 100

// ImportJewels takes a file of jewels: a table with a heading, or JSON. One of a name that the register has is changed;
// rows that are wrong are counted and named, the others are taken. It asks for a steward.
func (s *Service) ImportJewels(ctx context.Context, by polder.Actor, name string, r io.Reader) (out JewelImport, err error) {
	out.Faults = []string{}
	v, err := s.jewelViewer(ctx, by, polder.RoleSteward)
	if err != nil {
		return out, err
	}
	if name, err = evidenceName(name); err != nil {
		name = "file"
	}
	raw, err := io.ReadAll(io.LimitReader(r, maxJewelImport+1))
	if err != nil {
		return out, err
	}
	if len(raw) > maxJewelImport {
		return out, polder.Errorf(polder.TooLarge, "%s: is larger than %d MiB; send it in parts", name, maxJewelImport>>20)
	}
	rows, err := readJewels(name, raw)
	if err != nil {
		return out, err
	}
	for part := range slices.Chunk(rows, importAtOnce) {
		was := out
		err := s.caseWrite(ctx, func(tx *db.Tx) error {
			out = was
			out.Faults = slices.Clone(was.Faults)
			return s.importSome(tx, by, v, part, &out)
		})
		if err != nil {
			return was, err
		}
	}
	return out, nil
}

func (s *Service) importSome(tx *db.Tx, by polder.Actor, v caseViewer, rows []jewelRow, out *JewelImport) error {
	for _, row := range rows {
		if row.fault == nil {
			like, found, err := jewelNamed(tx, v.org, row.Name)
			if err != nil {
				return err
			}
			if found {
				row.ID, row.Version = like.ID, like.Version
			}
			did, err := s.setJewelTx(tx, v, &row.Jewel)
			if err != nil {
				return err
			}
			switch did {
			case "added":
				out.Added++
			case "changed":
				out.Changed++
			default:
				out.Same++
			}
			continue
		}
		out.Refused++
		if len(out.Faults) < maxFaults {
			out.Faults = append(out.Faults, row.fault.Error())
		}
	}
	return s.caseAudit(tx, by, "jewel.import", string(v.org))
}

// JewelsOf are all crown jewels of an organisation, by name, for what watches over them on this node. It asks for no right:
// no answer of it may reach another organisation.
func (s *Service) JewelsOf(ctx context.Context, org polder.OrgID) ([]Jewel, error) {
	return listJewels(s.committed(ctx), org, JewelFilter{Limit: maxJewels})
}
