package screen

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/screen/lists"
)

// Queue lists reviews of the actor's organisation.
func (s *Service) Queue(ctx context.Context, by polder.Actor, f QueueFilter) (QueuePage, error) {
	if err := mayScreen(by, polder.RoleReader); err != nil {
		return QueuePage{}, err
	}
	if err := f.check(); err != nil {
		return QueuePage{}, err
	}
	return listQueue(s.reader(ctx), by, f)
}

// Counts are how many reviews of the actor's organisation there are, by what they can be chosen by.
func (s *Service) Counts(ctx context.Context, by polder.Actor) (QueueCounts, error) {
	if err := mayScreen(by, polder.RoleReader); err != nil {
		return QueueCounts{}, err
	}
	return countQueue(s.reader(ctx), by.Org)
}

// Waiting is how many reviews wait for a person; it is quick enough for every page.
func (s *Service) Waiting(ctx context.Context, by polder.Actor) (int, error) {
	if err := mayScreen(by, polder.RoleReader); err != nil {
		return 0, err
	}
	return countWaiting(s.reader(ctx), by.Org)
}

// Review is one review with everything that belongs to it.
func (s *Service) Review(ctx context.Context, by polder.Actor, id string) (d Dossier, err error) {
	if err := mayScreen(by, polder.RoleReader); err != nil {
		return d, err
	}
	a := s.reader(ctx)
	if d.Review, err = readReview(a, by.Org, id); err != nil {
		return Dossier{}, err
	}
	if d.Snapshots, err = snapshotsOf(a, d.n); err != nil {
		return Dossier{}, err
	}
	if d.History, err = historyOf(a, d.n); err != nil {
		return Dossier{}, err
	}
	if d.Party != "" {
		p, err := s.Party(ctx, by, d.Party)
		if err != nil && !errors.Is(err, polder.ErrNotFound) {
			return Dossier{}, err
		}
		if err == nil && p.Removed.IsZero() {
			d.Known = &p
		}
	}
	set, err := settingsOf(a, by.Org)
	if d.MayDecide, d.whyNot = d.mayJudge(by, set); d.whyNot != nil {
		d.WhyNot = d.whyNot.Error()
	}
	return d, err
}

// Decide says what a review is: the same party, another one, or that more must be known first. It asks for a
// contributor, and where the settings say so for a second person. The reason stays on record; j.Seen is the version of
// the review that was seen, and when the review has changed since, the answer is [polder.Conflict].
func (s *Service) Decide(ctx context.Context, by polder.Actor, id string, j Judgement) (after Review, err error) {
	if err := mayScreen(by, polder.RoleContributor); err != nil {
		return Review{}, err
	}
	if err := j.check(); err != nil {
		return Review{}, err
	}
	err = s.write(ctx, func(tx *db.Tx) error {
		r, err := readReview(tx, by.Org, id)
		if err != nil {
			return err
		}
		set, err := settingsOf(tx, by.Org)
		if err != nil {
			return err
		}
		now := s.o.Now().UTC().Truncate(time.Microsecond)
		if after, err = r.judge(by, j, set, now); err != nil {
			return err
		}
		seen, err := readSnapshot(tx, r.n, r.current)
		if err != nil {
			return err
		}
		if err := updateReview(tx, after); err != nil {
			return err
		}
		d := Decision{At: now, By: whoActs(by), Person: by.Person, Token: by.Token, Verdict: j.Verdict, Reason: j.Reason, ListDate: seen.List.Date, SHA256: seen.List.SHA256}
		if err := insertDecision(tx, after, d); err != nil {
			return err
		}
		tx.OnCommit(s.wake)
		return s.noteTx(tx, by, "review.decide", r.ID, map[string]string{"verdict": string(j.Verdict), "state": string(after.State), "version": strconv.Itoa(after.Version)})
	})
	if err != nil {
		return Review{}, err
	}
	return after, nil
}

// meeting is an answer in the form in which it goes on record: made before the transaction that keeps it.
type meeting struct {
	org       polder.OrgID
	subject   string
	party     string
	group     string
	batch     string
	query     Query
	asked     string // fingerprint of the query
	threshold float64
	hits      []metHit
	more      int // hits beyond those kept
}

// metHit is a hit with its listing and list as they are kept.
type metHit struct {
	snapshot Snapshot
	listed   string // fingerprint of the listing
}

// subjectOf is what a review is about: a known party, or a query about nobody known.
func subjectOf(party, fingerprint string) string {
	if party != "" {
		return "party " + party
	}
	return "query " + fingerprint
}

// meetingOf makes an answer ready to be kept.
func meetingOf(org polder.OrgID, party Party, a Answer) meeting {
	q := keptQuery(a.Query)
	m := meeting{org: org, party: party.ID, group: party.Group, query: q, asked: QueryFingerprint(q), threshold: a.Threshold}
	m.subject = subjectOf(m.party, m.asked)
	seen := map[[2]string]bool{}
	for _, h := range a.Hits {
		key := [2]string{h.List, h.ID}
		if seen[key] {
			continue // two names of one listing are one hit, the better first
		}
		seen[key] = true
		if len(m.hits) == maxKeptHits {
			m.more++
			continue
		}
		m.hits = append(m.hits, metOf(q, h, a))
	}
	return m
}

func metOf(q Query, h Hit, a Answer) metHit {
	e := lists.Entry{ID: h.ID, Name: h.Name}
	if h.Listing != nil {
		e = *h.Listing
	}
	out := metHit{listed: lists.Fingerprint(&e)}
	list := lists.Meta{Name: h.List}
	if i := slices.IndexFunc(a.Lists, func(l lists.Meta) bool { return l.Name == h.List }); i >= 0 {
		list = keptMeta(a.Lists[i])
	}
	h.Listing = nil
	h.ID, h.Name, h.Why = clipKept(h.ID, maxKeptString), clipKept(h.Name, maxKeptString), clipKept(h.Why, maxKeptString)
	h.Parts = slices.Clone(h.Parts[:min(len(h.Parts), maxParts)])
	for i, p := range h.Parts {
		h.Parts[i].Query, h.Parts[i].Listed, h.Parts[i].How = clipKept(p.Query, maxKeptString), clipKept(p.Listed, maxKeptString), clipKept(p.How, maxKeptString)
	}
	out.snapshot = Snapshot{At: a.Asked, Query: q, Hit: h, Listing: keptListing(e), List: list, Threshold: a.Threshold}
	return out
}

// mostOfListing is how many names, addresses, … of a listing a snapshot keeps.
const mostOfListing = 100

// keptListing is a listing within bounds.
func keptListing(e lists.Entry) lists.Entry {
	e.Name, e.Note, e.Means, e.URL = clipKept(e.Name, maxKeptString), clipKept(e.Note, maxKeptString), clipKept(e.Means, maxKeptString), clipKept(e.URL, maxKeptString)
	e.Aliases = slices.Clone(e.Aliases[:min(len(e.Aliases), mostOfListing)])
	for i := range e.Aliases {
		e.Aliases[i].Name = clipKept(e.Aliases[i].Name, maxKeptString)
	}
	e.Identifiers = e.Identifiers[:min(len(e.Identifiers), mostOfListing)]
	e.Countries, e.Births, e.Addresses, e.Programmes = clipList(e.Countries), clipList(e.Births), clipList(e.Addresses), clipList(e.Programmes)
	return e
}

func clipList(all []string) (out []string) {
	for _, s := range all[:min(len(all), mostOfListing)] {
		out = append(out, clipKept(s, maxKeptString))
	}
	return out
}

// met is what became of the hits of a meeting.
type met struct {
	hits             []BriefHit
	opened, reopened int
}

// meetTx takes a meeting into the queue: hits that were not met before open reviews, and what was decided about the
// others is remembered while neither the party nor the listing changed. Doing it twice changes nothing.
func (s *Service) meetTx(tx *db.Tx, m meeting, now time.Time) (out met, err error) {
	for _, h := range m.hits {
		r, step, err := s.meetOne(tx, m, h, now)
		if err != nil {
			return out, err
		}
		switch step {
		case StepOpened:
			out.opened++
		case StepReopened, StepRelisted:
			if r.State == StateOpen {
				out.reopened++
			}
		}
		if step != "" {
			tx.OnCommit(s.wake)
		}
		b := BriefHit{List: r.List, ID: r.Listing, Name: r.Name, Score: r.Score, Review: r.ID}
		if r.State.decided() {
			b.Known = string(r.State)
		}
		out.hits = append(out.hits, b)
	}
	return out, nil
}

// meetOne takes one hit into the queue; step is "" when nothing changed.
func (s *Service) meetOne(tx *db.Tx, m meeting, h metHit, now time.Time) (Review, Verdict, error) {
	snap := h.snapshot
	r, found, err := reviewOf(tx, m.org, m.subject, snap.Hit.List, snap.Hit.ID)
	if err != nil {
		return r, "", err
	}
	if !found {
		r, err := s.openReview(tx, m, h, now)
		return r, StepOpened, err
	}
	before, err := readSnapshot(tx, r.n, r.current)
	if err != nil {
		return r, "", err
	}
	after, step := r.meet(snap, h.listed, m.asked, before, now)
	after.Group = m.group
	if step == "" && after.Score == r.Score && after.checked == r.checked && after.Group == r.Group && after.Name == r.Name && after.Query.Ref == r.Query.Ref {
		return r, "", nil
	}
	if after.listed != r.listed || after.asked != r.asked {
		after.current++
		snap.N = after.current
		if err := insertSnapshot(tx, r.n, snap); err != nil {
			return r, "", err
		}
	}
	if err := updateReview(tx, after); err != nil || step == "" {
		return after, step, err
	}
	return after, step, insertDecision(tx, after, Decision{At: now, Verdict: step, Reason: after.Note, Told: after.Told, ListDate: snap.List.Date, SHA256: snap.List.SHA256})
}

func (s *Service) openReview(tx *db.Tx, m meeting, h metHit, now time.Time) (Review, error) {
	snap := h.snapshot
	snap.N = 1
	r := Review{ID: newScreenID(), Org: m.org, Party: m.party, Group: m.group, Batch: m.batch, Query: m.query, List: snap.Hit.List, Listing: snap.Hit.ID, Name: snap.Hit.Name, Score: snap.Hit.Score, Why: snap.Hit.Why,
		State: StateOpen, Made: now, Changed: now, Version: 1, listed: h.listed, asked: m.asked, current: 1, checked: snap.List.SHA256}
	if err := insertReview(tx, &r, m.subject); err != nil {
		return r, err
	}
	if err := insertSnapshot(tx, r.n, snap); err != nil {
		return r, err
	}
	return r, insertDecision(tx, r, Decision{At: now, Verdict: StepOpened, ListDate: snap.List.Date, SHA256: snap.List.SHA256})
}
