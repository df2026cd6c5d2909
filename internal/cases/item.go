package cases

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/stix"
)

// ItemKind is what an item of a case is.
type ItemKind string

const (
	ItemEntry      ItemKind = "entry"      // of the timeline
	ItemObservable ItemKind = "observable" // a value that was seen
	ItemEvidence   ItemKind = "evidence"   // a file, or a thing that is held somewhere
	ItemTask       ItemKind = "task"
	ItemNote       ItemKind = "note"
	ItemDecision   ItemKind = "decision"
	ItemLink       ItemKind = "link" // to another case
)

// Item is one thing in a case. Each has its own level, so whoever may not see it does not learn that it is there.
type Item struct {
	ID      string          `json:"id"`
	Case    CaseID          `json:"case"`
	Kind    ItemKind        `json:"kind"`
	Level   stix.Marking    `json:"tlp"`
	Title   string          `json:"title"`
	Text    string          `json:"text"`        // Markdown
	At      time.Time       `json:"at,omitzero"` // when it happened, is due, was decided
	Version int             `json:"version"`
	Made    time.Time       `json:"made"`
	MadeBy  polder.PersonID `json:"made_by"`
	Changed time.Time       `json:"changed"`
	By      polder.PersonID `json:"changed_by"`
	Org     polder.OrgID    `json:"org"` // whose people made it
	Weighs  bool            `json:"weighs,omitempty"`
	Struck  time.Time       `json:"struck,omitzero"`  // struck out: kept and shown as such, counts no more
	Erased  bool            `json:"erased,omitempty"` // the lead took the content away, with a reason that is kept

	Confirmed bool `json:"-"` // of what is asked: the warning about stricter marked values was read; never kept

	Observable *Observable `json:"observable,omitempty"`
	Evidence   *Evidence   `json:"evidence,omitempty"`
	Task       *Task       `json:"task,omitempty"`
	Decision   *Decision   `json:"decision,omitempty"`
	Link       *Link       `json:"link,omitempty"`
}

// Observable is a value that was seen.
type Observable struct {
	Type  indicator.Kind `json:"type"`
	Value string         `json:"value"`
	First time.Time      `json:"first,omitzero"`
	Last  time.Time      `json:"last,omitzero"`
	Bad   bool           `json:"bad"` // known to be the adversary's
}

// Evidence is a file in the store, or a thing that lies somewhere. Files are handed out as downloads, never shown.
type Evidence struct {
	Name    string    `json:"name"`
	Size    int64     `json:"size"`
	SHA256  string    `json:"sha256"`
	Where   string    `json:"where"`          // of a thing: the safe, the room
	Type    string    `json:"type,omitempty"` // media type as the sender named it; nothing is shown by it
	Custody []Custody `json:"custody"`
}

// Custody is one step in the keeping of evidence; steps are only ever added.
type Custody struct {
	At     time.Time       `json:"at,omitzero"`
	Person polder.PersonID `json:"person"`
	Did    string          `json:"did"` // collected, handed over, opened, copied, returned, destroyed
	To     string          `json:"to"`
	Reason string          `json:"reason"`
}

// Task is something to be done.
type Task struct {
	Owner polder.PersonID `json:"owner"`
	Done  time.Time       `json:"done,omitzero"`  // zero: to be done
	Step  string          `json:"step,omitempty"` // of the playbook that it comes from
}

// Decision is what somebody decided, and why.
type Decision struct {
	Reason string          `json:"reason"`
	Person polder.PersonID `json:"person"`

	Supersedes   string `json:"supersedes,omitempty"`    // id of the decision whose place this one takes
	SupersededBy string `json:"superseded_by,omitempty"` // where the asker sees that one
}

// Link leads to another case. Who may not see that case sees no link.
type Link struct {
	To     CaseID `json:"to"`
	Title  string `json:"title,omitempty"` // of that case, where the asker sees it
	Status Status `json:"status,omitempty"`
}

// ItemFilter says which items a list holds: by time, the latest first.
type ItemFilter struct {
	Kind   ItemKind // empty: all
	Kinds  []ItemKind
	Text   string // in title, text or value
	Struck bool   // with those that were struck out
	Oldest bool   // the oldest first
	Next   string
	Limit  int // at most 200; 0 is 50
}

// ItemPage is a page of a list.
type ItemPage struct {
	Items []Item `json:"items"`
	Next  string `json:"next"` // empty: this was the last
}

// CaseTask is a task with the case that it belongs to.
type CaseTask struct {
	Case CaseRef `json:"case"`
	Item Item    `json:"task"`
}

// ItemLookUp is what is known of an observable: in the exchange, and in other cases, as far as the asker sees either.
type ItemLookUp struct {
	Known []KnownObject
	Cases []CaseRef
}

// Careless says that a text holds a value that is marked stricter than the text is to be.
type Careless struct {
	Value string       `json:"value"`
	Item  string       `json:"item"`
	Level stix.Marking `json:"tlp"`
	Where string       `json:"where"` // which of the texts
}

// MaxEvidence is the most bytes of one file of evidence.
const MaxEvidence = 100 << 20

// itemKinds are what an item can be, and custodySteps what can be done with evidence, in the order in which they are offered.
var (
	itemKinds    = []ItemKind{ItemEntry, ItemObservable, ItemEvidence, ItemTask, ItemNote, ItemDecision, ItemLink}
	custodySteps = []string{"handed over", "copied", "returned", "destroyed"}
)

// CarelessHold is the error of a text that holds values marked stricter than the text: it goes on when it is confirmed.
type CarelessHold struct{ Found []Careless }

// Error names the first values.
func (c *CarelessHold) Error() string {
	first := c.Found[0]
	text := fmt.Sprintf("%s holds %.100q, which this case keeps as %s", first.Where, first.Value, first.Level.Label())
	if n := len(c.Found) - 1; n > 0 {
		text += fmt.Sprintf(", and %d more of the kind", n)
	}
	return text + "; take it out, mark the text stricter, or confirm that it may stand there"
}

// Unwrap makes it one of [polder.ErrConflict].
func (c *CarelessHold) Unwrap() error { return polder.Errorf(polder.Conflict, "%s", c.Error()) }

// check puts an item that somebody wrote right, or says what is wrong with the first part that is not. Parts of other kinds
// are refused.
func (it *Item) check(now time.Time) (err error) {
	if err := caseOneOf("kind", it.Kind, itemKinds); err != nil {
		return err
	}
	if err := caseLevel("tlp", it.Level); err != nil {
		return err
	}
	if it.Title, err = caseLine("title", it.Title, maxCaseTitle, false); err != nil {
		return err
	}
	if it.Text, err = caseProse("text", it.Text, maxCaseText); err != nil {
		return err
	}
	if it.At, err = caseMoment("at", it.At); err != nil {
		return err
	}
	for kind, there := range map[ItemKind]bool{ItemObservable: it.Observable != nil, ItemEvidence: it.Evidence != nil, ItemTask: it.Task != nil, ItemDecision: it.Decision != nil, ItemLink: it.Link != nil} {
		if there && kind != it.Kind {
			return polder.Errorf(polder.Invalid, "%s: an item of kind %s has no such part; leave it out", kind, it.Kind)
		}
	}
	if err := it.checkPart(now); err != nil {
		return err
	}
	if it.Title == "" && it.Text == "" {
		return polder.Errorf(polder.Invalid, "title: is empty, and so is text; write one of them")
	}
	if it.At.IsZero() && it.Kind != ItemTask {
		it.At = now
	}
	if it.At.After(now.Add(caseFuture)) && it.Kind != ItemTask {
		return polder.Errorf(polder.Invalid, "at: lies in the future; write when it was")
	}
	return nil
}

// checkPart puts what the kind adds right.
func (it *Item) checkPart(now time.Time) error {
	switch it.Kind {
	case ItemObservable:
		return it.checkObservable(now)
	case ItemEvidence:
		return it.checkThing()
	case ItemTask:
		if it.Task == nil {
			it.Task = &Task{}
		}
		step, err := caseLine("step", it.Task.Step, 200, false)
		it.Task = &Task{Owner: it.Task.Owner, Done: it.Task.Done, Step: step}
		if err == nil && it.Title == "" {
			err = polder.Errorf(polder.Invalid, "title: is empty; say what is to be done")
		}
		return err
	case ItemDecision:
		if it.Decision == nil {
			return polder.Errorf(polder.Invalid, "decision: is missing; a decision has a reason")
		}
		reason, err := caseReason(it.Decision.Reason)
		it.Decision = &Decision{Reason: reason, Person: it.Decision.Person, Supersedes: it.Decision.Supersedes}
		if err == nil && it.Title == "" {
			err = polder.Errorf(polder.Invalid, "title: is empty; say what was decided")
		}
		return err
	case ItemLink:
		if it.Link == nil || it.Link.To == "" {
			return polder.Errorf(polder.Invalid, "link: is missing; name the case that it leads to")
		}
		it.Link = &Link{To: it.Link.To}
		if it.Title == "" && it.Text == "" {
			it.Title = "See also"
		}
	}
	return nil
}

// checkObservable gives a value its one spelling. Without a type it is told by the value itself.
func (it *Item) checkObservable(now time.Time) (err error) {
	if it.Observable == nil {
		return polder.Errorf(polder.Invalid, "observable: is missing; send type and value")
	}
	o := *it.Observable
	if len(o.Value) > indicator.MaxValue {
		return polder.Errorf(polder.TooLarge, "observable: the value is %d bytes long; at most %d", len(o.Value), indicator.MaxValue)
	}
	if !utf8.ValidString(o.Value) {
		return polder.Errorf(polder.Invalid, "observable: the value is not UTF-8")
	}
	value := strings.TrimSpace(indicator.Refang(o.Value))
	if o.Type == "" {
		if found := indicator.Find(value); len(found) > 0 && found[0].Start == 0 && found[0].End == len(value) {
			o.Type = found[0].Kind
		} else {
			return polder.Errorf(polder.Invalid, "observable: what %.60q is cannot be told from it; say the type, such as domain, ipv4, sha256, email or filename", value)
		}
	}
	if o.Type, err = indicator.ParseKind(string(o.Type)); err != nil {
		return polder.Errorf(polder.Invalid, "observable: %w", err)
	}
	if o.Value, err = indicator.Normalise(o.Type, value); err != nil {
		return polder.Errorf(polder.Invalid, "observable: %w", err)
	}
	for _, f := range []struct {
		name string
		at   *time.Time
	}{{"first", &o.First}, {"last", &o.Last}} {
		if *f.at, err = caseMoment(f.name, *f.at); err != nil {
			return err
		}
		if f.at.After(now.Add(caseFuture)) {
			return polder.Errorf(polder.Invalid, "%s: lies in the future; write when it was seen", f.name)
		}
	}
	if !o.Last.IsZero() && o.Last.Before(o.First) {
		return polder.Errorf(polder.Invalid, "last: lies before first; one of the two is wrong")
	}
	if it.Title == "" {
		it.Title = clipCase(o.Value, maxCaseTitle)
	}
	it.Observable = &o
	return nil
}

// checkThing puts evidence right. Names are words to read: none of them reaches a file system.
func (it *Item) checkThing() (err error) {
	if it.Evidence == nil {
		return polder.Errorf(polder.Invalid, "evidence: is missing; name the thing and where it lies, or send a file")
	}
	e := *it.Evidence
	if e.Name, err = evidenceName(e.Name); err != nil {
		return err
	}
	if e.Where, err = caseLine("where", e.Where, maxCaseWords, e.SHA256 == ""); err != nil {
		return err
	}
	if e.Type, err = caseLine("type", e.Type, 100, false); err != nil {
		return err
	}
	if it.Title == "" {
		it.Title = e.Name
	}
	it.Evidence = &e
	return nil
}

// evidenceName is the name of a file or thing as it is shown and given to a download: its last part, in one line.
func evidenceName(name string) (string, error) {
	name = strings.ToValidUTF8(name, "\uFFFD")
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	name = strings.Map(func(r rune) rune {
		switch {
		case r < ' ' || r >= 0x7f && r < 0xa0, r >= 0x200b && r <= 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x2060 && r <= 0x2069, r == 0xfeff:
			return '_'
		}
		return r
	}, strings.TrimSpace(name))
	name = clipCase(strings.TrimLeft(name, "."), 255)
	if name == "" {
		return "", polder.Errorf(polder.Invalid, "name: is empty; give the file or thing a name")
	}
	return name, nil
}

// clipCase is at most n bytes of s, cut between characters.
func clipCase(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

// texts are the words of an item, by the name of the part that they stand in.
func (it Item) texts() map[string]string {
	out := map[string]string{"title": it.Title, "text": it.Text}
	if it.Decision != nil {
		out["reason"] = it.Decision.Reason
	}
	if it.Evidence != nil {
		out["where"] = it.Evidence.Where
	}
	return out
}

// folded is what an item is looked for by.
func (it Item) folded() string {
	parts := []string{it.Title, it.Text}
	switch {
	case it.Observable != nil:
		parts = append(parts, it.Observable.Value)
	case it.Evidence != nil:
		parts = append(parts, it.Evidence.Name, it.Evidence.SHA256, it.Evidence.Where)
	case it.Decision != nil:
		parts = append(parts, it.Decision.Reason)
	}
	return strings.ToLower(strings.Join(parts, "\n"))
}

// carelessIn finds values of items that are marked stricter than a level in texts that are to be marked so.
func carelessIn(items []Item, level stix.Marking, texts map[string]string) (out []Careless) {
	lower := foldedTexts(texts)
	for _, it := range items {
		if !level.Wider(it.Level) || !it.Struck.IsZero() || it.Erased {
			continue
		}
		for _, value := range it.telling() {
			for _, where := range sortedWhere(lower) {
				if holdsWord(lower[where], strings.ToLower(value)) {
					out = append(out, Careless{Value: value, Item: it.ID, Level: it.Level, Where: where})
				}
			}
		}
	}
	return out
}

// foldedTexts are texts as they are searched: in lower case, and not defanged.
func foldedTexts(texts map[string]string) map[string]string {
	out := make(map[string]string, len(texts))
	for where, text := range texts {
		out[where] = strings.ToLower(indicator.Refang(text))
	}
	return out
}

func sortedWhere(m map[string]string) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// telling are the exact values of an item by which a text gives it away.
func (it Item) telling() []string {
	switch {
	case it.Observable != nil:
		return []string{it.Observable.Value}
	case it.Evidence != nil && it.Evidence.SHA256 != "":
		return []string{it.Evidence.SHA256, it.Evidence.Name}
	case it.Evidence != nil:
		return []string{it.Evidence.Name}
	case it.Link != nil:
		return []string{string(it.Link.To)}
	case utf8.RuneCountInString(it.Title) >= 8:
		return []string{it.Title}
	}
	return nil
}

// holdsWord tells whether a value stands in a text by itself: 10.0.0.1 does not stand in 110.0.0.12.
func holdsWord(text, value string) bool {
	if value == "" {
		return false
	}
	for at := 0; ; {
		i := strings.Index(text[at:], value)
		if i < 0 {
			return false
		}
		i += at
		before, _ := utf8.DecodeLastRuneInString(text[:i])
		after, _ := utf8.DecodeRuneInString(text[i+len(value):])
		if !wordRune(before, i > 0) && !wordRune(after, i+len(value) < len(text)) {
			return true
		}
		at = i + 1
	}
}

// wordRune tells whether a letter or digit stands there.
func wordRune(r rune, there bool) bool {
	return there && (r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r > 0x7f && r != utf8.RuneError)
}
