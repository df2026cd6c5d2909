package screen

import (
	"context"
	"errors"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/screen/lists"
)

// This file asks known parties again. The rules are:
//
//   - Each party carries what it was last asked against: lists in their versions, the threshold, the generation. What
//     differs from the present is work, so it goes on where it stopped, whatever ended it, and nothing is asked twice
//     but what was not yet written.
//   - A party that is new, or whose fields changed, is asked against everything; so are all when the threshold was
//     lowered or a steward wants it. Otherwise only what was added or changed on the lists is asked against.
//   - When all parties are at the present, reviews are held against the lists as they are now: what is no longer listed
//     closes, what changed is asked about again.
//   - What is found is written in short transactions, each with the parties that it settles.

// Bounds of one step, and of one transaction.
const (
	partiesAtOnce = 100
	workEvery     = 5 * time.Minute // looks for work although nobody told of any
	workAgain     = time.Minute     // after a fault
)

// Run does the service's waiting work until ctx ends: it asks about new and changed parties, asks all again when lists
// change, works at batches, and takes away what was kept long enough. One process of a node calls it, once.
func (s *Service) Run(ctx context.Context) {
	var pruned time.Time
	for ctx.Err() == nil {
		changed, wait := s.o.Lists.Changed(), workEvery
		if err := s.Work(ctx); err != nil && ctx.Err() == nil {
			s.o.Log.Error("waiting work of screening stopped, and is tried again", "error", err)
			wait = workAgain
		}
		if now := s.o.Now(); now.Sub(pruned) >= pruneEvery || now.Before(pruned) {
			if gone, err := s.Prune(ctx); err != nil && ctx.Err() == nil {
				s.o.Log.Error("records of screening that were kept long enough cannot be taken away", "error", err)
			} else if gone > 0 {
				s.o.Log.Info("records of screening that were kept long enough were taken away", "records", gone)
			}
			pruned = now
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-s.work:
		case <-changed:
		case <-t.C:
		}
		t.Stop()
	}
}

// Work does all work that waits now, and returns when there is none left. What fails for one organisation does not keep
// the others waiting; it is in the error.
func (s *Service) Work(ctx context.Context) error {
	if err := s.cutBatches(ctx); err != nil {
		return err
	}
	works := map[polder.OrgID]*orgWork{}
	var faults []error
	for busy := true; busy; {
		busy = false
		orgs, err := keepingOrgs(s.reader(ctx))
		if err != nil {
			return err
		}
		for _, org := range orgs {
			w := works[org]
			if w == nil {
				w = &orgWork{s: s, org: org}
				works[org] = w
			}
			if w.failed {
				continue
			}
			did, err := w.safely(ctx)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				w.failed = true
				faults = append(faults, err)
			}
			busy = busy || did
		}
	}
	return errors.Join(faults...)
}

// safely is a step in which a fault of ours is an error of this organisation, and ends nothing else.
func (w *orgWork) safely(ctx context.Context) (did bool, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = polder.Errorf(polder.Internal, "the waiting work of %s fell: %v", w.org, fault)
		}
	}()
	return w.step(ctx)
}

// orgWork is the waiting work of one organisation, with what would be slow to find again for each step.
type orgWork struct {
	s      *Service
	org    polder.OrgID
	failed bool

	screener *Screener // the lists as they are now
	now      against   // what asking now is asked with
	from     int64     // what the difference starts from
	differs  *Screener // what was added or changed since then; nil for nothing
	full     bool      // that is everything
	entries  int       // how many listings that are
	listings map[string]listingsOf
}

// listingsOf are the listings of one version of a list.
type listingsOf struct {
	version string
	list    *lists.List
	byID    map[string]*lists.Entry
}

// step does a bounded part of the work, and tells whether there may be more.
func (w *orgWork) step(ctx context.Context) (bool, error) {
	if err := w.present(ctx); err != nil {
		return false, err
	}
	if len(w.now.lists) == 0 {
		return false, nil // nothing can be asked
	}
	settled, err := w.settle(ctx)
	if err != nil {
		return false, err
	}
	if asked, err := w.batch(ctx); settled || asked || err != nil {
		return settled || asked, err
	}
	if did, err := w.forsake(ctx); did || err != nil {
		return did, err
	}
	if did, err := w.check(ctx); did || err != nil {
		return did, err
	}
	return false, w.end(ctx)
}

// present asks which lists count now.
func (w *orgWork) present(ctx context.Context) error {
	sc, err := w.s.o.Lists.Screener(ctx, w.org)
	if err != nil {
		return err
	}
	set, err := settingsOf(w.s.reader(ctx), w.org)
	if err != nil {
		return err
	}
	g := againstOf(sc.Lists(), set.Threshold, set.generation)
	if w.screener != nil && g.key() == w.now.key() {
		w.screener = sc
		return nil
	}
	w.screener, w.now, w.from, w.differs, w.listings = sc, g, -1, nil, map[string]listingsOf{}
	if len(g.lists) == 0 {
		return nil
	}
	if w.now.n, err = findAgainst(w.s.reader(ctx), w.org, g); err != nil || w.now.n != 0 {
		return err
	}
	return w.s.write(ctx, func(tx *db.Tx) (err error) {
		w.now.n, err = againstTx(tx, w.org, g)
		return err
	})
}

// settle asks some parties that are not at the present.
func (w *orgWork) settle(ctx context.Context) (bool, error) {
	from, found, err := otherAgainst(w.s.reader(ctx), w.org, w.now.n)
	if err != nil || !found {
		return false, err
	}
	if err := w.difference(ctx, from); err != nil {
		return false, err
	}
	parties, err := partiesAgainst(w.s.reader(ctx), w.org, from, partiesAtOnce)
	if err != nil {
		return false, err
	}
	var ready []settled
	hits := 0
	for i, p := range parties {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		one := w.ask(p)
		if len(ready) > 0 && hits+len(one.hits) > hitsAtOnce {
			if err := w.keep(ctx, ready); err != nil {
				return false, err
			}
			ready, hits = ready[:0], 0
		}
		ready, hits = append(ready, one), hits+len(one.hits)
		if i == len(parties)-1 {
			err = w.keep(ctx, ready)
		}
	}
	return true, err
}

// settled is a party that was asked, and what it met.
type settled struct {
	meeting
	party Party
	whole bool // it was asked against everything, and all that it met is here
}

// ask asks about a party.
func (w *orgWork) ask(p Party) settled {
	out := settled{party: p, meeting: meetingOf(w.org, p, Answer{Query: p.Query})}
	if w.differs == nil {
		return out
	}
	a := w.differs.Screen(p.Query, Options{Threshold: w.now.threshold, Limit: maxKeptHits})
	a.Asked = w.s.o.Now().UTC()
	out.meeting = meetingOf(w.org, p, a)
	out.whole = w.full && len(a.Hits) < maxKeptHits
	return out
}

// keep writes what parties met, and that they are at the present.
func (w *orgWork) keep(ctx context.Context, ready []settled) error {
	return w.s.write(ctx, func(tx *db.Tx) error {
		now := w.s.o.Now().UTC().Truncate(time.Microsecond)
		run := Rescreening{Entries: w.entries}
		for _, one := range ready {
			ok, err := settleParty(tx, one.party, w.now.n, now)
			if err != nil {
				return err
			}
			if !ok {
				continue // it changed meanwhile, and is asked about anew
			}
			got, err := w.s.meetTx(tx, one.meeting, now)
			if err != nil {
				return err
			}
			if one.whole {
				if err := w.s.missTx(tx, one, now); err != nil {
					return err
				}
			}
			run.Parties, run.Opened, run.Reopened = run.Parties+1, run.Opened+got.opened, run.Reopened+got.reopened
		}
		tx.OnCommit(w.s.wake)
		return addRun(tx, w.org, w.now.n, run, now)
	})
}

// missTx writes into the reviews of a party that changed, and no longer meets their listings, that it is so. They keep
// their state: a person decides.
func (s *Service) missTx(tx *db.Tx, one settled, now time.Time) error {
	rs, err := unmetReviews(tx, one.party.ID, one.asked, reviewsAtOnce)
	if err != nil {
		return err
	}
	for _, r := range rs {
		before, err := readSnapshot(tx, r.n, r.current)
		if err != nil {
			return err
		}
		after := before
		after.Query, after.At, after.Hit.Score, after.Hit.Parts, after.Threshold = one.query, now, 0, nil, one.threshold
		if err := s.missed(tx, r, before, after, r.listed, one.asked, now); err != nil {
			return err
		}
	}
	return nil
}

// missed writes that a review's party and listing, of which one changed, no longer meet.
func (s *Service) missed(tx *db.Tx, r Review, before, after Snapshot, listed, asked string, now time.Time) error {
	r.Query, r.listed, r.asked, r.checked = after.Query, listed, asked, after.List.SHA256
	changes := changesBetween(before, after)
	changes.Unmet = true
	r = r.remark(changes)
	after.Hit.Why = "the name and the listing no longer meet at the threshold"
	r.current, r.Version, r.Changed = r.current+1, r.Version+1, now
	after.N = r.current
	if err := insertSnapshot(tx, r.n, after); err != nil {
		return err
	}
	if err := updateReview(tx, r); err != nil {
		return err
	}
	return insertDecision(tx, r, Decision{At: now, Verdict: StepChanged, Reason: r.Note, Told: r.Told, ListDate: after.List.Date, SHA256: after.List.SHA256})
}

// difference finds what was added or changed since from.
func (w *orgWork) difference(ctx context.Context, from int64) error {
	if from == w.from {
		return nil
	}
	old, err := readAgainst(w.s.reader(ctx), from)
	if err != nil {
		return err
	}
	w.from, w.differs, w.full, w.entries = from, nil, false, 0
	if old.n == 0 || old.generation != w.now.generation || w.now.threshold < old.threshold {
		w.differs, w.full = w.screener, true
		for _, m := range w.now.lists {
			w.entries += m.Entries
		}
		return nil
	}
	had := map[string]lists.Meta{}
	for _, m := range old.lists {
		had[m.Name] = m
	}
	var parts []*lists.List
	for _, m := range w.now.lists {
		part, err := w.changedOf(ctx, had[m.Name], m)
		if err != nil {
			w.from = -1
			return err
		}
		if part != nil {
			parts = append(parts, part)
			w.entries += len(part.Parties)
		}
	}
	if w.entries > 0 {
		w.differs = NewScreener(parts...)
	}
	return nil
}

// changedOf is what was added to or changed on a list between two versions of it; nil for nothing. The whole list is
// new where there was none, where the former version is not kept any more, or where the same file is read otherwise.
func (w *orgWork) changedOf(ctx context.Context, was, is lists.Meta) (*lists.List, error) {
	if listVersion(was) == listVersion(is) {
		return nil, nil
	}
	now, err := w.s.o.Lists.Version(ctx, w.org, is.Name, is.SHA256)
	if err != nil {
		return nil, err
	}
	if was.Name == "" || was.SHA256 == is.SHA256 {
		return now, nil
	}
	before, err := w.s.o.Lists.Version(ctx, w.org, was.Name, was.SHA256)
	if errors.Is(err, polder.ErrNotFound) {
		return now, nil
	}
	if err != nil {
		return nil, err
	}
	return changedEntries(before, now), nil
}

// changedEntries is the list of what is in now and was not, or otherwise, in before.
func changedEntries(before, now *lists.List) *lists.List {
	d := lists.Compare(before, now)
	out := &lists.List{Meta: now.Meta}
	for _, e := range d.Added {
		out.Parties = append(out.Parties, *e)
	}
	for _, c := range d.Changed {
		out.Parties = append(out.Parties, *c.New)
	}
	return out
}

// forsake closes reviews about parties that were removed, where that was cut off.
func (w *orgWork) forsake(ctx context.Context) (bool, error) {
	ids, err := forsaken(w.s.reader(ctx), w.org, 1)
	if err != nil || len(ids) == 0 {
		return false, err
	}
	err = w.s.write(ctx, func(tx *db.Tx) error {
		_, err := w.s.closeSome(tx, polder.Actor{Org: w.org}, ids[0])
		return err
	})
	return true, err
}

// check holds some reviews against the lists as they are now.
func (w *orgWork) check(ctx context.Context) (bool, error) {
	for _, m := range w.now.lists {
		rs, err := uncheckedReviews(w.s.reader(ctx), w.org, m.Name, m.SHA256, reviewsAtOnce)
		if err != nil {
			return false, err
		}
		if len(rs) > 0 {
			return true, w.checkSome(ctx, m, rs)
		}
	}
	return false, nil
}

// listingsOf are the listings of a list as it is now.
func (w *orgWork) listingsOf(ctx context.Context, m lists.Meta) (listingsOf, error) {
	if l := w.listings[m.Name]; l.version == listVersion(m) {
		return l, nil
	}
	list, err := w.s.o.Lists.Version(ctx, w.org, m.Name, m.SHA256)
	if err != nil {
		return listingsOf{}, err
	}
	l := listingsOf{version: listVersion(m), list: list, byID: make(map[string]*lists.Entry, len(list.Parties))}
	for i := range list.Parties {
		l.byID[clipKept(list.Parties[i].ID, maxKeptString)] = &list.Parties[i]
	}
	w.listings = map[string]listingsOf{m.Name: l} // one at a time is held
	return l, nil
}

// checkSome holds reviews against their list as it is now: those whose listing is gone close, those whose listing
// changed are asked about again.
func (w *orgWork) checkSome(ctx context.Context, m lists.Meta, rs []Review) error {
	l, err := w.listingsOf(ctx, m)
	if err != nil {
		return err
	}
	changed := &lists.List{Meta: l.list.Meta}
	inChanged := map[string]bool{}
	for _, r := range rs {
		if e := l.byID[r.Listing]; again(r, e) && !inChanged[r.Listing] {
			inChanged[r.Listing] = true
			changed.Parties = append(changed.Parties, *e)
		}
	}
	var sc *Screener
	if len(changed.Parties) > 0 {
		sc = NewScreener(changed)
	}
	var all []checked
	for _, r := range rs {
		c := checked{review: r, entry: l.byID[r.Listing]}
		if again(r, c.entry) {
			c.changed = lists.Fingerprint(c.entry) != r.listed
			c.hit, c.answer, c.met = hitOf(sc, r, w.now.threshold, w.s.o.Now().UTC())
		}
		all = append(all, c)
	}
	for len(all) > 0 {
		n := min(len(all), hitsAtOnce)
		if err := w.keepChecked(ctx, m, all[:n]); err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

// again tells whether a review's query must be asked once more: its listing changed or, of a query about nobody known,
// is listed again. Known parties are asked before reviews are looked at.
func again(r Review, e *lists.Entry) bool {
	return e != nil && (lists.Fingerprint(e) != r.listed || !r.Gone.IsZero() && r.Party == "")
}

// checked is a review held against its listing as it is now.
type checked struct {
	review  Review
	entry   *lists.Entry // nil: it is gone
	changed bool
	met     bool // it changed, and is met again
	hit     Hit
	answer  Answer
}

// hitOf asks about a review's query once more, and finds its listing.
func hitOf(sc *Screener, r Review, threshold float64, now time.Time) (Hit, Answer, bool) {
	a := sc.Screen(r.Query, Options{Threshold: threshold, Limit: maxKeptHits})
	a.Asked = now
	for _, h := range a.Hits {
		if h.ID == r.Listing {
			return h, a, true
		}
	}
	return Hit{}, a, false
}

// keepChecked writes what became of reviews.
func (w *orgWork) keepChecked(ctx context.Context, m lists.Meta, all []checked) error {
	return w.s.write(ctx, func(tx *db.Tx) error {
		now := w.s.o.Now().UTC().Truncate(time.Microsecond)
		var run Rescreening
		for _, c := range all {
			r, err := readReview(tx, w.org, c.review.ID)
			if errors.Is(err, polder.ErrNotFound) {
				continue // erased meanwhile
			}
			if err != nil {
				return err
			}
			if r.listed != c.review.listed || r.asked != c.review.asked {
				continue // it was met meanwhile, and is looked at once more
			}
			reopened, unlisted, err := w.keepOne(tx, m, r, c, now)
			if err != nil {
				return err
			}
			run.Reopened, run.Unlisted = run.Reopened+reopened, run.Unlisted+unlisted
		}
		if run.Reopened+run.Unlisted == 0 {
			return nil
		}
		tx.OnCommit(w.s.wake)
		return addRun(tx, w.org, w.now.n, run, now)
	})
}

// keepOne writes what became of one review.
func (w *orgWork) keepOne(tx *db.Tx, m lists.Meta, r Review, c checked, now time.Time) (reopened, unlisted int, err error) {
	before, err := readSnapshot(tx, r.n, r.current)
	if err != nil {
		return 0, 0, err
	}
	if known, err := knows(tx, r); err != nil || !known {
		r.checked = m.SHA256
		return 0, 0, errors.Join(err, updateReview(tx, r))
	}
	switch {
	case c.entry == nil && r.Gone.IsZero():
		r = r.unlist(keptMeta(m), now)
		if err := updateReview(tx, r); err != nil {
			return 0, 0, err
		}
		return 0, 1, insertDecision(tx, r, Decision{At: now, Verdict: StepUnlisted, Reason: r.Note, Told: r.Told, ListDate: m.Date, SHA256: m.SHA256})
	case c.met:
		one := meeting{org: w.org, party: r.Party, group: r.Group, query: r.Query, asked: r.asked, threshold: c.answer.Threshold}
		one.subject = subjectOf(one.party, one.asked)
		after, step, err := w.s.meetOne(tx, one, metOf(r.Query, c.hit, c.answer), now)
		if step == StepReopened || step == StepRelisted && after.State == StateOpen {
			reopened = 1
		}
		return reopened, 0, err
	case c.changed && r.State != StateClosed:
		after := before
		after.Listing, after.List, after.At, after.Hit.Score, after.Hit.Parts, after.Threshold = keptListing(*c.entry), keptMeta(m), now, 0, nil, w.now.threshold
		return 0, 0, w.s.missed(tx, r, before, after, lists.Fingerprint(c.entry), r.asked, now)
	}
	if c.entry != nil && !r.Gone.IsZero() && r.State != StateClosed { // decided, and listed again as it was
		after, step := r.meet(Snapshot{Query: r.Query, Hit: Hit{Name: r.Name, Score: r.Score, Why: r.Why}, Listing: before.Listing, List: keptMeta(m)}, r.listed, r.asked, before, now)
		if err := updateReview(tx, after); err != nil {
			return 0, 0, err
		}
		return 0, 0, insertDecision(tx, after, Decision{At: now, Verdict: step, Reason: after.Note, Told: after.Told, ListDate: m.Date, SHA256: m.SHA256})
	}
	r.checked = m.SHA256
	return 0, 0, updateReview(tx, r)
}

// knows tells whether a review is about somebody who is asked about: a known party, or a query about nobody known.
func knows(tx *db.Tx, r Review) (bool, error) {
	if r.Party == "" {
		return true, nil
	}
	p, err := readParty(tx, r.Org, r.Party)
	if errors.Is(err, polder.ErrNotFound) {
		return false, nil
	}
	return err == nil && p.Removed.IsZero(), err
}

// end says that there is nothing more to ask.
func (w *orgWork) end(ctx context.Context) error {
	if busy, err := runs(w.s.reader(ctx), w.org); err != nil || !busy {
		return err
	}
	return w.s.write(ctx, func(tx *db.Tx) error {
		tx.OnCommit(w.s.wake)
		return endRuns(tx, w.org, w.s.o.Now())
	})
}

// Progress is how far the known parties of the actor's organisation are asked against its lists as they are now.
func (s *Service) Progress(ctx context.Context, by polder.Actor) (p Progress, err error) {
	if err := mayScreen(by, polder.RoleReader); err != nil {
		return p, err
	}
	sc, err := s.o.Lists.Screener(ctx, by.Org)
	if err != nil {
		return p, err
	}
	a := s.reader(ctx)
	set, err := settingsOf(a, by.Org)
	if err != nil {
		return p, err
	}
	p.Lists = sc.Lists()
	n, err := findAgainst(a, by.Org, againstOf(p.Lists, set.Threshold, set.generation))
	if err != nil {
		return p, err
	}
	counts, err := countAgainst(a, by.Org)
	if err != nil {
		return p, err
	}
	for g, c := range counts {
		p.Parties += c
		switch g {
		case 0:
			p.New = c
		case n:
			p.Settled = c
		}
	}
	last, err := listRuns(a, by.Org, 1)
	if len(last) == 1 {
		p.Last = last[0]
	}
	return p, err
}

// Rescreenings are the times that known parties were asked again, the newest first; at most limit.
func (s *Service) Rescreenings(ctx context.Context, by polder.Actor, limit int) ([]Rescreening, error) {
	if err := mayScreen(by, polder.RoleReader); err != nil {
		return nil, err
	}
	return listRuns(s.reader(ctx), by.Org, min(max(limit, 1), 200))
}
