package screen

import (
	"context"
	"strconv"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// Settings are what an organisation chose for screening. [DefaultSettings] hold where it chose nothing.
type Settings struct {
	Threshold     float64 // hits score at least this; see [DefaultThreshold]
	SecondFrom    float64 // from this score on, "not the same" needs a second person; 0 never
	SecondForTrue bool    // "the same" needs one too
	KeepDecided   int     // days that decided reviews, and answers on record, are kept after their last change
	KeepUndecided int     // days that reviews are kept that nobody decided
	RecordSingle  bool    // what is asked on the console, one by one, goes on record by itself

	Changed time.Time // zero when the organisation chose nothing
	By      string
	Version int // a change names the one it saw; 0 before the first

	generation int // rises when everybody is to be asked about again
}

// DefaultSettings are those of an organisation that chose nothing: five years on record, and no second person.
func DefaultSettings() Settings {
	return Settings{Threshold: DefaultThreshold, KeepDecided: 5 * 365, KeepUndecided: 5 * 365}
}

// Bounds of settings.
const (
	leastKept = 30       // days
	mostKept  = 30 * 365 // days
	leastAsk  = 0.3      // a lower threshold would hit nearly everybody
)

func (s Settings) check() error {
	switch {
	case !(s.Threshold >= leastAsk && s.Threshold <= 1):
		return polder.Errorf(polder.Invalid, "threshold: must lie between %.1f and 1; the table of its meanings says what it does", leastAsk)
	case !(s.SecondFrom >= 0 && s.SecondFrom <= 1):
		return polder.Errorf(polder.Invalid, "second person from: must lie between 0 and 1; 0 is never")
	case s.KeepDecided < leastKept || s.KeepDecided > mostKept || s.KeepUndecided < leastKept || s.KeepUndecided > mostKept:
		return polder.Errorf(polder.Invalid, "days kept: must lie between %d and %d", leastKept, mostKept)
	}
	return nil
}

// Settings are those of the actor's organisation.
func (s *Service) Settings(ctx context.Context, by polder.Actor) (Settings, error) {
	if err := mayScreen(by, polder.RoleReader); err != nil {
		return Settings{}, err
	}
	return settingsOf(s.reader(ctx), by.Org)
}

// Set changes the settings of the actor's organisation; set.Version is the one that was seen. It asks for a steward.
// Another threshold asks about all known parties again where that can bring new hits.
func (s *Service) Set(ctx context.Context, by polder.Actor, set Settings) (Settings, error) {
	if err := mayScreen(by, polder.RoleSteward); err != nil {
		return Settings{}, err
	}
	if err := set.check(); err != nil {
		return Settings{}, err
	}
	err := s.write(ctx, func(tx *db.Tx) error {
		have, err := settingsOf(tx, by.Org)
		if err != nil {
			return err
		}
		if have.Version != set.Version {
			return polder.Errorf(polder.Conflict, "the settings have changed since you opened them; read them again, then change them")
		}
		set.Version, set.Changed, set.By, set.generation = have.Version+1, s.o.Now().UTC(), whoActs(by), have.generation
		if err := writeSettings(tx, by.Org, set); err != nil {
			return err
		}
		tx.OnCommit(s.toWork)
		return s.noteTx(tx, by, "screen.settings", "", map[string]string{
			"threshold": formatScore(set.Threshold), "second from": formatScore(set.SecondFrom), "second for true": strconv.FormatBool(set.SecondForTrue),
			"days decided": strconv.Itoa(set.KeepDecided), "days undecided": strconv.Itoa(set.KeepUndecided), "record single": strconv.FormatBool(set.RecordSingle),
		})
	})
	if err != nil {
		return Settings{}, err
	}
	set.Changed = fromStamp(stamp(set.Changed))
	return set, nil
}

// AskAgain has all known parties asked against everything again. It asks for a steward.
func (s *Service) AskAgain(ctx context.Context, by polder.Actor) error {
	if err := mayScreen(by, polder.RoleSteward); err != nil {
		return err
	}
	return s.write(ctx, func(tx *db.Tx) error {
		set, err := settingsOf(tx, by.Org)
		if err != nil {
			return err
		}
		set.generation++
		if err := writeSettings(tx, by.Org, set); err != nil {
			return err
		}
		tx.OnCommit(s.toWork)
		return s.noteTx(tx, by, "screen.again", "", nil)
	})
}

// formatScore writes a score for the audit and the record.
func formatScore(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
