package exchange

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/blob"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
)

// mayWrite: drafts are for those of an organisation who may share.
func mayWrite(a polder.Actor) error {
	if a.Org == "" || a.Role.OnObjects() < polder.RoleContributor {
		return polder.Errorf(polder.Forbidden, "advisories are written by those who may share; ask for the role of contributor")
	}
	return nil
}

// SaveDraft keeps a draft: a new one without an ID, else the one of that ID. Files come by [Service.Attach] alone, and
// [Service.ReviseAdvisory] alone says whose next version a draft is. A draft that somebody else changed since d.Changed
// is a Conflict.
func (s *Service) SaveDraft(ctx context.Context, a polder.Actor, d Draft) (Draft, error) {
	if d.ID == "" {
		d.Attachments, d.Of = nil, ""
	}
	return s.saveDraft(ctx, a, d)
}

func (s *Service) saveDraft(ctx context.Context, a polder.Actor, d Draft) (Draft, error) {
	if err := mayWrite(a); err != nil {
		return d, err
	}
	if err := d.check(); err != nil {
		return d, err
	}
	err := s.db.Write(ctx, func(tx *db.Tx) error {
		if d.ID == "" {
			return s.newDraft(tx, a, &d)
		}
		held, err := readDraftTx(tx, a.Org, d.ID)
		if err != nil {
			return err
		}
		if !d.Changed.IsZero() && !d.Changed.Equal(held.Changed) {
			return polder.Errorf(polder.Conflict, "draft: %s saved it since you opened it; open it again and put your changes in", said(held.By))
		}
		d.Attachments, d.Of = held.Attachments, held.Of
		return s.stamp(tx, a, &d)
	})
	return d, err
}

func said(name string) string {
	if name == "" {
		return "somebody"
	}
	return name
}

func (s *Service) newDraft(tx *db.Tx, a polder.Actor, d *Draft) error {
	n, err := countDrafts(tx, a.Org)
	if err != nil {
		return err
	}
	if n >= maxDrafts {
		return polder.Errorf(polder.Conflict, "your organisation has %d drafts; publish or delete one first", n)
	}
	d.ID = strings.ToLower(rand.Text())
	for _, f := range d.Attachments {
		h, err := blob.ParseHash(f.SHA256)
		if err != nil {
			return err
		}
		if err := s.blobs.Ref(tx, h, draftOwner(d.ID)); err != nil {
			return err
		}
	}
	return s.stamp(tx, a, d)
}

// stamp writes the draft as the actor leaves it.
func (s *Service) stamp(tx *db.Tx, a polder.Actor, d *Draft) error {
	d.Org, d.By, d.Changed = a.Org, a.Name, s.now().UTC().Truncate(time.Microsecond)
	return writeDraft(tx, *d)
}

// Drafts are those of the actor's organisation, the last changed first.
func (s *Service) Drafts(ctx context.Context, a polder.Actor) ([]Draft, error) {
	if err := mayWrite(a); err != nil {
		return nil, err
	}
	return listDrafts(ctx, s.db.Read(), a.Org)
}

// Draft is one of the actor's organisation.
func (s *Service) Draft(ctx context.Context, a polder.Actor, id string) (Draft, error) {
	if err := mayWrite(a); err != nil {
		return Draft{}, err
	}
	return readDraft(ctx, s.db.Read(), a.Org, id)
}

// DeleteDraft throws a draft away, with its files.
func (s *Service) DeleteDraft(ctx context.Context, a polder.Actor, id string) error {
	if err := mayWrite(a); err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *db.Tx) error {
		if _, err := readDraftTx(tx, a.Org, id); err != nil {
			return err
		}
		return s.dropDraft(tx, a.Org, id)
	})
}

func (s *Service) dropDraft(tx *db.Tx, org polder.OrgID, id string) error {
	if s.blobs != nil {
		if err := s.blobs.UnrefAll(tx, draftOwner(id)); err != nil {
			return err
		}
	}
	return removeDraft(tx, org, id)
}

// Attach adds a file to a draft.
func (s *Service) Attach(ctx context.Context, a polder.Actor, id, name string, file io.Reader) (Draft, error) {
	d, err := s.Draft(ctx, a, id)
	if err != nil {
		return d, err
	}
	if s.blobs == nil {
		return d, polder.Errorf(polder.Unavailable, "this node keeps no files")
	}
	if len(d.Attachments) >= MaxAttachments {
		return d, d.attach(Attachment{})
	}
	head, err := io.ReadAll(io.LimitReader(file, 512))
	if err != nil {
		return d, err
	}
	limited := &io.LimitedReader{R: io.MultiReader(bytes.NewReader(head), file), N: MaxAttachment + 1}
	h, size, err := s.blobs.Put(ctx, limited)
	switch {
	case err != nil:
		return d, err
	case size > MaxAttachment:
		return d, polder.Errorf(polder.TooLarge, "attachment: is larger than 10 MiB; put it elsewhere and write where")
	case size == 0:
		return d, polder.Errorf(polder.Invalid, "attachment: is empty; choose a file")
	}
	media, _, _ := strings.Cut(http.DetectContentType(head), ";")
	f := Attachment{Name: fileName(name), SHA256: h.String(), Size: size, MediaType: media}
	return s.changeDraft(ctx, a, id, func(tx *db.Tx, d *Draft) error {
		if err := d.attach(f); err != nil {
			return err
		}
		return s.blobs.Ref(tx, h, draftOwner(id))
	})
}

// Detach takes a file from a draft.
func (s *Service) Detach(ctx context.Context, a polder.Actor, id, sha256 string) (Draft, error) {
	if err := mayWrite(a); err != nil {
		return Draft{}, err
	}
	return s.changeDraft(ctx, a, id, func(tx *db.Tx, d *Draft) error {
		h, err := blob.ParseHash(sha256)
		if err != nil || !d.detach(sha256) {
			return polder.Errorf(polder.NotFound, "the draft has no such file")
		}
		return s.blobs.Unref(tx, h, draftOwner(id))
	})
}

func (s *Service) changeDraft(ctx context.Context, a polder.Actor, id string, change func(*db.Tx, *Draft) error) (d Draft, err error) {
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		if d, err = readDraftTx(tx, a.Org, id); err != nil {
			return err
		}
		if err := change(tx, &d); err != nil {
			return err
		}
		return s.stamp(tx, a, &d)
	})
	return d, err
}

// PreviewDraft tells what publishing the draft would come to. It stores nothing.
func (s *Service) PreviewDraft(ctx context.Context, a polder.Actor, id string) (Result, error) {
	return s.issue(ctx, a, id, true, false)
}

// PublishDraft shares the draft as a report, blind unless it says otherwise, and removes the draft in the transaction
// that stores the report. A draft of a published advisory becomes its next version, for the same readers unless it
// names others.
func (s *Service) PublishDraft(ctx context.Context, a polder.Actor, id string, confirmed bool) (Result, error) {
	return s.issue(ctx, a, id, false, confirmed)
}

func (s *Service) issue(ctx context.Context, a polder.Actor, id string, preview, confirmed bool) (Result, error) {
	d, err := s.Draft(ctx, a, id)
	if err != nil {
		return Result{}, err
	}
	if err := d.ready(); err != nil {
		return Result{}, err
	}
	m, err := s.membership(ctx, a, d.Community)
	if err != nil {
		return Result{}, err
	}
	for _, about := range d.About {
		if _, err := s.inSight(ctx, a, d.Community, about); err != nil {
			return Result{}, err
		}
	}
	level, err := levelOf(d.TLP)
	if err != nil {
		return Result{}, err
	}
	r := Request{Community: d.Community, Level: level, To: d.To, Named: d.Named, Preview: preview, Confirmed: confirmed}
	o, err := s.report(ctx, a, d, m, &r)
	if err != nil {
		return Result{}, err
	}
	r.Objects = []Incoming{{Raw: []byte(advisoryDefinition)}, {Raw: o, Made: true}}
	r.record = func(tx *db.Tx, _, _ int, _ []Refusal) error {
		now, err := readDraftTx(tx, a.Org, d.ID)
		if err != nil {
			return err
		}
		if !now.Changed.Equal(d.Changed) {
			return polder.Errorf(polder.Conflict, "draft: %s changed it just now; look at it again", said(now.By))
		}
		if err := s.keepAttachments(tx, m.Community.ID, peekID(o), a.Org, d.Attachments); err != nil {
			return err
		}
		return s.dropDraft(tx, a.Org, d.ID)
	}
	return s.Share(ctx, a, r)
}

// report makes the object of a draft; that of a next version keeps the readers and the name of the one before.
func (s *Service) report(ctx context.Context, a polder.Actor, d Draft, m polder.Membership, r *Request) ([]byte, error) {
	var before Advisory
	if d.Of != "" {
		var err error
		if before, err = s.ownAdvisory(ctx, a, d.Community, d.Of); err != nil {
			return nil, err
		}
		continues(before, a, r)
	}
	about := d.About
	if len(about) == 0 {
		about = []string{string(m.Blind)}
		if r.Named {
			about[0] = string(a.Org)
		}
	}
	return s.made(advisoryType, func(o *stix.Members) {
		o.Set("id", d.Of)
		o.Set("name", d.Title)
		o.Set("description", d.Body)
		o.Set("report_types", []string{"threat-report"})
		published := s.now().Truncate(time.Millisecond)
		if d.Of != "" {
			published = before.Published
		}
		o.Set("published", published)
		o.Set("object_refs", about)
		d.setExtension(o)
	})
}

// continues has a next version go to the readers of the one before unless others are named, and in the same name.
func continues(before Advisory, a polder.Actor, r *Request) {
	r.Named = createdBy(before.Delivery) == a.Org
	if len(r.To) == 0 && !before.Delivery.Nominal.Except() {
		r.to = slices.DeleteFunc(before.Delivery.Nominal.Listed(), func(o polder.OrgID) bool { return o == a.Org })
	}
}

func createdBy(d journal.Delivery) polder.OrgID {
	o, err := stix.Parse(d.Raw)
	if err != nil {
		return "" // what is stored was parsed before
	}
	return polder.OrgID(o.CreatedByRef)
}

// ownAdvisory is one of which the actor's organisation is the custodian.
func (s *Service) ownAdvisory(ctx context.Context, a polder.Actor, community, id string) (Advisory, error) {
	v, err := s.Advisory(ctx, a, community, id)
	switch {
	case err != nil:
		return v, err
	case !v.Mine:
		return v, polder.Errorf(polder.Forbidden, "only who published an advisory changes it")
	case v.Revoked:
		return v, polder.Errorf(polder.Conflict, "the advisory is revoked, which is final; publish a new one")
	}
	return v, nil
}

// ReviseAdvisory opens a draft of the next version of an advisory.
func (s *Service) ReviseAdvisory(ctx context.Context, a polder.Actor, community, id string) (Draft, error) {
	v, err := s.ownAdvisory(ctx, a, community, id)
	if err != nil {
		return Draft{}, err
	}
	d := Draft{AdvisoryText: v.AdvisoryText, Community: community, TLP: v.Delivery.Level.String(), Of: id, Named: createdBy(v.Delivery) == a.Org}
	for _, f := range v.Attachments {
		ok, err := hasAttachment(ctx, s.db.Read(), v.Delivery, f.SHA256)
		if err != nil {
			return d, err
		}
		if ok {
			d.Attachments = append(d.Attachments, f)
		}
	}
	for _, about := range v.About {
		if !strings.HasPrefix(about, "identity--") {
			d.About = append(d.About, about)
		}
	}
	return s.saveDraft(ctx, a, d)
}

// RevokeAdvisory marks an advisory as no longer valid; everybody who had it sees so.
func (s *Service) RevokeAdvisory(ctx context.Context, a polder.Actor, community, id string) (Result, error) {
	v, err := s.ownAdvisory(ctx, a, community, id)
	if err != nil {
		return Result{}, err
	}
	d := Draft{AdvisoryText: v.AdvisoryText, Attachments: v.Attachments}
	raw, err := s.made(advisoryType, func(o *stix.Members) {
		o.Set("id", id)
		o.Set("revoked", true)
		o.Set("name", v.Title)
		o.Set("description", v.Body)
		o.Set("report_types", []string{"threat-report"})
		o.Set("published", v.Published)
		o.Set("object_refs", v.About)
		d.setExtension(o)
	})
	if err != nil {
		return Result{}, err
	}
	r := Request{Community: community, Objects: []Incoming{{Raw: raw, Made: true}}, Level: v.Delivery.Level, Confirmed: true}
	continues(v, a, &r)
	return s.Share(ctx, a, r)
}

// Advisory is one advisory as the actor sees it.
func (s *Service) Advisory(ctx context.Context, a polder.Actor, community, id string) (Advisory, error) {
	d, err := s.inSight(ctx, a, community, id)
	if err != nil {
		return Advisory{}, err
	}
	v, ok := readAdvisory(d)
	if !ok {
		return v, polder.Errorf(polder.NotFound, "no such advisory, or none that you may see, in this community")
	}
	v.Mine = a.Org != "" && d.Custodian == a.Org
	return v, nil
}

// Advisories are those that the actor sees in all of its communities, newest first, at most limit.
func (s *Service) Advisories(ctx context.Context, a polder.Actor, limit int) (out []Advisory, err error) {
	sight, err := s.Sight(ctx, a)
	if err != nil {
		return nil, err
	}
	q := journal.Query{Types: []string{advisoryType}, Limit: 200, Newest: true}
	for len(out) < limit {
		page, err := s.journal.Page(ctx, sight, q)
		if err != nil {
			return nil, err
		}
		for _, d := range page.Deliveries {
			q.Before = d.Seq
			if v, ok := readAdvisory(d); ok && len(out) < limit {
				v.Mine = a.Org != "" && d.Custodian == a.Org
				out = append(out, v)
			}
		}
		if !page.More {
			break
		}
	}
	return out, nil
}

// OpenAttachment opens a file of an advisory in sight; the caller closes it.
func (s *Service) OpenAttachment(ctx context.Context, a polder.Actor, community, id, sha256 string) (Attachment, io.ReadSeekCloser, error) {
	v, err := s.Advisory(ctx, a, community, id)
	if err != nil {
		return Attachment{}, nil, err
	}
	gone := polder.Errorf(polder.NotFound, "the advisory has no such file, or this node does not hold it")
	f, ok := v.file(sha256)
	if !ok || s.blobs == nil {
		return f, nil, gone
	}
	if ok, err = hasAttachment(ctx, s.db.Read(), v.Delivery, sha256); err != nil || !ok {
		return f, nil, orElse(err, gone)
	}
	h, err := blob.ParseHash(sha256)
	if err != nil {
		return f, nil, gone
	}
	file, err := s.blobs.Open(ctx, h)
	return f, file, err
}

func orElse(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}
