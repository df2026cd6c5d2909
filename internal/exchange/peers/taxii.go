package peers

import (
	"cmp"
	"context"
	"encoding/json"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/stix"
	"github.com/polder-exchange/polder/taxii"
)

// This file is about plain TAXII 2.1 servers: what comes from one is shared in a community as one organisation, its bytes
// as they are, and what that organisation may pass on goes there. A server knows nothing of communities, recipients or
// signers, so it gets CLEAR and GREEN alone, and what it says is held to every rule of a share.

// TAXIIServer is a collection of a plain TAXII 2.1 server with which a community exchanges.
type TAXIIServer struct {
	ID         string
	Community  polder.CommunityID
	Org        polder.OrgID // as which what comes is shared
	URL        string
	Collection string
	Pulls      bool
	Pushes     bool
	Amber      bool         // the organisation's own TLP:AMBER objects go too
	Unmarked   stix.Marking // the level of what comes without one; None refuses it
	Paused     bool
	Created    time.Time
	Contact    time.Time
	Detail     string // what went wrong last
	Failures   int    // objects that one of the two sides did not take, and that are kept to be looked at

	user, secret string
	token        polder.TokenID
	cursor       taxii.Cursor
	pushed       polder.Seq
}

// State is a word for how it stands.
func (t TAXIIServer) State() string {
	switch {
	case t.Paused:
		return "paused"
	case t.Detail != "":
		return "failing"
	case t.Contact.IsZero():
		return "new"
	}
	return "live"
}

// NewTAXIIServer is what a connection to a server is made from.
type NewTAXIIServer struct {
	Community  string // alias or id
	Org        polder.OrgID
	URL        string
	Collection string
	User       string // for HTTP Basic
	Secret     string // the password, or without User a token; "" for none
	Direction  string // pull, push or both
	Amber      bool
	Unmarked   stix.Marking
}

// TAXIIFailure is an object that was not taken: by this node, or by the server.
type TAXIIFailure struct {
	ID     string
	Reason string
	At     time.Time
}

// taxiiFailures is how many of these are kept for each server; the oldest goes first.
const taxiiFailures = 1000

// local tells whether a host is this machine.
func local(host string) bool {
	at, err := netip.ParseAddr(host)
	return err == nil && at.Unmap().IsLoopback() || host == "localhost"
}

func (n NewTAXIIServer) clean() (NewTAXIIServer, error) {
	u, err := url.Parse(n.URL)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		return n, polder.Errorf(polder.Invalid, "url: give the address of an API root, such as https://taxii.example/api1/")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return n, polder.Errorf(polder.Invalid, "url: it holds a user name, password, query or fragment; give names and secrets apart from it")
	case u.Scheme == "http" && n.Secret != "" && !local(u.Hostname()):
		return n, polder.Errorf(polder.Invalid, "url: the secret would go to %s unencrypted; use https", u.Host)
	case n.Collection == "" || len(n.Collection) > 200:
		return n, polder.Errorf(polder.Invalid, "collection: give the collection's id or alias")
	case n.User != "" && n.Secret == "":
		return n, polder.Errorf(polder.Invalid, "user: its password is missing; give --password-file")
	case n.Unmarked != stix.None && n.Unmarked > stix.Green:
		return n, polder.Errorf(polder.Invalid, "unmarked: clear or green; a stricter level would not be written in the object")
	case len(n.User) > 200 || len(n.Secret) > 4096:
		return n, polder.Errorf(polder.Invalid, "the name or secret is too long")
	}
	switch n.Direction = cmp.Or(n.Direction, "pull"); n.Direction {
	case "pull", "push", "both":
		return n, nil
	}
	return n, polder.Errorf(polder.Invalid, "direction: %.20q is none of pull, push and both", n.Direction)
}

// AddTAXII connects a community with a collection of a TAXII server. The organisation must be a contributor of the
// community, and of this node.
func (s *Service) AddTAXII(ctx context.Context, by polder.Actor, n NewTAXIIServer) (TAXIIServer, error) {
	n, err := n.clean()
	if err != nil {
		return TAXIIServer{}, err
	}
	if err := s.admin(ctx, by); err != nil {
		return TAXIIServer{}, err
	}
	com, err := s.o.Accounts.Community(ctx, n.Community)
	if err != nil {
		return TAXIIServer{}, err
	}
	have, err := readTAXII(s.read(ctx), "")
	if err != nil {
		return TAXIIServer{}, err
	}
	if i := slices.IndexFunc(have, func(t TAXIIServer) bool {
		return t.Community == com.ID && t.Org == n.Org && t.URL == n.URL && t.Collection == n.Collection && direction(t) == n.Direction
	}); i >= 0 {
		return TAXIIServer{}, polder.Errorf(polder.Conflict, "that collection is connected already, as %s; remove it first to change how", have[i].ID)
	}
	id, err := word(s.o.Rand)
	if err != nil {
		return TAXIIServer{}, err
	}
	// The secret of the token is thrown away: it holds rights, and opens nothing.
	token, _, err := s.o.Accounts.CreateToken(ctx, by, accounts.NewToken{Org: n.Org, Role: polder.RoleContributor, Name: "TAXII server " + id, Scope: []polder.CommunityID{com.ID}})
	if err != nil {
		return TAXIIServer{}, err
	}
	t := TAXIIServer{ID: id, Community: com.ID, Org: n.Org, URL: n.URL, Collection: n.Collection, Pulls: n.Direction != "push", Pushes: n.Direction != "pull",
		Amber: n.Amber, Unmarked: n.Unmarked, Created: s.o.Now().UTC(), user: n.User, secret: n.Secret, token: token.ID}
	err = s.change(ctx, by, "peer.taxii.add", id, map[string]string{"community": com.Alias, "org": string(n.Org), "direction": n.Direction}, func(tx *db.Tx) error {
		return insertTAXII(tx, t)
	})
	if err != nil {
		return TAXIIServer{}, cmp.Or(err, s.o.Accounts.RevokeToken(ctx, by, token.ID))
	}
	return t, nil
}

// TAXIIServers are the servers with which communities of this node exchange, for an administrator.
func (s *Service) TAXIIServers(ctx context.Context, by polder.Actor) ([]TAXIIServer, error) {
	if err := s.admin(ctx, by); err != nil {
		return nil, err
	}
	return readTAXII(s.read(ctx), "")
}

// TAXIIFailures are the objects that were not taken, the newest first, for an administrator.
func (s *Service) TAXIIFailures(ctx context.Context, by polder.Actor, id string) (out []TAXIIFailure, err error) {
	t, err := s.taxii(ctx, by, id)
	if err != nil {
		return nil, err
	}
	return readTAXIIFailures(s.read(ctx), t.ID)
}

// taxii is one server, by its id or the beginning of it.
func (s *Service) taxii(ctx context.Context, by polder.Actor, id string) (TAXIIServer, error) {
	all, err := s.TAXIIServers(ctx, by)
	if err != nil {
		return TAXIIServer{}, err
	}
	var found []TAXIIServer
	for _, t := range all {
		if t.ID == id || len(id) >= 4 && len(id) < len(t.ID) && t.ID[:len(id)] == id {
			found = append(found, t)
		}
	}
	if len(found) != 1 {
		return TAXIIServer{}, polder.Errorf(polder.NotFound, "no TAXII server %.40q; see polder peer list", id)
	}
	return found[0], nil
}

// PauseTAXII has nothing pass between this node and a server, or has it go on.
func (s *Service) PauseTAXII(ctx context.Context, by polder.Actor, id string, paused bool) error {
	t, err := s.taxii(ctx, by, id)
	if err != nil {
		return err
	}
	action := "peer.taxii.resume"
	if paused {
		action = "peer.taxii.pause"
	}
	return s.change(ctx, by, action, t.ID, nil, func(tx *db.Tx) error {
		_, err := tx.Exec(`UPDATE peers_taxii SET paused = ?, detail = '' WHERE id = ?`, paused, t.ID)
		return err
	})
}

// RemoveTAXII ends the exchange with a server. What came from it stays; its secret goes.
func (s *Service) RemoveTAXII(ctx context.Context, by polder.Actor, id string) error {
	t, err := s.taxii(ctx, by, id)
	if err != nil {
		return err
	}
	err = s.change(ctx, by, "peer.taxii.remove", t.ID, nil, func(tx *db.Tx) error {
		for _, q := range []string{`DELETE FROM peers_taxii_failure WHERE server = ?`, `DELETE FROM peers_taxii_object WHERE server = ?`, `DELETE FROM peers_taxii WHERE id = ?`} {
			if _, err := tx.Exec(q, t.ID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.o.Accounts.RevokeToken(ctx, by, t.token)
}

const taxiiColumns = `t.id, t.community, t.org, t.token, t.url, t.collection, t.user, t.secret, t.pulls, t.pushes, t.amber, t.unmarked, t.paused, t.created, t.cursor, t.pushed, t.contact, t.detail,
	(SELECT count(*) FROM peers_taxii_failure f WHERE f.server = t.id)`

func readTAXII(q db.Querier, id string) (out []TAXIIServer, err error) {
	rows, err := q.Query(`SELECT `+taxiiColumns+` FROM peers_taxii t WHERE ?1 = '' OR t.id = ?1 ORDER BY t.created, t.id`, id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var t TAXIIServer
		var unmarked, cursor string
		var created, pushed, contact int64
		if err := rows.Scan(&t.ID, &t.Community, &t.Org, &t.token, &t.URL, &t.Collection, &t.user, &t.secret, &t.Pulls, &t.Pushes, &t.Amber, &unmarked, &t.Paused, &created, &cursor, &pushed, &contact, &t.Detail, &t.Failures); err != nil {
			return nil, err
		}
		if err := t.Unmarked.UnmarshalText([]byte(unmarked)); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(cursor), &t.cursor); err != nil {
			return nil, err
		}
		t.Created, t.Contact, t.pushed = timeOf(created), timeOf(contact), polder.Seq(pushed)
		out = append(out, t)
	}
	return out, rows.Err()
}

func insertTAXII(tx *db.Tx, t TAXIIServer) error {
	_, err := tx.Exec(`INSERT INTO peers_taxii (id, community, org, token, url, collection, user, secret, pulls, pushes, amber, unmarked, paused, created, cursor, pushed, contact, detail)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, '{}', 0, 0, '')`,
		t.ID, string(t.Community), string(t.Org), string(t.token), t.URL, t.Collection, t.user, t.secret, t.Pulls, t.Pushes, t.Amber, t.Unmarked.String(), micros(t.Created))
	return err
}

func readTAXIIFailures(q db.Querier, server string) (out []TAXIIFailure, err error) {
	rows, err := q.Query(`SELECT object, reason, at FROM peers_taxii_failure WHERE server = ? ORDER BY n DESC`, server)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var f TAXIIFailure
		var at int64
		if err := rows.Scan(&f.ID, &f.Reason, &at); err != nil {
			return nil, err
		}
		f.At = timeOf(at)
		out = append(out, f)
	}
	return out, rows.Err()
}

func writeTAXIIFailures(tx *db.Tx, server string, all []TAXIIFailure, now time.Time) error {
	for _, f := range all {
		if _, err := tx.Exec(`INSERT INTO peers_taxii_failure (server, object, reason, at) VALUES (?, ?, ?, ?)`, server, clip(f.ID, maxName), clip(f.Reason, 500), micros(now)); err != nil {
			return err
		}
	}
	if len(all) == 0 {
		return nil
	}
	_, err := tx.Exec(`DELETE FROM peers_taxii_failure WHERE server = ?1 AND n <= (SELECT n FROM peers_taxii_failure WHERE server = ?1 ORDER BY n DESC LIMIT 1 OFFSET ?2)`, server, taxiiFailures)
	return err
}
