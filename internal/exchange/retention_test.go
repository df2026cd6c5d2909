package exchange

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/blob"
	"github.com/polder-exchange/polder/internal/jobs"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
)

// steward is one of the community.
func (w *world) steward(name string) polder.Actor {
	w.t.Helper()
	_, err := w.accounts.Memberships(w.t.Context(), w.orgs[name].ID)
	ok(w.t, err)
	ok(w.t, w.accounts.SetMemberRole(w.t.Context(), accounts.Local(), w.where.ID, w.orgs[name].ID, polder.RoleSteward))
	return w.as(name, polder.RoleSteward)
}

// stored counts the bytes that the journal holds of objects whose bytes contain a text.
func (w *world) stored(text string) (n int) {
	w.t.Helper()
	ok(w.t, w.db.Read().QueryRow(`SELECT count(*) FROM body WHERE instr(raw, ?) > 0`, []byte(text)).Scan(&n))
	return n
}

// TestEraseWithdrawn (X19): what was withdrawn before can still be erased, by a steward who could see it, and its files go too.
func TestEraseWithdrawn(t *testing.T) {
	w := newWorld(t).withFiles()
	ctx := t.Context()
	a, b, steward := w.as("a", polder.RoleContributor), w.as("b", polder.RoleContributor), w.steward("d")
	d := w.draft(a)
	d, err := w.Attach(ctx, a, d.ID, "f", strings.NewReader("personal data"))
	ok(t, err)
	res, err := w.PublishDraft(ctx, a, d.ID, true)
	ok(t, err)
	id := res.Items[len(res.Items)-1].ID
	h, err := blob.ParseHash(d.Attachments[0].SHA256)
	ok(t, err)
	_, err = w.Withdraw(ctx, a, Withdrawal{Community: w.where.Alias, ID: id})
	ok(t, err)
	if w.stored(d.Title) == 0 {
		t.Fatal("a withdrawal took the bytes")
	}
	_, err = w.Withdraw(ctx, b, Withdrawal{Community: w.where.Alias, ID: id, Erase: true})
	isKind(t, "a contributor's erasure", err, polder.Forbidden)
	_, err = w.Withdraw(ctx, steward, Withdrawal{Community: w.where.Alias, ID: id, Erase: true})
	ok(t, err)
	if n := w.stored(d.Title); n != 0 {
		t.Errorf("%d bodies are still stored", n)
	}
	_, err = w.blobs.Open(ctx, h)
	isKind(t, "the erased file", err, polder.NotFound)
	_, err = w.Withdraw(ctx, steward, Withdrawal{Community: w.where.Alias, ID: id, Erase: true})
	isKind(t, "a second erasure", err, polder.NotFound)
	_, err = w.journal.Verify(ctx, nil)
	ok(t, err)
}

// TestRetention (X19): after its time everything of a community is withdrawn and erased, also what was withdrawn before;
// what is younger stays.
func TestRetention(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	w.jobs = jobs.New(w.db, jobs.Options{Now: w.Service.now})
	ok(t, w.jobs.Migrate(ctx))
	a, b, steward := w.as("a", polder.RoleContributor), w.as("b", polder.RoleReader), w.steward("d")
	isKind(t, "a contributor sets it", w.SetRetention(ctx, a, w.where.Alias, 30), polder.Forbidden)
	isKind(t, "too short", w.SetRetention(ctx, steward, w.where.Alias, 1), polder.Invalid)
	ok(t, w.SetRetention(ctx, steward, w.where.Alias, 30))
	if days, err := w.Retention(ctx, b, w.where.Alias); err != nil || days != 30 {
		t.Errorf("a member reads %d days (%v)", days, err)
	}

	red := someIndicator(1, 1, "old-red", stix.Red, "")
	seen := someIndicator(2, 1, "old-seen", stix.Amber, "")
	gone := someIndicator(3, 1, "old-gone", stix.Amber, "")
	w.share(a, Request{Objects: one(red, seen, gone)})
	w.share(a, Request{Objects: one([]byte(`{"type":"domain-name","spec_version":"2.1","id":"domain-name--ecb120bf-2694-4902-a737-62b74539a41b","value":"example.com","object_marking_refs":["` + stix.Amber.ID() + `"]}`))})
	_, err := w.Withdraw(ctx, a, Withdrawal{Community: w.where.Alias, ID: "indicator--00000000-0000-4000-8000-000000000003"})
	ok(t, err)
	w.pass(20 * 24 * time.Hour)
	w.share(a, Request{Objects: one(someIndicator(2, 2, "young", stix.Amber, ""), someIndicator(4, 1, "young", stix.Amber, ""))})
	payload, err := json.Marshal(w.where.ID)
	ok(t, err)
	ok(t, w.retain(ctx, jobs.Job{Payload: payload}))
	if w.stored("old-") != 3 {
		t.Fatal("something went before its time")
	}
	w.pass(15 * 24 * time.Hour)
	ok(t, w.retain(ctx, jobs.Job{Payload: payload}))
	if n := w.stored("old-") + w.stored("example.com"); n != 0 {
		t.Errorf("%d old bodies are still stored", n)
	}
	sight, err := w.Sight(ctx, b)
	ok(t, err)
	page, err := w.journal.Page(ctx, sight, journal.Query{All: true, Limit: 10})
	ok(t, err)
	if len(page.Deliveries) != 2 || w.stored("young") != 2 {
		t.Errorf("b sees %d deliveries, want the 2 young ones", len(page.Deliveries))
	}
	ok(t, w.retain(ctx, jobs.Job{Payload: payload})) // again changes nothing
	var at int64
	ok(t, w.db.Read().QueryRow(`SELECT due FROM job WHERE kind = ?`, retentionJob).Scan(&at))
	if next := time.UnixMicro(at).Sub(w.pass(0)); next < 23*time.Hour || next > 24*time.Hour {
		t.Errorf("the next run is in %v", next)
	}
	_, err = w.journal.Verify(ctx, nil)
	ok(t, err)
	_, err = w.audit.Verify(ctx, nil)
	ok(t, err)
}
