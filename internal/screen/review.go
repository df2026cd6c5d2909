package screen

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/fail"
	"github.com/polder-exchange/polder/internal/screen/lists"
)

// State is how far people are with a review.
type State string

// The states. Open and second wait for a person; the others do not.
const (
	StateOpen   State = "open"   // to be decided, or to be known more about
	StateSecond State = "second" // decided by one person; another one must agree
	StateTrue   State = "true"   // a true hit: the party is the one on the list
	StateFalse  State = "false"  // a false hit: the party is another one
	StateClosed State = "closed" // nobody needs to decide: the listing, or the party, is no longer there
)

// States lists them in the order in which people meet them.
var States = []State{StateOpen, StateSecond, StateTrue, StateFalse, StateClosed}

// Waits tells whether a person must do something.
func (s State) Waits() bool { return s == StateOpen || s == StateSecond }

// decided tells whether people have said what it is.
func (s State) decided() bool { return s == StateTrue || s == StateFalse }

// Verdict is what a person says of a review, or what the node wrote into its history by itself.
type Verdict string

// What a person says. A second person says the same, and so agrees, or the other, and so disagrees.
const (
	VerdictTrue  Verdict = "true"  // the same party
	VerdictFalse Verdict = "false" // another party
	VerdictMore  Verdict = "more"  // more must be known first; the reason is the question
)

// What the node writes into the history by itself.
const (
	StepOpened   Verdict = "opened"   // an answer met the listing
	StepReopened Verdict = "reopened" // what was decided no longer counts, since the party or the listing changed
	StepChanged  Verdict = "changed"  // the party or the listing changed, and the state stays
	StepUnlisted Verdict = "unlisted" // the listing is no longer on its list
	StepRelisted Verdict = "relisted" // it is again
	StepRemoved  Verdict = "removed"  // the party is no longer known
)

// Review is a question to a person: is this party that listing? There is one for each party, or query about nobody
// known, and listing; it opens again when what was decided no longer counts.
type Review struct {
	ID    string
	Org   polder.OrgID
	Party string // the known party's id; "" for a query about nobody known
	Group string // the party's group; "" without a party
	Batch string // the batch that first met it; "" for none
	Query Query  // as asked last

	List    string // the list's name
	Listing string // the listing's id, the list's own
	Name    string // the listing's name that met best
	Score   float64
	Why     string

	State    State
	Question string  // what must be known first; "" when nothing is asked
	Verdict  Verdict // what was said last; with [StateSecond] what another person must agree with
	By       string  // who said so; "" when nobody has
	Reason   string
	Decided  time.Time // when

	Note    string    // what changed since, or why nobody needs to decide
	Told    Remark    // the same in parts
	Gone    time.Time // since when the listing is no longer on its list; zero while it is
	Made    time.Time
	Changed time.Time
	Version int // rises with every change; a decision names the one it saw

	person  polder.PersonID // who said so
	listed  string          // fingerprint of the listing
	asked   string          // fingerprint of the query
	current int             // number of the snapshot
	checked string          // hash of the list's version that it was last held against
	n       int64
}

// Snapshot is a listing and a comparison as they were seen.
type Snapshot struct {
	N         int // 1, 2, … within the review
	At        time.Time
	Query     Query
	Hit       Hit // with its parts
	Listing   lists.Entry
	List      lists.Meta // name, date, version and hash
	Threshold float64
}

// Decision is one line of the history of a review. Lines are only ever added.
type Decision struct {
	Review   string
	At       time.Time
	By       string // "" when the node wrote it by itself
	Person   polder.PersonID
	Token    polder.TokenID
	Verdict  Verdict
	State    State  // of the review after it
	Reason   string // or the question, or what changed
	Score    float64
	List     string
	ListDate string
	SHA256   string // of the list's version
	Snapshot int    // number of what was seen
	Told     Remark // what the node says in Reason, in parts
}

// Dossier is a review with everything that belongs to it: what was seen, and the whole history, the oldest first.
type Dossier struct {
	Review
	Snapshots []Snapshot // the newest last
	History   []Decision
	Known     *Party // the party, while it is known

	// MayDecide is what the reader may say now; empty when he may say nothing, and Why tells the reason.
	MayDecide []Verdict
	WhyNot    string
	whyNot    error
}

// Now is the newest snapshot.
func (d Dossier) Now() Snapshot {
	if len(d.Snapshots) == 0 {
		return Snapshot{}
	}
	return d.Snapshots[len(d.Snapshots)-1]
}

// Judgement is a decision to be made.
type Judgement struct {
	Verdict Verdict
	Reason  string // at least ten characters; with [VerdictMore] the question
	Seen    int    // the version of the review that the person saw
}

// check puts a judgement into its kept form, or says what must be mended.
func (j *Judgement) check() error {
	j.Reason = strings.TrimSpace(j.Reason)
	switch {
	case j.Verdict != VerdictTrue && j.Verdict != VerdictFalse && j.Verdict != VerdictMore:
		return polder.Errorf(polder.Invalid, "verdict: %.40q cannot be given; use true, false or more", j.Verdict)
	case !utf8.ValidString(j.Reason):
		return polder.Errorf(polder.Invalid, "reason: is not UTF-8")
	case utf8.RuneCountInString(j.Reason) < minReason && j.Verdict == VerdictMore:
		return refuse("short", Remark{}, polder.Invalid, "reason: write in at least %d characters what must be known first, and of whom", minReason)
	case utf8.RuneCountInString(j.Reason) < minReason:
		return refuse("short", Remark{}, polder.Invalid, "reason: write in at least %d characters what shows that it is the same party, or another one; an auditor will ask", minReason)
	case len(j.Reason) > maxReason:
		return polder.Errorf(polder.TooLarge, "reason: is longer than %d bytes", maxReason)
	}
	return nil
}

// needsSecond tells whether a verdict about a hit of this score counts only when a second person agrees.
func (s Settings) needsSecond(v Verdict, score float64) bool {
	switch v {
	case VerdictTrue:
		return s.SecondForTrue
	case VerdictFalse:
		return s.SecondFrom > 0 && score >= s.SecondFrom
	}
	return false
}

// judge is the review after a judgement, or why it cannot be made. It is the one rule of four eyes:
//
//   - what needs a second person waits for one; the second is another person, and never a token;
//   - a second person who says the same agrees, one who says the other puts the review back to open;
//   - whoever decided first may take it back by asking a question, and nothing else;
//   - asking a question always opens, and never decides.
func (r Review) judge(by polder.Actor, j Judgement, set Settings, now time.Time) (Review, error) {
	switch {
	case j.Seen != r.Version:
		return r, refuse("moved", Remark{}, polder.Conflict, "the review has changed since you opened it: you saw version %d, it is at %d; read it again, then decide", j.Seen, r.Version)
	case r.State == StateClosed:
		return r, refuse("closed", r.Told, polder.Conflict, "the review is closed: %s; there is nothing to decide", r.Note)
	case r.State.decided() && Verdict(r.State) == j.Verdict:
		return r, refuse("decided", Remark{}, polder.Conflict, "this is what was decided already; to change it, say the other, or ask a question")
	}
	second := r.State == StateSecond
	if j.Verdict != VerdictMore && (second || set.needsSecond(j.Verdict, r.Score)) {
		if by.Person == "" || by.Token != "" {
			return r, refuse("token", Remark{}, polder.Forbidden, "this decision needs two people, and a token is none; decide it as a person, on the page of the review")
		}
		if second && by.Person == r.person && !fail.Bug("second-same-person") {
			return r, refuse("first", Remark{}, polder.Forbidden, "you decided this; another person of your organisation must agree or disagree. You can take it back by asking a question")
		}
	}
	before := r
	r.Verdict, r.By, r.person, r.Reason, r.Decided, r.Question = j.Verdict, whoActs(by), by.Person, j.Reason, now, ""
	r.Version, r.Changed = r.Version+1, now
	switch {
	case j.Verdict == VerdictMore:
		r.State, r.Question = StateOpen, j.Reason
	case second && j.Verdict == before.Verdict, !second && !set.needsSecond(j.Verdict, r.Score):
		r = r.remark(Remark{})
		r.State = State(j.Verdict)
	case second:
		r = r.remark(Remark{Kind: RemarkDisagree})
		r.State = StateOpen
	default:
		r = r.remark(Remark{})
		r.State = StateSecond
	}
	return r, nil
}

// mayJudge are the verdicts that a person could give now, or why there are none.
func (r Review) mayJudge(by polder.Actor, set Settings) (out []Verdict, why error) {
	if err := mayScreen(by, polder.RoleContributor); err != nil {
		return nil, &refusal{err, "role", Remark{}}
	}
	for _, v := range []Verdict{VerdictTrue, VerdictFalse, VerdictMore} {
		if _, err := r.judge(by, Judgement{v, "", r.Version}, set, time.Time{}); err == nil {
			out = append(out, v)
		} else if why == nil || polder.KindOf(err) == polder.Forbidden {
			why = err
		}
	}
	if len(out) == 3 {
		why = nil
	}
	return out, why
}

// meet is the review after its listing was met again, and what the history says of it; "" when nothing changed.
// A false hit is remembered until the party or the listing changes; then the review opens again. A true hit stays one.
func (r Review) meet(s Snapshot, listed, asked string, before Snapshot, now time.Time) (Review, Verdict) {
	changes := changesBetween(before, s)
	step, changed := Verdict(""), listed != r.listed || asked != r.asked
	rescored := r.Score != s.Hit.Score
	r.Query, r.Name, r.Score, r.Why = s.Query, s.Hit.Name, s.Hit.Score, s.Hit.Why
	relisted := !r.Gone.IsZero()
	switch {
	case r.State == StateClosed:
		again := RemarkMet
		if relisted {
			again = RemarkRelisted
		}
		r = r.remark(Remark{Kind: again})
		r.State, step = StateOpen, StepRelisted
		r.Verdict, r.Question = "", ""
	case changed && (r.State == StateFalse && !fail.Bug("false-hit-forever") || r.State == StateSecond):
		r = r.remark(changes)
		r.State, step = StateOpen, StepReopened
	case changed:
		r, step = r.remark(changes), StepChanged
	case relisted:
		r, step = r.remark(Remark{Kind: RemarkRelisted}), StepRelisted
	}
	r.Gone, r.listed, r.asked, r.checked = time.Time{}, listed, asked, s.List.SHA256
	if step != "" || rescored {
		r.Version, r.Changed = r.Version+1, now
	}
	return r, step
}

// unlist is the review after its listing went from its list.
func (r Review) unlist(list lists.Meta, now time.Time) Review {
	r = r.remark(Remark{Kind: RemarkUnlisted, List: list.Name, Date: list.Date})
	r.Gone, r.checked, r.Changed, r.Version = now, list.SHA256, now, r.Version+1
	if r.State.Waits() {
		r.State, r.Question = StateClosed, ""
	}
	return r
}

// changesBetween says what differs between two snapshots of one review.
func changesBetween(a, b Snapshot) Remark {
	return Remark{Kind: RemarkChanged, Party: changedQuery(a.Query, b.Query), Listing: changedListing(a.Listing, b.Listing), Since: cmp.Or(a.List.Date, a.At.Format(time.DateOnly))}
}

// changedQuery names what differs between two forms of a party.
func changedQuery(a, b Query) (out []string) {
	for _, f := range []struct {
		name string
		same bool
	}{
		{"name", a.Name == b.Name}, {"type", a.Type == b.Type}, {"country", a.Country == b.Country}, {"birth date", a.Birth == b.Birth}, {"identifiers", slices.Equal(a.Identifiers, b.Identifiers)},
	} {
		if !f.same {
			out = append(out, f.name)
		}
	}
	return out
}

// changedListing names what differs between two forms of a listing.
func changedListing(a, b lists.Entry) []string {
	b.ID = a.ID
	d := lists.Compare(&lists.List{Parties: []lists.Entry{a}}, &lists.List{Parties: []lists.Entry{b}})
	if len(d.Changed) == 0 {
		return nil
	}
	return d.Changed[0].What
}

// orNil makes an empty list and none equal.
func orNil[T any](all []T) []T {
	if len(all) == 0 {
		return nil
	}
	return all
}

// QueueFilter says which reviews are listed.
type QueueFilter struct {
	State  string // "" what waits for a person; "all"; or one of [States]
	List   string // only hits on this list
	Group  string // only parties of this group
	Party  string // only of this party
	Batch  string // only those that this batch first met
	Text   string // only those whose party, reference or listing holds it
	Asked  bool   // only those where something must be known first
	Second bool   // only those that wait for another person than the reader
	Sort   string // one of [QueueSorts]; "" is "-score"
	Next   string // where the page begins, as the page before said
	Limit  int    // 0 means 50; at most 200
}

// QueueSorts are the orders of the queue: the best score first, the newest first, the oldest first.
var QueueSorts = []string{"-score", "-made", "made"}

// check refuses what no queue has.
func (f *QueueFilter) check() error {
	if f.State != "" && f.State != "all" && !slices.Contains(States, State(f.State)) {
		return polder.Errorf(polder.Invalid, "state: %.40q is unknown; use open, second, true, false, closed or all", f.State)
	}
	f.Sort = cmp.Or(f.Sort, QueueSorts[0])
	if !slices.Contains(QueueSorts, f.Sort) {
		return polder.Errorf(polder.Invalid, "sort: %.40q is unknown; use one of %s", f.Sort, strings.Join(QueueSorts, ", "))
	}
	if len(f.Text) > maxShort || len(f.List) > maxShort || len(f.Group) > maxShort {
		return polder.Errorf(polder.TooLarge, "text, list, group: at most %d bytes each", maxShort)
	}
	if f.Limit <= 0 {
		f.Limit = 50
	}
	f.Limit = min(f.Limit, 200)
	return nil
}

// QueuePage is a part of the queue. Next is where the following part begins, "" at the end.
type QueuePage struct {
	Reviews []Review
	Next    string
}

// QueueCounts are how many reviews there are.
type QueueCounts struct {
	States map[State]int
	Lists  map[string]int // of what waits for a person
	Groups map[string]int // of what waits for a person; "" are queries about nobody known
	Asked  int            // of what waits, where something must be known first
}
