package cases

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/stix"
)

// Damage is the damage assessment of a case, with what the jewels that the case touches propose. One that is marked
// stricter than the asker's ceiling is not there for the asker; jewels are for the people of the case's organisation.
func (s *Service) Damage(ctx context.Context, by polder.Actor, id CaseID) (DamageView, error) {
	v, err := s.caseViewer(ctx, by)
	if err != nil {
		return DamageView{}, err
	}
	return s.damageView(ctx, s.committed(ctx), v, id)
}

func (s *Service) damageView(ctx context.Context, a db.Querier, v caseViewer, id CaseID) (view DamageView, err error) {
	r, x, err := caseRowAt(a, v, id, PartRead)
	if err != nil {
		return view, err
	}
	d, found, err := readDamage(a, r.n)
	if err != nil {
		return view, err
	}
	if found && x.sees(d.Level) {
		view.Damage, view.Signed = d, !d.Assessed.IsZero()
		if err := s.caseHider(ctx, v, r.Org).persons(&view.AssessedBy); err != nil {
			return view, err
		}
	}
	view.Touched = []Jewel{}
	if x.Own && x.sees(r.Level) {
		if view.Touched, err = touchedJewels(a, r.n); err != nil {
			return view, err
		}
		view.Proposed = proposedDamage(view.Touched)
	}
	if !x.Own {
		view.Jewels = nil
	}
	view.Damage.tidy()
	view.Proposed.tidy()
	return view, nil
}

// AssessDamage signs a damage assessment. Its Version is the one that was read; made on an older one it is a
// [*CaseConflict]. It asks for who works on the case in its own organisation.
func (s *Service) AssessDamage(ctx context.Context, by polder.Actor, id CaseID, d Damage) (DamageView, error) {
	v, err := s.caseViewer(ctx, by)
	if err != nil {
		return DamageView{}, err
	}
	if err := d.check(); err != nil {
		return DamageView{}, err
	}
	err = s.caseWrite(ctx, func(tx *db.Tx) error {
		r, x, err := caseFieldsAt(tx, v, id, PartWork)
		switch {
		case err != nil:
			return err
		case !x.Own:
			return errDamageOwn
		case r.Status == StatusClosed:
			return errCaseClosed
		}
		have, _, err := readDamage(tx, r.n)
		if err != nil {
			return err
		}
		if have.Version > 0 && !x.sees(have.Level) {
			return polder.Errorf(polder.Forbidden, "there is an assessment that is marked stricter than your ceiling, %s", x.Ceiling.Label())
		}
		if d.Version != have.Version {
			view, err := s.damageView(ctx, tx, v, id)
			if err != nil {
				return err
			}
			return &CaseConflict{Damage: &view}
		}
		return s.assessTx(tx, by, v, r, x, d, have.Level)
	})
	if err != nil {
		return DamageView{}, err
	}
	return s.Damage(ctx, by, id)
}

var errDamageOwn = polder.Errorf(polder.Forbidden, "the damage is for the case's own organisation to assess; add a note of yours")

// assessTx signs an assessment that was checked.
func (s *Service) assessTx(tx *db.Tx, by polder.Actor, v caseViewer, r caseHeld, x Access, d Damage, was stix.Marking) error {
	if d.Level == stix.None {
		d.Level = max(was, min(x.Ceiling, max(r.Level, stix.AmberStrict)))
	}
	if was == stix.None {
		was = d.Level
	}
	if err := mayMark(x, was, d.Level, x.May(PartLead)); err != nil {
		return err
	}
	d.Version, d.Assessed, d.AssessedBy = d.Version+1, s.caseNow(), v.person
	if err := s.touchTx(tx, v, r.n, d.Jewels); err != nil {
		return err
	}
	body, err := json.Marshal(d)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO cases_damage (case_n, version, level, body) VALUES (?, ?, ?, ?) ON CONFLICT (case_n) DO UPDATE SET version = excluded.version, level = excluded.level, body = excluded.body`, r.n, d.Version, int(d.Level), string(body))
	if err != nil {
		return err
	}
	return s.caseNoteAt(tx, by, v, r.n, r.ID, CaseRevision{What: "damage", Version: d.Version, At: d.Assessed, Did: "assessed", Level: max(was, d.Level), Damage: &d})
}

// TouchJewels says which crown jewels a case touches. It asks for who works on it in its own organisation.
func (s *Service) TouchJewels(ctx context.Context, by polder.Actor, id CaseID, jewels []string) (DamageView, error) {
	v, err := s.caseViewer(ctx, by)
	if err != nil {
		return DamageView{}, err
	}
	err = s.caseWrite(ctx, func(tx *db.Tx) error {
		r, x, err := caseFieldsAt(tx, v, id, PartWork)
		switch {
		case err != nil:
			return err
		case !x.Own:
			return errDamageOwn
		case r.Status == StatusClosed:
			return errCaseClosed
		}
		if _, err := tx.Exec(`DELETE FROM cases_touch WHERE case_n = ?`, r.n); err != nil {
			return err
		}
		if err := s.touchTx(tx, v, r.n, jewels); err != nil {
			return err
		}
		return s.caseNoteAt(tx, by, v, r.n, id, CaseRevision{What: "jewels", Did: "touched", Reason: strings.Join(jewels, " "), Level: r.Level})
	})
	if err != nil {
		return DamageView{}, err
	}
	return s.Damage(ctx, by, id)
}

// touchTx says that a case touches jewels, besides those that it touches already.
func (s *Service) touchTx(tx *db.Tx, v caseViewer, n int64, jewels []string) error {
	if len(jewels) > maxTouched {
		return polder.Errorf(polder.TooLarge, "jewels: %d are too many for one case; at most %d", len(jewels), maxTouched)
	}
	for _, id := range jewels {
		if _, err := readJewel(tx, v.org, id); err != nil {
			if polder.KindOf(err) == polder.NotFound {
				err = polder.Errorf(polder.Invalid, "jewels: %.60q is none of your organisation's register", id)
			}
			return err
		}
		if _, err := tx.Exec(`INSERT INTO cases_touch (case_n, jewel) VALUES (?, ?) ON CONFLICT DO NOTHING`, n, id); err != nil {
			return err
		}
	}
	return nil
}

// mayClose checks that a case may be closed, and signs that nothing was touched where that is said.
func (s *Service) mayClose(tx *db.Tx, by polder.Actor, v caseViewer, r caseHeld, x Access, n CaseStatusChange) error {
	have, _, err := readDamage(tx, r.n)
	if err != nil {
		return err
	}
	if have.Assessed.IsZero() {
		if !n.Nothing {
			return polder.Errorf(polder.Conflict, "a case ends with a damage assessment; sign one, or say that nothing was touched and how that is known")
		}
		if err := s.assessTx(tx, by, v, r, x, Damage{Taken: TakenNothing, What: n.Reason}, stix.None); err != nil {
			return err
		}
	}
	return s.mayCloseDeadlines(tx, r.Case, n)
}

// readDamage is the assessment of a case.
func readDamage(a db.Querier, n int64) (d Damage, found bool, err error) {
	var body string
	err = a.QueryRow(`SELECT body FROM cases_damage WHERE case_n = ?`, n).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return Damage{}, false, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(body), &d)
	}
	return d, err == nil, err
}

// touchedJewels are the jewels that a case touches, by name, those that have left the register included.
func touchedJewels(a db.Querier, n int64) ([]Jewel, error) {
	rows, err := a.Query(`SELECT `+jewelColumns+` FROM cases_touch t JOIN cases_jewel j ON j.id = t.jewel WHERE t.case_n = ? ORDER BY j.name, j.id`, n)
	out, err := db.All(scanJewel, rows, err)
	return slices.Clip(append([]Jewel{}, out...)), err
}

// mayCloseDeadlines checks that nothing that the law asks is left undone, unless the reason says why that is right.
func (s *Service) mayCloseDeadlines(tx *db.Tx, c Case, n CaseStatusChange) error {
	if n.Late {
		return nil
	}
	rows, err := listDeadlines(tx, c.ID)
	if err != nil {
		return err
	}
	open := 0
	for _, d := range rows {
		if d.Open() && d.mark == "" && d.Waits == "" && !d.Due.IsZero() && d.Status != "voluntary" {
			open++
		}
	}
	if open == 0 {
		return nil
	}
	return polder.Errorf(polder.Conflict, "%d deadlines of this case are open; mark each as sent or excused, or confirm (late) that the reason says why the case is closed all the same", open)
}
