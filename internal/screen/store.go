package screen

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"io/fs"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

//go:embed migrations/*.sql
var screenMigrations embed.FS

// Migrate brings the tables of this capability up to date.
func Migrate(ctx context.Context, d *db.DB) error {
	sub, err := fs.Sub(screenMigrations, "migrations")
	if err != nil {
		return err
	}
	return d.Migrate(ctx, "screen", sub)
}

// reader reads what is committed.
func (s *Service) reader(ctx context.Context) db.Querier { return s.o.DB.In(ctx) }

// stamp is a time as it is kept.
func stamp(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// fromStamp is a time that was kept.
func fromStamp(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

// packed is a value as JSON. Only values that JSON can hold are given to it.
func packed(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

// unpack reads what packed wrote; nothing is the zero value.
func unpack(text string, into any) error {
	if text == "" {
		return nil
	}
	return json.Unmarshal([]byte(text), into)
}

func settingsOf(a db.Querier, org polder.OrgID) (s Settings, err error) {
	var changed int64
	err = a.QueryRow(`SELECT threshold, second_from, second_for_true, keep_decided, keep_undecided, record_single, changed, actor, version, generation FROM screen_settings WHERE org = ?`, string(org)).
		Scan(&s.Threshold, &s.SecondFrom, &s.SecondForTrue, &s.KeepDecided, &s.KeepUndecided, &s.RecordSingle, &changed, &s.By, &s.Version, &s.generation)
	if errors.Is(err, sql.ErrNoRows) {
		return DefaultSettings(), nil
	}
	s.Changed = fromStamp(changed)
	return s, err
}

func writeSettings(tx *db.Tx, org polder.OrgID, s Settings) error {
	_, err := tx.Exec(`INSERT INTO screen_settings (org, threshold, second_from, second_for_true, keep_decided, keep_undecided, record_single, changed, actor, version, generation) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (org) DO UPDATE SET threshold = excluded.threshold, second_from = excluded.second_from, second_for_true = excluded.second_for_true, keep_decided = excluded.keep_decided,
		keep_undecided = excluded.keep_undecided, record_single = excluded.record_single, changed = excluded.changed, actor = excluded.actor, version = excluded.version, generation = excluded.generation`,
		string(org), s.Threshold, s.SecondFrom, s.SecondForTrue, s.KeepDecided, s.KeepUndecided, s.RecordSingle, stamp(s.Changed), s.By, s.Version, s.generation)
	return err
}
