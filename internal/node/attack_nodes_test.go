package node

import (
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/stix"
)

// spanWord is a word in an object, and the nodes whose organisations may read it.
type spanWord struct {
	word, id, why string
	at            string // names of nodes
}

// spanWorld is a hub with two members, each asked by its own member, by an organisation that belongs to nothing, and by nobody.
type spanWorld struct {
	t       *testing.T
	nodes   []*afloat
	places  map[string]*place
	c       polder.Community
	secrets []spanWord
	probes  int
	shown   map[string]bool // words that somebody who may read found
}

// tell shares an object with a word on a node.
func (w *spanWorld) tell(by *afloat, level stix.Marking, to []polder.OrgID, at, why string) spanWord {
	w.t.Helper()
	s := spanWord{word: fmt.Sprintf("zq%02dspanzq", len(w.secrets)), at: at, why: why}
	raw := by.signal(100+len(w.secrets), s.word)
	s.id = idOf(w.t, raw)
	by.share(w.t, w.c.ID, level, to, raw)
	w.secrets = append(w.secrets, s)
	return s
}

// outside makes an organisation of a node that belongs to no community, and puts the node where the walk asks it.
func (w *spanWorld) outside(a *afloat) {
	w.t.Helper()
	ctx, local := context.Background(), accounts.Local()
	o, err := a.Accounts.AddOrg(ctx, local, accounts.NewOrg{Name: "Outsider of " + a.name})
	ok(w.t, err)
	_, token, err := a.Accounts.CreateToken(ctx, local, accounts.NewToken{Org: o.ID, Role: polder.RoleContributor, Name: "outside"})
	ok(w.t, err)
	c, err := a.Accounts.Community(ctx, string(w.c.ID))
	ok(w.t, err)
	w.places[a.name] = &place{Node: a.Node, dir: a.dir, log: a.log, ring: c, orgs: map[string]polder.Org{"plain": a.org}, tokens: map[string]string{"member": a.token, "outsider": token}}
}

// search holds every way out of a node by HTTP against every word.
func (w *spanWorld) search(a *afloat) {
	w.t.Helper()
	p := w.places[a.name]
	for _, r := range p.Routes() {
		if r.Method != http.MethodGet || byOwnWalk(r.Exit) || strings.HasPrefix(r.Exit, "static") {
			continue
		}
		for _, path := range w.paths(p, r.Pattern, exits[r.Exit].queries) {
			for _, as := range []string{"member", "outsider", ""} {
				q := ask{as: as, path: path}
				if r.Stream {
					q.wait = 60 * time.Millisecond
				}
				w.probe(a, as, path, p.ask(q).body)
			}
		}
	}
}

// paths are the addresses of one route: one, or one for each secret.
func (w *spanWorld) paths(p *place, pattern string, queries []string) (out []string) {
	base := p.fill(pattern, "{id}")
	path, _, _ := strings.Cut(base, "?")
	all := []string{base}
	if len(queries) > 0 {
		all = append(all, path+queries[0])
	}
	for _, one := range all {
		if !strings.Contains(one, "{") {
			out = append(out, one)
			continue
		}
		for _, s := range w.secrets {
			out = append(out, strings.NewReplacer("{id}", s.id, "{word}", s.word).Replace(one))
		}
	}
	return out
}

// probe holds one answer against every word.
func (w *spanWorld) probe(a *afloat, as, sent, text string) {
	w.t.Helper()
	if plain, err := url.QueryUnescape(text); err == nil {
		text += plain
	}
	for _, s := range w.secrets {
		w.probes++
		switch may := as == "member" && strings.Contains(s.at, a.name); {
		case strings.Contains(sent, s.word) || !strings.Contains(text, s.word):
		case may:
			w.shown[a.name+s.word] = true
		default:
			w.t.Errorf("%s gives %q a word of an object %s: %s", a.name, as, s.why, sent)
		}
	}
}

// files looks through what a node keeps beside its database: the tree of its transparency log, names, and its log.
func (w *spanWorld) files(a *afloat) {
	w.t.Helper()
	ok(w.t, filepath.WalkDir(a.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil // what a running node has just moved away
		}
		text := path
		if strings.Contains(d.Name(), "ledger") || strings.Contains(d.Name(), "tree") {
			raw, err := os.ReadFile(path)
			ok(w.t, err)
			text += string(raw)
		}
		w.probe(a, "the disk", path, text)
		return nil
	}))
	w.probe(a, "the log", "", a.log.String())
}

// TestS4Nodes (S4, X6–X8, X20): a hub and two members. Words by level and by whom they are for, shared on each node,
// before a fingerprint is confirmed and after, withdrawn, asked privately and listed in a sealed set,
// are looked for in every way out of every node: no word where policy does not give it, and nobody's name beside what was
// shared blind.
func TestS4Nodes(t *testing.T) {
	hub, maker, small := newAfloat(t, "Hub"), newAfloat(t, "Kwikstaart"), newAfloat(t, "Small")
	c := hub.community(t, "Chips")
	w := &spanWorld{t: t, nodes: []*afloat{hub, maker, small}, places: map[string]*place{}, c: c, shown: map[string]bool{}}
	linked(t, hub, maker, c, hub.url)
	early := joins(t, hub, small, c, hub.url)
	maker.holds(t, c.ID, idOf(t, w.first(hub)))
	const all = "Hub Kwikstaart Small"
	waits := w.tell(hub, stix.Amber, nil, "Hub Kwikstaart", "above green, before the fingerprint was confirmed")
	maker.holds(t, c.ID, waits.id)
	w.outside(small)
	w.search(small)
	ok(t, hub.federation.peers.Confirm(context.Background(), accounts.Local(), early.Link, early.OwnFingerprint))
	w.secrets[len(w.secrets)-1].at = all
	for _, by := range w.nodes {
		for _, level := range []stix.Marking{stix.Clear, stix.Green, stix.Amber, stix.AmberStrict} {
			w.tell(by, level, nil, all, "for all, "+level.Label())
		}
		for _, to := range w.nodes {
			if to != by {
				w.tell(by, stix.Red, []polder.OrgID{to.org.ID}, by.name+" "+to.name+" ", "for one, red")
			}
		}
		w.tell(by, stix.Red, []polder.OrgID{by.org.ID}, by.name, "for nobody else, red")
	}
	gone := w.withdrawn(maker)
	blind := w.blind(maker, "zqblindspanzq")
	w.sealed(hub)
	for _, s := range w.secrets {
		for _, a := range w.nodes {
			if s.id != "" && strings.Contains(s.at, a.name) {
				a.holds(t, c.ID, s.id)
			}
		}
	}
	until(t, "what was withdrawn is gone", func() bool {
		for _, a := range w.nodes {
			if strings.Contains(strings.Join(a.sees(t, c.ID), " "), gone) {
				return false
			}
		}
		return true
	})
	for _, a := range w.nodes {
		if w.places[a.name] == nil {
			w.outside(a)
		}
		w.search(a)
		w.files(a)
		w.nameless(a, maker, blind)
	}
	speaks := small.speaks(t, hub.url, early.Link)
	status, body := speaks.call(t, http.MethodGet, "deliveries?after=0&generation="+speaks.generation, nil)
	if status != http.StatusOK {
		t.Errorf("deliveries: %d %s", status, body)
	}
	w.probe(small, "member", "the peer's answer", string(body))
	for _, s := range w.secrets {
		for _, a := range w.nodes {
			if s.id != "" && strings.Contains(s.at, a.name) && !w.shown[a.name+s.word] {
				t.Errorf("%s shows nobody an object %s: it was not looked for", a.name, s.why)
			}
		}
	}
	if w.probes < 5000 {
		t.Errorf("%d probes, want at least 5,000", w.probes)
	}
	t.Logf("%d probes", w.probes)
}

// first is something for all, so that a link is up.
func (w *spanWorld) first(by *afloat) []byte {
	raw := by.signal(1, "first")
	by.share(w.t, w.c.ID, stix.Green, nil, raw)
	return raw
}

// withdrawn is the id of an object that was shared with all and withdrawn again.
func (w *spanWorld) withdrawn(by *afloat) string {
	w.t.Helper()
	s := w.tell(by, stix.Green, nil, "", "that was withdrawn")
	for _, a := range w.nodes {
		a.holds(w.t, w.c.ID, s.id)
	}
	w.send(by, http.MethodDelete, "/objects/"+s.id, "")
	return s.id
}

// send asks the REST API of a node about the community, as its organisation.
func (w *spanWorld) send(a *afloat, method, path, body string) {
	w.t.Helper()
	c, err := a.Accounts.Community(context.Background(), string(w.c.ID))
	ok(w.t, err)
	r, err := http.NewRequest(method, a.url+"/api/v1/communities/"+c.Alias+path, strings.NewReader(body))
	ok(w.t, err)
	r.Header.Set("Authorization", "Bearer "+a.token)
	r.Header.Set("Content-Type", "text/plain")
	res, err := http.DefaultClient.Do(r)
	ok(w.t, err)
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		w.t.Fatalf("%s %s at %s: %d", method, path, a.name, res.StatusCode)
	}
}

// blind shares a note without a name, and gives the id of what was made of it.
func (w *spanWorld) blind(by *afloat, word string) string {
	w.t.Helper()
	had := map[string]bool{}
	for _, one := range by.sees(w.t, w.c.ID) {
		had[one] = true
	}
	w.send(by, http.MethodPost, "/share?tlp=green&name=note.txt&confirm=1", "Seen: "+word+"[.]example")
	for _, one := range by.sees(w.t, w.c.ID) {
		if id, _, _ := strings.Cut(one, " "); !had[one] && strings.HasPrefix(id, "indicator--") {
			for _, a := range w.nodes {
				a.holds(w.t, w.c.ID, id)
			}
			return id
		}
	}
	w.t.Fatal("nothing was made of the note")
	return ""
}

// nameless: whatever a node other than the contributor's tells of an object that was shared blind, by the API, TAXII, its
// page or its signature, names the contributor nowhere.
func (w *spanWorld) nameless(a, by *afloat, id string) {
	w.t.Helper()
	if a == by {
		return
	}
	p := w.places[a.name]
	seen := false
	for _, path := range []string{"/api/v1/objects/" + id, "/api/v1/objects/" + id + "/signature", "/objects/" + id, "/taxii2/root/collections/" + p.ring.Alias + "/objects/" + id + "/", "/taxii2/root/collections/" + p.ring.Alias + "/manifest/"} {
		text := p.ask(ask{as: "member", path: path}).body
		seen = seen || strings.Contains(text, "zqblindspanzq")
		for _, word := range []string{by.name, string(by.org.ID)} {
			if w.probes++; strings.Contains(text, word) && path != "/objects/"+id {
				w.t.Errorf("%s names %q beside what was shared blind: %s", a.name, word, path)
			}
		}
	}
	if !seen {
		w.t.Errorf("%s does not show what was shared blind", a.name)
	}
}

// sealed has the hub publish a set, and ask it for a word that is not in it: neither stands anywhere.
func (w *spanWorld) sealed(hub *afloat) {
	w.t.Helper()
	dir := w.t.TempDir()
	listed, asked := spanWord{word: "zqlistedspanzq", why: "in a sealed set"}, spanWord{word: "zqaskedspanzq", why: "that was asked privately"}
	w.secrets = append(w.secrets, listed, asked)
	file := func(name, word string) string {
		path := filepath.Join(dir, name)
		ok(w.t, os.WriteFile(path, []byte(word+".example\n"), 0o600))
		return path
	}
	hub.command(w.t, nil, "match-set", "publish", "--data", hub.dir, "--org", string(hub.org.ID), "--community", w.c.Alias, "--name", "sealed", "--type", "domain", file("listed.txt", listed.word))
	_, err := run(context.Background(), "match-private", "--node", hub.url, "--token", hub.token, "--set", "sealed", "--seen", filepath.Join(dir, "seen.jsonl"), file("asked.txt", asked.word))
	if err == nil || !strings.Contains(err.Error(), "0 of 1 values are in sealed") {
		w.t.Errorf("asked privately: %v", err)
	}
}
