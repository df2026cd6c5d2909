package cases

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/seal"
)

const relockPhrase = "other words that this test alone knows"

// relockAs answers the challenge of a key with k, and asks for the lock.
func (w *readerWorld) relockAs(who string, id seal.KeyID, k seal.PrivateKey, locked seal.LockedKey) (OwnKey, error) {
	c, err := w.KeyChallenge(w.t.Context(), deskPeople[who], id)
	if err != nil {
		return OwnKey{}, err
	}
	proof, err := c.Box.Open(PurposeRelock, k)
	if err != nil {
		return OwnKey{}, err
	}
	return w.RelockKey(w.t.Context(), deskPeople[who], id, ReportKeyRelock{locked, base64.StdEncoding.EncodeToString(proof)})
}

// TestRelock: the same key opens with the new passphrase and no more with the old one, nothing else of desk and key
// changes, and nothing of the old lock is in the files of the node.
func TestRelock(t *testing.T) {
	w := newReaderWorld(t)
	w.reader("anna")
	d := w.desk("carla", DeskSettings{Name: "Adviser", Listed: true}, "anna")
	newDevice(w.deskWorld).report(w.view(d.Alias), "Odd visitor")
	before, err := w.OwnKeys(t.Context(), deskPeople["anna"])
	deskMust(t, err)
	log, old := len(w.view(d.Alias).Log), before[0].Locked
	locked, err := seal.Lock(rand.Reader, w.keys["anna"], relockPhrase)
	deskMust(t, err)
	kept, err := w.relockAs("anna", before[0].ID, w.keys["anna"], locked)
	deskMust(t, err)
	after, err := w.OwnKeys(t.Context(), deskPeople["anna"])
	deskMust(t, err)
	if len(after) != 1 || kept.ID != before[0].ID || after[0].ID != kept.ID || after[0].Fingerprint != before[0].Fingerprint || !after[0].Current || !after[0].Made.Equal(before[0].Made) {
		t.Errorf("the keys were %+v and are %+v", before, after)
	}
	if _, err := after[0].Locked.Unlock(readerPhrase); err == nil {
		t.Error("the old passphrase opens the key")
	}
	k, err := after[0].Locked.Unlock(relockPhrase)
	if err != nil || k.Public() != w.keys["anna"].Public() {
		t.Errorf("the new passphrase opens %v, %v", k.Public(), err)
	}
	if got := w.inbox("anna"); len(got) != 1 || len(w.view(d.Alias).Log) != log {
		t.Errorf("%d reports, and %d entries in the list of keys instead of %d", len(got), len(w.view(d.Alias).Log), log)
	}
	deskMust(t, w.db.Close()) // what lay in the log of writes is in the file now
	deskMust(t, filepath.WalkDir(w.dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if bytes.Contains(text, []byte(base64.StdEncoding.EncodeToString(old.Key))) {
			t.Errorf("%s holds the old lock", filepath.Base(path))
		}
		return err
	}))
}

// TestS29RelockAsksForTheKey: nobody but its owner touches a lock, and the owner's session or token alone does not put
// one on it that nobody opens.
func TestS29RelockAsksForTheKey(t *testing.T) {
	w := newReaderWorld(t)
	w.reader("anna")
	w.reader("bram")
	own, err := w.OwnKeys(t.Context(), deskPeople["anna"])
	deskMust(t, err)
	id, mine := own[0].ID, w.keys["anna"]
	lock := func(k seal.PrivateKey) seal.LockedKey {
		locked, err := seal.Lock(rand.Reader, k, relockPhrase)
		deskMust(t, err)
		return locked
	}
	right, other := lock(mine), lock(w.keys["bram"])
	put := func(who string, in ReportKeyRelock) error {
		_, err := w.RelockKey(t.Context(), deskPeople[who], id, in)
		return err
	}
	c, err := w.KeyChallenge(t.Context(), deskPeople["anna"], id)
	deskMust(t, err)
	proof, err := c.Box.Open(PurposeRelock, mine)
	deskMust(t, err)
	sound := base64.StdEncoding.EncodeToString(proof)
	if _, err := c.Box.Open(PurposeRelock, w.keys["bram"]); err == nil {
		t.Error("another key opens the challenge")
	}
	_, err = w.KeyChallenge(t.Context(), deskPeople["bram"], id)
	deskIs(t, "a challenge for a colleague", err, polder.NotFound)
	broken := right
	broken.Salt = broken.Salt[:3]
	for _, c := range []struct {
		why, who string
		in       ReportKeyRelock
		kind     polder.Kind
	}{
		{"a colleague, even with the proof", "bram", ReportKeyRelock{right, sound}, polder.NotFound},
		{"a steward", "carla", ReportKeyRelock{right, sound}, polder.NotFound},
		{"who manages the node", "admin", ReportKeyRelock{right, sound}, polder.Forbidden},
		{"no proof", "anna", ReportKeyRelock{right, ""}, polder.Forbidden},
		{"a proof that was guessed", "anna", ReportKeyRelock{right, base64.StdEncoding.EncodeToString(make([]byte, 32))}, polder.Forbidden},
		{"a proof that is no base64", "anna", ReportKeyRelock{right, "?"}, polder.Invalid},
		{"another key", "anna", ReportKeyRelock{other, sound}, polder.Invalid},
		{"a lock that is none", "anna", ReportKeyRelock{broken, sound}, polder.Invalid},
	} {
		deskIs(t, c.why, put(c.who, c.in), c.kind)
	}
	now, err := w.OwnKeys(t.Context(), deskPeople["anna"])
	deskMust(t, err)
	if _, err := now[0].Locked.Unlock(readerPhrase); err != nil {
		t.Fatalf("after refusals the key does not open: %v", err)
	}
	deskMust(t, put("anna", ReportKeyRelock{right, sound}))
	deskIs(t, "the same proof again", put("anna", ReportKeyRelock{lock(mine), sound}), polder.Forbidden)
	if out := w.send("anna", "GET", "/api/v1/reports/keys/"+string(id)+"/challenge", nil); out.Code != 200 || out.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("a challenge: %d, %v", out.Code, out.Header())
	}
	if out := w.send("bram", "PUT", "/api/v1/reports/keys/"+string(id), ReportKeyRelock{right, sound}); out.Code != 404 {
		t.Errorf("a colleague's lock: %d", out.Code)
	}
}
