package node

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/exchange/peers"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/policy"
	"github.com/polder-exchange/polder/stix"
)

// forge writes an object into a node's own log, past every check, as whoever owns its disk can.
func (a *afloat) forge(t testing.TB, c polder.CommunityID, level stix.Marking, raw []byte) {
	t.Helper()
	o, err := stix.Parse(raw)
	ok(t, err)
	digest, err := o.Digest()
	ok(t, err)
	ok(t, a.DB.Write(context.Background(), func(tx *db.Tx) error {
		_, err := a.Journal.Append(tx, []journal.Delivery{{
			Community: c, ID: o.ID, Version: strings.TrimSuffix(o.Version(), "Z"), Sharer: a.org.ID, Custodian: a.org.ID, Level: level,
			Nominal: polder.Everyone(), Reached: polder.Everyone(), Last: polder.Everyone(), Digest: digest, Raw: raw,
		}})
		return err
	}))
}

// marked is an object with a level in its bytes.
func marked(t testing.TB, raw []byte, level stix.Marking) []byte {
	t.Helper()
	o, err := stix.Parse(raw)
	ok(t, err)
	o, err = o.WithMarking(level)
	ok(t, err)
	return o.Raw()
}

// signedBy is an object with the signature of an organisation of a.
func (a *afloat) signedBy(t testing.TB, c polder.Community, raw []byte) []byte {
	t.Helper()
	o, err := stix.Parse(raw)
	ok(t, err)
	o, err = a.federation.signatures.Sign(context.Background(), a.org.ID, c, o)
	ok(t, err)
	return o.Raw()
}

// created gives an object another creator.
func created(raw []byte, from, by *afloat) []byte {
	return bytes.ReplaceAll(raw, []byte(from.org.ID), []byte(by.org.ID))
}

// refusedAs waits until a has refused an object over a link, and gives the reason.
func (a *afloat) refusedAs(t testing.TB, link, id string) (reason string) {
	t.Helper()
	until(t, a.name+" refuses "+id, func() bool {
		all, err := a.federation.peers.Quarantine(context.Background(), accounts.Local(), link)
		ok(t, err)
		i := slices.IndexFunc(all, func(r peers.Refused) bool { return r.ID == id })
		if i >= 0 {
			reason = all[i].Reason
		}
		return i >= 0
	})
	return reason
}

// one is the one delivery of an object that a's organisation sees.
func (a *afloat) one(t testing.TB, c polder.CommunityID, id string) journal.Delivery {
	t.Helper()
	m, err := a.Accounts.Memberships(context.Background(), a.org.ID)
	ok(t, err)
	page, err := a.Journal.Page(context.Background(), policy.Sight(a.actor(t), m).In(c), journal.Query{All: true, Limit: 10, IDs: []string{id}})
	ok(t, err)
	if len(page.Deliveries) != 1 {
		t.Fatalf("%s holds %d deliveries of %s, want 1", a.name, len(page.Deliveries), id)
	}
	return page.Deliveries[0]
}

// TestS22Nodes (S22, S9): a member whose operator writes into the log of its own node, past every check, what the program
// would refuse: each is refused by the home, named with a reason, and stands at no other node; what is true goes on.
func TestS22Nodes(t *testing.T) {
	t.Parallel() // it waits more than it works
	hub, maker, liar, small := newAfloat(t, "Hub"), newAfloat(t, "Maker"), newAfloat(t, "Liar"), newAfloat(t, "Small")
	c := hub.community(t, "Chips")
	linked(t, hub, maker, c, hub.url)
	linked(t, hub, small, c, hub.url)
	link := linked(t, hub, liar, c, hub.url).Link
	genuine := maker.signal(1, "genuine")
	maker.share(t, c.ID, stix.Green, nil, genuine)
	for _, a := range []*afloat{hub, small, liar} {
		a.holds(t, c.ID, idOf(t, genuine))
	}
	before := small.one(t, c.ID, idOf(t, genuine)).Raw
	own := func(n int) []byte { return liar.signal(n, "lie") }
	stripped := created(own(2), liar, maker)
	swapped := created(liar.signedBy(t, c, marked(t, own(3), stix.Green)), liar, maker)
	borrowed := bytes.Replace(liar.signedBy(t, c, marked(t, own(4), stix.Green)), []byte(`"created_by_ref":"`+string(liar.org.ID)), []byte(`"created_by_ref":"`+string(maker.org.ID)), 1)
	altered := bytes.Replace(liar.signedBy(t, c, marked(t, own(5), stix.Green)), []byte("lie 5"), []byte("lie 6"), 1)
	lies := []struct {
		why   string
		raw   []byte
		level stix.Marking
	}{
		{"in another's name, without a signature", marked(t, stripped, stix.Green), stix.Green},
		{"signed by the liar in another's name", swapped, stix.Green},
		{"another's name over the liar's signature", borrowed, stix.Green},
		{"changed after it was signed", altered, stix.Green},
		{"amber that claims to be green", marked(t, own(7), stix.Amber), stix.Green},
		{"in the name of the home's organisation", marked(t, created(own(8), liar, hub), stix.Green), stix.Green},
	}
	for _, l := range lies {
		liar.forge(t, c.ID, l.level, l.raw)
	}
	for _, l := range lies {
		if reason := hub.refusedAs(t, link, idOf(t, l.raw)); reason == "" {
			t.Errorf("%s: refused without a reason", l.why)
		} else {
			t.Logf("%s: %s", l.why, reason)
		}
	}
	honest := liar.signal(20, "honest")
	liar.share(t, c.ID, stix.Green, nil, honest)
	small.holds(t, c.ID, idOf(t, honest))
	for _, l := range lies {
		for _, a := range []*afloat{hub, maker, small} {
			a.lacks(t, c.ID, idOf(t, l.raw))
		}
	}
	if after := small.one(t, c.ID, idOf(t, genuine)).Raw; !bytes.Equal(before, after) {
		t.Errorf("another's object changed at a third node: %s", after)
	}
	if l := hub.linkAt(t, link); l.Quarantined != len(lies) || l.Standing() == "stopped" {
		t.Errorf("the home lists %d as refused, want %d; the link is %s", l.Quarantined, len(lies), l.Standing())
	}
	if out := hub.command(t, nil, "peer", "refused", "--data", hub.dir, link); !strings.Contains(out, idOf(t, altered)) {
		t.Errorf("the command names no lie: %s", out)
	}
}

// TestS22HubLies (S22, S9): a home that writes lies into its own log: its members refuse them, with a reason, whatever
// the home's own log says.
func TestS22HubLies(t *testing.T) {
	t.Parallel() // it waits more than it works
	hub, maker, small := newAfloat(t, "Hub"), newAfloat(t, "Maker"), newAfloat(t, "Small")
	c := hub.community(t, "Chips")
	linked(t, hub, maker, c, hub.url)
	link := linked(t, hub, small, c, hub.url).Link
	genuine := maker.signal(1, "genuine")
	maker.share(t, c.ID, stix.Green, nil, genuine)
	small.holds(t, c.ID, idOf(t, genuine))
	sealed := maker.signedBy(t, c, marked(t, maker.signal(2, "sealed"), stix.Green))
	lies := map[string][]byte{
		"a member's name without a signature": marked(t, created(hub.signal(3, "lie"), hub, maker), stix.Green),
		"a member's object, changed":          bytes.Replace(sealed, []byte("sealed 2"), []byte("opened 2"), 1),
		"the reader's own name":               marked(t, created(hub.signal(4, "lie"), hub, small), stix.Green),
		"a marking that was widened":          hub.signedBy(t, c, marked(t, hub.signal(5, "lie"), stix.Amber)),
	}
	for _, raw := range lies {
		hub.forge(t, c.ID, stix.Green, raw)
	}
	for why, raw := range lies {
		if reason := small.refusedAs(t, link, idOf(t, raw)); reason == "" {
			t.Errorf("%s: refused without a reason", why)
		}
		small.lacks(t, c.ID, idOf(t, raw))
		maker.lacks(t, c.ID, idOf(t, raw))
	}
	honest := hub.signal(9, "honest")
	hub.share(t, c.ID, stix.Green, nil, honest)
	small.holds(t, c.ID, idOf(t, honest))
}

// speaker is a peer that says what it wants over a session of its own, signed by its node's key.
type speaker struct {
	a             *afloat
	base, session string
	generation    string
	n             int
	seq           polder.Seq
}

// speaks opens a session as a over a link.
func (a *afloat) speaks(t testing.TB, url, link string) *speaker {
	t.Helper()
	ctx := context.Background()
	s := &speaker{a: a, base: url + "/api/v1/peer/"}
	own, _, err := a.federation.keys.Node(ctx)
	ok(t, err)
	nonce := make([]byte, 24)
	_, err = rand.Read(nonce)
	ok(t, err)
	var hello struct {
		Node      string `json:"node"`
		Challenge []byte `json:"challenge"`
	}
	s.post(t, "hello", map[string]any{"node": own, "nonce": nonce}, &hello)
	request := fmt.Appendf(nil, `{"link":%q}`, link)
	plain := base64.RawStdEncoding.EncodeToString
	text := "polder session 1\n" + strings.Join([]string{plain(nonce), plain(hello.Challenge), string(own), hello.Node, digestOf(request)}, "\n") + "\n"
	signature, err := a.federation.keys.SignNode(ctx, []byte(text))
	ok(t, err)
	var opened struct{ Session string }
	s.post(t, "session", map[string]any{"node": own, "nonce": nonce, "challenge": hello.Challenge, "request": json.RawMessage(request), "signature": signature}, &opened)
	s.session = opened.Session
	status, body := s.call(t, "GET", "state", nil)
	var state struct{ Generation string }
	if err := json.Unmarshal(body, &state); err != nil || status != http.StatusOK {
		t.Fatalf("state: %d %s %v", status, body, err)
	}
	s.generation = state.Generation
	return s
}

func digestOf(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

func (s *speaker) post(t testing.TB, path string, body, into any) {
	t.Helper()
	raw, err := json.Marshal(body)
	ok(t, err)
	res, err := http.Post(s.base+path, "application/json", bytes.NewReader(raw))
	ok(t, err)
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(res.Body)
		t.Fatalf("%s: %d %s", path, res.StatusCode, text)
	}
	ok(t, json.NewDecoder(res.Body).Decode(into))
}

// call makes a signed request.
func (s *speaker) call(t testing.TB, method, target string, body []byte) (int, []byte) {
	t.Helper()
	s.n++
	text := fmt.Sprintf("polder request 1\n%s\n%d\n%s\n%s\n%s\n", s.session, s.n, method, target, digestOf(body))
	signature, err := s.a.federation.keys.SignNode(context.Background(), []byte(text))
	ok(t, err)
	r, err := http.NewRequest(method, s.base+target, bytes.NewReader(body))
	ok(t, err)
	r.Header.Set("Polder-Session", s.session)
	r.Header.Set("Polder-Count", fmt.Sprint(s.n))
	r.Header.Set("Polder-Signature", base64.RawStdEncoding.EncodeToString(signature))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil // the node hung up, which is an answer
	}
	defer res.Body.Close()
	out, _ := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	return res.StatusCode, out
}

// push hands objects over, and gives the verdicts.
func (s *speaker) push(t testing.TB, c polder.CommunityID, level string, raws ...[]byte) (int, []exchange.Verdict) {
	t.Helper()
	var rows []string
	for _, raw := range raws {
		s.seq++
		var o struct{ ID string }
		_ = json.Unmarshal(raw, &o) // what does not parse has no id
		rows = append(rows, fmt.Sprintf(`{"seq":%d,"community":%q,"id":%q,"level":%s,"everyone":true,"object":%s}`, s.seq, c, o.ID, level, raw))
	}
	body := fmt.Sprintf(`{"generation":%q,"next":%d,"top":%d,"deliveries":[%s]}`, s.generation, s.seq, s.seq, strings.Join(rows, ","))
	status, text := s.call(t, http.MethodPost, "push?lineage=aaaa", []byte(body))
	var got struct{ Verdicts []exchange.Verdict }
	_ = json.Unmarshal(text, &got) // a refusal has none
	return status, got.Verdicts
}

// TestS22Speaker (S22): a member that speaks the protocol itself: what is too large, too deep, for another community or
// simply wrong, ten thousand times, is refused in bounded memory and rows; its link stops; the others go on; after its
// removal its session is dead.
func TestS22Speaker(t *testing.T) {
	hub, liar, small := newAfloat(t, "Hub"), newAfloat(t, "Liar"), newAfloat(t, "Small")
	c, closed := hub.community(t, "Chips"), hub.community(t, "Closed")
	linked(t, hub, small, c, hub.url)
	link := linked(t, hub, liar, c, hub.url).Link
	ok(t, liar.federation.peers.Pause(context.Background(), accounts.Local(), link))
	s := liar.speaks(t, hub.url, link)
	level, err := json.Marshal(stix.Green)
	ok(t, err)
	green := string(level)
	taken := func(verdicts []exchange.Verdict) bool {
		return slices.ContainsFunc(verdicts, func(v exchange.Verdict) bool { return v.State != "refused" && v.State != "quarantined" })
	}
	good := marked(t, liar.signal(1, "good"), stix.Green)
	huge := bytes.Replace(good, []byte(`"good 1"`), []byte(`"`+strings.Repeat("a", 9<<20)+`"`), 1)
	deep := bytes.Replace(good, []byte(`"good 1"`), []byte(strings.Repeat("[", 20_000)+strings.Repeat("]", 20_000)), 1)
	var was, is runtime.MemStats
	runtime.ReadMemStats(&was)
	for _, row := range []struct {
		why string
		c   polder.CommunityID
		raw []byte
	}{
		{"of a community outside the link", closed.ID, good},
		{"of nine mebibytes", c.ID, huge},
		{"twenty thousand deep", c.ID, deep},
		{"that is no object", c.ID, []byte(`{"type":"x"}`)},
	} {
		if status, verdicts := s.push(t, row.c, green, row.raw); status == http.StatusOK && (len(verdicts) != 1 || taken(verdicts)) || status >= 500 {
			t.Errorf("an object %s: %d %+v", row.why, status, verdicts)
		}
	}
	if status, _ := s.call(t, http.MethodPost, "push?lineage=aaaa", bytes.Repeat([]byte("["), 13<<20)); status != 0 && status/100 != 4 {
		t.Errorf("a body above the bound: %d", status)
	}
	wrong, stopped := 0, false
	for range 10 {
		var raws [][]byte
		for n := range 1000 {
			raws = append(raws, fmt.Appendf(nil, `{"type":"indicator","id":"indicator--%08d-0000-4000-8000-000000000000"}`, wrong+n))
		}
		status, verdicts := s.push(t, c.ID, green, raws...)
		wrong += 1000
		if taken(verdicts) {
			t.Fatalf("a wrong delivery was taken: %+v", verdicts[0])
		}
		stopped = stopped || status == http.StatusServiceUnavailable
	}
	runtime.ReadMemStats(&is)
	l := hub.linkAt(t, link)
	if !stopped || l.Standing() != "stopped" || l.Why() == "" || l.Quarantined > 1000 {
		t.Errorf("after %d wrong deliveries: refused at the door %t, %s, %q, %d rows", wrong, stopped, l.Standing(), l.Why(), l.Quarantined)
	}
	if grown := int64(is.HeapInuse) - int64(was.HeapInuse); grown > 300<<20 {
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
	began := time.Now()
	res, err := http.Get(hub.url + "/readyz")
	ok(t, err)
	_ = res.Body.Close()
	if took := time.Since(began); res.StatusCode != http.StatusOK || took > 5*time.Second {
		t.Errorf("the node answers %d after %s", res.StatusCode, took)
	}
	raw := hub.signal(9, "still")
	hub.share(t, c.ID, stix.Green, nil, raw)
	small.holds(t, c.ID, idOf(t, raw))
	if n := len(small.sees(t, c.ID)); n > 4 {
		t.Errorf("a third node sees %d deliveries: %q", n, small.sees(t, c.ID))
	}
	ok(t, hub.federation.peers.Remove(context.Background(), accounts.Local(), link))
	if status, body := s.call(t, http.MethodGet, "state", nil); status != http.StatusUnauthorized && status != http.StatusNotFound {
		t.Errorf("the session of a removed peer: %d %s", status, body)
	}
}

// TestS22SplitView (S22, S27): a home whose folder is put back to an earlier state, and which then tells another story
// under the same log, is caught by the member that saw the first: the link stops and says why, and nothing of the other
// story is accepted as logged.
func TestS22SplitView(t *testing.T) {
	t.Parallel() // it waits more than it works
	hub, maker := newAfloat(t, "Hub"), newAfloat(t, "Maker")
	c := hub.community(t, "Chips")
	link := linked(t, hub, maker, c, hub.url).Link
	first := hub.signal(1, "first")
	hub.share(t, c.ID, stix.Green, nil, first)
	maker.holds(t, c.ID, idOf(t, first))
	logged := func(n int64) bool {
		all, err := maker.federation.log.States(context.Background())
		ok(t, err)
		for _, s := range all {
			if !s.Own && s.Size > n {
				return true
			}
		}
		return false
	}
	until(t, "the member follows the log", func() bool { return logged(0) })
	hub.stop()
	past := filepath.Join(t.TempDir(), "past")
	ok(t, os.CopyFS(past, os.DirFS(hub.dir)))
	hub.start(t)
	for n := range 20 {
		hub.share(t, c.ID, stix.Green, nil, hub.signal(10+n, "told"))
	}
	last := hub.signal(40, "told")
	hub.share(t, c.ID, stix.Green, nil, last)
	maker.holds(t, c.ID, idOf(t, last))
	until(t, "the member cosigned the first story", func() bool { return logged(20) })
	hub.stop()
	ok(t, os.RemoveAll(hub.dir))
	ok(t, os.CopyFS(hub.dir, os.DirFS(past)))
	hub.start(t)
	hub.share(t, c.ID, stix.Green, nil, hub.signal(50, "other"))
	until(t, "the member catches the other story", func() bool { return maker.linkAt(t, link).Standing() == "stopped" })
	if why := maker.linkAt(t, link).Why(); !strings.Contains(why, "log") {
		t.Errorf("the link says %q", why)
	}
}

// TestF9CursorWithData (F9): what a member could not store for a fault of its own is asked for again: the cursor stands in
// the same transaction as what it counts.
func TestF9CursorWithData(t *testing.T) {
	hub, maker := newAfloat(t, "Hub"), newAfloat(t, "Maker")
	c := hub.community(t, "Chips")
	linked(t, hub, maker, c, hub.url)
	first := hub.signal(1, "first")
	hub.share(t, c.ID, stix.Green, nil, first)
	maker.holds(t, c.ID, idOf(t, first))
	trigger := func(statement string) {
		ok(t, maker.DB.Write(context.Background(), func(tx *db.Tx) error {
			_, err := tx.Exec(statement)
			return err
		}))
	}
	trigger(`CREATE TRIGGER held BEFORE INSERT ON delivery BEGIN SELECT RAISE(ABORT, 'no room'); END`)
	second := hub.signal(2, "second")
	hub.share(t, c.ID, stix.Green, nil, second)
	time.Sleep(time.Second)
	maker.lacks(t, c.ID, idOf(t, second))
	trigger(`DROP TRIGGER held`)
	third := hub.signal(3, "third")
	hub.share(t, c.ID, stix.Green, nil, third)
	maker.holds(t, c.ID, idOf(t, third))
	maker.holds(t, c.ID, idOf(t, second))
}

// TestS17Nodes (S17, S26): the key of a member's organisation is stolen and revoked. What it signed before stays on every
// node, marked; what the thief brings with it afterwards is refused by the home, and by another member even where the
// home has written it into its own log.
func TestS17Nodes(t *testing.T) {
	t.Parallel() // it waits more than it works
	ctx := context.Background()
	hub, maker, small := newAfloat(t, "Hub"), newAfloat(t, "Maker"), newAfloat(t, "Small")
	c := hub.community(t, "Chips")
	link := linked(t, hub, maker, c, hub.url).Link
	other := linked(t, hub, small, c, hub.url).Link
	earlier := maker.signal(1, "earlier")
	maker.share(t, c.ID, stix.Green, nil, earlier)
	small.holds(t, c.ID, idOf(t, earlier))
	stolen := [][]byte{maker.signedBy(t, c, marked(t, maker.signal(2, "stolen"), stix.Green)), maker.signedBy(t, c, marked(t, maker.signal(3, "stolen"), stix.Green))}
	maker.command(t, nil, "keys", "revoke", "--data", maker.dir, "--org", string(maker.org.ID))
	for _, a := range []*afloat{hub, small} {
		until(t, a.name+" marks what was signed earlier", func() bool {
			found, signed, err := a.Exchange.SignatureOf(ctx, a.one(t, c.ID, idOf(t, earlier)))
			ok(t, err)
			return signed && found.State == exchange.SignatureEarlier
		})
	}
	maker.forge(t, c.ID, stix.Green, stolen[0])
	if reason := hub.refusedAs(t, link, idOf(t, stolen[0])); !strings.Contains(reason, "revoked") {
		t.Errorf("the home says %q", reason)
	}
	hub.forge(t, c.ID, stix.Green, stolen[1])
	if reason := small.refusedAs(t, other, idOf(t, stolen[1])); !strings.Contains(reason, "revoked") {
		t.Errorf("another member says %q", reason)
	}
	later := maker.signal(4, "later")
	maker.share(t, c.ID, stix.Green, nil, later)
	small.holds(t, c.ID, idOf(t, later))
	for _, raw := range stolen {
		small.lacks(t, c.ID, idOf(t, raw))
	}
	small.holds(t, c.ID, idOf(t, earlier))
}
