package match

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

//go:embed migrations/*.sql
var matchMigrations embed.FS

// Migrate brings the tables of this package up to date.
func Migrate(ctx context.Context, d *db.DB) error {
	sub, err := fs.Sub(matchMigrations, "migrations")
	if err != nil {
		return err
	}
	return d.Migrate(ctx, "match", sub)
}

func (s *Service) reader(ctx context.Context) db.Querier { return s.o.DB.In(ctx) }

func fromMicro(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

// readSets are all sets that were not removed, by name.
func readSets(a db.Querier) ([]Set, error) {
	rows, err := a.Query(`SELECT id, org, community, name, kind, source, budget, days, epoch, made FROM match_set WHERE removed = 0 ORDER BY name, id`)
	return db.All(func(row db.Row) (s Set, err error) {
		var epoch, made int64
		err = row.Scan(&s.ID, &s.Org, &s.Community, &s.Name, &s.Kind, &s.Source, &s.Budget, &s.Days, &epoch, &made)
		s.Epoch, s.Made = uint64(epoch), fromMicro(made)
		return s, err
	}, rows, err)
}

func writeSet(tx *db.Tx, s Set) error {
	_, err := tx.Exec(`INSERT INTO match_set (id, org, community, name, kind, source, budget, days, epoch, made) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?)
		ON CONFLICT (id) DO UPDATE SET budget = excluded.budget, days = excluded.days`,
		s.ID, string(s.Org), string(s.Community), s.Name, string(s.Kind), s.Source, s.Budget, s.Days, s.Made.UnixMicro())
	return err
}

// readEpochs are the epochs of a set, the newest first.
func readEpochs(a db.Querier, set string) ([]Epoch, error) {
	rows, err := a.Query(`SELECT set_id, epoch, node, public, class, sha256, made, until, ended FROM match_epoch WHERE set_id = ? ORDER BY epoch DESC LIMIT 1000`, set)
	return db.All(func(row db.Row) (e Epoch, err error) {
		var n, made, until, ended int64
		err = row.Scan(&e.Set, &n, &e.Node, &e.Public, &e.Class, &e.SHA256, &made, &until, &ended)
		e.N, e.Made, e.Until, e.Ended = uint64(n), fromMicro(made), fromMicro(until), fromMicro(ended)
		return e, err
	}, rows, err)
}

// readEpoch is the epoch in force with its secret and what it was made of.
func readEpoch(a db.Querier, s Set) (e Epoch, secret, content []byte, err error) {
	var n, made, until, ended int64
	err = a.QueryRow(`SELECT set_id, epoch, node, public, class, sha256, made, until, ended, secret, content FROM match_epoch WHERE set_id = ? AND epoch = ?`, s.ID, int64(s.Epoch)).
		Scan(&e.Set, &n, &e.Node, &e.Public, &e.Class, &e.SHA256, &made, &until, &ended, &secret, &content)
	if errors.Is(err, sql.ErrNoRows) {
		err = polder.Errorf(polder.Unavailable, "the set %s has no epoch yet; ask again in a minute", s.Name)
	}
	e.N, e.Made, e.Until, e.Ended = uint64(n), fromMicro(made), fromMicro(until), fromMicro(ended)
	return e, secret, content, err
}

// filterPiece is how much of a filter is written at a time, so that nobody else waits long.
const filterPiece = 512 << 10

// writeFilter writes a filter ahead of its epoch, in transactions of its own.
func (s *Service) writeFilter(ctx context.Context, set string, epoch uint64, filter []byte) error {
	for n := 0; n*filterPiece < len(filter); n++ {
		piece := filter[n*filterPiece : min((n+1)*filterPiece, len(filter))]
		err := s.o.DB.Write(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(`INSERT INTO match_filter (set_id, epoch, n, bytes) VALUES (?, ?, ?, ?) ON CONFLICT (set_id, epoch, n) DO UPDATE SET bytes = excluded.bytes`, set, int64(epoch), n, piece)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// readFilter is the filter of an epoch.
func readFilter(a db.Querier, set string, epoch uint64) (out []byte, err error) {
	rows, err := a.Query(`SELECT bytes FROM match_filter WHERE set_id = ? AND epoch = ? ORDER BY n`, set, int64(epoch))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var piece []byte
		if err := rows.Scan(&piece); err != nil {
			return nil, err
		}
		out = append(out, piece...)
	}
	return out, rows.Err()
}

// endEpochs ends all epochs of a set but keep: their secrets and filters are erased.
func endEpochs(tx *db.Tx, set string, keep uint64, at time.Time) error {
	if _, err := tx.Exec(`UPDATE match_epoch SET ended = ?, secret = x'', content = x'' WHERE set_id = ? AND epoch <> ? AND ended = 0`, at.UnixMicro(), set, int64(keep)); err != nil {
		return err
	}
	_, err := tx.Exec(`DELETE FROM match_filter WHERE set_id = ? AND epoch <> ?`, set, int64(keep))
	return err
}

// Day is how much was asked of a set on a day, by all together.
type Day struct {
	Date     string `json:"date"`
	Elements int    `json:"elements"`
	Stopped  int    `json:"stopped"` // how often an organisation used its budget up
}

// readDays are the last days on which a set was asked, the newest first.
func readDays(a db.Querier, set string, limit int) ([]Day, error) {
	rows, err := a.Query(`SELECT day, elements, stopped FROM match_day WHERE set_id = ? ORDER BY day DESC LIMIT ?`, set, limit)
	return db.All(func(row db.Row) (d Day, err error) {
		var day int64
		err = row.Scan(&day, &d.Elements, &d.Stopped)
		d.Date = time.Unix(day*86400, 0).UTC().Format(time.DateOnly)
		return d, err
	}, rows, err)
}
