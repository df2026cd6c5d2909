package keys

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/seal"
)

// Behind is who is behind a pseudonym.
type Behind struct {
	Organisation polder.OrgID `json:"organisation"`
	Name         string       `json:"name"`
	Pseudonym    string       `json:"pseudonym"`
	Waits        bool         `json:"waits,omitempty"` // the home of the community was asked; look again when it has answered
}

// Open tells a steward's organisation who is behind a pseudonym. It has to say why, and before anything is opened that
// stands in the community's list, which every member reads: who opened, which pseudonym, when and why. An organisation
// that is no steward, and one to whose key the pseudonym was not sealed, opens nothing, and nothing is written then.
//
// by acts for org, or manages the node's folder. Where the community lives on another node its home is asked, by and by.
func (p *PseudonymBook) Open(ctx context.Context, by polder.Actor, org polder.OrgID, c polder.Community, pseudonym, reason string) (Behind, error) {
	reason, err := p.mayOpen(ctx, by, org, c, pseudonym, reason)
	if err != nil {
		return Behind{}, err
	}
	box, boxErr := readBox(p.s.read(ctx), c.ID, pseudonym)
	home, err := p.s.o.Accounts.HomeOfCommunity(ctx, c.ID)
	if err != nil {
		return Behind{}, err
	}
	if home != "" && polder.KindOf(boxErr) == polder.NotFound {
		return Behind{Pseudonym: pseudonym, Waits: true}, p.wish(ctx, by, wish{community: c.ID, pseudonym: pseudonym, act: seal.PseudonymOpened, org: org, reason: reason})
	}
	if boxErr != nil {
		return Behind{}, boxErr
	}
	key, err := p.opener(ctx, org, box)
	if err != nil {
		return Behind{}, err
	}
	if home == "" { // the home of another community wrote its line before it handed the box over
		if err := p.sayOf(ctx, by, org, c, seal.PseudonymOpened, pseudonym, reason); err != nil {
			return Behind{}, err
		}
	}
	text, err := box.Open(pseudonymPurpose, key)
	if err != nil {
		return Behind{}, polder.Errorf(polder.Internal, "open a pseudonym: %w", err)
	}
	var behind pseudonymBehind
	if err := json.Unmarshal(text, &behind); err != nil || behind.Pseudonym != pseudonym || behind.Community != c.ID {
		return Behind{}, polder.Errorf(polder.Conflict, "what is sealed under %s is of another pseudonym; somebody changed the database of the community's home", pseudonym)
	}
	return Behind{Organisation: behind.Organisation, Name: behind.Name, Pseudonym: pseudonym}, nil
}

// Stop has what comes later with a pseudonym's signature refused; what came before stays, marked. Who is behind it can
// begin another: to shut a member out, open the pseudonym and end its membership.
func (p *PseudonymBook) Stop(ctx context.Context, by polder.Actor, org polder.OrgID, c polder.Community, pseudonym, reason string) (waits bool, err error) {
	if reason, err = p.mayOpen(ctx, by, org, c, pseudonym, reason); err != nil {
		return false, err
	}
	home, err := p.s.o.Accounts.HomeOfCommunity(ctx, c.ID)
	if err != nil {
		return false, err
	}
	if home != "" {
		return true, p.wish(ctx, by, wish{community: c.ID, pseudonym: pseudonym, act: seal.PseudonymStopped, org: org, reason: reason})
	}
	return false, p.sayOf(ctx, by, org, c, seal.PseudonymStopped, pseudonym, reason)
}

// mayOpen checks that by acts for an organisation that is a steward of the community, and that there is the pseudonym.
func (p *PseudonymBook) mayOpen(ctx context.Context, by polder.Actor, org polder.OrgID, c polder.Community, pseudonym, reason string) (string, error) {
	if by.Org != org && by.Role != polder.RoleAdmin || by.Org == org && by.Role < polder.RoleSteward {
		return "", polder.Errorf(polder.Forbidden, "pseudonyms are opened and stopped by stewards of the community")
	}
	ms, err := p.s.o.Accounts.Memberships(ctx, org)
	if err != nil {
		return "", err
	}
	if !slices.ContainsFunc(ms, func(m polder.Membership) bool {
		return m.Community.ID == c.ID && m.Accepted && m.Role.OnObjects() >= polder.RoleSteward
	}) {
		return "", polder.Errorf(polder.Forbidden, "%s is not a steward of %s; stewards open and stop pseudonyms", org, c.Alias)
	}
	have, err := readEntriesOf(p.s.read(ctx), c.ID, pseudonym)
	if err != nil {
		return "", err
	}
	if len(have) == 0 {
		return "", polder.Errorf(polder.NotFound, "%.60q is no pseudonym of %s; see polder pseudonym list", pseudonym, c.Alias)
	}
	return checkPseudonymReason(reason)
}

// opener is the key of an organisation that opens a box.
func (p *PseudonymBook) opener(ctx context.Context, org polder.OrgID, box seal.Box) (seal.PrivateKey, error) {
	keys, err := p.s.OpenKeys(ctx, org)
	if err != nil && polder.KindOf(err) != polder.NotFound {
		return seal.PrivateKey{}, err
	}
	for _, k := range keys {
		if slices.Contains(box.Readers(), k.Public().ID()) {
			return k, nil
		}
	}
	return seal.PrivateKey{}, polder.Errorf(polder.Forbidden, "who is behind this pseudonym is not sealed to %s: it became a steward later, or its keys are on another node; nothing was opened", org)
}

// sayOf writes a public line of what a steward did with a pseudonym of a community that lives here, and the audit entry.
func (p *PseudonymBook) sayOf(ctx context.Context, by polder.Actor, org polder.OrgID, c polder.Community, act seal.PseudonymAct, pseudonym, reason string) error {
	node, err := p.s.NodeID(ctx)
	if err != nil {
		return err
	}
	sign, err := p.s.signing(ctx, node)
	if err != nil {
		return err
	}
	return p.s.o.DB.Write(ctx, func(tx *db.Tx) error {
		e := seal.PseudonymEntry{Act: act, Pseudonym: pseudonym, By: string(org), Reason: reason, Date: p.s.o.Now().UTC().Format("2006-01-02T15:04:05Z07:00")}
		if _, err := p.say(tx, c, node, sign, e); err != nil {
			return err
		}
		note := audit.EntryOf(by)
		note.Org, note.Action, note.Community, note.Object = org, "pseudonym."+string(act), c.ID, pseudonym
		note.Detail = map[string]string{"reason": reason}
		return p.s.o.Audit.Append(tx, note)
	})
}

// wish notes what the home is to be asked for.
func (p *PseudonymBook) wish(ctx context.Context, by polder.Actor, w wish) error {
	return p.s.o.DB.Write(ctx, func(tx *db.Tx) error {
		if err := writeWish(tx, w); err != nil {
			return err
		}
		note := audit.EntryOf(by)
		note.Org, note.Action, note.Community, note.Object, note.Narrow = w.org, "pseudonym.ask", w.community, w.pseudonym, true
		note.Detail = map[string]string{"to": string(w.act), "reason": w.reason}
		return p.s.o.Audit.Append(tx, note)
	})
}

// noteOwn writes the audit entry of what an organisation does with its own pseudonym, which it does not name.
func (p *PseudonymBook) noteOwn(tx *db.Tx, by polder.Actor, org polder.OrgID, c polder.CommunityID, action string) error {
	e := audit.EntryOf(by)
	e.Org, e.Action, e.Community, e.Narrow = org, action, c, true
	return p.s.o.Audit.Append(tx, e)
}

// ReadCertificates reads the pseudonyms of a file of keys.
func ReadCertificates() Certificates {
	return &pseudonymRing{entries: map[string][]seal.PseudonymEntry{}}
}

// pseudonymRing is the pseudonyms of a file of keys. It is a [Certificates].
type pseudonymRing struct {
	entries map[string][]seal.PseudonymEntry
}

// Add is what [Certificates] asks for.
func (r *pseudonymRing) Add(line json.RawMessage) (known bool, err error) {
	var l pseudonymLine
	if json.Unmarshal(line, &l) != nil || l.Pseudonym == "" {
		return false, nil
	}
	e, err := seal.ParsePseudonymEntry(l.Entry)
	if err != nil {
		return true, err
	}
	if e.Pseudonym != l.Pseudonym {
		return true, errors.New("the entry is about another pseudonym than its line says")
	}
	r.entries[e.Pseudonym] = append(r.entries[e.Pseudonym], e)
	return true, nil
}
