package detect

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"io/fs"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/fail"
	"github.com/polder-exchange/polder/stix"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the tables of this capability up to date.
func Migrate(ctx context.Context, d *db.DB) error {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	return d.Migrate(ctx, "detect", sub)
}

func micro(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicro(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

// keptOrigin is the form in which an origin lies in the database.
type keptOrigin struct {
	Object     string   `json:"object,omitempty"`
	Community  string   `json:"community,omitempty"`
	Level      string   `json:"tlp,omitempty"`
	PAP        string   `json:"pap,omitempty"`
	Author     string   `json:"author,omitempty"`
	License    string   `json:"license,omitempty"`
	References []string `json:"references,omitempty"`
	Tags       []string `json:"tags,omitempty"`
	List       string   `json:"list,omitempty"`
}

// maxNamed is how many references and tags of a rule are kept.
const maxNamed = 50

func clippedAll(all []string) (out []string) {
	for _, s := range all[:min(len(all), maxNamed)] {
		out = append(out, clipped(s, maxText))
	}
	return out
}

func packOrigin(o Origin) (string, error) {
	k := keptOrigin{Object: o.Object, Community: o.Community, Author: clipped(o.Author, maxText), License: clipped(o.License, maxText), References: clippedAll(o.References), Tags: clippedAll(o.Tags), List: clipped(o.List, maxText)}
	if o.Level != stix.None {
		k.Level = o.Level.String()
	}
	if o.PAP != stix.PAPNone {
		k.PAP = o.PAP.String()
	}
	b, err := json.Marshal(k)
	return string(b), err
}

func unpackOrigin(text string) (o Origin, err error) {
	var k keptOrigin
	if err := json.Unmarshal([]byte(text), &k); err != nil {
		return o, err
	}
	o = Origin{Object: k.Object, Community: k.Community, Author: k.Author, License: k.License, References: k.References, Tags: k.Tags, List: k.List}
	if k.Level != "" {
		if o.Level, err = stix.ParseMarking(k.Level); err != nil {
			return o, err
		}
	}
	if k.PAP != "" {
		o.PAP, err = stix.ParsePAP(k.PAP)
	}
	return o, err
}

const groupColumns = `n, seq, id, org, kind, rule, title, level, why, host, account, origin, count, first, last, made, state, suppression, actor, reason, changed, sighting, sighted, sighted_at`

const selectGroup = `SELECT ` + groupColumns + ` FROM alert_group `

func scanGroup(r db.Row) (g Group, err error) {
	var origin string
	var level int
	var first, last, made, changed, sighted int64
	err = r.Scan(&g.N, &g.Seq, &g.ID, (*string)(&g.Org), (*string)(&g.Kind), &g.Rule, &g.Title, &level, &g.Why, &g.Host, &g.Account, &origin, &g.Count, &first, &last, &made,
		(*string)(&g.State), &g.Suppression, &g.By, &g.Reason, &changed, &g.Sighting, &g.Sighted, &sighted)
	if errors.Is(err, sql.ErrNoRows) {
		return g, errNoAlert
	}
	if err != nil {
		return g, err
	}
	g.Level, g.First, g.Last, g.Made, g.Changed, g.SightedAt = levelAt(level), fromMicro(first), fromMicro(last), fromMicro(made), fromMicro(changed), fromMicro(sighted)
	g.Origin, err = unpackOrigin(origin)
	return g, err
}

var errNoAlert = polder.Errorf(polder.NotFound, "no such alert, or none of your organisation")

func scanGroups(rows *sql.Rows, err error) (out []Group, _ error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		g, err := scanGroup(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, g)
	}
	return out, rows.Err()
}

func readGroup(ctx context.Context, d *sql.DB, org polder.OrgID, id string) (Group, error) {
	if fail.Bug("alert-to-anyone") {
		return scanGroup(d.QueryRowContext(ctx, selectGroup+`WHERE id = ?`, id))
	}
	return scanGroup(d.QueryRowContext(ctx, selectGroup+`WHERE id = ? AND org = ?`, id, string(org)))
}

func readGroupTx(tx *db.Tx, org polder.OrgID, id string) (Group, error) {
	return scanGroup(tx.QueryRow(selectGroup+`WHERE id = ? AND org = ?`, id, string(org)))
}

// joinable is the group of the same rule and scope that an alert at a time joins; N is 0 when there is none. When it
// could join several, it joins the oldest.
func joinable(tx *db.Tx, org polder.OrgID, f Finding, suppression string, at time.Time, w Grouping) (Group, error) {
	rows, err := tx.Query(selectGroup+`WHERE org = ? AND rule = ? AND scope = ? AND suppression = ? AND kind = ? AND last >= ? AND first <= ? ORDER BY n LIMIT 200`,
		string(org), f.ID, scopeKey(f.Host, f.Account), suppression, string(f.Kind), at.Add(-w.Gap).UnixMicro(), at.Add(w.Gap).UnixMicro())
	groups, err := scanGroups(rows, err)
	if err != nil {
		return Group{}, err
	}
	for _, g := range groups {
		if g.State.open() && w.takes(g.First, g.Last, at) {
			return g, nil
		}
	}
	return Group{}, nil
}

// manyScopes tells whether a rule has opened as many groups since a time as it may.
func manyScopes(tx *db.Tx, org polder.OrgID, rule string, since time.Time) (bool, error) {
	var n int
	err := tx.QueryRow(`SELECT count(*) FROM (SELECT 1 FROM alert_group WHERE org = ? AND rule = ? AND made > ? LIMIT ?)`, string(org), rule, micro(since), maxScopes).Scan(&n)
	return n >= maxScopes, err
}

func alertHeld(tx *db.Tx, id string) (held bool, err error) {
	err = tx.QueryRow(`SELECT EXISTS (SELECT 1 FROM alert WHERE id = ?)`, id).Scan(&held)
	return held, err
}

// insertGroup adds a group and gives it its number.
func insertGroup(tx *db.Tx, g *Group) error {
	origin, err := packOrigin(g.Origin)
	if err != nil {
		return err
	}
	if err := tx.QueryRow(`SELECT coalesce(max(seq) + 1, 1) FROM alert_group WHERE org = ?`, string(g.Org)).Scan(&g.Seq); err != nil {
		return err
	}
	g.Seq = max(g.Seq, micro(g.Made))
	res, err := tx.Exec(`INSERT INTO alert_group (seq, id, org, kind, rule, scope, suppression, title, level, why, host, account, object, origin, count, first, last, made, state, actor, reason, changed)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		g.Seq, g.ID, string(g.Org), string(g.Kind), g.Rule, scopeKey(g.Host, g.Account), g.Suppression, g.Title, g.Level.rank(), g.Why, g.Host, g.Account, g.Origin.Object, origin,
		g.Count, micro(g.First), micro(g.Last), micro(g.Made), string(g.State), g.By, g.Reason, micro(g.Changed))
	if err != nil {
		return err
	}
	g.N, err = res.LastInsertId()
	return err
}

// widen writes down that a group has one more alert.
func widen(tx *db.Tx, g Group) error {
	_, err := tx.Exec(`UPDATE alert_group SET count = ?, first = ?, last = ?, level = ?, why = ? WHERE n = ?`, g.Count, micro(g.First), micro(g.Last), g.Level.rank(), g.Why, g.N)
	return err
}

var (
	packer, _   = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	unpacker, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(4*maxEvents))
)

func insertAlert(tx *db.Tx, group int64, a Alert, detailed bool) error {
	evidence, events := "", []byte{}
	if detailed {
		text, err := json.Marshal(a.Evidence)
		if err != nil {
			return err
		}
		evidence, events = string(text), packer.EncodeAll(packEvents(a.Events), nil)
	}
	_, err := tx.Exec(`INSERT INTO alert (id, grp, at, received, file, event, evidence, events, cut) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		a.ID, group, micro(a.Time), micro(a.Received), a.File, a.Event, evidence, events, a.Cut)
	return err
}

// readAlerts are the alerts of a group, the latest first, those with their events before those without.
func readAlerts(ctx context.Context, d *sql.DB, group int64, limit int) (out []Alert, err error) {
	rows, err := d.QueryContext(ctx, `SELECT id, at, received, file, event, evidence, events, cut FROM alert WHERE grp = ? ORDER BY evidence <> '' DESC, at DESC, id LIMIT ?`, group, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var a Alert
		var at, received int64
		var evidence string
		var events []byte
		if err := rows.Scan(&a.ID, &at, &received, &a.File, &a.Event, &evidence, &events, &a.Cut); err != nil {
			return nil, err
		}
		a.Time, a.Received = fromMicro(at), fromMicro(received)
		if evidence != "" {
			if err := json.Unmarshal([]byte(evidence), &a.Evidence); err != nil {
				return nil, err
			}
			plain, err := unpacker.DecodeAll(events, nil)
			if err != nil {
				return nil, err
			}
			a.Events = unpackEvents(plain)
		}
		out = append(out, a)
	}
	return out, rows.Err()
}

// setState writes a state down, with its entry in the history.
func setState(tx *db.Tx, g Group, by polder.Actor, state State, reason string, at time.Time) error {
	if _, err := tx.Exec(`UPDATE alert_group SET state = ?, actor = ?, reason = ?, changed = ? WHERE n = ?`, string(state), actorName(by), reason, micro(at), g.N); err != nil {
		return err
	}
	return addHistory(tx, g, by, string(state), reason, at)
}

func addHistory(tx *db.Tx, g Group, by polder.Actor, what, reason string, at time.Time) error {
	_, err := tx.Exec(`INSERT INTO alert_history (grp, at, actor, person, token, what, reason) VALUES (?, ?, ?, ?, ?, ?, ?)`, g.N, micro(at), actorName(by), string(by.Person), string(by.Token), what, reason)
	return err
}

// actorName is how whoever did something is named in the history.
func actorName(by polder.Actor) string {
	switch {
	case by.Name != "":
		return by.Name
	case by.Token != "":
		return "token " + string(by.Token)
	}
	return string(by.Person)
}

// Change is one entry of the history of a group.
type Change struct {
	At     time.Time
	By     string
	What   string // a state, or "sighting"
	Reason string
}

func readHistory(ctx context.Context, d *sql.DB, group int64) (out []Change, err error) {
	rows, err := d.QueryContext(ctx, `SELECT at, actor, what, reason FROM alert_history WHERE grp = ? ORDER BY at DESC, rowid DESC LIMIT 200`, group)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var c Change
		var at int64
		if err := rows.Scan(&at, &c.By, &c.What, &c.Reason); err != nil {
			return nil, err
		}
		c.At = fromMicro(at)
		out = append(out, c)
	}
	return out, rows.Err()
}

func setSighting(tx *db.Tx, g Group, id string, count int, at time.Time) error {
	_, err := tx.Exec(`UPDATE alert_group SET sighting = ?, sighted = ?, sighted_at = ? WHERE n = ?`, id, count, micro(at), g.N)
	return err
}

// dropGroups takes away what was decided, or suppressed, and has not moved since a time; at most limit groups.
func dropGroups(tx *db.Tx, before time.Time, limit int) (int64, error) {
	res, err := tx.Exec(`DELETE FROM alert_group WHERE n IN (SELECT n FROM alert_group WHERE state IN ('false', 'closed', 'suppressed') AND max(last, changed, made) < ? LIMIT ?)`, micro(before), limit)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func cursor(ctx context.Context, d *sql.DB, name string) (n int64, err error) {
	err = d.QueryRowContext(ctx, `SELECT n FROM detect_cursor WHERE name = ?`, name).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return n, err
}

func setCursor(tx *db.Tx, name string, n int64) error {
	_, err := tx.Exec(`INSERT INTO detect_cursor (name, n) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET n = max(n, excluded.n)`, name, n)
	return err
}
