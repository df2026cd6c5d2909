package node

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/stix"
)

// openWith opens the node of the folder as its polder.yaml says, and serves.
func (p *place) openWith(t *testing.T, config string) {
	t.Helper()
	if config != "" {
		ok(t, os.WriteFile(filepath.Join(p.dir, "polder.yaml"), []byte(config), 0o600))
	}
	c, err := ReadConfig(p.dir)
	ok(t, err)
	n, err := Open(t.Context(), p.dir, c, Options{Log: p.log, Now: p.now, Password: demoPassword})
	ok(t, err)
	p.Node = n
	p.end = sync.OnceFunc(func() { ok(t, n.Close()) })
	t.Cleanup(func() { p.end() })
	p.serve(t)
}

// unopened is a place whose node is made and not open.
func unopened(t *testing.T) *place {
	t.Helper()
	p := &place{dir: t.TempDir(), log: &lines{}, orgs: map[string]polder.Org{}, tokens: map[string]string{}, ids: map[string]polder.TokenID{}}
	p.make(t)
	return p
}

// newWatch is a place that serves.
func newWatch(t *testing.T) *place {
	t.Helper()
	p := unopened(t)
	p.openWith(t, "")
	return p
}

// eventually waits for something that is about to happen.
func eventually(t *testing.T, what string, there func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !there(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it did not come about within %v: %s", patience, what)
		}
	}
}

// looksUp is a line of a log: a machine asks for a name, so long ago.
func (p *place) looksUp(name, host string, ago time.Duration) string {
	return fmt.Sprintf(`{"@timestamp":%q,"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":22,"Computer":%q,"QueryName":%q,"User":"OWN\\j.smid"}`+"\n",
		p.now().Add(-ago).UTC().Format(time.RFC3339Nano), host, name)
}

// send sends lines of a log and waits until they are judged.
func (p *place) send(t *testing.T, as string, log ...string) {
	t.Helper()
	a := p.ask(ask{as: as, method: "POST", path: "/api/v1/events?name=dns", body: strings.Join(log, ""), kind: "application/x-ndjson"})
	if a.status != http.StatusAccepted {
		t.Fatalf("events of %s: %d %s", as, a.status, a.body)
	}
	p.judged(t)
}

func (p *place) judged(t *testing.T) {
	t.Helper()
	eventually(t, "all events are judged", func() bool { return p.detection.intake.Waiting() == 0 })
}

// noticed is an alert as its organisation reads it.
type noticed struct {
	alarm
	Withdrawn bool
	Why       string
	Origin    struct{ Object, Community, PAP string }
}

// noticed are the alerts that a token reads.
func (p *place) noticed(t *testing.T, as string) []noticed {
	t.Helper()
	a := p.ask(ask{as: as, path: "/api/v1/alerts?limit=200"})
	var out struct{ Alerts []noticed }
	if a.status != 200 || json.Unmarshal([]byte(a.body), &out) != nil {
		t.Fatalf("alerts for %s: %d %s", as, a.status, a.body)
	}
	return out.Alerts
}

// about waits for the alert of a token about an object or a rule, with as many hits, and reads all of it.
func (p *place) about(t *testing.T, as, rule string, count int) (out noticed) {
	t.Helper()
	id := ""
	eventually(t, as+" has an alert about "+rule, func() bool {
		for _, n := range p.noticed(t, as) {
			if n.Rule == rule && n.Count >= count {
				id = n.ID
			}
		}
		return id != ""
	})
	a := p.ask(ask{as: as, path: "/api/v1/alerts/" + id})
	if err := json.Unmarshal([]byte(a.body), &out); err != nil || a.status != 200 || out.Count != count {
		t.Fatalf("alert %s of %s: %d %s, %v; want %d", id, as, a.status, a.body, err, count)
	}
	return out
}

// knows waits until the detection of an organisation holds so many indicators.
func (p *place) knows(t *testing.T, who string, want int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%s knows %d indicators", who, want), func() bool {
		o, err := p.detection.detector.Overview(t.Context(), polder.Actor{Org: p.orgs[who].ID, Role: polder.RoleReader})
		ok(t, err)
		return o.Knowing.Indicators+o.Knowing.Patterns == want
	})
}

func (p *place) decide(t *testing.T, as, id, state string) {
	t.Helper()
	if a := p.ask(ask{as: as, method: "POST", path: "/api/v1/alerts/" + id + "/state", body: `{"state":"` + state + `"}`, kind: jsonKind}); a.status != 200 {
		t.Fatalf("decide %s: %d %s", state, a.status, a.body)
	}
}

// made are the times at which an object is made, which are those of the moment.
var made = regexp.MustCompile(`"(created|modified)":"[^"]*"`)

// TestDetectThroughout: events by the API raise an alert; confirmed, exactly what is previewed leaves, and its contributor
// reads that by TAXII and by the stream.
func TestDetectThroughout(t *testing.T) {
	p := newWatch(t)
	p.share(t, "sharer", "ring", "", entry(1, 0, stix.Amber, `,"name":"Gateway","confidence":85`))
	p.send(t, "plain", p.looksUp("www.example", "pc-1", time.Minute), p.looksUp("x1.example", "pc-1", 50*time.Second), p.looksUp("cdn.X1.example.", "pc-1", 40*time.Second))
	n := p.about(t, "plain", entryID(1), 2)
	if n.Kind != "indicator" || n.Title != "Gateway" || n.Level != "high" || n.TLP != "amber" || n.Host != "pc-1" || n.State != "new" || n.Origin.Object != entryID(1) || n.Origin.Community != "ring" {
		t.Errorf("the alert is %+v", n)
	}
	if e := n.Alerts[len(n.Alerts)-1].Evidence; len(e) != 1 || e[0].Field != "QueryName" || e[0].Value != "x1.example" {
		t.Errorf("its evidence is %+v", e)
	}
	at := "/api/v1/alerts/" + n.ID + "/sighting"
	if a := p.ask(ask{as: "plain", path: at}); a.status != http.StatusConflict {
		t.Errorf("a sighting of what nobody confirmed: %d %s", a.status, a.body)
	}
	p.decide(t, "plain", n.ID, "confirmed")
	if a := p.ask(ask{as: "reader", method: "POST", path: at, body: "{}", kind: jsonKind}); a.status != http.StatusForbidden {
		t.Errorf("a reader shares: %d", a.status)
	}
	a := p.ask(ask{as: "plain", path: at})
	var shown struct {
		Object  json.RawMessage
		TLP     string
		Readers int
	}
	if err := json.Unmarshal([]byte(a.body), &shown); err != nil || a.status != 200 || shown.TLP != "amber" || shown.Readers != 5 {
		t.Fatalf("preview: %d %s, %v", a.status, a.body, err)
	}
	before := p.seen(t, "sharer", "ring")
	a = p.ask(ask{as: "plain", method: "POST", path: at, body: "{}", kind: jsonKind})
	var left struct{ ID string }
	if err := json.Unmarshal([]byte(a.body), &left); err != nil || a.status != http.StatusCreated || before[left.ID] != "" {
		t.Fatalf("share: %d %s, %v", a.status, a.body, err)
	}
	p.reads(t, left.ID, shown.Object)
	after := p.seen(t, "sharer", "ring")
	for _, own := range []string{"pc-1", "smid", "Gewoon", string(p.orgs["plain"].ID), "x1.example"} {
		if bytes.Contains(shown.Object, []byte(own)) {
			t.Errorf("%q leaves: %s", own, shown.Object)
		}
	}
	if again := p.ask(ask{as: "plain", method: "POST", path: at, body: "{}", kind: jsonKind}); again.status != http.StatusCreated || again.body != a.body || !maps.Equal(p.seen(t, "sharer", "ring"), after) {
		t.Errorf("shared twice: %d %s, and %v", again.status, again.body, p.seen(t, "sharer", "ring"))
	}
}

// reads holds what the contributor gets, by stream and by TAXII, against what was shown before it left.
func (p *place) reads(t *testing.T, id string, shown []byte) {
	t.Helper()
	a := p.ask(ask{as: "sharer", path: "/taxii2/root/collections/ring/objects/" + id + "/"})
	var page struct{ Objects []json.RawMessage }
	if err := json.Unmarshal([]byte(a.body), &page); err != nil || len(page.Objects) != 1 {
		t.Fatalf("TAXII: %d %s, %v", a.status, a.body, err)
	}
	now := func(b []byte) string { return made.ReplaceAllString(string(b), `"$1":"now"`) }
	signature := regexp.MustCompile(`,"extensions":\{"` + stix.SignatureExtension + `":\{[^}]*\}\}`)
	if got, want := signature.ReplaceAllString(now(page.Objects[0]), ""), now(shown); got != want || !strings.Contains(got, `"count":2`) {
		t.Errorf("by TAXII comes\n%s, and was shown as\n%s", got, want)
	}
	stream := p.ask(ask{as: "sharer", path: "/api/v1/stream?since=0", wait: 300 * time.Millisecond})
	if !strings.Contains(stream.body, `"object":`+string(page.Objects[0])) {
		t.Errorf("the stream tells %s", stream.body)
	}
}

// TestDetectWalls: nobody but the organisation that took events in reads its alerts, decides about them, or is told that
// there are any.
func TestDetectWalls(t *testing.T) {
	p := newWatch(t)
	p.share(t, "sharer", "ring", "", entry(1, 0, stix.Amber, ""))
	p.send(t, "plain", p.looksUp("x1.example", "pc-1", time.Minute))
	n := p.about(t, "plain", entryID(1), 1)
	p.decide(t, "plain", n.ID, "confirmed")
	for _, q := range []ask{
		{path: "/api/v1/alerts/" + n.ID}, {path: "/alerts/" + n.ID}, {path: "/api/v1/alerts/" + n.ID + "/sighting"}, {path: "/alerts/" + n.ID + "/sighting"}, {path: "/alerts/" + n.ID + "/suppress"},
		{method: "POST", path: "/api/v1/alerts/" + n.ID + "/state", body: `{"state":"closed"}`, kind: jsonKind},
		{method: "POST", path: "/api/v1/alerts/" + n.ID + "/sighting", body: "{}", kind: jsonKind},
		{method: "POST", path: "/api/v1/suppressions", kind: jsonKind, body: `{"rule":"` + entryID(1) + `","scope":"host","value":"pc-1","reason":"not mine at all","until":"` + p.now().Add(time.Hour).UTC().Format(time.RFC3339) + `","alert":"` + n.ID + `"}`},
	} {
		for as, want := range map[string][]int{"sharer": {404}, "named": {404}, "steward": {404}, "foreign": {404}, "admin": {403, 404}, "": {401, 303}, "revoked": {401}} {
			q.as = as
			a := p.ask(q)
			if a.status != want[0] && a.status != want[len(want)-1] || strings.Contains(a.body, "pc-1") {
				t.Errorf("%s %s as %q: %d %s", q.method, q.path, as, a.status, a.body)
			}
		}
	}
	for _, as := range []string{"sharer", "named", "steward", "foreign"} {
		for _, path := range []string{"/api/v1/alerts", "/api/v1/alerts?object=" + entryID(1), "/api/v1/alerts?host=pc-1", "/api/v1/suppressions", "/api/v1/search?q=pc-1"} {
			if a := p.ask(ask{as: as, path: path}); a.status != 200 || strings.Contains(a.body, n.ID) || strings.Contains(a.body, `"pc-1"`) {
				t.Errorf("%s as %s: %d %s", path, as, a.status, a.body)
			}
		}
	}
	if a := p.ask(ask{as: "session", path: "/alerts/" + n.ID}); a.status != 200 || !strings.Contains(a.body, "pc-1") {
		t.Errorf("a person of its own: %d", a.status)
	}
	if got := p.about(t, "plain", entryID(1), 1); got.State != "confirmed" || got.Sighting != "" {
		t.Errorf("somebody else changed it: %+v", got)
	}
}

// TestDetectSight: what an organisation may see at the time is what its events are held against.
func TestDetectSight(t *testing.T) {
	p := newWatch(t)
	p.share(t, "sharer", "ring", "to="+string(p.orgs["named"].ID), entry(1, 0, stix.Red, ""))
	p.share(t, "sharer", "ring", "", entry(2, 0, stix.Amber, ""))
	both := func(host string) []string {
		return []string{p.looksUp("x1.example", host, time.Minute), p.looksUp("x2.example", host, time.Minute)}
	}
	for _, as := range []string{"named", "plain", "foreign"} {
		p.send(t, as, both("pc-1")...)
	}
	p.about(t, "named", entryID(1), 1)
	p.about(t, "named", entryID(2), 1)
	p.about(t, "plain", entryID(2), 1)
	for as, want := range map[string]int{"named": 2, "plain": 1, "foreign": 0} {
		if got := p.noticed(t, as); len(got) != want {
			t.Errorf("%s has the alerts %+v, want %d", as, got, want)
		}
	}
	p.join(t, "foreign", p.ring)
	p.knows(t, "foreign", 1)
	p.send(t, "foreign", both("pc-2")...)
	n := p.about(t, "foreign", entryID(2), 1)
	if n.Host != "pc-2" || len(p.noticed(t, "foreign")) != 1 {
		t.Errorf("after joining: %+v", p.noticed(t, "foreign"))
	}
	p.leave(t, "foreign", p.ring)
	p.blank(t, "foreign", n.ID, "x2.example") // at once
	p.knows(t, "foreign", 0)
	p.send(t, "foreign", both("pc-3")...)
	if got := p.noticed(t, "foreign"); len(got) != 1 || got[0].Host != "pc-2" {
		t.Errorf("after leaving: %+v", got)
	}
	p.share(t, "sharer", "ring", "", entry(1, 0, stix.Red, "")) // without recipients it changes nothing for others
	p.send(t, "plain", both("pc-4")...)
	p.about(t, "plain", entryID(2), 1)
	for _, n := range p.noticed(t, "plain") {
		if n.Rule == entryID(1) {
			t.Errorf("plain is told of what is for another: %+v", n)
		}
	}
}

// blank demands that an alert tells nothing of what it rests on.
func (p *place) blank(t *testing.T, as, id, value string) {
	t.Helper()
	for _, path := range []string{"/api/v1/alerts/" + id, "/api/v1/alerts", "/alerts", "/alerts/" + id} {
		a := p.ask(ask{as: as, path: path})
		if a.status != 200 || strings.Contains(a.body, value) || strings.Contains(a.body, "indicator--") || strings.Contains(a.body, "Secret name") {
			t.Errorf("%s as %s: %d %s", path, as, a.status, a.body)
		}
	}
	a := p.ask(ask{as: as, path: "/api/v1/alerts/" + id})
	var n noticed
	if ok(t, json.Unmarshal([]byte(a.body), &n)); !n.Withdrawn || n.Title != "" || n.Rule != "" || n.Why != "" || n.Origin.Object != "" || len(n.Alerts) == 0 || len(n.Alerts[0].Evidence)+len(n.Alerts[0].Events) > 0 {
		t.Errorf("%s reads %s", as, a.body)
	}
}

// TestDetectWithdrawn: of what was withdrawn nothing is left in alerts, and nothing is found by it.
func TestDetectWithdrawn(t *testing.T) {
	p := newWatch(t)
	p.share(t, "sharer", "ring", "", entry(1, 0, stix.Amber, `,"name":"Secret name"`))
	p.send(t, "plain", p.looksUp("x1.example", "pc-1", time.Minute))
	n := p.about(t, "plain", entryID(1), 1)
	p.decide(t, "plain", n.ID, "confirmed")
	if a := p.ask(ask{as: "sharer", method: "DELETE", path: "/taxii2/root/collections/ring/objects/" + entryID(1) + "/"}); a.status != 200 {
		t.Fatalf("withdraw: %d %s", a.status, a.body)
	}
	p.blank(t, "plain", n.ID, "x1.example")
	for _, q := range []ask{{path: "/api/v1/alerts/" + n.ID + "/sighting"}, {method: "POST", path: "/api/v1/alerts/" + n.ID + "/sighting", body: "{}", kind: jsonKind}} {
		if q.as = "plain"; p.ask(q).status != http.StatusConflict {
			t.Errorf("a sighting of what was withdrawn: %d", p.ask(q).status)
		}
	}
	p.knows(t, "plain", 0)
	p.send(t, "plain", p.looksUp("x1.example", "pc-2", time.Minute))
	if got := p.noticed(t, "plain"); len(got) != 1 {
		t.Errorf("found by what was withdrawn: %+v", got)
	}
}

// TestDetectTerms: revoked and expired indicators find nothing; one of the past or the future finds what is of its time;
// a PAP mark travels into the alert.
func TestDetectTerms(t *testing.T) {
	p := newWatch(t)
	day := func(days int) string {
		return p.now().Add(time.Duration(days) * 24 * time.Hour).UTC().Format(time.RFC3339)
	}
	from := func(raw, at string) string {
		return strings.Replace(raw, `"valid_from":"2026-01-01T00:00:00Z"`, `"valid_from":"`+at+`"`, 1)
	}
	pap := strings.Replace(entry(5, 0, stix.Amber, ""), `"object_marking_refs":[`, `"object_marking_refs":["`+stix.PAPRed.ID()+`",`, 1)
	p.share(t, "sharer", "ring", "",
		entry(1, 0, stix.Amber, ""), entry(2, 0, stix.Amber, `,"valid_until":"`+day(-3)+`"`), from(entry(3, 0, stix.Amber, ""), day(-2)), from(entry(4, 0, stix.Amber, ""), day(9)), pap)
	p.share(t, "sharer", "ring", "", entry(1, 1, stix.Amber, `,"revoked":true`))
	for _, days := range []int{5, 1} {
		for i := range 5 {
			p.send(t, "plain", p.looksUp(fmt.Sprintf("x%d.example", i+1), "pc-"+strconv.Itoa(days), time.Duration(days)*24*time.Hour))
		}
	}
	p.about(t, "plain", entryID(5), 1)
	got := map[string]string{}
	for _, n := range p.noticed(t, "plain") {
		got[n.Rule] += n.Host + " "
		if n.Rule == entryID(5) && n.Origin.PAP != "red" {
			t.Errorf("the PAP mark of %+v", n)
		}
	}
	for n, want := range map[int]string{1: "", 2: "pc-5 ", 3: "pc-1 ", 4: ""} {
		if got[entryID(n)] != want {
			t.Errorf("indicator %d was found on %q, want %q", n, got[entryID(n)], want)
		}
	}
	if len(got[entryID(5)]) != len("pc-1 pc-5 ") {
		t.Errorf("the one without an end was found on %q", got[entryID(5)])
	}
	n := p.about(t, "plain", entryID(3), 1)
	p.decide(t, "plain", n.ID, "confirmed")
	p.share(t, "sharer", "ring", "", from(entry(3, 1, stix.Amber, `,"revoked":true`), day(-2)))
	if a := p.ask(ask{as: "plain", path: "/api/v1/alerts/" + n.ID + "/sighting"}); a.status != http.StatusConflict || !strings.Contains(a.body, "revoked") {
		t.Errorf("a sighting of what was revoked meanwhile: %d %s", a.status, a.body)
	}
}
