package exchange

import (
	"context"
	"database/sql"
	"net/netip"
	"slices"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/db"
)

// maxProtected is how many values one organisation may have protected.
const maxProtected = 1000

// Protect sets, or with remove takes away, values of an organisation that must never become blocks (X22): its own
// domains, with everything below them, addresses and networks. The administrator does it on the member's request, since
// whoever could do it alone could shield an attacker. It returns all that are protected for the organisation then.
func Protect(ctx context.Context, d *db.DB, l *audit.Log, by polder.Actor, org polder.OrgID, values []string, remove bool) ([]indicator.Value, error) {
	var set []indicator.Value
	for _, text := range values {
		kind, value, err := indicator.Recognise(text)
		if err != nil {
			return nil, polder.Errorf(polder.Invalid, "%q: %w", text, err)
		}
		if !slices.Contains([]indicator.Kind{indicator.Domain, indicator.IPv4, indicator.IPv6, indicator.CIDR}, kind) {
			return nil, polder.Errorf(polder.Invalid, "%q is a %s; give domains, addresses or networks", text, kind)
		}
		set = append(set, indicator.Value{Kind: kind, Value: value})
	}
	err := d.Write(ctx, func(tx *db.Tx) error {
		query := `INSERT INTO protected_value (org, kind, value) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`
		if remove {
			query = `DELETE FROM protected_value WHERE org = ? AND kind = ? AND value = ?`
		}
		for _, v := range set {
			if _, err := tx.Exec(query, string(org), string(v.Kind), v.Value); err != nil {
				return err
			}
		}
		var n int
		if err := tx.QueryRow(`SELECT count(*) FROM protected_value WHERE org = ?`, string(org)).Scan(&n); err != nil {
			return err
		}
		if n > maxProtected {
			return polder.Errorf(polder.Invalid, "at most %d values of one organisation are protected", maxProtected)
		}
		if len(set) == 0 {
			return nil
		}
		e := audit.EntryOf(by)
		e.Action, e.Detail = "org.protect", map[string]string{"org": string(org), "values": itoa(len(set)), "remove": map[bool]string{true: "yes", false: "no"}[remove]}
		return l.Append(tx, e)
	})
	if err != nil {
		return nil, err
	}
	return readProtected(ctx, d.Read(), `SELECT kind, value FROM protected_value WHERE org = ? ORDER BY kind, value`, string(org))
}

func readProtected(ctx context.Context, d *sql.DB, query string, args ...any) (out []indicator.Value, err error) {
	rows, err := d.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var v indicator.Value
		if err := rows.Scan(&v.Kind, &v.Value); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// shield is what is protected for all members of the node, read at one moment.
type shield struct {
	names map[string]bool
	nets  []netip.Prefix
}

func newShield(values []indicator.Value) *shield {
	s := &shield{names: map[string]bool{}}
	for _, v := range values {
		if v.Kind == indicator.Domain {
			s.names[v.Value] = true
		} else if p, ok := prefixOf(v.Value); ok {
			s.nets = append(s.nets, p)
		}
	}
	return s
}

func prefixOf(value string) (netip.Prefix, bool) {
	if p, err := netip.ParsePrefix(value); err == nil {
		return p, true
	}
	a, err := netip.ParseAddr(value)
	if err != nil {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(a, a.BitLen()), true
}

// covers tells whether blocking a value would block something protected: a name or what lies below it, an address, a
// network that overlaps.
func (s *shield) covers(kind indicator.Kind, value string) bool {
	if s == nil {
		return false
	}
	if k, host, ok := indicator.Host(kind, value); ok {
		kind, value = k, host
	}
	if kind == indicator.Domain {
		for name := value; name != ""; _, name, _ = strings.Cut(name, ".") {
			if s.names[name] {
				return true
			}
		}
		return false
	}
	p, ok := prefixOf(value)
	return ok && slices.ContainsFunc(s.nets, func(n netip.Prefix) bool { return n.Overlaps(p) })
}

// refreshShield reads what is protected now, so that a change holds from the next request.
func (s *Service) refreshShield(ctx context.Context) error {
	values, err := readProtected(ctx, s.db.Read(), `SELECT DISTINCT kind, value FROM protected_value`)
	if err == nil {
		s.shield.Store(newShield(values))
	}
	return err
}
