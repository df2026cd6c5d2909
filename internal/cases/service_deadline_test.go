package cases

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// set moves the clock of the world.
func (w *caseWorld) set(at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = at
}

// duties are those of a case, as somebody sees them.
func (w *caseWorld) duties(by polder.Actor, id CaseID) CaseDuties {
	w.t.Helper()
	out, err := w.Deadlines(w.t.Context(), by, id)
	caseMust(w.t, err)
	return out
}

// duty is one deadline of a case, as lead sees it.
func (w *caseWorld) duty(id CaseID, rule string) CaseDeadline {
	w.t.Helper()
	for _, d := range w.duties(lead, id).Deadlines {
		if d.Rule == rule {
			return d
		}
	}
	w.t.Fatalf("case %s has no deadline %s", id, rule)
	return CaseDeadline{}
}

func (w *caseWorld) sent(id CaseID, rule string, at time.Time, reference string) {
	w.t.Helper()
	_, err := w.MarkSent(w.t.Context(), lead, id, rule, DeadlineMark{Version: w.duty(id, rule).Version, Sent: at, Reference: reference})
	caseMust(w.t, err)
}

// energyCase is a case of lead's that is counted by NIS2 in the Netherlands, known at 08:00 UTC on Friday 20 November 2026.
func (w *caseWorld) energyCase(level stix.Marking, title string) CaseID {
	w.t.Helper()
	c, err := w.OpenCase(w.t.Context(), lead, CaseNew{Title: title, Level: level, Sector: "energy", Aware: time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)})
	caseMust(w.t, err)
	return c.ID
}

const (
	ruleWarning      = "nis2-nl/early-warning"
	ruleNotification = "nis2-nl/notification"
	ruleFinal        = "nis2-nl/final-report"
)

func wantTime(t *testing.T, what string, got time.Time, want string) {
	t.Helper()
	if s := got.Format(time.RFC3339); s != want {
		t.Errorf("%s: %s, want %s", what, s, want)
	}
}

// Opening a case stores when it was known, and what the law asks, in the same transaction; who has chosen is said.
func TestAwarenessIsStoredFirst(t *testing.T) {
	w := newCaseWorld(t)
	id := w.energyCase(stix.Amber, "Odd log-ins")
	d := w.duties(lead, id)
	if len(d.Aware) != 1 || !d.Aware[0].At.Equal(d.Case.Aware) || d.Aware[0].By != lead.Person {
		t.Errorf("history of awareness: %+v, want the moment that the case was opened with", d.Aware)
	}
	if !d.Profile.Proposed || strings.Join(d.Profile.Jurisdictions, " ") != "NL" || strings.Join(d.Profile.Sectors, " ") != "energy" || strings.Join(d.Profile.Kinds, " ") != "incident" {
		t.Errorf("proposed: %+v, want NL, energy, incident", d.Profile)
	}
	wantTime(t, "early warning", w.duty(id, ruleWarning).Due, "2026-11-21T09:00:00+01:00")
	wantTime(t, "notification", w.duty(id, ruleNotification).Due, "2026-11-23T09:00:00+01:00")
	final := w.duty(id, ruleFinal)
	wantTime(t, "final report", final.Due, "2026-12-23T23:59:59+01:00")
	if !final.Estimated || final.State != DeadlineDue {
		t.Errorf("final report: %+v, want an estimate that is due", final)
	}
	if len(d.Not) == 0 {
		t.Error("no act is said to ask nothing")
	}
	c, err := w.OpenCase(t.Context(), lead, CaseNew{Title: "A flattering invitation", Kind: KindApproach})
	caseMust(t, err)
	if d := w.duties(lead, c.ID); len(d.Deadlines) != 0 {
		t.Errorf("an approach has %d deadlines; the law asks nothing", len(d.Deadlines))
	}
}

// When it was known moves only by name, with a reason, and nothing that was said before is lost.
func TestAwarenessNeverMovesSilently(t *testing.T) {
	w := newCaseWorld(t)
	id := w.energyCase(stix.Amber, "Odd log-ins")
	w.let(id, worker, PartWork, stix.Red)
	version := w.duties(lead, id).Case.Version
	earlier := time.Date(2026, 11, 19, 20, 0, 0, 0, time.UTC)
	_, err := w.SetAware(t.Context(), worker, id, version, earlier, "")
	caseIs(t, err, polder.Invalid, "reason")
	_, err = w.SetAware(t.Context(), worker, id, version+1, earlier, "the night watch saw it")
	caseIs(t, err, polder.Conflict, "changed in the meantime")
	_, err = w.SetAware(t.Context(), worker, id, version, w.now.Add(time.Hour), "the night watch saw it")
	caseIs(t, err, polder.Invalid, "future")
	_, err = w.SetAware(t.Context(), looker, id, version, earlier, "the night watch saw it")
	caseIs(t, err, polder.NotFound, "no such case")
	d, err := w.SetAware(t.Context(), worker, id, version, earlier, "the night watch saw it")
	caseMust(t, err)
	if len(d.Aware) != 2 || d.Aware[1].By != worker.Person || d.Aware[1].Reason != "the night watch saw it" || d.Aware[0].By != lead.Person || !d.Case.Aware.Equal(earlier) {
		t.Errorf("history: %+v, case known %s", d.Aware, d.Case.Aware)
	}
	wantTime(t, "early warning", w.duty(id, ruleWarning).Due, "2026-11-20T21:00:00+01:00")
	history, err := w.CaseHistory(t.Context(), lead, id)
	caseMust(t, err)
	if len(history) == 0 || history[0].What != "deadline" || history[0].Did != "aware" || history[0].By != worker.Person {
		t.Errorf("the history of the case begins with %+v, want that the worker moved the moment", history[0])
	}
}

// The states: due, sent, late, excused, and back. The first version counts (SERIMA#451), and a passed time is late
// (SERIMA#139).
func TestDeadlineStates(t *testing.T) {
	w := newCaseWorld(t)
	id := w.energyCase(stix.Amber, "Odd log-ins")
	at := time.Date(2026, 11, 20, 8, 30, 0, 0, time.UTC)
	w.sent(id, ruleWarning, at, "NC-26-20931")
	d := w.duty(id, ruleWarning)
	if d.State != DeadlineSent || d.Reference != "NC-26-20931" || d.By != lead.Person || !d.Sent.Equal(at) {
		t.Errorf("sent: %+v", d)
	}
	_, err := w.MarkSent(t.Context(), lead, id, ruleWarning, DeadlineMark{Version: d.Version})
	caseIs(t, err, polder.Conflict, "first version counts")
	_, err = w.ExcuseDeadline(t.Context(), lead, id, ruleWarning, DeadlineMark{Version: d.Version, Reason: "not needed"})
	caseIs(t, err, polder.Conflict, "already")
	_, err = w.ReopenDeadline(t.Context(), lead, id, ruleWarning, DeadlineMark{Version: d.Version - 1, Reason: "wrong case"})
	caseIs(t, err, polder.Conflict, "in the meantime")
	_, err = w.MarkSent(t.Context(), lead, id, ruleNotification, DeadlineMark{Version: 1, Sent: at.Add(-time.Hour)})
	caseIs(t, err, polder.Invalid, "before you first knew")
	_, err = w.MarkSent(t.Context(), lead, id, ruleNotification, DeadlineMark{Version: 1, Sent: at.AddDate(1, 0, 0)})
	caseIs(t, err, polder.Invalid, "future")
	_, err = w.MarkSent(t.Context(), lead, id, "nis2-nl/nothing", DeadlineMark{Version: 1})
	caseIs(t, err, polder.NotFound, "no deadline")

	w.set(time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)) // the notification was due on the 23rd
	if d := w.duty(id, ruleNotification); d.State != DeadlineLate || !d.Open() {
		t.Errorf("not sent in time: %+v, want late and open", d)
	}
	w.sent(id, ruleNotification, time.Time{}, "")
	if d := w.duty(id, ruleNotification); d.State != DeadlineLate || d.Open() {
		t.Errorf("sent too late: %+v, want late, and done", d)
	}
	final := w.duty(id, ruleFinal)
	wantTime(t, "final report after a notification on the 24th", final.Due, "2026-12-24T23:59:59+01:00")
	if final.Estimated {
		t.Error("the final report is still an estimate, though the notification was sent")
	}
	_, err = w.ReopenDeadline(t.Context(), lead, id, ruleNotification, DeadlineMark{Version: w.duty(id, ruleNotification).Version, Reason: "it went to the wrong desk"})
	caseMust(t, err)
	if d := w.duty(id, ruleFinal); !d.Estimated {
		t.Errorf("the notification was taken back, and the final report is no estimate: %+v", d)
	}
	_, err = w.ExcuseDeadline(t.Context(), lead, id, ruleNotification, DeadlineMark{Version: w.duty(id, ruleNotification).Version, Reason: "x"})
	caseIs(t, err, polder.Invalid, "reason")
	_, err = w.ExcuseDeadline(t.Context(), lead, id, ruleNotification, DeadlineMark{Version: w.duty(id, ruleNotification).Version, Reason: "the authority waived it"})
	caseMust(t, err)
	if d := w.duty(id, ruleNotification); d.State != DeadlineExcused || d.Reason != "the authority waived it" || d.Open() {
		t.Errorf("excused: %+v", d)
	}
}

// Events start clocks; the first time counts; what was wrong is struck out and stays in view.
func TestEventsStartClocks(t *testing.T) {
	w := newCaseWorld(t)
	id := w.energyCase(stix.Amber, "A hole in our controller")
	_, err := w.SetDeadlineProfile(t.Context(), lead, id, DeadlineProfile{Jurisdictions: []string{"nederland"}, Sectors: []string{"Chips"}, Kinds: []string{"vulnerability"}, Version: 1})
	caseMust(t, err)
	const final = "cra-eu/vulnerability-final"
	if d := w.duty(id, final); d.State != DeadlineWaits || d.Waits != "corrective-measure" {
		t.Errorf("before a measure: %+v, want that it waits", d)
	}
	at := time.Date(2026, 11, 20, 8, 45, 0, 0, time.UTC)
	for _, e := range []time.Time{at, at.Add(10 * time.Minute)} {
		_, err = w.SetCaseEvent(t.Context(), lead, id, "corrective measure available", e)
		caseMust(t, err)
	}
	d := w.duty(id, final)
	wantTime(t, "14 days from the first measure", d.Due, "2026-12-04T23:59:59+01:00")
	if !d.Start.Equal(at) {
		t.Errorf("it is counted from %s, want the first event, %s", d.Start, at)
	}
	for n := 1; n <= 2; n++ {
		_, err = w.StrikeCaseEvent(t.Context(), lead, id, n, "that was another product")
		caseMust(t, err)
	}
	_, err = w.StrikeCaseEvent(t.Context(), lead, id, 2, "twice")
	caseIs(t, err, polder.NotFound, "struck out already")
	all := w.duties(lead, id)
	if len(all.Events) != 2 || !all.Events[0].Struck || all.Events[0].Reason == "" || w.duty(id, final).State != DeadlineWaits {
		t.Errorf("struck out: %+v; want both in view, and the clock waiting again", all.Events)
	}
	_, err = w.SetCaseEvent(t.Context(), lead, id, "full moon", at)
	caseIs(t, err, polder.Invalid, "not known")
	_, err = w.SetCaseEvent(t.Context(), lead, id, "sent:notification", at)
	caseIs(t, err, polder.Invalid, "report")
}

// What a person said of a deadline survives rules that no longer ask it.
func TestOtherRulesLoseNothing(t *testing.T) {
	w := newCaseWorld(t)
	id := w.energyCase(stix.Amber, "Odd log-ins")
	w.sent(id, ruleWarning, time.Time{}, "NC-1")
	profile := DeadlineProfile{Jurisdictions: []string{"NL"}, Sectors: []string{"banking"}, Kinds: []string{"incident"}, Version: 1}
	_, err := w.SetDeadlineProfile(t.Context(), lead, id, profile)
	caseMust(t, err)
	_, err = w.SetDeadlineProfile(t.Context(), lead, id, profile)
	caseIs(t, err, polder.Conflict, "in the meantime")
	d := w.duty(id, ruleWarning)
	if !d.Gone || d.Reference != "NC-1" {
		t.Errorf("sent, and no longer asked: %+v, want it in view as gone", d)
	}
	for _, other := range w.duties(lead, id).Deadlines {
		if other.Rule == ruleNotification {
			t.Error("a deadline that nobody said anything of, and that is no longer asked, is still there")
		}
	}
	for _, bad := range []DeadlineProfile{{}, {Jurisdictions: []string{"XX"}}, {Jurisdictions: []string{"NL"}, Sectors: []string{"gardening"}}, {Jurisdictions: []string{"NL"}, Kinds: []string{"party"}}, {Jurisdictions: []string{"NL"}, Serious: "perhaps"},
		{Jurisdictions: []string{"NL"}, Kinds: make([]string, 31)}} {
		bad.Version = 2
		if _, err := w.SetDeadlineProfile(t.Context(), lead, id, bad); !errors.Is(err, polder.ErrInvalid) && !errors.Is(err, polder.ErrTooLarge) {
			t.Errorf("profile %+v: %v, want that it is refused", bad, err)
		}
	}
}

// TestS4Deadlines proves S4 and S5 of deadlines: who was not let into a case sees none of its deadlines, in no list, count,
// form or error, and a case that is there answers as one that is not.
func TestS4Deadlines(t *testing.T) {
	w := newCaseWorld(t)
	const canary = "canary-velvet-otter"
	id := w.energyCase(stix.Amber, canary)
	other := w.energyCase(stix.Red, canary+"-red")
	w.let(id, looker, PartRead, stix.Green)      // a ceiling below the case
	w.let(id, partner, PartWork, stix.Amber)     // another organisation
	w.let(other, contact, PartContact, stix.Red) // a contact point
	ctx := t.Context()
	for name, by := range everyCaseActor {
		member := name == "lead" || name == "token"
		for _, one := range []CaseID{id, other, "case--00000000-0000-4000-8000-000000000000"} {
			sees := member && one != "case--00000000-0000-4000-8000-000000000000" || name == "partner" && one == id || name == "guest" && one == id
			d, err := w.Deadlines(ctx, by, one)
			if sees != (err == nil) || !sees && (len(d.Deadlines) > 0 || len(d.Aware) > 0) {
				t.Errorf("%s: deadlines of %s: %v with %d deadlines, want seen: %v", name, one, err, len(d.Deadlines), sees)
			}
			_, formErr := w.DeadlineForm(ctx, by, one, ruleWarning)
			if own := member && sees; own != (formErr == nil) {
				t.Errorf("%s: form of %s: %v, want it: %v", name, one, formErr, own)
			}
			if !member {
				_, err = w.MarkSent(ctx, by, one, ruleWarning, DeadlineMark{Version: 1})
				if err == nil {
					t.Errorf("%s marks a report of %s as sent", name, one)
				}
			}
			for _, err := range []error{err, formErr} {
				if err != nil && strings.Contains(err.Error(), canary) {
					t.Errorf("%s: an error names the case: %v", name, err)
				}
			}
		}
		_, there := w.Deadlines(ctx, chief, other)
		_, nowhere := w.Deadlines(ctx, chief, "case--00000000-0000-4000-8000-000000000000")
		if there == nil || nowhere == nil || there.Error() != nowhere.Error() {
			t.Fatalf("a case that is there answers %v, one that is not %v", there, nowhere)
		}
		page, err := w.OpenDeadlines(ctx, by, DeadlineFilter{})
		if member {
			caseMust(t, err)
			if page.Open != 10 || len(page.Deadlines) != page.Open {
				t.Errorf("%s: %d open, %d listed, want the 5 of each case", name, page.Open, len(page.Deadlines))
			}
			continue
		}
		if page.Open != 0 || page.Late != 0 || len(page.Deadlines) != 0 || page.More {
			t.Errorf("%s sees open deadlines: %+v", name, page)
		}
	}
	for _, d := range w.duties(partner, id).Deadlines {
		if d.By != "" {
			t.Error("another organisation reads who said something of a deadline")
		}
	}
}

// TestF8Deadlines proves F8 of deadlines: whatever the clock does, what was sent stays sent, what was over stays over, and
// counting again gives the same times.
func TestF8Deadlines(t *testing.T) {
	w := newCaseWorld(t)
	start := w.now
	id := w.energyCase(stix.Amber, "Odd log-ins")
	w.sent(id, ruleWarning, time.Time{}, "NC-1")
	due := w.duty(id, ruleNotification).Due
	w.set(due.Add(time.Hour))
	caseMust(t, w.db.Write(t.Context(), func(tx *db.Tx) error { // what the job does when it is over
		r, err := readDeadline(tx, id, ruleNotification)
		if err != nil {
			return err
		}
		c, err := readCase(tx, id)
		if err != nil {
			return err
		}
		return w.remindTx(tx, c.Case, r, r.Due)
	}))
	for name, at := range map[string]time.Time{"a day back": start.AddDate(0, 0, -1), "ten years back": start.AddDate(-10, 0, 0), "1970": time.Unix(0, 0), "a day on": due.AddDate(0, 0, 1), "ten years on": due.AddDate(10, 0, 0)} {
		w.set(at)
		if d := w.duty(id, ruleNotification); d.State != DeadlineLate || !d.Due.Equal(due) {
			t.Errorf("%s: the notification is %s, due %s; it was over, and due %s", name, d.State, d.Due, due)
		}
		if d := w.duty(id, ruleWarning); d.State != DeadlineSent {
			t.Errorf("%s: the early warning is %s; it was sent", name, d.State)
		}
	}
	w.set(due.Add(2 * time.Hour))
	_, err := w.SetAware(t.Context(), lead, id, w.duties(lead, id).Case.Version, due.Add(-time.Hour), "it was known later than we thought")
	caseMust(t, err)
	if d := w.duty(id, ruleNotification); d.State != DeadlineDue || !d.Due.Equal(due.Add(71*time.Hour)) {
		t.Errorf("known later: the notification is %s, due %s; want due again, 72 hours from then", d.State, d.Due)
	}
}

// A form holds what the case knows, names what is missing, leaves out what is marked stricter than the case, and is
// printed whole.
func TestDeadlineForm(t *testing.T) {
	w := newCaseWorld(t)
	id := w.energyCase(stix.Amber, "Odd log-ins")
	seen := func(value string, level stix.Marking, bad bool) {
		w.add(lead, id, Item{Kind: ItemObservable, Level: level, Observable: &Observable{Type: indicator.Domain, Value: value, Bad: bad}})
	}
	seen("bad.example", stix.Green, true)
	seen("secret.example", stix.Red, true)
	seen("ours.example", stix.Green, false)
	w.sent(id, ruleWarning, time.Time{}, "NC-26-1")
	f, err := w.DeadlineForm(t.Context(), lead, id, ruleNotification)
	caseMust(t, err)
	values := map[string]string{}
	for _, field := range f.Form.Fields {
		values[field.ID] = field.Value
	}
	for id, want := range map[string]string{"organisation": "Acme Optics", "country": "NL", "sector": "energy", "contact": "Lotte", "earlier": "NC-26-1", "aware": "2026-11-20 09:00 CET", "summary": "Odd log-ins", "indicators": "domain: bad.example", "marking": "TLP:AMBER"} {
		if values[id] != want {
			t.Errorf("field %s is %q, want %q", id, values[id], want)
		}
	}
	if got := strings.Join(f.Form.Missing, " "); !strings.Contains(got, "reach") || !strings.Contains(got, "malicious") || strings.Contains(got, "summary") {
		t.Errorf("missing: %s; want reach and malicious, not summary", got)
	}
	site, err := web.New(web.Options{Now: w.tick}, ConsolePart())
	caseMust(t, err)
	for _, lang := range web.Languages {
		var out bytes.Buffer
		caseMust(t, WriteDeadlineForm(&out, f, site.Words(lang)))
		if !bytes.HasPrefix(out.Bytes(), []byte("%PDF-")) || out.Len() < 5_000 {
			t.Errorf("%s: the form for print is %d bytes, beginning %.8q", lang, out.Len(), out.Bytes())
		}
	}
	_, err = w.DeadlineForm(t.Context(), lead, id, "nis2-nl/nothing")
	caseIs(t, err, polder.NotFound, "no such report")
}

// The first report under NIS2 lets a country's contact point see that the case crosses borders (SERIMA#844).
func TestEarlyWarningAnnounces(t *testing.T) {
	w := newCaseWorld(t)
	id := w.energyCase(stix.Green, "Odd log-ins")
	w.let(id, contact, PartContact, stix.Green)
	if _, err := w.Case(t.Context(), contact, id); err == nil {
		t.Fatal("the contact point sees the case before the early warning")
	}
	w.sent(id, ruleWarning, time.Time{}, "")
	c, err := w.Case(t.Context(), contact, id)
	caseMust(t, err)
	if !c.Header {
		t.Error("the contact point sees more than the header")
	}
	if _, err := w.Deadlines(t.Context(), contact, id); !errors.Is(err, polder.ErrForbidden) {
		t.Errorf("the contact point reads deadlines: %v", err)
	}
}
