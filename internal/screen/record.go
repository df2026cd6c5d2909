package screen

import (
	"context"
	"iter"
	"strconv"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/screen/lists"
)

// Period is from one time until before another, and what a record of it says of whose it is.
type Period struct {
	From, To     time.Time
	Organisation string // its name, as printed; "" prints its id
}

func (p Period) check() error {
	if p.From.IsZero() || !p.To.After(p.From) {
		return polder.Errorf(polder.Invalid, "period: write a first day, and a last day that is not before it")
	}
	return nil
}

// LineKind is what a line of the auditor's record tells.
type LineKind string

// The kinds of lines, in the order of the record.
const (
	LineScreening   LineKind = "screening"   // an answer on record
	LineRow         LineKind = "batch row"   // an answer to a row of a batch
	LineBatch       LineKind = "batch"       // a batch as a whole
	LineRescreening LineKind = "rescreening" // known parties were asked again
	LineDecision    LineKind = "decision"    // what a person decided, or what the node saw
	LineWaiting     LineKind = "waiting"     // a review that nobody has decided
	LineErasure     LineKind = "erasure"     // what was erased: numbers alone
)

// RecordLine is a line of the auditor's record. What a kind has no use for is empty.
type RecordLine struct {
	Kind     LineKind
	At       time.Time
	By       string // "" for the node itself
	Person   polder.PersonID
	Token    polder.TokenID
	ID       string // of the screening, batch or review
	Party    string // the known party's id
	Group    string
	Query    Query
	Listing  BriefHit // the listing that was met: its list, id, name and the score
	ListDate string
	SHA256   string       // of the list's version
	What     string       // the verdict, or the result in words
	State    State        // of the review after it
	Reason   string       // or question, note, what changed
	Lists    []lists.Meta // that were asked
	Asked    float64      // the threshold; 0 where none is said
}

// recordPage is how much of a record is read at a time.
const recordPage = 500

// Record is everything of the actor's organisation in a period, for an auditor: each answer on record, each row of each
// batch, each time that parties were asked again, each decision and what the node saw in between, what still waits, what
// was erased. It is read some lines at a time; what changes meanwhile may or may not be in it.
func (s *Service) Record(ctx context.Context, by polder.Actor, p Period) iter.Seq2[RecordLine, error] {
	return func(yield func(RecordLine, error) bool) {
		err := mayScreen(by, polder.RoleReader)
		if err == nil {
			err = p.check()
		}
		if err == nil {
			err = (&recordReader{a: s.reader(ctx), org: by.Org, p: p, cache: againstCache{}, yield: yield}).read(ctx)
		}
		if err != nil && err != errEnough {
			yield(RecordLine{}, err)
		}
	}
}

// errEnough says that whoever reads a record wants no more of it.
var errEnough = polder.Errorf(polder.Internal, "enough was read")

// recordReader reads the record of a period.
type recordReader struct {
	a     db.Querier
	org   polder.OrgID
	p     Period
	cache againstCache
	yield func(RecordLine, error) bool
}

func (r *recordReader) read(ctx context.Context) error {
	for _, part := range []func() error{r.screenings, r.batches, r.rescreenings, r.decisions, r.waiting, r.erasures} {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

func (r *recordReader) give(l RecordLine) error {
	if !r.yield(l, nil) {
		return errEnough
	}
	return nil
}

// paged reads pages of rows until one is not full. next reads a page behind the last row that do was given.
func paged[T any](next func() ([]T, error), do func(T) error) error {
	for {
		rows, err := next()
		if err != nil {
			return err
		}
		for _, row := range rows {
			if err := do(row); err != nil {
				return err
			}
		}
		if len(rows) < recordPage {
			return nil
		}
	}
}

// said is a number of hits in words. It never says that a party is cleared.
func said(hits int) string {
	switch hits {
	case 0:
		return "no hit on the lists named"
	case 1:
		return "1 hit"
	}
	return strconv.Itoa(hits) + " hits"
}

func (r *recordReader) screenings() error {
	at, id := stamp(r.p.From)-1, "~"
	return paged(func() ([]keptScreening, error) { return screeningsIn(r.a, r.org, at, id, stamp(r.p.To), recordPage) }, func(k keptScreening) error {
		at, id = stamp(k.At), k.ID
		g, err := r.cache.read(r.a, k.against)
		if err != nil {
			return err
		}
		l := RecordLine{Kind: LineScreening, At: k.At, By: k.By, Person: k.Person, Token: k.Token, ID: k.ID, Party: k.Party, Query: k.Query, What: said(len(k.Hits) + k.More), Reason: k.Note, Lists: g.lists, Asked: g.threshold}
		if len(k.Hits) > 0 {
			l.Listing = k.Hits[0]
		}
		return r.give(l)
	})
}

func (r *recordReader) batches() error {
	at, id := stamp(r.p.From)-1, "~"
	return paged(func() ([]keptBatch, error) { return batchesMadeIn(r.a, r.org, at, id, stamp(r.p.To), recordPage) }, func(b keptBatch) error {
		at, id = stamp(b.Made), b.ID
		g, err := r.cache.read(r.a, b.against)
		if err != nil {
			return err
		}
		what := string(b.State) + ": " + strconv.Itoa(b.Done) + " of " + strconv.Itoa(b.Total) + " rows asked, " + strconv.Itoa(b.Refused) + " could not be; " + strconv.Itoa(b.Met) + " met a listing"
		if err := r.give(RecordLine{Kind: LineBatch, At: b.Made, By: b.By, Person: b.person, Token: b.token, ID: b.ID, What: what, Reason: b.Name, Lists: g.lists, Asked: b.Threshold}); err != nil {
			return err
		}
		return r.rows(b)
	})
}

func (r *recordReader) rows(b keptBatch) error {
	after := 0
	return paged(func() ([]keptRow, error) { return keptRows(r.a, b.n, after, recordPage) }, func(k keptRow) error {
		after = k.N
		g, err := r.cache.read(r.a, k.against)
		if err != nil {
			return err
		}
		l := RecordLine{Kind: LineRow, At: k.At, By: b.By, Person: b.person, Token: b.token, ID: b.ID, Query: k.Query, What: said(len(k.Hits)), Lists: g.lists, Asked: b.Threshold}
		switch {
		case k.Fault != "":
			l.What, l.Reason = "not asked", k.Fault
		case k.At.IsZero():
			l.What = "not asked yet"
		}
		if len(k.Hits) > 0 {
			l.Listing = k.Hits[0]
		}
		return r.give(l)
	})
}

func (r *recordReader) rescreenings() error {
	n := int64(0)
	return paged(func() ([]keptRun, error) {
		return runsIn(r.a, r.org, n, stamp(r.p.From), stamp(r.p.To), recordPage)
	}, func(k keptRun) error {
		n = k.n
		g, err := r.cache.read(r.a, k.against)
		if err != nil {
			return err
		}
		what := strconv.Itoa(k.Parties) + " known parties asked against " + strconv.Itoa(k.Entries) + " listings; " + strconv.Itoa(k.Opened) + " reviews opened, " + strconv.Itoa(k.Reopened) + " opened again, " +
			strconv.Itoa(k.Unlisted) + " no longer listed"
		if k.Ended.IsZero() {
			what += "; still running"
		}
		return r.give(RecordLine{Kind: LineRescreening, At: k.Started, What: what, Lists: g.lists, Asked: g.threshold})
	})
}

func (r *recordReader) decisions() error {
	at, n := stamp(r.p.From)-1, int64(1<<62)
	return paged(func() ([]toldDecision, error) { return decisionsIn(r.a, r.org, at, n, stamp(r.p.To), recordPage) }, func(d toldDecision) error {
		at, n = stamp(d.At), d.n
		return r.give(RecordLine{Kind: LineDecision, At: d.At, By: d.By, Person: d.Person, Token: d.Token, ID: d.Review, Party: d.party, Group: d.group, Query: d.query,
			Listing: BriefHit{List: d.List, ID: d.listing, Name: d.name, Score: d.Score, Review: d.Review}, ListDate: d.ListDate, SHA256: d.SHA256, What: string(d.Verdict), State: d.State, Reason: d.Reason})
	})
}

func (r *recordReader) waiting() error {
	made, id := int64(-1), ""
	return paged(func() ([]Review, error) { return waitingIn(r.a, r.org, made, id, stamp(r.p.To), recordPage) }, func(w Review) error {
		made, id = stamp(w.Made), w.ID
		why := w.Question
		if why == "" {
			why = w.Note
		}
		return r.give(RecordLine{Kind: LineWaiting, At: w.Made, ID: w.ID, Party: w.Party, Group: w.Group, Query: w.Query, Listing: BriefHit{List: w.List, ID: w.Listing, Name: w.Name, Score: w.Score, Review: w.ID},
			What: "waits for a person", State: w.State, Reason: why})
	})
}

func (r *recordReader) erasures() error {
	n := int64(0)
	return paged(func() ([]keptTombstone, error) {
		return tombstonesIn(r.a, r.org, n, stamp(r.p.From), stamp(r.p.To), recordPage)
	}, func(t keptTombstone) error {
		n = t.n
		what := strconv.Itoa(t.Parties) + " parties, " + strconv.Itoa(t.Screenings) + " answers, " + strconv.Itoa(t.Reviews) + " reviews, " + strconv.Itoa(t.Decisions) + " decisions, " + strconv.Itoa(t.Rows) + " rows of batches"
		return r.give(RecordLine{Kind: LineErasure, At: t.At, By: t.By, What: what, Reason: string(t.Ground)})
	})
}

// noteExport writes into the audit that somebody took the record of a period.
func (s *Service) noteExport(ctx context.Context, by polder.Actor, p Period, form string) error {
	if err := mayScreen(by, polder.RoleReader); err != nil {
		return err
	}
	if err := p.check(); err != nil {
		return err
	}
	return s.write(ctx, func(tx *db.Tx) error {
		return s.noteTx(tx, by, "screen.record", "", map[string]string{"form": form, "from": p.From.UTC().Format(time.RFC3339), "to": p.To.UTC().Format(time.RFC3339)})
	})
}
