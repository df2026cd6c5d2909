package detect

import (
	"context"
	"database/sql"
	"slices"
	"strconv"
	"strings"

	"github.com/polder-exchange/polder"
)

// Filter says which alerts are listed. Empty lists leave nothing out, but for suppressed alerts: they are listed only
// where their state is asked for.
type Filter struct {
	States []State
	Levels []Level
	Kinds  []Kind
	Hosts  []string
	Object string // only alerts that rest on this shared object
	Sort   string // "-last", "last", "-level", "-count"; "" is "-last"
	Next   string // where the page begins, as the page before said
	Limit  int    // 0 means 50; at most 200
}

// Sorts are the orders of a list.
var Sorts = []string{"-last", "last", "-level", "-count"}

// check refuses what no list has.
func (f *Filter) check() error {
	for _, s := range f.States {
		if !slices.Contains(States, s) {
			return polder.Errorf(polder.Invalid, "state: %.40q is unknown; use new, in-work, confirmed, false, closed or suppressed", s)
		}
	}
	for _, l := range f.Levels {
		if _, err := ParseLevel(string(l)); err != nil {
			return err
		}
	}
	for _, k := range f.Kinds {
		if !slices.Contains(Kinds, k) {
			return polder.Errorf(polder.Invalid, "kind: %.40q is unknown; use rule, indicator, pattern or correlation", k)
		}
	}
	if f.Sort == "" {
		f.Sort = Sorts[0]
	}
	if !slices.Contains(Sorts, f.Sort) {
		return polder.Errorf(polder.Invalid, "sort: %.40q is unknown; use one of %s", f.Sort, strings.Join(Sorts, ", "))
	}
	if len(f.Hosts) > 50 {
		return polder.Errorf(polder.Invalid, "host: %d hosts are too many at once; choose at most 50", len(f.Hosts))
	}
	if f.Limit <= 0 {
		f.Limit = 50
	}
	f.Limit = min(f.Limit, 200)
	return nil
}

// listWhere are the conditions of a list: organisation, states, levels, kinds, hosts and object, each as text with
// every value between line breaks, or empty for all.
const listWhere = `WHERE org = ?1 AND (?2 = '' AND state <> 'suppressed' OR instr(?2, char(10) || state || char(10)) > 0)
	AND (?3 = '' OR instr(?3, char(10) || level || char(10)) > 0) AND (?4 = '' OR instr(?4, char(10) || kind || char(10)) > 0)
	AND (?5 = '' OR instr(?5, char(10) || host || char(10)) > 0) AND (?6 = '' OR object = ?6) `

const (
	listNewest = selectGroup + listWhere + `AND (?7 = 0 OR (last, seq) < (?8, ?7)) ORDER BY last DESC, seq DESC LIMIT ?9`
	listOldest = selectGroup + listWhere + `AND (?7 = 0 OR (last, seq) > (?8, ?7)) ORDER BY last, seq LIMIT ?9`
	listLevel  = selectGroup + listWhere + `AND (?7 = 0 OR (level, seq) < (?8, ?7)) ORDER BY level DESC, seq DESC LIMIT ?9`
	listCount  = selectGroup + listWhere + `AND (?7 = 0 OR (count, seq) < (?8, ?7)) ORDER BY count DESC, seq DESC LIMIT ?9`
)

// among writes values for [listWhere]. A line break in a value would end it early, so it matches nothing.
func among[T ~string](values []T) string {
	if len(values) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteByte('\n')
	for _, v := range values {
		b.WriteString(string(v) + "\n")
	}
	return b.String()
}

func (f Filter) args(org polder.OrgID) []any {
	var ranks []string
	for _, l := range f.Levels {
		ranks = append(ranks, strconv.Itoa(l.rank()))
	}
	return []any{string(org), among(f.States), among(ranks), among(f.Kinds), among(f.Hosts), f.Object}
}

// place is where a page begins: behind the group with this number, whose value in the order is that.
func (f Filter) place() (n, value int64, err error) {
	if f.Next == "" {
		return 0, 0, nil
	}
	left, right, _ := strings.Cut(f.Next, ".")
	value, err = strconv.ParseInt(left, 10, 64)
	if err == nil {
		n, err = strconv.ParseInt(right, 10, 64)
	}
	if err != nil || n <= 0 {
		return 0, 0, polder.Errorf(polder.Invalid, "next: %.60q is no place in the list; begin at its first page", f.Next)
	}
	return n, value, nil
}

// behind is the place behind a group.
func (f Filter) behind(g Group) string {
	value := micro(g.Last)
	switch f.Sort {
	case "-level":
		value = int64(g.Level.rank())
	case "-count":
		value = int64(g.Count)
	}
	return strconv.FormatInt(value, 10) + "." + strconv.FormatInt(g.Seq, 10)
}

// listGroups reads a page; next is where the following one begins, "" at the end.
func listGroups(ctx context.Context, d *sql.DB, org polder.OrgID, f Filter) (out []Group, next string, err error) {
	n, value, err := f.place()
	if err != nil {
		return nil, "", err
	}
	text := map[string]string{"-last": listNewest, "last": listOldest, "-level": listLevel, "-count": listCount}[f.Sort]
	out, err = scanGroups(d.QueryContext(ctx, text, append(f.args(org), n, value, f.Limit+1)...))
	if len(out) > f.Limit {
		out = out[:f.Limit]
		next = f.behind(out[f.Limit-1])
	}
	return out, next, err
}

// groupsBehind are the groups of an organisation above a number, in order, suppressed ones left out.
func groupsBehind(ctx context.Context, d *sql.DB, org polder.OrgID, seq int64, limit int) ([]Group, error) {
	return scanGroups(d.QueryContext(ctx, selectGroup+`WHERE org = ? AND seq > ? AND state <> 'suppressed' ORDER BY seq LIMIT ?`, string(org), seq, limit))
}

// groupsSince are the groups of all organisations above a number of the node, in order.
func groupsSince(ctx context.Context, d *sql.DB, n int64, limit int) ([]Group, error) {
	return scanGroups(d.QueryContext(ctx, selectGroup+`WHERE n > ? ORDER BY n LIMIT ?`, n, limit))
}

// groupsOf are the groups of an organisation that rest on an object.
func groupsOf(ctx context.Context, d *sql.DB, org polder.OrgID, object string, limit int) ([]Group, error) {
	return scanGroups(d.QueryContext(ctx, selectGroup+`WHERE object = ? AND org = ? ORDER BY last DESC, n DESC LIMIT ?`, object, string(org), limit))
}

// groupsLike are the groups of an organisation whose title, host or account holds a text.
func groupsLike(ctx context.Context, d *sql.DB, org polder.OrgID, text string, limit int) ([]Group, error) {
	return scanGroups(d.QueryContext(ctx, selectGroup+`WHERE org = ?1 AND state <> 'suppressed' AND (id = ?2 OR rule = ?2 OR instr(lower(title), ?2) > 0 OR instr(lower(host), ?2) > 0 OR instr(lower(account), ?2) > 0)
		ORDER BY last DESC, n DESC LIMIT ?3`, string(org), strings.ToLower(text), limit))
}

// newestGroup is the highest number of a group of an organisation.
func newestGroup(ctx context.Context, d *sql.DB, org polder.OrgID) (seq int64, err error) {
	err = d.QueryRowContext(ctx, `SELECT coalesce(max(seq), 0) FROM alert_group WHERE org = ?`, string(org)).Scan(&seq)
	return seq, err
}

// countNew is how many groups of an organisation are new, and how many of those from a level on. It is asked for every
// page.
func countNew(ctx context.Context, d *sql.DB, org polder.OrgID, from Level) (n, urgent int, err error) {
	err = d.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(level >= ?), 0) FROM alert_group WHERE org = ? AND state = 'new'`, from.rank(), string(org)).Scan(&n, &urgent)
	return n, urgent, err
}

// Counts are how many groups of an organisation there are, by what they can be chosen by. What is suppressed counts
// only as a state.
type Counts struct {
	States map[State]int
	Levels map[Level]int
	Kinds  map[Kind]int
	Hosts  map[string]int // the busiest twenty
	Urgent int            // new ones, high or critical
}

func countGroups(ctx context.Context, d *sql.DB, org polder.OrgID) (c Counts, err error) {
	c = Counts{States: map[State]int{}, Levels: map[Level]int{}, Kinds: map[Kind]int{}, Hosts: map[string]int{}}
	rows, err := d.QueryContext(ctx, `SELECT state, level, kind, count(*) FROM alert_group WHERE org = ? GROUP BY state, level, kind`, string(org))
	if err != nil {
		return c, err
	}
	defer rows.Close()
	for rows.Next() {
		var state State
		var kind Kind
		var level, n int
		if err := rows.Scan((*string)(&state), &level, (*string)(&kind), &n); err != nil {
			return c, err
		}
		c.States[state] += n
		if state == StateSuppressed {
			continue
		}
		c.Levels[levelAt(level)] += n
		c.Kinds[kind] += n
		if state == StateNew && level >= High.rank() {
			c.Urgent += n
		}
	}
	if err := rows.Err(); err != nil {
		return c, err
	}
	return c, countHosts(ctx, d, org, c.Hosts)
}

func countHosts(ctx context.Context, d *sql.DB, org polder.OrgID, into map[string]int) error {
	rows, err := d.QueryContext(ctx, `SELECT host, count(*) AS c FROM alert_group WHERE org = ? AND host <> '' AND state <> 'suppressed' GROUP BY host ORDER BY c DESC, host LIMIT 20`, string(org))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var host string
		var n int
		if err := rows.Scan(&host, &n); err != nil {
			return err
		}
		into[host] = n
	}
	return rows.Err()
}
