package node

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder/stix"
)

// absent is an id that nobody has shared.
var absent = entryID(777777)

// TestS5Existence (S5, X8): whoever may not see an object gets, byte by byte but for the id, the answer for one that does
// not exist, whatever is asked; so too for communities.
func TestS5Existence(t *testing.T) {
	p := newPlace(t)
	named := "to=" + string(p.orgs["named"].ID)
	hidden := map[string]string{"to another, red": entryID(1), "to another": entryID(2), "elsewhere": entryID(3), "withdrawn": entryID(4), "to nobody": entryID(5)}
	p.share(t, "sharer", "ring", named, entry(1, 0, stix.Red, ""))
	p.share(t, "sharer", "ring", named, entry(2, 0, stix.Green, ""))
	p.share(t, "sharer", "other", "", entry(3, 0, stix.Amber, ""))
	p.share(t, "sharer", "ring", named, entry(4, 0, stix.Green, ""))
	p.share(t, "sharer", "ring", "", entry(5, 0, stix.Red, ""))
	if a := p.ask(ask{as: "sharer", method: "DELETE", path: "/api/v1/communities/ring/objects/" + entryID(4)}); a.status != 200 {
		t.Fatalf("withdraw: %d %s", a.status, a.body)
	}
	pairs := 0
	for name, id := range hidden {
		for _, as := range []string{"plain", "reader", "steward", "foreign", "left", "admin", ""} {
			if as == "foreign" && name == "elsewhere" {
				continue // a member there
			}
			none := p.questions(absent)
			for i, q := range p.questions(id) {
				other := none[i]
				q.as, other.as = as, as
				if got, want := plainly(p.ask(q), id), plainly(p.ask(other), absent); got != want {
					t.Errorf("%s as %q: %s %s\n%s\nand for one that does not exist\n%s", name, as, q.method, q.path, got, want)
				}
				pairs++
			}
		}
	}
	for _, as := range []string{"plain", "admin", "left"} {
		for _, path := range []string{"/api/v1/objects?community=%s", "/api/v1/export?format=csv&community=%s", "/api/v1/stream?community=%s", "/taxii2/root/collections/%s/", "/taxii2/root/collections/%s/objects/", "/taxii2/root/collections/%s/manifest/"} {
			q := ask{as: as, path: fmt.Sprintf(path, "other"), wait: time.Second}
			none := ask{as: as, path: fmt.Sprintf(path, "utter"), wait: time.Second}
			if got, want := plainly(p.ask(q), "other"), plainly(p.ask(none), "utter"); got != want {
				t.Errorf("community as %q: %s\n%s\nand for one that does not exist\n%s", as, path, got, want)
			}
		}
	}
	if pairs < 400 {
		t.Fatalf("%d pairs", pairs)
	}
}

// questions are all ways to ask about one object.
func (p *place) questions(id string) []ask {
	at, col := "/api/v1/communities/ring/objects/"+id, "/taxii2/root/collections/ring/objects/"+id+"/"
	value := "x" + strings.TrimLeft(strings.TrimPrefix(id, "indicator--00000000-0000-4000-8000-"), "0") + ".example"
	out := []ask{
		{path: "/api/v1/objects/" + id}, {path: "/api/v1/objects/" + id + "?version=all&community=ring"}, {path: col}, {path: col + "versions/"}, {path: col + "?match[version]=all"},
		{path: "/taxii2/root/collections/ring/objects/?match[id]=" + id}, {path: "/taxii2/root/collections/ring/manifest/?match[id]=" + id},
		{path: "/api/v1/search?q=" + id}, {path: "/api/v1/search?q=" + value}, {path: "/api/v1/values?value=" + value},
		{method: "DELETE", path: at}, {method: "DELETE", path: at + "?erase=1"}, {method: "DELETE", path: col}, {method: "PUT", path: at + "/custodian", body: `{"to":"` + string(p.orgs["plain"].ID) + `"}`},
		{method: "POST", path: at + "/opinions", body: `{"opinion":"agree","tlp":"green"}`}, {method: "POST", path: at + "/notes", body: `{"content":"x","tlp":"green"}`},
		{method: "POST", path: at + "/sightings", body: `{"count":1,"tlp":"green"}`}, {method: "POST", path: "/api/v1/communities/ring/questions/" + id + "/close", body: `{}`},
	}
	for i := range out {
		if out[i].body != "" {
			out[i].kind = jsonKind
		}
	}
	return out
}

var unique = regexp.MustCompile(`[0-9a-f]{16}|\d{4}-\d\d-\d\dT[\d:.]+Z|"seq":\d+`)

// plainly is an answer without what differs between any two.
func plainly(a answer, id string) string {
	text := fmt.Sprintln(a.status)
	for _, k := range slices.Sorted(maps.Keys(a.head)) {
		if k == "X-Request-Id" || k == "Date" {
			continue
		}
		text += k + ": " + strings.Join(a.head[k], ", ") + "\n"
	}
	number := strings.TrimLeft(strings.TrimPrefix(id, "indicator--00000000-0000-4000-8000-"), "0")
	text = strings.NewReplacer(id, "ID", "x"+number+".example", "VALUE").Replace(text + a.body)
	return unique.ReplaceAllString(text, "*")
}

// TestS5Timing (S5): the time of an answer does not tell either.
func TestS5Timing(t *testing.T) {
	p := newPlace(t)
	p.share(t, "sharer", "ring", "to="+string(p.orgs["named"].ID), entry(1, 0, stix.Red, ""))
	for range 40 { // warm
		p.ask(ask{as: "plain", path: "/api/v1/objects/" + entryID(1)})
		p.ask(ask{as: "plain", path: "/api/v1/objects/" + absent})
	}
	var worst float64
	for range 2 { // by chance once in a hundred; twice once in ten thousand
		var hidden, none []float64
		for i := range soak(300, 2000) {
			for k := range 2 {
				id := entryID(1)
				if (i+k)%2 == 0 {
					id = absent
				}
				began := time.Now()
				p.ask(ask{as: "plain", path: "/api/v1/objects/" + id})
				if took := float64(time.Since(began)); id == absent {
					none = append(none, took)
				} else {
					hidden = append(hidden, took)
				}
			}
		}
		if worst = mannWhitney(hidden, none); worst > 0.01 {
			return
		}
	}
	t.Fatalf("the times of a hidden object and of none can be told apart: p = %g", worst)
}

// mannWhitney is the chance that two samples of one distribution differ as much as a and b do.
func mannWhitney(a, b []float64) float64 {
	type sample struct {
		v     float64
		first bool
	}
	var all []sample
	for _, v := range a {
		all = append(all, sample{v, true})
	}
	for _, v := range b {
		all = append(all, sample{v, false})
	}
	slices.SortFunc(all, func(x, y sample) int { return int(math.Copysign(1, x.v-y.v)) })
	var ranks float64
	for i, s := range all {
		if s.first {
			ranks += float64(i + 1)
		}
	}
	n, m := float64(len(a)), float64(len(b))
	u := ranks - n*(n+1)/2
	z := math.Abs(u-n*m/2) / math.Sqrt(n*m*(n+m+1)/12)
	return math.Erfc(z / math.Sqrt2)
}

// TestMannWhitney: the test of times tells a shift of a tenth from none.
func TestMannWhitney(t *testing.T) {
	var a, b, c []float64
	for i := range 300 {
		v := float64(i*7919%1000) / 1000
		a, b, c = append(a, v), append(b, float64(i*104729%1000)/1000), append(c, v+0.1)
	}
	if same, moved := mannWhitney(a, b), mannWhitney(a, c); same < 0.01 || moved > 0.01 {
		t.Fatalf("same %g, moved %g", same, moved)
	}
}

var words = regexp.MustCompile(`[A-Za-z0-9][A-Za-z0-9._@+=/-]{7,}`)

// TestS7Identifiers (S7): nothing that stands in any answer opens a door: not as Bearer, Basic, cookie, or next.
func TestS7Identifiers(t *testing.T) {
	p := newPlace(t)
	p.share(t, "plain", "ring", "", entry(1, 0, stix.Green, ""), entry(2, 0, stix.Green, ""))
	found := map[string]bool{}
	for _, r := range p.Routes() {
		if r.Method != "GET" {
			continue
		}
		for _, as := range []string{"reader", "steward", "admin", "session"} {
			q := ask{as: as, path: p.fill(r.Pattern, entryID(1))}
			if r.Stream {
				q.wait = 30 * time.Millisecond
			}
			if strings.HasPrefix(r.Exit, "taxii.") {
				q.path += "?limit=1"
			}
			a := p.ask(q)
			if strings.Contains(a.head.Get("Content-Type"), "css") || strings.Contains(a.head.Get("Content-Type"), "svg") {
				continue
			}
			for _, w := range words.FindAllString(a.body+fmt.Sprint(a.head), -1) {
				found[w] = true
			}
		}
	}
	for _, id := range []string{string(p.ids["plain"]), string(p.orgs["plain"].ID), "reader@plain.example", p.tokens["plain"][:len(p.tokens["plain"])-1], strings.ToUpper(p.tokens["plain"]), p.tokens["plain"] + " x", "polder_" + string(p.ids["plain"])} {
		found[id] = true
	}
	if len(found) < 100 {
		t.Fatalf("%d words were found, so little was tried", len(found))
	}
	tried := slices.Sorted(maps.Keys(found))
	for i, w := range tried {
		if len(tried) > 400 && !strings.ContainsAny(w, "0123456789") && i%5 > 0 {
			continue
		}
		basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("x:"+w))
		for _, h := range []map[string]string{{"Authorization": "Bearer " + w}, {"Authorization": basic}, {"Cookie": "polder=" + w}, {"Cookie": "__Host-polder=" + w}} {
			if a := p.ask(ask{path: "/api/v1/communities", head: h}); a.status != http.StatusUnauthorized && a.status != http.StatusTooManyRequests {
				t.Errorf("%q opens the door as %v: %d", w, h, a.status)
			}
		}
	}
}

// TestS18Next (S18): next that was forged, cut, taken from another reader, collection, filter, resource or node, or that
// outlived its reader's token, gives nothing.
func TestS18Next(t *testing.T) {
	p, q := newPlace(t), newPlace(t)
	for _, x := range []*place{p, q} {
		x.share(t, "plain", "ring", "", entry(1, 0, stix.Green, ""), entry(2, 0, stix.Green, ""), entry(3, 0, stix.Green, ""))
	}
	p.share(t, "sharer", "other", "", entry(4, 0, stix.Green, ""), entry(5, 0, stix.Green, ""))
	const objects, manifest = "/taxii2/root/collections/ring/objects/?limit=1", "/taxii2/root/collections/ring/manifest/?limit=1"
	next := p.next(t, "plain", objects)
	if a := p.ask(ask{as: "plain", path: objects + "&next=" + url.QueryEscape(next)}); a.status != 200 || !strings.Contains(a.body, entryID(2)) {
		t.Fatalf("the right one: %d %s", a.status, a.body)
	}
	tries := map[string]ask{
		"another reader":            {as: "named", path: objects + "&next=" + next},
		"another token":             {as: "contributor", path: objects + "&next=" + next},
		"another collection":        {as: "sharer", path: "/taxii2/root/collections/other/objects/?limit=1&next=" + p.next(t, "sharer", objects)},
		"manifest with objects'":    {as: "plain", path: manifest + "&next=" + next},
		"objects with manifest's":   {as: "plain", path: objects + "&next=" + p.next(t, "plain", manifest)},
		"another filter":            {as: "plain", path: objects + "&match[type]=malware&next=" + next},
		"all versions":              {as: "plain", path: objects + "&match[version]=all&next=" + next},
		"another node":              {as: "plain", path: objects + "&next=" + q.next(t, "plain", objects)},
		"a number":                  {as: "plain", path: objects + "&next=1"},
		"empty":                     {as: "plain", path: objects + "&next="},
		"twice":                     {as: "plain", path: objects + "&next=" + next + "&next=" + next},
		"versions of another":       {as: "plain", path: "/taxii2/root/collections/ring/objects/" + entryID(1) + "/versions/?next=" + next},
		"of an object that is none": {as: "plain", path: "/taxii2/root/collections/ring/objects/" + entryID(1) + "/?next=" + next},
	}
	for i := range len(next) {
		tries[fmt.Sprintf("cut at %d", i)] = ask{as: "plain", path: objects + "&next=" + url.QueryEscape(next[:i])}
		flipped := []byte(next)
		if flipped[i] ^= 1; i == len(next)-1 {
			flipped[i] ^= 1 ^ 32 // the last character's low bits may carry nothing
		}
		tries[fmt.Sprintf("flipped at %d", i)] = ask{as: "plain", path: objects + "&next=" + url.QueryEscape(string(flipped))}
	}
	for name, try := range tries {
		if a := p.ask(try); a.status != 400 && a.status != 404 || strings.Contains(a.body, "indicator--") {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if err := p.revoke("plain"); err != nil {
		t.Fatal(err)
	}
	if a := p.ask(ask{as: "plain", path: objects + "&next=" + next}); a.status != 401 {
		t.Errorf("after the token ended: %d %s", a.status, a.body)
	}
	next = p.next(t, "contributor", objects)
	p.leave(t, "plain", p.ring)
	if a := p.ask(ask{as: "contributor", path: objects + "&next=" + next}); a.status != 404 || strings.Contains(a.body, "indicator--") {
		t.Errorf("after leaving: %d %s", a.status, a.body)
	}
}

// next is what the first page gives.
func (p *place) next(t *testing.T, as, path string) string {
	t.Helper()
	var page struct{ Next string }
	a := p.ask(ask{as: as, path: path})
	if ok(t, json.Unmarshal([]byte(a.body), &page)); page.Next == "" {
		t.Fatalf("%s gives no next: %d %s", path, a.status, a.body)
	}
	return page.Next
}

// TestS39CrossSite (S39): no request of another site changes anything, by session or by Basic, whatever the route.
func TestS39CrossSite(t *testing.T) {
	p := newPlace(t)
	p.share(t, "plain", "ring", "", entry(1, 0, stix.Green, ""))
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("x:"+p.tokens["steward"]))
	tried := 0
	for _, r := range p.Routes() {
		if r.Method == "GET" || r.Method == "HEAD" {
			continue
		}
		for _, site := range []map[string]string{{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}} {
			for _, by := range []map[string]string{{"Cookie": "polder=" + p.cookie}, {"Authorization": basic}, {}} {
				head := maps.Clone(site)
				maps.Copy(head, by)
				a := p.ask(ask{method: r.Method, path: p.fill(r.Pattern, entryID(1)), head: head, kind: "application/x-www-form-urlencoded", body: "name=x"})
				tried++
				if a.status != http.StatusForbidden {
					t.Errorf("%s %s with %v: %d %s", r.Method, r.Pattern, head, a.status, a.body)
				}
			}
		}
	}
	if _, still := p.seen(t, "named", "")[entryID(1)]; !still || tried < 200 {
		t.Fatalf("the object is gone, or little was tried (%d)", tried)
	}
	for _, path := range []string{"/login", "/preferences", "/api/v1/objects"} {
		h := p.ask(ask{as: "session", path: path}).head
		if !strings.Contains(h.Get("Content-Security-Policy"), "frame-ancestors 'none'") || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: headers %v", path, h)
		}
	}
}

// scripts are texts that become more than text where one is careless.
var scripts = []string{`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `'><svg/onload=alert(1)>`, `javascript:alert(1)`, `{{.}}`, `</script><script>x`, `<!--`, `]]>`, `&lt;script&gt;`, "\u202ealert", "a\u2028b", `"};alert(1);//`}

// TestS35Scripts (S35): whatever stands in an object or an address comes back as data: JSON that says so, or escaped text.
func TestS35Scripts(t *testing.T) {
	p := newPlace(t)
	for i, s := range scripts {
		q, _ := json.Marshal(s) // a string
		p.share(t, "plain", "ring", "", entry(i+1, 0, stix.Green, `,"name":`+string(q)+`,"description":`+string(q)+`,"labels":[`+string(q)+`]`))
		got := p.ask(ask{as: "named", path: "/api/v1/objects/" + entryID(i+1)})
		var page struct {
			Objects []struct{ Object struct{ Name string } }
		}
		if ok(t, json.Unmarshal([]byte(got.body), &page)); len(page.Objects) != 1 || page.Objects[0].Object.Name != s {
			t.Errorf("%q came back as %s", s, got.body)
		}
	}
	pages := 0
	for _, r := range p.Routes() {
		if r.Method != "GET" || r.Stream {
			continue
		}
		for i, s := range scripts {
			for _, path := range []string{p.fill(r.Pattern, entryID(i+1)) + "?q=" + url.QueryEscape(s) + "&next=" + url.QueryEscape(s) + "&action=" + url.QueryEscape(s), p.fill(r.Pattern, url.PathEscape(s))} {
				a := p.ask(ask{as: "session", path: path})
				kind := a.head.Get("Content-Type")
				if a.head.Get("X-Content-Type-Options") != "nosniff" {
					t.Errorf("%s: may be sniffed", path)
				}
				if strings.HasPrefix(kind, "text/html") {
					pages++
					if strings.ContainsAny(s, "<") && strings.Contains(a.body, s) {
						t.Errorf("%s: %q stands in the page unescaped", path, s)
					}
				}
			}
		}
	}
	if pages < 100 {
		t.Fatalf("%d pages were seen", pages)
	}
}
