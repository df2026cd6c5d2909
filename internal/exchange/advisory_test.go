package exchange

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/blob"
	"github.com/polder-exchange/polder/stix"
)

// withFiles gives the world a store for attachments.
func (w *world) withFiles() *world {
	w.t.Helper()
	store, err := blob.Open(w.db, filepath.Join(w.dir, "blobs"), blob.Options{})
	ok(w.t, err)
	w.t.Cleanup(func() { store.Close() })
	ok(w.t, store.Migrate(context.Background()))
	w.blobs = store
	return w
}

// draft is a draft of a that could be published.
func (w *world) draft(a polder.Actor, to ...polder.OrgID) Draft {
	w.t.Helper()
	d, err := w.SaveDraft(context.Background(), a, Draft{
		AdvisoryText: AdvisoryText{Title: "Edge devices are being entered", Body: "## What happened\n\nText.", ForWhom: "You run an edge device.", WhatToDo: "Update it today."},
		Community:    w.where.Alias, TLP: "amber", To: to,
	})
	ok(w.t, err)
	return d
}

func isKind(t *testing.T, what string, err error, want polder.Kind) {
	t.Helper()
	if err == nil || polder.KindOf(err) != want {
		t.Errorf("%s: %v, want kind %v", what, err, want)
	}
}

// TestAdvisory: a draft is its organisation's alone, a published advisory goes to whom it names, blind, with its box
// and its files, and to nobody else.
func TestAdvisory(t *testing.T) {
	w := newWorld(t).withFiles()
	ctx := t.Context()
	a, b, c := w.as("a", polder.RoleContributor), w.as("b", polder.RoleReader), w.as("c", polder.RoleContributor)
	d := w.draft(a, w.orgs["b"].ID)

	_, err := w.Draft(ctx, c, d.ID)
	isKind(t, "another organisation's draft", err, polder.NotFound)
	if all, err := w.Drafts(ctx, c); err != nil || len(all) != 0 {
		t.Errorf("c lists %d drafts of others (%v)", len(all), err)
	}
	_, err = w.Draft(ctx, w.as("a", polder.RoleReader), d.ID)
	isKind(t, "a reader's draft", err, polder.Forbidden)

	file := []byte("steps to take")
	d, err = w.Attach(ctx, a, d.ID, "../../steps\u202e.txt", bytes.NewReader(file))
	ok(t, err)
	if f := d.Attachments[0]; f.Name != "steps.txt" || f.Size != int64(len(file)) || f.MediaType != "text/plain" {
		t.Errorf("attached %+v", f)
	}
	sum := d.Attachments[0].SHA256

	res, err := w.PreviewDraft(ctx, a, d.ID)
	ok(t, err)
	if res.Stored == 0 || len(res.Refused) > 0 {
		t.Errorf("preview: %+v", res)
	}
	if all, err := w.Advisories(ctx, a, 10); err != nil || len(all) != 0 {
		t.Fatalf("a preview stored %d advisories (%v)", len(all), err)
	}

	res, err = w.PublishDraft(ctx, a, d.ID, true)
	ok(t, err)
	id := res.Items[len(res.Items)-1].ID
	_, err = w.Draft(ctx, a, d.ID)
	isKind(t, "the draft after publishing", err, polder.NotFound)

	v, err := w.Advisory(ctx, b, w.where.Alias, id)
	ok(t, err)
	if v.Title != d.Title || v.ForWhom != d.ForWhom || v.WhatToDo != d.WhatToDo || v.Mine || v.Delivery.Level != stix.Amber || len(v.Attachments) != 1 {
		t.Errorf("b reads %+v", v)
	}
	if raw := string(v.Delivery.Raw); strings.Contains(raw, string(a.Org)) || !strings.Contains(raw, string(w.where.Blind)) {
		t.Errorf("not blind: %s", raw)
	}
	_, got, err := w.OpenAttachment(ctx, b, w.where.Alias, id, sum)
	ok(t, err)
	text, err := io.ReadAll(got)
	ok(t, errors.Join(err, got.Close()))
	if !bytes.Equal(text, file) {
		t.Errorf("b downloads %q", text)
	}
	for _, who := range []string{"c", "out"} {
		_, _, err = w.OpenAttachment(ctx, w.as(who, polder.RoleContributor), w.where.Alias, id, sum)
		isKind(t, who+" downloads", err, polder.NotFound)
		if all, err := w.Advisories(ctx, w.as(who, polder.RoleContributor), 10); err != nil || len(all) != 0 {
			t.Errorf("%s lists %d advisories (%v)", who, len(all), err)
		}
	}
}

// TestAdvisoryClaimedFile: who knows the hash of a file does not get it by writing it into a report of its own.
func TestAdvisoryClaimedFile(t *testing.T) {
	w := newWorld(t).withFiles()
	ctx := t.Context()
	a, c := w.as("a", polder.RoleContributor), w.as("c", polder.RoleContributor)
	d := w.draft(a, w.orgs["b"].ID)
	d, err := w.Attach(ctx, a, d.ID, "x", strings.NewReader("secret of a and b"))
	ok(t, err)
	_, err = w.PublishDraft(ctx, a, d.ID, true)
	ok(t, err)
	sum := d.Attachments[0].SHA256

	claim := fmt.Appendf(nil, `{"type":"report","spec_version":"2.1","id":"report--00000000-0000-4000-8000-000000000001","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","name":"x","published":"2026-01-01T00:00:00Z","object_refs":["%s"],"object_marking_refs":["%s"],"extensions":{"%s":{"extension_type":"property-extension","format":"markdown","attachments":[{"name":"x","sha256":"%s","size":1,"media_type":"text/plain"}]}}}`,
		c.Org, stix.Green.ID(), advisoryExtension, sum)
	if res := w.share(c, Request{Objects: one(claim)}); res.Stored != 1 {
		t.Fatalf("the claim is refused: %+v", res)
	}
	_, _, err = w.OpenAttachment(ctx, c, w.where.Alias, "report--00000000-0000-4000-8000-000000000001", sum)
	isKind(t, "a claimed file", err, polder.NotFound)
	mine, err := w.SaveDraft(ctx, c, Draft{AdvisoryText: AdvisoryText{Title: "t", Body: "b"}, Attachments: d.Attachments})
	ok(t, err)
	if len(mine.Attachments) != 0 {
		t.Error("a draft took a file by its hash alone")
	}
}

// TestAdvisoryVersions: only its custodian changes or revokes an advisory; the next version keeps readers and creator.
func TestAdvisoryVersions(t *testing.T) {
	w := newWorld(t).withFiles()
	ctx := t.Context()
	a, b, c := w.as("a", polder.RoleContributor), w.as("b", polder.RoleContributor), w.as("c", polder.RoleContributor)
	first, err := w.PublishDraft(ctx, a, w.draft(a, b.Org).ID, true)
	ok(t, err)
	id := first.Items[len(first.Items)-1].ID
	_, err = w.ReviseAdvisory(ctx, b, w.where.Alias, id)
	isKind(t, "a reader's revision", err, polder.Forbidden)
	_, err = w.RevokeAdvisory(ctx, b, w.where.Alias, id)
	isKind(t, "a reader's revocation", err, polder.Forbidden)

	d, err := w.ReviseAdvisory(ctx, a, w.where.Alias, id)
	ok(t, err)
	d.Body = "More is known now."
	d, err = w.SaveDraft(ctx, a, d)
	ok(t, err)
	res, err := w.PublishDraft(ctx, a, d.ID, true)
	ok(t, err)
	if len(res.Refused) > 0 || res.Stored != 1 {
		t.Fatalf("second version: %+v", res)
	}
	v, err := w.Advisory(ctx, b, w.where.Alias, id)
	ok(t, err)
	if v.Body != "More is known now." || createdBy(v.Delivery) != w.where.Blind {
		t.Errorf("b reads %+v by %s", v.AdvisoryText, createdBy(v.Delivery))
	}
	_, err = w.Advisory(ctx, c, w.where.Alias, id)
	isKind(t, "who was not named", err, polder.NotFound)

	_, err = w.RevokeAdvisory(ctx, a, w.where.Alias, id)
	ok(t, err)
	if v, err = w.Advisory(ctx, b, w.where.Alias, id); err != nil || !v.Revoked {
		t.Errorf("after the revocation: %+v (%v)", v.AdvisoryText, err)
	}
	_, err = w.ReviseAdvisory(ctx, a, w.where.Alias, id)
	isKind(t, "a revision of what is revoked", err, polder.Conflict)
}

// TestDraftBounds: what cannot be kept is refused with the reason, and nobody overwrites another's changes.
func TestDraftBounds(t *testing.T) {
	w := newWorld(t).withFiles()
	ctx := t.Context()
	a := w.as("a", polder.RoleContributor)
	d := w.draft(a)
	old := d
	d.Body = "one"
	_, err := w.SaveDraft(ctx, a, d)
	ok(t, err)
	old.Body = "two"
	_, err = w.SaveDraft(ctx, a, old)
	isKind(t, "a save over another's", err, polder.Conflict)
	for name, bad := range map[string]Draft{
		"no title":     {},
		"long text":    {AdvisoryText: AdvisoryText{Title: "t", Body: strings.Repeat("x", maxAdvisory+1)}},
		"bad level":    {AdvisoryText: AdvisoryText{Title: "t"}, TLP: "purple"},
		"no STIX id":   {AdvisoryText: AdvisoryText{Title: "t"}, About: []string{"x"}},
		"other object": {AdvisoryText: AdvisoryText{Title: "t"}, ID: d.ID, Of: "malware--00000000-0000-4000-8000-000000000001"},
	} {
		_, err := w.SaveDraft(ctx, a, bad)
		isKind(t, name, err, polder.Invalid)
	}
	for i := range MaxAttachments {
		_, err = w.Attach(ctx, a, d.ID, "f", strings.NewReader(fmt.Sprint("file ", i)))
		ok(t, err)
	}
	_, err = w.Attach(ctx, a, d.ID, "f", strings.NewReader("one too many"))
	isKind(t, "a sixth file", err, polder.Invalid)
	d, err = w.Draft(ctx, a, d.ID)
	ok(t, err)
	_, err = w.Detach(ctx, a, d.ID, d.Attachments[0].SHA256)
	ok(t, err)
	_, err = w.Attach(ctx, a, d.ID, "big", io.LimitReader(nothing{}, MaxAttachment+1))
	isKind(t, "a file that is too large", err, polder.TooLarge)
}

type nothing struct{}

func (nothing) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestFileName(t *testing.T) {
	for _, c := range []struct{ in, want, why string }{
		{"report.pdf", "report.pdf", "a good name stays"},
		{"../../etc/passwd", "passwd", "folders go"},
		{`C:\temp\a.txt`, "a.txt", "of either kind"},
		{"a\r\nSet-Cookie: x", "aSet-Cookie_ x", "controls make headers"},
		{"fdp.exe\u202etxt.pdf", "fdp.exetxt.pdf", "direction marks disguise"},
		{".bashrc", "bashrc", "hidden files"},
		{"..", "attachment", "nothing is left"},
		{"", "attachment", "nothing was there"},
		{"\xff\xfe", "attachment", "no text"},
	} {
		if got := fileName(c.in); got != c.want {
			t.Errorf("%s: %q becomes %q, want %q", c.why, c.in, got, c.want)
		}
	}
}

func FuzzFileName(f *testing.F) {
	f.Add("a/b\\c\x00.pdf")
	f.Fuzz(func(t *testing.T, s string) {
		got := fileName(s)
		if got == "" || utf8.RuneCountInString(got) > 100 || strings.ContainsAny(got, "/\\\"\r\n\x00") || strings.HasPrefix(got, ".") || fileName(got) != got {
			t.Errorf("%q becomes %q", s, got)
		}
	})
}
