package journal

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/fail"
	"github.com/polder-exchange/polder/stix"
)

// Query says which of the deliveries that a reader may see a page holds. They come in the order of their numbers,
// the newest last unless Newest asks for the reverse.
type Query struct {
	After       polder.Seq // only higher numbers
	Before      polder.Seq // only lower numbers; 0 for all
	Newest      bool       // in falling order, the newest first
	Limit       int        // of the page; at least 1
	Types       []string   // of the objects; empty for all
	IDs         []string   // of the objects; empty for all
	All         bool       // every version that the reader may see
	First       bool       // the first version of each object that it may see
	Last        bool       // the last; this too when neither All, First nor Versions ask for any
	Versions    []string   // these versions (sortable text; for observables their number's)
	Withdrawals bool       // with All: the withdrawals too
	NoBodies    bool       // leave Raw empty (manifest)
}

// Page is what a query gives. More says that there are further deliveries after the last one.
type Page struct {
	Deliveries []Delivery
	More       bool
}

const columns = `d.seq, d.kind, d.community, d.line, d.type, d.uuid, d.version, d.given, d.sharer, d.level, d.revoked, d.nominal, d.reached, d.digest, d.body, d.hash, d.custodian, d.last, d.withdrawn, d.widened, b.raw, b.hash`

// Page reads a page for a reader. Filters apply before the limit, so only the last page is short.
func (j *Journal) Page(ctx context.Context, sight polder.Sight, q Query) (Page, error) {
	if q.Limit < 1 {
		return Page{}, polder.Errorf(polder.Invalid, "limit must be at least 1")
	}
	if len(q.IDs) > 0 {
		return j.pageOfIDs(ctx, sight, q)
	}
	m := j.merge(sight, q)
	var page Page
	for len(page.Deliveries) <= q.Limit {
		seqs, err := m.next(ctx, q.Limit+1-len(page.Deliveries))
		if err != nil {
			return Page{}, err
		}
		if len(seqs) == 0 {
			break
		}
		got, err := j.rows(ctx, sight, q, seqs)
		if err != nil {
			return Page{}, err
		}
		page.Deliveries = append(page.Deliveries, got...)
	}
	return cut(page.Deliveries, q.Limit), nil
}

func cut(all []Delivery, limit int) Page {
	if len(all) > limit {
		return Page{all[:limit], true}
	}
	return Page{Deliveries: all}
}

// rows reads deliveries by number and keeps those that the reader may see and q asks for.
func (j *Journal) rows(ctx context.Context, sight polder.Sight, q Query, seqs []int64) ([]Delivery, error) {
	list, err := json.Marshal(seqs)
	if err != nil {
		return nil, err
	}
	rows, err := j.db.Read().QueryContext(ctx, `SELECT `+q.columns()+` FROM json_each(?) k CROSS JOIN delivery d ON d.seq = k.value LEFT JOIN body b ON b.id = d.body ORDER BY d.seq`+q.order(), string(list))
	if err != nil {
		return nil, err
	}
	all, err := j.scanned(rows, !q.NoBodies)
	if err != nil {
		return nil, err
	}
	return j.forReader(ctx, sight, q, all)
}

// order is the direction of an ORDER BY.
func (q Query) order() string {
	if q.Newest {
		return " DESC"
	}
	return ""
}

// end is the highest number that q asks for, where top is the highest that is told of.
func (q Query) end(top polder.Seq) polder.Seq {
	if q.Before > 0 {
		return min(top, q.Before-1)
	}
	return top
}

func (q Query) columns() string {
	if q.NoBodies {
		return strings.Replace(columns, "b.raw,", "NULL,", 1)
	}
	return columns
}

func (j *Journal) pageOfIDs(ctx context.Context, sight polder.Sight, q Query) (Page, error) {
	seqs, err := j.seqsOfIDs(ctx, sight, q)
	if err != nil || len(seqs) == 0 {
		return Page{}, err
	}
	all, err := j.rows(ctx, sight, q, seqs)
	all = slices.DeleteFunc(all, func(d Delivery) bool {
		return !slices.Contains(q.IDs, d.ID) || len(q.Types) > 0 && !slices.Contains(q.Types, d.Type())
	})
	return cut(all, q.Limit), err
}

// seqsOfIDs are the numbers of the live deliveries of q's ids in sight. An id that is hidden costs the same row as one
// that nobody shared, and no body is read for it: the time of an answer does not tell them apart.
func (j *Journal) seqsOfIDs(ctx context.Context, sight polder.Sight, q Query) (seqs []int64, err error) {
	var keys []string
	for _, id := range q.IDs {
		if _, uuid, ok := strings.Cut(id, "--"); ok {
			keys = append(keys, strings.ReplaceAll(uuid, "-", ""))
		}
	}
	slices.Sort(keys)
	list, err := json.Marshal(slices.Compact(keys))
	if err != nil {
		return nil, err
	}
	rows, err := j.db.Read().QueryContext(ctx, `SELECT ifnull(d.seq, 0), ifnull(d.community, ''), ifnull(d.reached, 0) FROM json_each(?) k
		LEFT JOIN delivery d ON d.uuid = unhex(k.value) AND d.withdrawn = 0 AND d.seq > ? AND d.seq <= ?`, string(list), int64(q.After), int64(q.end(j.live.top())))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var seq, reached int64
		var community string
		if err := rows.Scan(&seq, &community, &reached); err != nil {
			return nil, err
		}
		if sight.Allows(polder.CommunityID(community), j.scopes.audience(reached)) || fail.Bug("sight-unchecked") && seq > 0 {
			seqs = append(seqs, seq)
		}
	}
	return seqs, rows.Err()
}

// forReader is the second wall: every row that leaves is held against sight in Go. It gives each the reader's level.
func (j *Journal) forReader(ctx context.Context, sight polder.Sight, q Query, all []Delivery) (out []Delivery, err error) {
	for _, d := range all {
		ok := sight.Allows(d.Community, d.Reached) && d.Gone == 0 && (q.Withdrawals || d.Kind == Object)
		if fail.Bug("sight-unchecked") {
			ok = d.Gone == 0 && d.Kind == Object
		}
		if !ok {
			continue
		}
		if ok, err = j.asksFor(ctx, sight, q, d); err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		if d.Widened {
			if d.Level, err = j.levelFor(ctx, sight.Org, d); err != nil {
				return nil, err
			}
		}
		out = append(out, d)
	}
	return out, nil
}

// asksFor tells whether d is one of the versions that q asks for.
func (j *Journal) asksFor(ctx context.Context, sight polder.Sight, q Query, d Delivery) (bool, error) {
	switch {
	case q.All:
		return true, nil
	case q.wantsLast() && d.Last.Contains(sight.Org):
		return true, nil
	case slices.Contains(q.Versions, d.sortable()):
		return true, nil
	case q.First:
		return j.isFirst(ctx, sight, d)
	}
	return false, nil
}

func (q Query) wantsLast() bool { return q.Last || !q.All && !q.First && len(q.Versions) == 0 }

// onlyLast tells whether the index of last versions answers q.
func (q Query) onlyLast() bool { return q.wantsLast() && !q.All && !q.First && len(q.Versions) == 0 }

func (d Delivery) sortable() string {
	if d.Version != "" {
		return d.Version
	}
	return strings.TrimSuffix(stix.FormatTime(d.Seq.Time()), "Z")
}

// levelFor is the widest level at which the same version reaches org (X9).
func (j *Journal) levelFor(ctx context.Context, org polder.OrgID, d Delivery) (stix.Marking, error) {
	rows, err := j.db.Read().QueryContext(ctx, `SELECT level, nominal FROM delivery d JOIN (SELECT ? AS uuid, ? AS community) k
		ON d.uuid = k.uuid AND d.community = k.community WHERE line = ? AND body = ? AND withdrawn = 0`, mustUUID(d.ID), string(d.Community), d.Line, d.body)
	if err != nil {
		return stix.None, err
	}
	defer rows.Close()
	widest := d.Level
	for rows.Next() {
		var l int
		var nominal int64
		if err := rows.Scan(&l, &nominal); err != nil {
			return stix.None, err
		}
		if m := stix.Marking(l); j.scopes.audience(nominal).Contains(org) && m.Wider(widest) {
			widest = m
		}
	}
	return widest, rows.Err()
}

// isFirst tells whether the reader sees no earlier version of d's object.
func (j *Journal) isFirst(ctx context.Context, sight polder.Sight, d Delivery) (bool, error) {
	rows, err := j.db.Read().QueryContext(ctx, `SELECT reached FROM delivery WHERE uuid = ? AND community = ? AND withdrawn = 0 AND kind = 0
		AND (version < ? OR version = '' AND seq < ?)`, mustUUID(d.ID), string(d.Community), d.Version, int64(d.Seq))
	if err != nil {
		return false, err
	}
	defer rows.Close()
	for rows.Next() {
		var reached int64
		if err := rows.Scan(&reached); err != nil {
			return false, err
		}
		if j.scopes.audience(reached).Contains(sight.Org) {
			return false, nil
		}
	}
	return true, rows.Err()
}

func mustUUID(id string) []byte {
	u, err := uuidOf(id)
	if err != nil {
		return nil // an id read from the journal has one
	}
	return u
}

func (j *Journal) scan(rows *sql.Rows) ([]Delivery, error) { return j.scanned(rows, true) }

// scanned reads rows of [columns] and holds each against its hash. A damaged row is an error, never an answer.
func (j *Journal) scanned(rows *sql.Rows, bodies bool) (out []Delivery, err error) {
	defer rows.Close()
	for rows.Next() {
		d, hash, err := j.scanOne(rows)
		if err != nil {
			return nil, err
		}
		if what := d.wrong(hash, bodies); what != "" {
			return nil, j.damage(d.Seq, what)
		}
		out = append(out, d)
	}
	return out, rows.Err()
}

func (j *Journal) scanOne(rows row) (d Delivery, hash [32]byte, err error) {
	var (
		kind, revoked, widened, lvl  int
		community, typ, sharer, cust string
		nominal, reached, last       int64
		digest, rowHash, bodyHash    []byte
		uuid                         []byte
	)
	err = rows.Scan(&d.Seq, &kind, &community, &d.Line, &typ, &uuid, &d.Version, &d.VersionAsGiven, &sharer, &lvl, &revoked, &nominal, &reached, &digest, &d.body, &rowHash, &cust, &last, &d.Gone, &widened, &d.Raw, &bodyHash)
	if err != nil {
		return d, hash, fmt.Errorf("read a delivery: %w", err)
	}
	if len(uuid) == 16 {
		d.ID = idOf(typ, uuid)
	}
	d.Kind, d.Widened, d.Level, d.OwnLevel = Kind(kind), widened != 0, stix.Marking(lvl), stix.Marking(lvl)
	d.Revoked = d.Kind == Object && revoked != 0
	d.Community, d.Sharer, d.Custodian = polder.CommunityID(community), polder.OrgID(sharer), polder.OrgID(cust)
	d.Nominal, d.Reached, d.Last = j.scopes.audience(nominal), j.scopes.audience(reached), j.scopes.audience(last)
	d.Erased = d.Kind == Object && d.Raw == nil || d.Kind == Withdrawn && revoked != 0
	copy(d.Digest[:], digest)
	copy(hash[:], rowHash)
	copy(d.bodyHash[:], bodyHash)
	return d, hash, nil
}

// wrong says what is damaged in a row that was read, or "".
func (d Delivery) wrong(hash [32]byte, bodies bool) string {
	if fail.Bug("damage-served") {
		return ""
	}
	if d.hash() != hash {
		return "the row differs from its hash"
	}
	if bodies && d.Raw != nil && sha256.Sum256(d.Raw) != d.bodyHash {
		return "the object differs from its hash"
	}
	return ""
}
