package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
	"github.com/polder-exchange/polder/taxii"
)

// TAXII is the exchange as a TAXII store: a collection per community.
type TAXII struct{ *Service }

// subject is who asks over TAXII.
type subject struct{ polder.Actor }

// Key binds a page's next to one token or person of one organisation.
func (s subject) Key() string { return string(s.Org) + "|" + string(s.Token) + "|" + string(s.Person) }

// Subject wraps an actor for package taxii.
func Subject(a polder.Actor) taxii.Subject { return subject{a} }

// Collections are the communities of which the actor reads.
func (t TAXII) Collections(ctx context.Context, s taxii.Subject) ([]taxii.Collection, error) {
	a := s.(subject).Actor
	ms, err := t.accounts.MembershipsOf(ctx, a)
	if err != nil {
		return nil, TAXIIError(err)
	}
	var out []taxii.Collection
	for _, m := range ms {
		if m.Right(a) < polder.RoleReader {
			continue
		}
		out = append(out, taxii.Collection{ID: string(m.Community.ID), Title: m.Name, Alias: m.Alias, CanRead: true, CanWrite: m.Right(a) >= polder.RoleContributor})
	}
	slices.SortFunc(out, func(a, b taxii.Collection) int { return compare(a.ID, b.ID) })
	return out, nil
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Records is a page of a community.
func (t TAXII) Records(ctx context.Context, s taxii.Subject, collection string, q taxii.Query) (taxii.Page, error) {
	sight, err := t.SightIn(ctx, s.(subject).Actor, collection)
	if err != nil {
		return taxii.Page{}, TAXIIError(err)
	}
	if q.Object != "" {
		if err := t.known(ctx, sight, q.Object); err != nil {
			return taxii.Page{}, TAXIIError(err)
		}
	}
	if len(q.SpecVersions) > 0 && !slices.Contains(q.SpecVersions, "2.1") {
		return taxii.Page{}, nil
	}
	page, err := t.journal.Page(ctx, sight, journalQuery(q))
	if err != nil {
		return taxii.Page{}, TAXIIError(err)
	}
	return records(page, q.Bytes), nil
}

func (t TAXII) known(ctx context.Context, sight polder.Sight, id string) error {
	page, err := t.journal.Page(ctx, sight, journal.Query{IDs: []string{id}, All: true, NoBodies: true, Limit: 1})
	if err == nil && len(page.Deliveries) == 0 {
		err = polder.Errorf(polder.NotFound, "no object of this id in this collection")
	}
	return err
}

func journalQuery(q taxii.Query) journal.Query {
	j := journal.Query{After: polder.Seq(q.After), Limit: q.Limit, Types: q.Types, IDs: q.IDs, NoBodies: !q.Bodies}
	if q.Object != "" {
		if len(q.IDs) > 0 && !slices.Contains(q.IDs, q.Object) {
			j.Types = []string{"-"} // no type is called that: nothing matches
		}
		j.IDs = []string{q.Object}
	}
	v := q.Versions
	j.All, j.First, j.Last = v.All, v.First, v.Last
	for _, at := range v.Exact {
		j.Versions = append(j.Versions, sortableTime(at))
	}
	return j
}

// records cuts a page where its bodies become too many bytes.
func records(page journal.Page, limit int) taxii.Page {
	out := taxii.Page{More: page.More}
	sum := 0
	for i, d := range page.Deliveries {
		sum += len(d.Raw)
		if limit > 0 && sum > limit && i > 0 {
			out.More = true
			break
		}
		out.Records = append(out.Records, taxii.Record{Number: int64(d.Seq), ID: d.ID, Version: d.Stated(), Raw: d.Raw})
	}
	return out
}

// Add shares the objects of one POST: the right ones in one transaction, the others as failures (X21).
func (t TAXII) Add(ctx context.Context, s taxii.Subject, collection string, objects []json.RawMessage) (taxii.Status, error) {
	a := s.(subject).Actor
	st := taxii.Status{ID: newUUID(), Status: "complete", RequestTimestamp: taxii.Time{Time: t.now()}, TotalCount: len(objects)}
	r := Request{Community: collection, Bytes: true, Partial: true, Confirmed: true}
	for _, raw := range objects {
		r.Objects = append(r.Objects, Incoming{Raw: raw})
	}
	fill := func(refused []Refusal) {
		st.SuccessCount, st.FailureCount, st.Failures = len(objects)-len(refused), len(refused), nil
		for _, f := range refused {
			st.Failures = append(st.Failures, taxii.StatusDetail{ID: statusID(f.ID), Version: versionOf(objects[f.Index]), Message: f.Error})
			st.Successes = slices.DeleteFunc(st.Successes, func(d taxii.StatusDetail) bool { return d.ID == f.ID })
		}
	}
	r.told = func(warnings []Warning) {
		for _, w := range warnings {
			at := slices.IndexFunc(objects, func(raw json.RawMessage) bool { return peekID(raw) == w.ID })
			if at >= 0 && len(st.Successes) < maxCareless {
				st.Successes = append(st.Successes, taxii.StatusDetail{ID: w.ID, Version: versionOf(objects[at]), Message: w.Path + ": " + clip(w.Value, 100) + " " + w.Reason})
			}
		}
	}
	saved := false
	r.record = func(tx *db.Tx, _, _ int, refused []Refusal) error {
		fill(refused)
		saved = true
		return saveStatus(tx, a.Org, st, t.now())
	}
	res, err := t.Share(ctx, a, r)
	if err != nil {
		return st, TAXIIError(err)
	}
	if !saved {
		fill(res.Refused)
		err = t.db.Write(ctx, func(tx *db.Tx) error { return saveStatus(tx, a.Org, st, t.now()) })
	}
	return st, TAXIIError(err)
}

// Delete withdraws versions of an object.
func (t TAXII) Delete(ctx context.Context, s taxii.Subject, collection, object string, q taxii.Query) error {
	if len(q.SpecVersions) > 0 && !slices.Contains(q.SpecVersions, "2.1") {
		return taxii.ErrNotFound
	}
	w := Withdrawal{Community: collection, ID: object}
	if v := q.Versions; !v.All {
		w.Versions = VersionChoice{First: v.First, Last: v.Last}
		for _, at := range v.Exact {
			w.Versions.Exact = append(w.Versions.Exact, sortableTime(at))
		}
	}
	_, err := t.Withdraw(ctx, s.(subject).Actor, w)
	return TAXIIError(err)
}

// Status is what became of an earlier Add of the same organisation.
func (t TAXII) Status(ctx context.Context, s taxii.Subject, id string) (taxii.Status, error) {
	st, err := readStatus(ctx, t.db.Read(), s.(subject).Org, id)
	return st, TAXIIError(err)
}

func sortableTime(at time.Time) string { return sortable(stix.FormatTime(at)) }

func versionOf(raw []byte) string {
	var v struct{ Modified, Created string }
	_ = json.Unmarshal(raw, &v) // what cannot be read has no version
	if v.Modified != "" {
		return v.Modified
	}
	return v.Created
}

// statusID: an object that has no usable id still needs one in the status.
func statusID(id string) string {
	if id == "" {
		return "unknown"
	}
	return id
}

var statuses = map[polder.Kind]int{
	polder.Invalid: http.StatusBadRequest, polder.NotFound: http.StatusNotFound, polder.Forbidden: http.StatusForbidden, polder.Conflict: http.StatusConflict,
	polder.Unauthorised: http.StatusUnauthorized, polder.TooLarge: http.StatusRequestEntityTooLarge, polder.Limited: http.StatusTooManyRequests,
	polder.Unavailable: http.StatusServiceUnavailable, polder.Full: http.StatusInsufficientStorage,
}

// TAXIIError gives an error the form of package taxii; a fault stays one.
func TAXIIError(err error) error {
	status, ok := statuses[polder.KindOf(err)]
	var already *taxii.Error
	if err == nil || !ok || errors.As(err, &already) {
		return err
	}
	e := &taxii.Error{Status: status, Text: err.Error(), Cause: err}
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		e.RetryAfter = 5 * time.Second
	}
	return e
}
