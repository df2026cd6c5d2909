package accounts

import (
	"cmp"
	"database/sql"
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/stix"
)

// lives refuses what only a community's home may do.
func lives(q db.Querier, com polder.Community) error {
	if !com.Mirrored() {
		return nil
	}
	name, err := homeName(q, com.Home)
	if err != nil {
		return err
	}
	return polder.Errorf(polder.Forbidden, "community %s: it lives at %s; ask there", com.Alias, name)
}

// acts refuses what only an organisation's home may do.
func acts(q db.Querier, o polder.Org) error {
	if !o.Remote() {
		return nil
	}
	name, err := homeName(q, o.Home)
	if err != nil {
		return err
	}
	return polder.Errorf(polder.Forbidden, "organisation %s: it lives at %s; ask there", o.Name, name)
}

func homeName(q db.Querier, id polder.OrgID) (name string, err error) {
	err = q.QueryRow(`SELECT name FROM accounts_home WHERE id = ?`, id).Scan(&name)
	if errors.Is(err, sql.ErrNoRows) {
		return string(id), nil
	}
	return name, err
}

// putHome writes down another node and the name under which it is shown.
func (c *change) putHome(h Home) error {
	name, err := cleanName("name of the node", h.Name, MaxName)
	if err != nil {
		return err
	}
	if !isIdentity(h.ID) {
		return polder.Errorf(polder.Invalid, "the id of the node is not that of an identity")
	}
	known, err := exists(c.tx, `SELECT 1 FROM accounts_org WHERE id = ?1 AND home = '' UNION SELECT 1 FROM accounts_community WHERE blind = ?1`, h.ID)
	if err != nil {
		return err
	}
	if known {
		return polder.Errorf(polder.Conflict, "the id of the node is that of an organisation or community of this one")
	}
	_, err = c.tx.Exec(`INSERT INTO accounts_home (id, name) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name`, h.ID, name)
	return err
}

func isIdentity(id polder.OrgID) bool {
	return strings.HasPrefix(string(id), "identity--") && stix.ValidID(string(id))
}

// putRemote writes an organisation of home, or what changed of it.
func (c *change) putRemote(o RemoteOrg, home Home) (polder.Org, error) {
	if !isIdentity(o.ID) || o.ID == home.ID {
		return polder.Org{}, polder.Errorf(polder.Invalid, "organisation %.80q: its id is not that of an identity of its own", o.ID)
	}
	n, err := NewOrg{Name: o.Name, Country: o.Country, Sector: o.Sector}.clean()
	if err != nil {
		return polder.Org{}, err
	}
	have, err := readOrg(c.tx, o.ID)
	switch {
	case polder.KindOf(err) == polder.NotFound:
		return c.addRemote(o.ID, n, home)
	case err != nil:
		return polder.Org{}, err
	case have.Home == "":
		return polder.Org{}, polder.Errorf(polder.Conflict, "organisation %s: it is of this node, and no other speaks for it", o.ID)
	case have.Home != home.ID:
		return polder.Org{}, polder.Errorf(polder.Conflict, "organisation %s: another node speaks for it", o.ID)
	}
	if n.Name, err = remoteName(c.tx, n.Name, home.Name, o.ID); err != nil {
		return polder.Org{}, err
	}
	if have.Name == n.Name && have.Country == n.Country && have.Sector == n.Sector {
		return have, nil
	}
	have.Name, have.Country, have.Sector = n.Name, n.Country, n.Sector
	if err := updateOrg(c.tx, o.ID, n, c.now); err != nil {
		return polder.Org{}, err
	}
	return have, c.log("org.change", "", string(o.ID), "name", n.Name, "home", string(home.ID))
}

func (c *change) addRemote(id polder.OrgID, n NewOrg, home Home) (polder.Org, error) {
	blind, err := exists(c.tx, `SELECT 1 FROM accounts_community WHERE blind = ?1 UNION SELECT 1 FROM accounts_home WHERE id = ?1`, id)
	if err != nil {
		return polder.Org{}, err
	}
	if blind {
		return polder.Org{}, polder.Errorf(polder.Conflict, "organisation %s: this id stands for a community or a node", id)
	}
	if n.Name, err = remoteName(c.tx, n.Name, home.Name, id); err != nil {
		return polder.Org{}, err
	}
	org := polder.Org{ID: id, Name: n.Name, Country: n.Country, Sector: n.Sector, Widest: n.Widest, Created: when(c.now), Home: home.ID}
	if err := insertOrg(c.tx, org, c.now); err != nil {
		return polder.Org{}, err
	}
	return org, c.log("org.add", "", string(id), "name", n.Name, "home", string(home.ID))
}

// remoteName is a name that no other organisation has: as given, else with the node behind it, else with the end of its
// id or all of it too, which no other has unless somebody took that for a name. It looks a few times and no more: a
// home names thousands.
func remoteName(q db.Querier, name, node string, id polder.OrgID) (try string, err error) {
	long := strings.TrimPrefix(string(id), "identity--")
	for _, more := range []string{"", " (" + node + ")", " (" + node + " " + long[max(0, len(long)-12):] + ")", " (" + node + " " + long + ")"} {
		try = name
		if more != "" {
			try = firstOf(name, MaxName) + more
		}
		if err = freeOrgName(q, try, id); err == nil || polder.KindOf(err) != polder.Conflict {
			return try, err
		}
	}
	return try, err
}

// firstOf is at most n characters of s.
func firstOf(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n])
}

func (c *change) joinRemote(m RemoteMember) (polder.Membership, error) {
	if err := c.needAdmin("make an organisation of another node a member"); err != nil {
		return polder.Membership{}, err
	}
	com, err := readCommunity(c.tx, string(m.Community))
	if err != nil {
		return polder.Membership{}, err
	}
	if err := lives(c.tx, com); err != nil {
		return polder.Membership{}, err
	}
	org, err := readOrg(c.tx, m.Org)
	if err != nil {
		return polder.Membership{}, err
	}
	if !org.Remote() {
		return polder.Membership{}, polder.Errorf(polder.Invalid, "organisation %s: it is of this node; join it by polder community join", org.Name)
	}
	if err := c.join(com, m.Org, m.Role); err != nil {
		return polder.Membership{}, err
	}
	out := polder.Membership{Community: com, Org: m.Org, Role: m.Role}
	if m.Version == 0 {
		return out, nil
	}
	if err := isCurrent(c.tx, com.ID, m.Version); err != nil {
		return polder.Membership{}, err
	}
	name, err := cleanLine("who accepted the agreement", m.Accepted, MaxName)
	if err != nil {
		return polder.Membership{}, err
	}
	out.Accepted = true
	return out, c.acceptAs(Acceptance{Community: com.ID, Org: m.Org, Version: m.Version, Name: name})
}

// clean checks what a home says of a community.
func (s CommunityShape) clean() (CommunityShape, error) {
	if !isUUID(string(s.ID)) || !isIdentity(s.Blind) {
		return s, polder.Errorf(polder.Invalid, "the community's id is not a UUID, or its blind identity not the id of an identity")
	}
	name, err := cleanName("name of the community", s.Name, MaxName)
	if err != nil {
		return s, err
	}
	if name != s.Name {
		return s, polder.Errorf(polder.Invalid, "the name of the community is not in its one form")
	}
	if err := checkUnmarked(s.Unmarked); err != nil {
		return s, err
	}
	a := &s.Agreement
	text, err := cleanText("agreement", a.Text, maxAgreed)
	switch {
	case err != nil:
		return s, err
	case text == "" || a.Version < 1 || a.Version > 1<<20 || a.Needed < 1 || a.Needed > a.Version:
		return s, polder.Errorf(polder.Invalid, "the community's agreement is empty, or its versions are not in order")
	case s.Created <= 0 || s.Modified < s.Created || s.Modified >= 1<<53 || a.Written < 0 || a.Written >= 1<<53:
		return s, polder.Errorf(polder.Invalid, "the community's times are not in order")
	}
	a.Text = text
	s.Alias = alias(cmp.Or(firstOf(s.Alias, MaxName), s.Name))
	return s, nil
}

// mirror writes a community of home, or what changed of it.
func (c *change) mirror(shape CommunityShape, home Home) (polder.Community, error) {
	shape, err := shape.clean()
	if err != nil {
		return polder.Community{}, err
	}
	have, err := readCommunity(c.tx, string(shape.ID))
	switch {
	case polder.KindOf(err) == polder.NotFound:
		if have, err = c.addMirror(shape, home); err != nil {
			return polder.Community{}, err
		}
	case err != nil:
		return polder.Community{}, err
	case have.Home != home.ID:
		return polder.Community{}, polder.Errorf(polder.Conflict, "community %s: it lives elsewhere, and no other node speaks for it", have.Alias)
	case have.Blind != shape.Blind:
		return polder.Community{}, polder.Errorf(polder.Conflict, "community %s: the identity that stands for a member never changes", have.Alias)
	}
	_, err = c.tx.Exec(`UPDATE accounts_community SET name = ?, unmarked = ?, agreement = ?, needed = ?, created = ?, modified = ? WHERE id = ?`,
		shape.Name, shape.Unmarked.String(), shape.Agreement.Version, shape.Agreement.Needed, shape.Created, shape.Modified, shape.ID)
	if err != nil {
		return polder.Community{}, err
	}
	have.Name, have.Unmarked, have.Created = shape.Name, shape.Unmarked, when(shape.Created)
	return have, c.mirrorAgreement(shape)
}

// mirrorAgreement keeps each version of an agreement as it was first read: what somebody accepted does not change.
func (c *change) mirrorAgreement(shape CommunityShape) error {
	a := shape.Agreement
	var have string
	err := c.tx.QueryRow(`SELECT text FROM accounts_agreement WHERE community = ? AND version = ?`, shape.ID, a.Version).Scan(&have)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		if err := insertAgreement(c.tx, shape.ID, a.Version, a.Text, a.Written); err != nil {
			return err
		}
		return c.log("agreement.set", shape.ID, "", "version", strconv.Itoa(a.Version), "needed", strconv.Itoa(a.Needed))
	case err != nil:
		return err
	case have != a.Text:
		return polder.Errorf(polder.Conflict, "the agreement: version %d was another text when it was read first; a new text needs a new version", a.Version)
	}
	return nil
}

func (c *change) addMirror(shape CommunityShape, home Home) (polder.Community, error) {
	taken, err := exists(c.tx, `SELECT 1 FROM accounts_community WHERE blind = ?1 UNION SELECT 1 FROM accounts_org WHERE id = ?1 UNION SELECT 1 FROM accounts_home WHERE id = ?1`, shape.Blind)
	if err != nil {
		return polder.Community{}, err
	}
	if taken {
		return polder.Community{}, polder.Errorf(polder.Conflict, "community %s: the identity that stands for its members is known here as another's", shape.Name)
	}
	free, err := freeAlias(c.tx, shape.Alias)
	if err != nil {
		return polder.Community{}, err
	}
	com := polder.Community{ID: shape.ID, Alias: free, Name: shape.Name, Unmarked: shape.Unmarked, Blind: shape.Blind, Created: when(shape.Created), Home: home.ID}
	if err := insertCommunity(c.tx, com, c.now); err != nil {
		return polder.Community{}, err
	}
	return com, c.log("community.mirror", com.ID, "", "alias", free, "home", string(home.ID))
}

// joinMirror makes a local organisation a member of a mirrored community.
func (c *change) joinMirror(com polder.Community, org polder.OrgID, role polder.Role, version int) error {
	if err := checkMemberRole(role); err != nil {
		return err
	}
	o, err := readOrg(c.tx, org)
	if err != nil {
		return err
	}
	if err := acts(c.tx, o); err != nil {
		return err
	}
	if err := c.join(com, org, role); err != nil {
		return err
	}
	if version == 0 {
		return nil
	}
	if err := isCurrent(c.tx, com.ID, version); err != nil {
		return err
	}
	return c.accept(com.ID, org, version)
}

// roster is what a home says of a community's members, for a local organisation.
type roster struct {
	own     polder.OrgID
	entries []RosterEntry
}

// member is a membership as it is held, with what is shown of its organisation.
type rosterRow struct {
	org      polder.Org
	role     string
	accepted bool
}

func readRoster(q db.Querier, id polder.CommunityID) (map[polder.OrgID]rosterRow, error) {
	all, err := listMembers(q, id)
	out := make(map[polder.OrgID]rosterRow, len(all))
	for _, m := range all {
		out[m.Org] = rosterRow{org: m.Organisation, role: m.Role.String(), accepted: m.Accepted}
	}
	return out, err
}

// same tells whether nothing of the roster is news; it is asked often, and must not raise the epoch when nothing is.
func (r roster) same(q db.Querier, id polder.CommunityID) (bool, error) {
	com, err := readCommunity(q, string(id))
	if err != nil {
		return false, err
	}
	node, err := homeName(q, com.Home)
	if err != nil {
		return false, err
	}
	have, err := readRoster(q, id)
	if err != nil {
		return false, err
	}
	named := map[polder.OrgID]bool{}
	for _, e := range r.entries {
		named[e.ID] = true
		row, ok := have[e.ID]
		switch {
		case ok && !row.org.Remote() && e.ID != r.own:
		case !ok:
			passed, err := exists(q, `SELECT 1 FROM accounts_org WHERE id = ? AND home = ''`, e.ID)
			if err == nil && !passed {
				passed, err = standsForOther(q, e.ID)
			}
			if err != nil || !passed {
				return false, err
			}
		case row.role != e.Role, row.org.Remote() && (row.accepted != e.Accepted || row.org.Home == com.Home && !row.shows(e, node)):
			return false, nil
		}
	}
	for org, row := range have {
		if row.org.Remote() && !named[org] {
			return false, nil
		}
	}
	return true, nil
}

// standsForOther tells whether an id that a home gives to an organisation is none of one: it stands for a node or for "a
// member" of a community here. Such a line of a roster is passed over: a member that joins the home under an id like
// that takes no other member's roster away.
func standsForOther(q db.Querier, id polder.OrgID) (bool, error) {
	if !isIdentity(id) {
		return true, nil
	}
	return exists(q, `SELECT 1 FROM accounts_community WHERE blind = ?1 UNION SELECT 1 FROM accounts_home WHERE id = ?1`, id)
}

// shows tells whether an organisation is held as e describes it, its name perhaps with the node behind it.
func (row rosterRow) shows(e RosterEntry, node string) bool {
	o := row.org
	return o.Country == e.Country && o.Sector == e.Sector && (o.Name == e.Name || strings.HasPrefix(o.Name, e.Name+" ("+node))
}

func (c *change) setRoster(id polder.CommunityID, r roster) error {
	com, err := readCommunity(c.tx, string(id))
	if err != nil {
		return err
	}
	if !com.Mirrored() {
		return polder.Errorf(polder.Conflict, "community %s: it lives here, and no other node says who its members are", com.Alias)
	}
	node, err := homeName(c.tx, com.Home)
	if err != nil {
		return err
	}
	have, err := readRoster(c.tx, id)
	if err != nil {
		return err
	}
	for _, e := range r.entries {
		if err := c.setMember(com, Home{com.Home, node}, r.own, e); err != nil {
			return err
		}
		delete(have, e.ID)
	}
	var gone []polder.OrgID
	for org, row := range have {
		if row.org.Remote() {
			gone = append(gone, org)
		}
	}
	slices.Sort(gone)
	for _, org := range gone {
		if err := c.endRemote(com, org); err != nil {
			return err
		}
	}
	return nil
}

// setMember writes one line of a home's roster.
func (c *change) setMember(com polder.Community, home Home, own polder.OrgID, e RosterEntry) error {
	role, err := polder.ParseRole(e.Role)
	if err == nil {
		err = checkMemberRole(role)
	}
	if err != nil {
		return err
	}
	have, err := readOrg(c.tx, e.ID)
	if polder.KindOf(err) == polder.NotFound {
		if other, err := standsForOther(c.tx, e.ID); err != nil || other {
			return err
		}
	}
	switch {
	case err != nil && polder.KindOf(err) != polder.NotFound:
		return err
	case err == nil && !have.Remote():
		if e.ID != own {
			return nil
		}
		_, err := c.tx.Exec(`UPDATE accounts_membership SET role = ? WHERE community = ? AND org = ?`, role.String(), com.ID, own)
		return err
	case err != nil || have.Home == home.ID:
		if _, err := c.putRemote(e.RemoteOrg, home); err != nil {
			return err
		}
	}
	accepted := 0
	if e.Accepted {
		if accepted, err = currentVersion(c.tx, com.ID); err != nil {
			return err
		}
	}
	return putMembership(c.tx, com.ID, e.ID, role, accepted, c.now)
}

func putMembership(tx *db.Tx, id polder.CommunityID, org polder.OrgID, r polder.Role, accepted int, now int64) error {
	_, err := tx.Exec(`INSERT INTO accounts_membership (org, community, role, accepted, since) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (org, community) DO UPDATE SET role = excluded.role, accepted = excluded.accepted`, org, id, r.String(), accepted, now)
	return err
}

// endRemote ends the membership of a remote organisation, and forgets it when nothing else here names it.
func (c *change) endRemote(com polder.Community, org polder.OrgID) error {
	if err := deleteMembership(c.tx, com.ID, org); err != nil {
		return err
	}
	_, err := c.tx.Exec(`DELETE FROM accounts_org WHERE id = ?1 AND home <> '' AND NOT EXISTS (SELECT 1 FROM accounts_membership WHERE org = ?1)
		AND NOT EXISTS (SELECT 1 FROM accounts_token WHERE org = ?1) AND NOT EXISTS (SELECT 1 FROM accounts_acceptance WHERE org = ?1)
		AND NOT EXISTS (SELECT 1 FROM accounts_request WHERE org = ?1) AND NOT EXISTS (SELECT 1 FROM accounts_person WHERE org = ?1)`, org)
	if err != nil {
		return err
	}
	return c.log("community.leave", com.ID, "", "org", string(org))
}

func (c *change) removeMirror(id polder.CommunityID, org polder.OrgID) error {
	com, err := readCommunity(c.tx, string(id))
	if err != nil {
		return err
	}
	if !com.Mirrored() {
		return polder.Errorf(polder.Conflict, "community %s: it lives here; polder community leave ends a membership of it", com.Alias)
	}
	if err := c.endRemote(com, org); err != nil {
		return err
	}
	have, err := readRoster(c.tx, id)
	if err != nil {
		return err
	}
	var rest []polder.OrgID
	for org, row := range have {
		if !row.org.Remote() {
			return nil
		}
		rest = append(rest, org)
	}
	slices.Sort(rest)
	for _, org := range rest {
		if err := c.endRemote(com, org); err != nil {
			return err
		}
	}
	return nil
}

// linkToken makes a token of a remote organisation whose secret is thrown away.
func (c *change) linkToken(n NewToken) (polder.TokenID, error) {
	if err := c.needAdmin("make a link"); err != nil {
		return "", err
	}
	o, err := readOrg(c.tx, n.Org)
	if err != nil {
		return "", err
	}
	if !o.Remote() {
		return "", polder.Errorf(polder.Invalid, "organisation %s: it is of this node, and a link is for one of another", o.Name)
	}
	id, text, err := c.s.ids.token()
	if err != nil {
		return "", err
	}
	t := Token{ID: id, Org: n.Org, Role: n.Role, Name: n.Name, Scope: n.Scope}
	if err := insertToken(c.tx, t, c.by.Token, digest(text), 0, c.now); err != nil {
		return "", err
	}
	for _, community := range n.Scope {
		if err := insertScope(c.tx, id, n.Org, community); err != nil {
			return "", err
		}
	}
	return id, c.log("token.create", "", string(id), "org", string(n.Org), "role", n.Role.String())
}

// remoteToken is a token of an organisation of another node.
func (c *change) remoteToken(id polder.TokenID) (Token, error) {
	t, err := readToken(c.tx, id)
	if err != nil {
		return t, err
	}
	o, err := readOrg(c.tx, t.Org)
	if err == nil && !o.Remote() {
		err = polder.Errorf(polder.NotFound, "no link has the token %.80s", id)
	}
	return t, err
}
