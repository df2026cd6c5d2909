package cases

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/stix"
)

// ReleaseAsk is what an officer lets out of a case, or of a report whose content was read where it may be read.
type ReleaseAsk struct {
	Case      CaseID         // what comes from a case; its items are chosen by id
	Items     []string       // ids of observables of the case
	Report    string         // what comes from a report that the actor reads; nothing of it but Values and Text is known here
	Values    []Observable   // values typed in, or chosen in the reader's browser
	Title     string         // of the note
	Text      string         // of the note; empty: no note
	Community string         // alias
	To        []polder.OrgID // none: every member
	Level     stix.Marking
	Named     bool   // names the organisation
	Confirmed bool   // the warnings were read
	Preview   bool   // nothing leaves
	Seen      string // the digest of the preview that was confirmed; where it is given and something has changed since, nothing leaves
}

// ReleaseAnswer says what left, or would leave.
type ReleaseAnswer struct {
	IDs      []string      `json:"ids"`
	Lines    []ReleaseLine `json:"lines"`   // each object as it leaves
	Readers  []string      `json:"readers"` // names of the organisations that will be able to read it
	Warnings []string      `json:"warnings"`
	Held     bool          `json:"held"`   // a warning must be confirmed first
	Digest   string        `json:"digest"` // of what leaves, at which level, to whom
	Left     bool          `json:"left"`   // it has left
}

// ReleaseLine is one object of a release.
type ReleaseLine struct {
	ID    string       `json:"id"`
	Type  string       `json:"type"`
	Says  string       `json:"says"` // what it is, in a line
	Level stix.Marking `json:"tlp"`
	Raw   string       `json:"raw"` // as it leaves
}

// releaseMost is how many values one release holds.
const releaseMost = 500

// ReleaseFrom shares what is safe, or shows what would leave: of a case the observables that were chosen, and a text.
// What is marked stricter than the release never leaves, and a text that names such a value is held until it is
// confirmed. What leaves is kept in the case, so that links lead both ways. It asks for the part of who works on the case,
// in its own organisation; of a report, for a contributor.
func (s *Service) ReleaseFrom(ctx context.Context, by polder.Actor, ask ReleaseAsk) (out ReleaseAnswer, err error) {
	if s.o.Exchange == nil {
		return out, polder.Errorf(polder.Unavailable, "there is no exchange here, so nothing can be shared")
	}
	v, err := s.caseViewer(ctx, by)
	if err != nil {
		return out, err
	}
	if by.Role.OnObjects() < polder.RoleContributor {
		return out, polder.Errorf(polder.Forbidden, "your role reads; sharing asks for the role contributor")
	}
	if ask.Level < stix.Clear || ask.Level > stix.Red {
		return out, polder.Errorf(polder.Invalid, "tlp: say how far it may travel")
	}
	values, careless, err := s.releaseValues(ctx, by, ask)
	if err != nil {
		return out, err
	}
	objects, err := s.releaseObjects(by, ask, values)
	if err != nil {
		return out, err
	}
	r := Release{Community: ask.Community, To: ask.To, Level: ask.Level, Named: ask.Named, Confirmed: ask.Confirmed, Preview: true, Objects: objects}
	got, err := s.o.Exchange.Release(ctx, by, r)
	if err != nil {
		return out, err
	}
	out.take(got)
	out.Warnings = append(out.Warnings, careless...)
	out.Held = !ask.Confirmed && (out.Held || len(careless) > 0)
	out.Digest = out.digest(ask)
	if ask.Preview || out.Held {
		return out, nil
	}
	if ask.Seen != "" && ask.Seen != out.Digest {
		return out, polder.Errorf(polder.Conflict, "what would leave, or who would read it, has changed since you looked; look again")
	}
	r.Preview, r.Confirmed = false, true
	left, err := s.o.Exchange.Release(ctx, by, r)
	if err != nil {
		return out, err
	}
	readers, warnings, digest := out.Readers, out.Warnings, out.Digest
	out = ReleaseAnswer{Readers: readers, Warnings: warnings, Digest: digest, Left: true}
	out.take(Released{IDs: left.IDs, Raw: left.Raw})
	return out, s.noteRelease(ctx, by, v, ask, out)
}

// take adds what left, or would leave.
func (a *ReleaseAnswer) take(r Released) {
	a.IDs = append(a.IDs, r.IDs...)
	for _, raw := range r.Raw {
		o, err := stix.Parse(raw)
		if err != nil || o.Type == "extension-definition" {
			continue
		}
		level, _ := o.Level() // an object that left bears one that is sound
		a.Lines = append(a.Lines, ReleaseLine{ID: o.ID, Type: o.Type, Says: releaseSays(o), Level: level, Raw: string(raw)})
	}
	for _, name := range r.Readers {
		if !slices.Contains(a.Readers, name) {
			a.Readers = append(a.Readers, name)
		}
	}
	a.Warnings = append(a.Warnings, r.Warnings...)
	a.Held = a.Held || r.Held
}

// releaseSays is what an object says in a line.
func releaseSays(o stix.Object) string {
	text := func(name string) (out string) {
		_ = json.Unmarshal(o.Property(name), &out) // a property that is no text says nothing here
		return out
	}
	line, _, _ := strings.Cut(cmp.Or(o.Name, text("abstract"), o.Value, text("content"), text("value"), text("kind"), o.Pattern, o.Type), "\n")
	return exportClip(line, 200)
}

// digest is equal as long as the same leaves to the same organisations at the same level.
func (a *ReleaseAnswer) digest(ask ReleaseAsk) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s %s %v %q\n", ask.Community, ask.Level, ask.Named, a.Readers)
	for _, l := range a.Lines {
		var m map[string]json.RawMessage
		if json.Unmarshal([]byte(l.Raw), &m) == nil { // when it was made is no part of what it says
			delete(m, "created")
			delete(m, "modified")
			delete(m, "valid_from")
			for _, name := range slices.Sorted(maps.Keys(m)) {
				fmt.Fprintf(h, "%s=%s\n", name, m[name])
			}
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// releaseValues are the values that were chosen, and what is careless in the texts.
func (s *Service) releaseValues(ctx context.Context, by polder.Actor, ask ReleaseAsk) (values []Observable, careless []string, err error) {
	if ask.Case != "" {
		v, err := s.Case(ctx, by, ask.Case)
		if err != nil {
			return nil, nil, err
		}
		if !v.Access.Own || !v.Access.May(PartWork) {
			return nil, nil, polder.Errorf(polder.Forbidden, "sharing from a case is for who works on it in its own organisation; its lead can let you")
		}
		found, err := s.CarelessIn(ctx, by, ask.Case, ask.Level, map[string]string{"title": ask.Title, "text": ask.Text})
		if err != nil {
			return nil, nil, err
		}
		for _, f := range found {
			careless = append(careless, f.Where+": "+f.Value+" is marked "+f.Level.Label()+" in the case, and this leaves as "+ask.Level.Label()+"; take it out, or confirm that it is meant")
		}
	} else if err := s.releaseOfReport(ctx, by, ask); err != nil {
		return nil, nil, err
	}
	for _, id := range ask.Items {
		it, err := s.Item(ctx, by, ask.Case, id)
		if err != nil {
			return nil, nil, err
		}
		switch {
		case it.Kind != ItemObservable || it.Observable == nil || !it.Struck.IsZero() || it.Erased:
			return nil, nil, polder.Errorf(polder.Invalid, "items: %s is no observable that counts", exportClip(id, 60))
		case it.Level > ask.Level:
			return nil, nil, polder.Errorf(polder.Forbidden, "items: %q is marked %s in the case and cannot leave as %s; mark it wider there first, or leave it out", exportClip(it.Observable.Value, 80), it.Level.Label(), ask.Level.Label())
		}
		values = append(values, *it.Observable)
	}
	values = append(values, ask.Values...)
	switch {
	case len(values) > releaseMost:
		return nil, nil, polder.Errorf(polder.TooLarge, "values: %d are more than %d; share them in parts", len(values), releaseMost)
	case len(values) == 0 && strings.TrimSpace(ask.Text) == "":
		return nil, nil, polder.Errorf(polder.Invalid, "items, text: choose an observable or write a text; there is nothing to share yet")
	case sharedClip(ask.Title, sharedMaxTitle) != ask.Title || sharedClip(ask.Text, sharedMaxText) != ask.Text:
		return nil, nil, polder.Errorf(polder.TooLarge, "text: the title has at most %d characters, the text %d", sharedMaxTitle, sharedMaxText)
	}
	return values, careless, nil
}

// releaseOfReport checks that something may leave from a report: by who reads it, and never from what somebody under
// pressure told.
func (s *Service) releaseOfReport(ctx context.Context, by polder.Actor, ask ReleaseAsk) error {
	switch {
	case len(ask.Items) > 0:
		return polder.Errorf(polder.Invalid, "items: name the case that they are of")
	case ask.Report == "":
		return polder.Errorf(polder.Invalid, "case, report: say what this comes from")
	}
	q := s.committed(ctx)
	row, _, err := s.readable(ctx, q, by, ask.Report)
	if err != nil {
		return err
	}
	d, err := anyDesk(q, row.desk)
	if err == nil && (d == nil || d.Kind == DeskPressed) {
		err = polder.Errorf(polder.Forbidden, "nothing is shared of what somebody told who is under pressure")
	}
	return err
}

// releaseObjects are the objects of a release, without marks. The same thing released again to the same community is the
// same object.
func (s *Service) releaseObjects(by polder.Actor, ask ReleaseAsk, values []Observable) (out [][]byte, err error) {
	now := s.o.Now().UTC().Truncate(time.Millisecond)
	var refs []string
	seen := map[string]bool{}
	add := func(typ, key string, set func(*stix.Members)) error {
		o, err := stix.Make(typ, func(m *stix.Members) {
			if key != "" {
				m.Set("id", s.releaseID(typ, by.Org, ask, key))
				m.Set("created", now)
				m.Set("modified", now)
			}
			if ask.Named && key != "" {
				m.Set("created_by_ref", string(by.Org))
			}
			set(m)
		})
		if err != nil {
			return polder.Errorf(polder.Invalid, "%w", err)
		}
		if !seen[o.ID] {
			seen[o.ID] = true
			out, refs = append(out, o.Raw()), append(refs, o.ID)
		}
		return nil
	}
	for _, v := range values {
		value, err := indicator.Normalise(v.Type, v.Value)
		if err != nil {
			return nil, polder.Errorf(polder.Invalid, "values: %w", err)
		}
		pattern := indicator.Pattern(v.Type, value)
		typ, shape := observableShape(v.Type, value)
		switch {
		case v.Type == indicator.CVE:
			err = add("vulnerability", value, func(m *stix.Members) {
				m.Set("name", value)
				m.Set("external_references", []func(*stix.Members){func(r *stix.Members) {
					r.Set("source_name", "cve")
					r.Set("external_id", value)
				}})
			})
		case v.Bad && pattern != "":
			err = add("indicator", string(v.Type)+" "+value, func(m *stix.Members) {
				m.Set("name", value)
				m.Set("indicator_types", []string{"malicious-activity"})
				m.Set("pattern", pattern)
				m.Set("pattern_type", "stix")
				m.Set("valid_from", sharedTime(cmp.Or(v.First, now)))
			})
		case typ != "":
			err = add(typ, "", shape)
		default:
			return nil, polder.Errorf(polder.Invalid, "values: STIX has no object for a value of the kind %s; write it in the text", v.Type)
		}
		if err != nil {
			return nil, err
		}
	}
	return out, s.releaseText(ask, refs, add)
}

// releaseText makes the text an object: a note on the values, or without any a suspicion of its own.
func (s *Service) releaseText(ask ReleaseAsk, refs []string, add func(typ, key string, set func(*stix.Members)) error) error {
	title, text := strings.TrimSpace(ask.Title), strings.TrimSpace(ask.Text)
	switch {
	case text == "":
		return nil
	case len(refs) == 0:
		return add("incident", title+"\n"+text, func(m *stix.Members) {
			m.Set("name", cmp.Or(title, releaseLineOf(text)))
			m.Set("description", text)
		})
	}
	return add("note", title+"\n"+text, func(m *stix.Members) {
		m.Set("abstract", title)
		m.Set("content", text)
		m.Set("object_refs", refs)
	})
}

func releaseLineOf(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return exportClip(line, 80)
}

// releaseID is the same each time the same organisation lets the same out to the same community, and tells nobody without
// the node's secret who that was.
func (s *Service) releaseID(typ string, org polder.OrgID, ask ReleaseAsk, key string) string {
	h := hmac.New(sha256.New, s.o.Secret)
	for _, part := range []string{"release", typ, string(org), ask.Community, strconv.FormatBool(ask.Named), key} {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	u := h.Sum(nil)[:16]
	u[6], u[8] = u[6]&0x0f|0x40, u[8]&0x3f|0x80
	x := hex.EncodeToString(u)
	return typ + "--" + x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}

// noteRelease keeps what left from a case, and in its history that it did. Of a report only the audit of its organisation
// says that something left; what it was is not kept beside it, and nothing that left leads back to the report.
func (s *Service) noteRelease(ctx context.Context, by polder.Actor, v caseViewer, ask ReleaseAsk, out ReleaseAnswer) error {
	return s.o.DB.Write(ctx, func(tx *db.Tx) error {
		if ask.Case == "" {
			tx.OnCommit(s.tell)
			return s.reportNote(tx, by, "report.release", ask.Report, nil)
		}
		at := s.caseNow()
		for _, l := range out.Lines {
			if err := insertRelease(tx, by.Org, ReleasedObject{l.ID, ask.Community, l.Says, l.Level, at, v.person, ask.Case}); err != nil {
				return err
			}
		}
		c, _, err := s.caseAt(tx, v, ask.Case, PartRead)
		if err != nil {
			return err
		}
		return s.caseNote(tx, by, v, ask.Case, CaseRevision{What: "release", Did: "shared", Reason: ask.Community + " " + ask.Level.Label(), Level: c.Level})
	})
}

// ReleasedOf is what left from a case, the latest first. It is for the case's own organisation.
func (s *Service) ReleasedOf(ctx context.Context, by polder.Actor, id CaseID) ([]ReleasedObject, error) {
	v, err := s.Case(ctx, by, id)
	if err != nil {
		return nil, err
	}
	if !v.Access.Own {
		return nil, nil
	}
	all, err := listReleases(s.committed(ctx), id)
	return slices.DeleteFunc(all, func(r ReleasedObject) bool { return r.Level > v.Access.Ceiling }), err
}

// CaseOfObject is the case that an object of the exchange left from, where the actor was let into it.
func (s *Service) CaseOfObject(ctx context.Context, by polder.Actor, object string) (CaseRef, bool, error) {
	id, found, err := releasedFrom(s.committed(ctx), by.Org, object)
	if err != nil || !found {
		return CaseRef{}, false, err
	}
	v, err := s.Case(ctx, by, id)
	switch {
	case errors.Is(err, polder.ErrNotFound), errors.Is(err, polder.ErrForbidden):
		return CaseRef{}, false, nil
	case err != nil:
		return CaseRef{}, false, err
	}
	return CaseRef{ID: v.ID, Title: v.Title, Status: v.Status, Level: v.Level, Opened: v.Opened, Changed: v.Changed}, true, nil
}
