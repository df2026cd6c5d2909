package screen

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/screen/lists"
)

// against is what something was asked with: lists in their versions, a threshold, and the generation of [Service.AskAgain].
type against struct {
	n          int64
	threshold  float64
	generation int
	lists      []lists.Meta // of the lists as they were, by name
}

// againstOf is what asking now would be asked with.
func againstOf(ms []lists.Meta, threshold float64, generation int) against {
	g := against{threshold: threshold, generation: generation}
	for _, m := range ms {
		g.lists = append(g.lists, keptMeta(m))
	}
	slices.SortFunc(g.lists, func(a, b lists.Meta) int { return strings.Compare(a.Name+"\x00"+a.SHA256, b.Name+"\x00"+b.SHA256) })
	return g
}

// key tells two apart when asking again could bring another answer. The number of listings stands for how the file was
// read: another mapping reads the same file otherwise.
func (g against) key() string {
	h := sha256.New()
	h.Write([]byte("polder lists 1\n" + formatScore(g.threshold) + " " + strconv.Itoa(g.generation) + "\n"))
	for _, m := range g.lists {
		h.Write([]byte(listVersion(m) + "\n"))
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// listVersion names a list in one version.
func listVersion(m lists.Meta) string {
	return strconv.Quote(m.Name) + " " + m.SHA256 + " " + strconv.Itoa(m.Entries) + " " + strconv.Itoa(m.Names)
}

// againstTx is the number under which g is kept.
func againstTx(tx *db.Tx, org polder.OrgID, g against) (n int64, err error) {
	key := g.key()
	err = tx.QueryRow(`SELECT n FROM screen_against WHERE org = ? AND key = ?`, string(org), key).Scan(&n)
	if !errors.Is(err, sql.ErrNoRows) {
		return n, err
	}
	text, err := packed(g.lists)
	if err != nil {
		return 0, err
	}
	res, err := tx.Exec(`INSERT INTO screen_against (org, key, threshold, generation, lists) VALUES (?, ?, ?, ?, ?)`, string(org), key, g.threshold, g.generation, text)
	if err != nil {
		return 0, err
	}
	return res.LastInsertId()
}

func readAgainst(a db.Querier, n int64) (g against, err error) {
	var text string
	err = a.QueryRow(`SELECT n, threshold, generation, lists FROM screen_against WHERE n = ?`, n).Scan(&g.n, &g.threshold, &g.generation, &text)
	if errors.Is(err, sql.ErrNoRows) {
		return against{}, nil
	}
	if err != nil {
		return g, err
	}
	return g, unpack(text, &g.lists)
}

// againstCache reads each only once.
type againstCache map[int64]against

func (c againstCache) read(a db.Querier, n int64) (against, error) {
	if g, ok := c[n]; ok || n <= 0 {
		return g, nil
	}
	g, err := readAgainst(a, n)
	if err == nil {
		c[n] = g
	}
	return g, err
}

const selectScreening = `SELECT id, org, at, actor, person, token, party, query, against, hits, met, note FROM screen_screening `

// keptScreening is a screening as it lies in its table: which lists were asked is a number.
type keptScreening struct {
	Screening
	against int64
}

func scanScreening(row db.Row) (k keptScreening, err error) {
	var query, hits string
	var at int64
	var met int
	err = row.Scan(&k.ID, (*string)(&k.Org), &at, &k.By, (*string)(&k.Person), (*string)(&k.Token), &k.Party, &query, &k.against, &hits, &met, &k.Note)
	if errors.Is(err, sql.ErrNoRows) {
		return k, errNoScreening
	}
	if err != nil {
		return k, err
	}
	k.At = fromStamp(at)
	if err := errors.Join(unpack(query, &k.Query), unpack(hits, &k.Hits)); err != nil {
		return k, err
	}
	k.More = met - len(k.Hits)
	return k, nil
}

var errNoScreening = polder.Errorf(polder.NotFound, "no such answer on record, or none of your organisation")

// whole gives screenings the lists that they were asked against.
func whole(a db.Querier, kept []keptScreening, cache againstCache) (out []Screening, err error) {
	for _, k := range kept {
		g, err := cache.read(a, k.against)
		if err != nil {
			return nil, err
		}
		k.Threshold, k.Lists = g.threshold, g.lists
		out = append(out, k.Screening)
	}
	return out, nil
}

func insertScreening(tx *db.Tx, c Screening, subject string, against int64, met int) error {
	query, err := packed(c.Query)
	if err != nil {
		return err
	}
	hits := ""
	if len(c.Hits) > 0 {
		if hits, err = packed(c.Hits); err != nil {
			return err
		}
	}
	_, err = tx.Exec(`INSERT INTO screen_screening (id, org, at, actor, person, token, subject, party, query, folded, against, hits, met, note) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		c.ID, string(c.Org), stamp(c.At), c.By, string(c.Person), string(c.Token), subject, c.Party, query, strings.ToLower(c.Query.Name+"\n"+c.Query.Ref+"\n"+c.Note), against, hits, met, c.Note)
	return err
}

func listScreenings(a db.Querier, org polder.OrgID, f ScreeningFilter) (p ScreeningPage, err error) {
	at, id := int64(math.MaxInt64), ""
	if f.Next != "" {
		text, rest, ok := strings.Cut(f.Next, "_")
		if at, err = strconv.ParseInt(text, 10, 64); err != nil || !ok {
			return p, errNoPlace
		}
		id = rest
	}
	limit := f.Limit
	if limit <= 0 {
		limit = 50
	}
	limit = min(limit, 200)
	subject := ""
	if f.Party != "" {
		subject = subjectOf(f.Party, "")
	}
	rows, err := a.Query(selectScreening+`WHERE org = ?1 AND (at, id) < (?2, ?3) AND (?4 = '' OR subject = ?4) AND (?5 = '' OR instr(folded, ?5) > 0) AND (?6 = 0 OR met > 0) ORDER BY at DESC, id DESC LIMIT ?7`,
		string(org), at, id, subject, strings.ToLower(strings.TrimSpace(f.Text)), f.Hit, limit+1)
	kept, err := db.All(scanScreening, rows, err)
	if err != nil {
		return p, err
	}
	if len(kept) > limit {
		kept = kept[:limit]
		last := kept[limit-1]
		p.Next = strconv.FormatInt(stamp(last.At), 10) + "_" + last.ID
	}
	p.Screenings, err = whole(a, kept, againstCache{})
	return p, err
}
