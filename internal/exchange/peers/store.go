package peers

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the tables of links up to date.
func Migrate(ctx context.Context, d *db.DB) error {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	return d.Migrate(ctx, "peers", sub)
}

// Link is a link as this node keeps it, with how it goes.
type Link struct {
	exchange.PeerLink
	Stopped string // why it stands still until a person resumes it
	Ended   time.Time
	Created time.Time
	Rate    int64 // deliveries a second; 0 is [DefaultRate]
	Bytes   int64 // a day; 0 is [DefaultBytes]

	Epoch  int64
	Rights string
	Acked  polder.Seq

	Generation string
	Cursor     polder.Seq
	Pushed     polder.Seq
	Trusted    bool
	Offered    polder.Seq

	State       string
	Detail      string
	Contact     time.Time
	Behind      int
	Lag         time.Duration
	Aliases     []string // of the communities, here
	Quarantined int
}

func (s *Service) read(ctx context.Context) db.Querier { return s.o.DB.In(ctx) }

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func timeOf(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

const linkColumns = `l.id, l.serves, l.peer, l.key, l.name, l.url, l.org, l.token, l.confirmed, l.paused, l.stopped, l.ended, l.created, l.rate, l.bytes,
	l.epoch, l.rights, l.acked, l.generation, l.cursor, l.pushed, l.trusted, l.offered, l.state, l.detail, l.contact, l.behind, l.lag,
	(SELECT count(*) FROM peers_quarantine q WHERE q.link = l.id)`

func scanLink(r db.Row) (l Link, err error) {
	var ended, created, contact, lag int64
	err = r.Scan(&l.ID, &l.Serves, &l.Peer, (*[]byte)(&l.Key), &l.Name, &l.URL, &l.Org, &l.Token, &l.Confirmed, &l.Paused, &l.Stopped, &ended, &created, &l.Rate, &l.Bytes,
		&l.Epoch, &l.Rights, &l.Acked, &l.Generation, &l.Cursor, &l.Pushed, &l.Trusted, &l.Offered, &l.State, &l.Detail, &contact, &l.Behind, &lag, &l.Quarantined)
	l.Ended, l.Created, l.Contact, l.Lag = timeOf(ended), timeOf(created), timeOf(contact), time.Duration(lag)*time.Microsecond
	return l, err
}

// readLinks are the links that have not ended, and with all those that have, the oldest first.
func readLinks(q db.Querier, all bool) (out []Link, err error) {
	rows, err := q.Query(`SELECT `+linkColumns+` FROM peers_link l WHERE l.ended = 0 OR ? ORDER BY l.created, l.id`, all)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		l, err := scanLink(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, l)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for i := range out {
		if err := readCommunities(q, &out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func readLink(q db.Querier, id string) (Link, error) {
	l, err := scanLink(q.QueryRow(`SELECT `+linkColumns+` FROM peers_link l WHERE l.id = ?`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return Link{}, polder.Errorf(polder.NotFound, "no link %.40q; see polder peer list", id)
	}
	if err != nil {
		return Link{}, err
	}
	return l, readCommunities(q, &l)
}

// linkOf is the living link of a pair, if there is one.
func linkOf(q db.Querier, peer, org polder.OrgID, serves bool) (l Link, ok bool, err error) {
	l, err = scanLink(q.QueryRow(`SELECT `+linkColumns+` FROM peers_link l WHERE l.peer = ? AND l.org = ? AND l.serves = ? AND l.ended = 0`, peer, org, serves))
	if errors.Is(err, sql.ErrNoRows) {
		return Link{}, false, nil
	}
	if err != nil {
		return Link{}, false, err
	}
	return l, true, readCommunities(q, &l)
}

func readCommunities(q db.Querier, l *Link) error {
	rows, err := q.Query(`SELECT community, alias FROM peers_community WHERE link = ? ORDER BY community`, l.ID)
	if err != nil {
		return err
	}
	defer rows.Close()
	l.Communities, l.Aliases = nil, nil
	for rows.Next() {
		var c polder.CommunityID
		var alias string
		if err := rows.Scan(&c, &alias); err != nil {
			return err
		}
		l.Communities, l.Aliases = append(l.Communities, c), append(l.Aliases, alias)
	}
	return rows.Err()
}

func insertLink(tx *db.Tx, l Link) error {
	_, err := tx.Exec(`INSERT INTO peers_link (id, serves, peer, key, name, url, org, token, confirmed, paused, stopped, ended, created, rate, bytes, epoch, rights, acked,
		generation, cursor, pushed, trusted, offered, state, detail, contact, behind, lag)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '', 0, ?, 0, 0, ?, ?, 0, ?, 0, 0, ?, -1, '', '', 0, 0, 0)`,
		l.ID, l.Serves, l.Peer, []byte(l.Key), l.Name, l.URL, l.Org, l.Token, l.Confirmed, micros(l.Created), l.Epoch, l.Rights, l.Generation, l.Trusted)
	return err
}

func putCommunity(tx *db.Tx, link string, c polder.CommunityID, alias, role string) error {
	_, err := tx.Exec(`INSERT INTO peers_community (link, community, alias, role) VALUES (?, ?, ?, ?)
		ON CONFLICT (link, community) DO UPDATE SET alias = excluded.alias, role = excluded.role`, link, c, alias, role)
	return err
}

func dropCommunity(tx *db.Tx, link string, c polder.CommunityID) error {
	_, err := tx.Exec(`DELETE FROM peers_community WHERE link = ? AND community = ?`, link, c)
	return err
}

// moved makes a running node take up what changed.
func moved(tx *db.Tx) error {
	_, err := tx.Exec(`UPDATE peers_state SET version = version + 1`)
	return err
}

func readVersion(q db.Querier) (n int64, err error) {
	err = q.QueryRow(`SELECT version FROM peers_state`).Scan(&n)
	return n, err
}

// raise begins another generation of a link that this node serves: everything is read and pushed again.
func raise(tx *db.Tx, link, rights string) error {
	if _, err := tx.Exec(`UPDATE peers_link SET epoch = epoch + 1, rights = ?, acked = 0 WHERE id = ?`, rights, link); err != nil {
		return err
	}
	if _, err := tx.Exec(`DELETE FROM peers_taken WHERE link = ?`, link); err != nil {
		return err
	}
	return moved(tx)
}

func readTaken(q db.Querier, link, lineage string) (n polder.Seq, err error) {
	err = q.QueryRow(`SELECT n FROM peers_taken WHERE link = ? AND lineage = ?`, link, lineage).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return n, err
}

func writeTaken(tx *db.Tx, link, lineage string, n polder.Seq) error {
	_, err := tx.Exec(`INSERT INTO peers_taken (link, lineage, n) VALUES (?, ?, ?) ON CONFLICT (link, lineage) DO UPDATE SET n = max(n, excluded.n)`, link, lineage, n)
	return err
}

// writeCursor notes how far the home's log was taken. It fails when the generation has changed meanwhile, so that
// nothing of an older one moves the cursor of a newer.
func writeCursor(tx *db.Tx, link, generation string, cursor polder.Seq) error {
	done, err := tx.Exec(`UPDATE peers_link SET cursor = ? WHERE id = ? AND generation = ? AND ended = 0 AND paused = 0`, cursor, link, generation)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n != 1 {
		return errors.Join(err, errMoved)
	}
	return nil
}

func writePushed(tx *db.Tx, link, generation string, n polder.Seq) error {
	_, err := tx.Exec(`UPDATE peers_link SET pushed = ? WHERE id = ? AND generation = ?`, n, link, generation)
	return err
}

// errMoved: the link was paused, ended or began another generation while this was under way.
var errMoved = polder.Errorf(polder.Conflict, "the link has changed meanwhile; begin again")

const marksKept = 50_000 // some five weeks

// writeMark notes which of our numbers belongs to which of the home's.
func writeMark(tx *db.Tx, link string, theirs, ours polder.Seq) error {
	if _, err := tx.Exec(`INSERT INTO peers_mark (link, theirs, ours) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, link, theirs, ours); err != nil {
		return err
	}
	_, err := tx.Exec(`DELETE FROM peers_mark WHERE link = ?1 AND theirs < (SELECT theirs FROM peers_mark WHERE link = ?1 ORDER BY theirs DESC LIMIT 1 OFFSET ?2)`, link, marksKept)
	return err
}

// markBefore is our number for the home's number at, or a little earlier; 0 where nothing is known.
func markBefore(q db.Querier, link string, at polder.Seq) (ours polder.Seq, err error) {
	err = q.QueryRow(`SELECT ours FROM peers_mark WHERE link = ? AND theirs <= ? ORDER BY theirs DESC LIMIT 1`, link, at).Scan(&ours)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return ours, err
}

func readUsage(q db.Querier, link string, day int64) (n int64, err error) {
	err = q.QueryRow(`SELECT bytes FROM peers_usage WHERE link = ? AND day = ?`, link, day).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return n, err
}

func writeUsage(tx *db.Tx, link string, day, n int64) error {
	if _, err := tx.Exec(`INSERT INTO peers_usage (link, day, bytes) VALUES (?, ?, ?) ON CONFLICT (link, day) DO UPDATE SET bytes = max(bytes, excluded.bytes)`, link, day, n); err != nil {
		return err
	}
	_, err := tx.Exec(`DELETE FROM peers_usage WHERE link = ? AND day < ?`, link, day-7)
	return err
}

// writeStatus notes how a link goes, for pages and commands.
func writeStatus(tx *db.Tx, id string, st status) error {
	for _, a := range st.reached {
		if err := writeReached(tx, id, a.upto, a.at); err != nil {
			return err
		}
	}
	_, err := tx.Exec(`UPDATE peers_link SET state = ?, detail = ?, contact = max(contact, ?), behind = ?, lag = ?, acked = CASE WHEN serves = 1 AND epoch = ? THEN max(acked, ?) ELSE acked END WHERE id = ?`,
		st.state, st.detail, micros(st.contact), st.behind, st.lag.Microseconds(), st.epoch, st.acked, id)
	return err
}

// offer is an invitation as it is kept: its secret is not.
type offer struct {
	ID        string
	Hash      []byte
	Community polder.CommunityID
	Org       polder.OrgID
	Role      polder.Role
	Expires   time.Time
	Created   time.Time
	Used      time.Time
	Link      string
	Revoked   time.Time
}

func insertOffer(tx *db.Tx, o offer) error {
	_, err := tx.Exec(`INSERT INTO peers_invitation (id, hash, community, org, role, expires, created, used, link, revoked) VALUES (?, ?, ?, ?, ?, ?, ?, 0, '', 0)`,
		o.ID, o.Hash, o.Community, o.Org, o.Role.String(), micros(o.Expires), micros(o.Created))
	return err
}

const offerColumns = `id, hash, community, org, role, expires, created, used, link, revoked`

func scanOffer(r db.Row) (o offer, err error) {
	var role string
	var expires, created, used, revoked int64
	if err := r.Scan(&o.ID, &o.Hash, &o.Community, &o.Org, &role, &expires, &created, &used, &o.Link, &revoked); err != nil {
		return o, err
	}
	o.Expires, o.Created, o.Used, o.Revoked = timeOf(expires), timeOf(created), timeOf(used), timeOf(revoked)
	o.Role, err = polder.ParseRole(role)
	return o, err
}

func readOffer(q db.Querier, hash []byte) (offer, error) {
	o, err := scanOffer(q.QueryRow(`SELECT `+offerColumns+` FROM peers_invitation WHERE hash = ?`, hash))
	if errors.Is(err, sql.ErrNoRows) {
		err = errInvitation
	}
	return o, err
}

// readOffers are the invitations that can still be used.
func readOffers(q db.Querier, now time.Time) (out []offer, err error) {
	rows, err := q.Query(`SELECT `+offerColumns+` FROM peers_invitation WHERE used = 0 AND revoked = 0 AND expires > ? ORDER BY created, id`, micros(now))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		o, err := scanOffer(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, rows.Err()
}

func aliasesOf(l Link) string { return strings.Join(l.Aliases, ",") }
