package node

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"io/fs"
	"mime/quotedprintable"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/notify/notifytest"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// hushWalk looks through one node.
type hushWalk struct {
	*hushWorld
	a      *afloat
	mu     sync.Mutex
	probes int
	found  map[string]bool // words that leave, by who found them where
}

// exitOf is how an exit is asked: of whichever list of exits.
func exitOf(name string) exit {
	if e, screening := screenExits[name]; screening {
		return e
	}
	return exits[name]
}

// carriers are exits that must show something of what the maker shared.
var carriers = []string{"api.objects", "api.object", "api.export", "api.stream", "api.search", "api.value", "api.alerts", "api.alert", "api.questions", "api.advisories", "api.proposals", "taxii.objects", "taxii.object", "detect.alerts", "detect.alert",
	"exchange.objects", "exchange.object", "exchange.search", "exchange.feed", "exchange.questions", "exchange.advisories", "exchange.proposals", "api.screen", "api.screen.entry"}

// member tells whether a reader may read what the community shares.
func (w *hushWalk) member(as string) bool {
	return slices.Contains([]string{"member", "steward", "neighbour", "session"}, as)
}

// routes asks every way out by HTTP that the node has but those of cases, or those alone that carry objects.
func (w *hushWalk) routes(all bool) {
	var streams sync.WaitGroup
	p := w.places[w.a]
	for _, r := range p.Routes() {
		_, ofCases := caseExits[r.Exit]
		carries := slices.Contains(carriers, r.Exit) || exitOf(r.Exit).shows
		if r.Method != http.MethodGet || strings.HasPrefix(r.Exit, "static") || ofCases || !all && !carries {
			continue
		}
		for _, path := range w.paths(r) {
			for _, as := range w.readers[w.a] {
				switch strange := !w.member(as) || as == "member"; {
				case len(w.gone) > 0 && as != "member" && as != "neighbour": // nobody sees more than these, and the others were asked before
				case !strange && (!carries || strings.HasPrefix(r.Exit, "screen.") || strings.HasPrefix(r.Exit, "api.screen")) && r.Exit != "members.audit":
				case slices.ContainsFunc(hushed, func(word string) bool { return strings.Contains(path, word) }) && as != "member":
				case r.Stream:
					streams.Go(func() {
						w.answer(r.Exit, as, path, p.ask(ask{as: as, path: path, wait: 200 * time.Millisecond}))
					})
				default:
					w.answer(r.Exit, as, path, p.ask(ask{as: as, path: path}))
				}
			}
		}
	}
	streams.Wait()
}

// paths are the addresses of one route: one, or one for each id or word that is looked for.
func (w *hushWalk) paths(r web.Route) (out []string) {
	base, query, _ := strings.Cut(w.places[w.a].fill(r.Pattern, "{id}"), "?")
	if r.Exit == "api.screen" {
		return []string{base + "?name=Zqblijft13+Scheepsbouw", base + "?name=Zqnachtvlinder"}
	}
	base = strings.Replace(base, "/lists/suspects/entries/7", "/lists/"+url.PathEscape(w.places[w.a].ring.Alias+"/verdacht")+"/entries/"+w.listing, 1)
	base = strings.Replace(base, "/lists/suspects", "/lists/"+url.PathEscape(w.places[w.a].ring.Alias+"/verdacht"), 1)
	ids := []string{w.asked[0], w.asked[1]}
	switch {
	case strings.Contains(base, "/alerts/{id}"):
		ids = []string{w.alert}
	case r.Exit == "api.object" || r.Exit == "exchange.object" && strings.HasSuffix(base, "{id}") || r.Exit == "taxii.object":
		ids = w.asked
	case !slices.Contains(carriers, r.Exit):
		ids = ids[:1]
	}
	queries := []string{""}
	if query != "" {
		queries = append(queries, "?"+query)
	}
	for _, q := range append(queries, exitOf(r.Exit).queries...) {
		one := base + strings.ReplaceAll(q, "=ring", "="+w.places[w.a].ring.Alias)
		switch {
		case strings.Contains(one, "format={word}"):
		case strings.Contains(one, "{word}"):
			for _, word := range append([]string{w.kept[1].word}, hushed...) {
				out = append(out, strings.ReplaceAll(one, "{word}", url.QueryEscape(word)))
			}
		case strings.Contains(one, "{id}"):
			for _, id := range ids {
				out = append(out, strings.ReplaceAll(one, "{id}", id))
			}
		default:
			out = append(out, one)
		}
	}
	return out
}

// posts sends what members, and others, may send about what the maker shared: answers say nothing of what was taken out.
func (w *hushWalk) posts() {
	p := w.places[w.a]
	raw := `{"type":"indicator","spec_version":"2.1","id":"indicator--00000000-0000-4000-8000-000000000099","created":"2026-11-01T00:00:00.000Z","modified":"2026-11-01T00:00:00.000Z","valid_from":"2026-11-01T00:00:00Z","pattern_type":"stix","pattern":"[domain-name:value = 'other.example']"}`
	for _, r := range p.Routes() {
		_, ofCases := caseExits[r.Exit]
		if r.Method == http.MethodGet || ofCases || strings.HasPrefix(r.Exit, "members.") || r.Exit == "peers.pages" || r.Exit == "preferences page" || r.Exit == "pseudonym.renew" {
			continue // give and take nothing of an object, or end what the rest needs
		}
		e := exitOf(r.Exit)
		for _, as := range []string{"member", "session", "outsider", ""} { // who may take nothing out
			id := w.kept[4].id
			q := ask{as: as, method: r.Method, path: p.fill(r.Pattern, id), kind: e.kind, head: map[string]string{"Sec-Fetch-Site": "same-origin"}}
			q.body = strings.NewReplacer("{raw}", raw, "{id}", id, "{word}", "zqnachtvlinder", "{plain}", string(w.a.org.ID), "ring", p.ring.Alias).Replace(e.body)
			if strings.Contains(e.body, "{raw}") {
				q.path += "?preview=1"
			}
			w.answer(r.Exit, as, q.path+q.body, p.ask(q))
		}
	}
	for _, q := range []ask{
		{path: "/api/v1/screen", body: `{"name":"Zqblijft13 Scheepsbouw"}`, kind: jsonKind}, {path: "/api/v1/screen", body: `{"name":"Zqnachtvlinder"}`, kind: jsonKind},
		{path: "/screen", body: "name=Zqblijft13+Scheepsbouw", kind: formKind}, {path: "/check", body: "text=zqblijft05.example", kind: formKind},
	} {
		for _, as := range []string{"member", "outsider"} {
			q.as, q.method, q.head = as, http.MethodPost, map[string]string{"Sec-Fetch-Site": "same-origin"}
			w.answer("asked by POST", as, q.path+q.body, p.ask(q))
		}
	}
}

// answer holds one answer against what may be found nowhere, and against who the maker is.
func (w *hushWalk) answer(name, as, sent string, got answer) {
	text := got.body
	for k, v := range got.head {
		text += "\n" + k + ": " + strings.Join(v, " ")
	}
	if got.status >= 500 && got.status != http.StatusServiceUnavailable { // a stream that was left before it began
		w.t.Errorf("%s of %s as %q: %s: %d %s", name, w.a.name, as, sent, got.status, got.body)
	}
	w.probe(name, as, sent, text)
	e := exitOf(name)
	if fellow := w.member(as) || as == "admin"; w.a == w.maker || fellow && (e.members && !slices.Contains([]string{"api.signature", "api.share"}, name) || e.stewards && as == "steward") {
		return
	}
	for _, word := range w.names {
		w.probes++
		if strings.Contains(text, word) {
			w.t.Errorf("%s of %s tells %q of %q, who shares blind: %s", name, w.a.name, as, word, sent)
		}
	}
}

// probe holds a text against the words.
func (w *hushWalk) probe(where, as, sent, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	low, asked := strings.ToLower(text), strings.ToLower(sent)
	if plain, err := url.QueryUnescape(low); err == nil && plain != low {
		low += plain
	}
	if w.probes += len(hushed) + len(fenced) + len(w.gone); !strings.Contains(low, "zq") && !strings.Contains(low, "555 77 31") && !strings.Contains(low, "198.18.77.") {
		return
	}
	for _, word := range slices.Concat(hushed, fenced, w.gone) {
		if strings.Contains(low, word) && !strings.Contains(asked, url.QueryEscape(word)) && !strings.Contains(asked, word) && !(w.a == w.maker && as == "member" && (word == "zqredenwaarom" || strings.HasPrefix(where, "api.screen.list"))) { // its own reason and list, at home

			at := strings.Index(low, word)
			w.t.Errorf("%s of %s gives %q the word %q: %s: …%s…", where, w.a.name, as, word, sent, low[max(0, at-200):min(len(low), at+200)])
		}
	}
	for _, k := range w.kept {
		if strings.Contains(asked, k.word) && strings.Contains(low, k.id) && w.member(as) {
			w.found[where+" "+k.word] = true // it was found by the word itself
		}
		if !strings.Contains(low, k.word) || strings.Contains(asked, k.word) {
			continue
		}
		if !w.member(as) && as != "all" {
			w.t.Errorf("%s of %s gives %q what %s holds: %s", where, w.a.name, as, k.why, sent)
		}
		w.found[where+" "+k.word], w.found[k.word] = true, true
	}
}

// whole: the walk found each word that leaves, at each exit that carries objects.
func (w *hushWalk) whole() {
	for _, k := range w.kept {
		if !w.found[k.word] {
			w.t.Errorf("%s shows nobody what %s holds: it was not looked for", w.a.name, k.why)
		}
	}
	for _, name := range carriers {
		if w.a == w.hub && strings.Contains(name, "alert") {
			continue // met nothing
		}
		if !slices.ContainsFunc(w.kept, func(k hushKept) bool { return w.found[name+" "+k.word] }) {
			w.t.Errorf("%s of %s showed nothing of the maker's: it was not tested", name, w.a.name)
		}
	}
	if w.probes < 5000 {
		w.t.Errorf("%d probes of %s, want at least 5,000", w.probes, w.a.name)
	}
}

// commands runs what the administrator, and a member, can run.
func (w *hushWalk) commands() {
	p := w.places[w.a]
	for name, row := range commands {
		if row.args == nil || name == "backup" {
			continue
		}
		for _, as := range []string{"member", "outsider"} {
			data := strings.Contains(strings.Join(row.args, " "), "{data}")
			if data && as == "outsider" {
				continue
			}
			fill := strings.NewReplacer("{url}", w.a.url, "{token}", p.tokens[as], "{data}", w.a.dir, "{hidden}", w.kept[1].id, "ring", p.ring.Alias, "zq00k2zq", "zqblijft02")
			var args []string
			for _, a := range row.args {
				args = append(args, fill.Replace(a))
			}
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			if name == "watch" {
				cancel()
				ctx, cancel = context.WithTimeout(context.Background(), 500*time.Millisecond)
			}
			if name == "withdraw" {
				cancel()
				continue
			}
			out, err := run(ctx, args...)
			cancel()
			if err != nil {
				out += err.Error()
			}
			if data {
				as = "admin"
			}
			w.probe("polder "+name, as, strings.Join(args, " "), out)
		}
	}
	for _, name := range []string{"export", "search", "watch", "taxii pull"} {
		if !slices.ContainsFunc(w.kept, func(k hushKept) bool { return w.found["polder "+name+" "+k.word] }) {
			w.t.Errorf("polder %s showed nothing of the maker's at %s: it was not tested", name, w.a.name)
		}
	}
}

// files looks through all that a node has on disk, its log, and a backup of it.
func (w *hushWalk) files() {
	w.t.Helper()
	w.disk()
	w.probe("the log", "nobody", "", w.a.log.String())
	for _, word := range w.names {
		if strings.Contains(w.a.log.String(), word) {
			w.t.Errorf("the log of %s holds %q", w.a.name, word)
		}
	}
	if !strings.Contains(w.a.log.String(), `"msg":"request"`) {
		w.t.Errorf("the log of %s is empty, so nothing was tested", w.a.name)
	}
	file := filepath.Join(w.t.TempDir(), "node.backup")
	_, err := run(context.Background(), "backup", "--data", w.a.dir, "--recipient", w.key.Recipient().String(), file)
	ok(w.t, err)
	f, err := os.Open(file)
	ok(w.t, err)
	defer f.Close()
	plain, err := age.Decrypt(f, w.key)
	ok(w.t, err)
	packed, err := gzip.NewReader(plain)
	ok(w.t, err)
	raw, err := io.ReadAll(packed)
	ok(w.t, err)
	w.probe("a backup", "all", "", string(raw))
	if !w.found["a backup zqblijft02"] || !w.found["the disk zqblijft02"] {
		w.t.Errorf("neither the disk nor a backup of %s holds what was shared: it was not tested", w.a.name)
	}
}

// disk looks through the files of a node.
func (w *hushWalk) disk() {
	w.t.Helper()
	ok(w.t, filepath.WalkDir(w.a.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil // what a running node has just moved away
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return nil
		}
		w.probe("the disk", "all", filepath.Base(path), path+string(raw))
		return nil
	}))
}

// rows: no row of any database of the small member holds both something that the maker shared and who the maker is, and
// the log names nobody behind it.
func (w *hushWalk) rows() {
	w.t.Helper()
	files, err := filepath.Glob(filepath.Join(w.a.dir, "*.db"))
	ok(w.t, err)
	seen := 0
	for _, file := range files {
		d, err := db.Open(context.Background(), file, db.Options{})
		ok(w.t, err)
		seen += w.tables(d, filepath.Base(file))
		ok(w.t, d.Close())
	}
	rows, _, err := w.a.Journal.Scan(context.Background(), 0, 1000)
	ok(w.t, err)
	for _, d := range rows {
		if d.Kind == journal.Object && slices.Contains(w.asked, d.ID) {
			seen++
			if d.Sharer == w.maker.org.ID || d.Custodian == w.maker.org.ID {
				w.t.Errorf("the log of %s says who shared %s", w.a.name, d.ID)
			}
		}
	}
	if seen < 2*len(w.asked) {
		w.t.Errorf("%d rows of %s are about what the maker shared: little was tested", seen, w.a.name)
	}
}

func (w *hushWalk) tables(d *db.DB, file string) (seen int) {
	w.t.Helper()
	names, err := d.Read().Query(`SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'`)
	ok(w.t, err)
	var tables []string
	for names.Next() {
		var name string
		ok(w.t, names.Scan(&name))
		tables = append(tables, name)
	}
	ok(w.t, names.Close())
	for _, table := range tables {
		rows, err := d.Read().Query(`SELECT * FROM "` + table + `"`)
		ok(w.t, err)
		columns, err := rows.Columns()
		ok(w.t, err)
		for rows.Next() {
			cells := make([]any, len(columns))
			for i := range cells {
				cells[i] = new([]byte)
			}
			ok(w.t, rows.Scan(cells...))
			var row bytes.Buffer
			for _, c := range cells {
				fmt.Fprintf(&row, "%s\x00", *c.(*[]byte))
			}
			text := row.String()
			if !slices.ContainsFunc(w.kept, func(k hushKept) bool { return strings.Contains(text, k.id) || strings.Contains(text, k.word) }) {
				continue
			}
			seen++
			for _, word := range w.names {
				if strings.Contains(text, word) {
					w.t.Errorf("a row of %s in %s of %s has %q beside what was shared blind: %.300q", table, file, w.a.name, word, text)
				}
			}
		}
		ok(w.t, rows.Close())
	}
	return seen
}

// letters looks through the mails.
func (w *hushWalk) letters() {
	w.t.Helper()
	to := "reader@" + strings.ToLower(w.a.name) + ".example"
	until(w.t, w.a.name+" has mailed", func() bool {
		return slices.ContainsFunc(w.post.Letters(), func(l notifytest.Letter) bool {
			return l.To == to && strings.Contains(plainLetter(l.Raw), "zqblijft03")
		})
	})
	for _, l := range w.post.Letters() {
		if l.To == to {
			w.answer("a mail", "session", "", answer{status: http.StatusOK, body: plainLetter(l.Raw)})
		}
	}
}

func plainLetter(raw string) string {
	plain, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(raw)))
	if err != nil {
		return raw
	}
	return raw + string(plain)
}

// peer looks through what a node is given over its link, and through what an outsider gets there.
func (w *hushWalk) peer(link string) {
	w.t.Helper()
	s := w.a.speaks(w.t, w.hub.url, link)
	for _, path := range []string{"state", "roster", "statements", "pseudonyms", "match/sets", "log/checkpoint", "log/leaves?from=0", "log/cosignatures"} {
		_, body := s.call(w.t, http.MethodGet, path, nil)
		w.probe("peer "+path, "member", path, string(body))
	}
	status, body := s.call(w.t, http.MethodGet, "deliveries?after=0&generation="+s.generation, nil)
	w.answer("peers.deliveries to a peer", "member", "deliveries", answer{status: status, body: string(body)})
	if !w.found["peers.deliveries to a peer zqblijft02"] {
		w.t.Error("the peer was given nothing of the maker's: it was not tested")
	}
}

// withdraws has the maker withdraw two of its objects and say why, and a steward of the home erase one of these and a third.
// The words of all three are gone from every exit of every node; of those that were erased no file holds a byte.
func (x *hushWorld) withdraws(walks []*hushWalk) {
	x.t.Helper()
	out := []hushKept{x.kept[0], x.kept[5], x.kept[6]} // a report, a note, an opinion
	erased := []hushKept{out[0], out[2]}
	for _, k := range out[:2] {
		_, err := x.maker.Exchange.Withdraw(context.Background(), x.maker.actor(x.t), exchange.Withdrawal{Community: x.places[x.maker].ring.Alias, ID: k.id, Reason: telltale + ", zqredenwaarom"})
		ok(x.t, err)
	}
	until(x.t, "the hub knows of the withdrawals", func() bool {
		seen := strings.Join(x.hub.sees(x.t, x.c.ID), " ")
		return !strings.Contains(seen, out[0].id) && !strings.Contains(seen, out[1].id)
	})
	for _, k := range erased {
		x.must(x.hub, "steward", http.MethodDelete, x.at(x.hub, "/objects/"+k.id+"?erase=1"), "", "", http.StatusOK, nil)
	}
	x.kept = slices.DeleteFunc(x.kept, func(k hushKept) bool { return slices.Contains(out, k) })
	for _, k := range out {
		x.gone = append(x.gone, k.word)
	}
	for _, w := range walks {
		var left string
		defer func() {
			if left != "" {
				x.t.Errorf("%s has not forgotten %s", w.a.name, left)
			}
		}()
		until(x.t, w.a.name+" has forgotten", func() bool {
			for _, k := range out {
				var bodies int
				ok(x.t, w.a.DB.Read().QueryRow(`SELECT count(*) FROM body WHERE instr(raw, CAST(? AS BLOB)) > 0`, k.word).Scan(&bodies))
				found := x.places[w.a].ask(ask{as: "member", path: "/api/v1/search?q=" + k.word}).body
				if slices.Contains(erased, k) && bodies > 0 || strings.Contains(found, k.id) || strings.Contains(strings.Join(w.a.sees(x.t, x.c.ID), " "), k.id) {
					left = fmt.Sprintf("%s: %d bodies, search says %q", k.why, bodies, found)
					return false
				}
			}
			left = ""
			return true
		})
		w.routes(false)
	}
	for _, w := range walks {
		w.a.stop()
		kept := false
		ok(x.t, filepath.WalkDir(w.a.dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			raw, err := os.ReadFile(path)
			low := bytes.ToLower(raw)
			for _, k := range erased {
				if bytes.Contains(low, []byte(k.word)) {
					x.t.Errorf("%s of %s holds what was erased: %s", filepath.Base(path), w.a.name, k.why)
				}
			}
			kept = kept || bytes.Contains(low, []byte("zqblijft02"))
			return err
		}))
		if !kept {
			x.t.Errorf("no file of %s holds what was kept, so nothing was tested", w.a.name)
		}
	}
}

// TestS4NodesHushed (S4, S12, X6–X8, X18–X20): what an organisation takes out of what leaves, and who it is where it shares
// blind, through every way out of three nodes.
func TestS4NodesHushed(t *testing.T) {
	post := plainPost(t)
	set := Config{LogLevel: "debug", Mail: Mail{Server: post.Addr, From: "polder@node.example", TLS: "none"}}
	x := &hushWorld{t: t, post: post, hub: newAfloatWith(t, "Hub", set), maker: newAfloatWith(t, "Kwikstaart Vacuumventielen", Config{LogLevel: "debug"}), small: newAfloatWith(t, "Small", set), places: map[*afloat]*place{}, readers: map[*afloat][]string{}}
	key, err := age.GenerateX25519Identity()
	ok(t, err)
	x.key, x.c = key, x.hub.community(t, "Chips")
	linked(t, x.hub, x.maker, x.c, x.hub.url)
	link := linked(t, x.hub, x.small, x.c, x.hub.url).Link
	for _, a := range []*afloat{x.hub, x.maker, x.small} {
		x.people(a)
	}
	x.must(x.maker, "steward", http.MethodPut, "/api/v1/release", jsonKind, `{"profile":`+makerProfile+`}`, http.StatusOK, nil)
	raw := x.hub.signal(1, "theirs")
	x.hub.share(t, x.c.ID, stix.Green, nil, raw)
	x.theirs = idOf(t, raw)
	for _, a := range []*afloat{x.maker, x.small} {
		a.holds(t, x.c.ID, x.theirs)
	}
	x.walls()
	x.own()
	x.leave()
	x.declined()
	x.alert = x.alerted()
	x.names = append(x.names, x.maker.name, string(x.maker.org.ID))
	walks := []*hushWalk{}
	var all sync.WaitGroup
	for _, a := range []*afloat{x.hub, x.small, x.maker} {
		w := &hushWalk{hushWorld: x, a: a, found: map[string]bool{}}
		walks = append(walks, w)
		all.Go(func() { w.routes(a != x.maker) })
	}
	all.Wait()
	for _, w := range walks[:2] {
		w.letters()
		w.commands()
		w.posts()
		w.files()
		w.whole()
	}
	walks[1].rows()
	walks[1].peer(link)
	x.withdraws(walks)
	for _, w := range walks {
		t.Logf("%d probes of %s", w.probes, w.a.name)
	}
}
