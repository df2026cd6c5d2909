package node

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// canary is an object whose every field holds a word that stands nowhere else.
type canary struct {
	n         int
	id        string
	words     map[string]string // by field
	community string
	level     stix.Marking
	to        string // the organisation it names, or ""
}

// fields are the places of an object that hold a word; the id is one more.
var fields = []string{"name", "description", "pattern", "label", "reference", "extension", "custom"}

func (c canary) raw() string {
	w := c.words
	return fmt.Sprintf(`{"type":"indicator","spec_version":"2.1","id":%q,"created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","name":%q,"description":%q,"pattern":"[domain-name:value = '%s.example']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z","labels":[%q],"external_references":[{"source_name":"source","external_id":%q}],"extensions":{"extension-definition--7b5f2cc5-1e24-4b7f-9b2f-2b5a7d3b8f01":{"extension_type":"property-extension","word":%q}},"x_word":%q,"object_marking_refs":[%q]}`,
		c.id, w["name"], w["description"], w["pattern"], w["label"], w["reference"], w["extension"], w["custom"], c.level.ID())
}

// release shares canaries of every level to every community, to all and to one, and shares blind.
func (p *place) release(t *testing.T) (out []canary) {
	t.Helper()
	for _, where := range []struct{ alias, recipient string }{{p.ring.Alias, "named"}, {p.other.Alias, "foreign"}} {
		for _, level := range []stix.Marking{stix.Clear, stix.Green, stix.Amber, stix.AmberStrict, stix.Red} {
			for _, to := range []string{"", where.recipient} {
				c := canary{n: len(out), community: where.alias, level: level, to: to, words: map[string]string{}}
				c.id = entryID(900 + c.n)
				for i, f := range fields {
					c.words[f] = fmt.Sprintf("zq%02dk%dzq", c.n, i)
				}
				c.words["id"] = c.id
				query := ""
				if to != "" {
					query = "to=" + string(p.orgs[to].ID)
				}
				p.share(t, "sharer", where.alias, query, c.raw())
				out = append(out, c)
			}
		}
	}
	blind := p.ask(ask{as: "sharer", method: "POST", path: "/api/v1/communities/" + p.ring.Alias + "/share?tlp=green&name=note.txt&confirm=1", kind: "text/plain", body: "Seen: zqblindzq[.]example"})
	if blind.status != 200 || !strings.Contains(blind.body, `"stored":`) {
		t.Fatalf("blind share: %d %s", blind.status, blind.body)
	}
	return out
}

// readers are whoever looks: a member that is named, members that are not (a reader, a steward, a person), the sharer,
// a member of the other community, one that left, the administrator, nobody.
var readers = []string{"named", "plain", "reader", "steward", "session", "sharer", "foreign", "left", "admin", ""}

// org is the organisation of a reader.
func org(reader string) string {
	switch reader {
	case "reader", "session":
		return "plain"
	case "steward":
		return "stew"
	}
	return reader
}

// sees is rule X6, in words of its own.
func (p *place) sees(reader string, c canary) bool {
	o := org(reader)
	member := slices.Contains(map[string][]string{p.ring.Alias: {"sharer", "named", "plain", "stew"}, p.other.Alias: {"sharer", "foreign"}}[c.community], o)
	switch {
	case !member:
		return false
	case o == "sharer" || o == c.to:
		return true
	}
	return c.to == "" && c.level != stix.Red
}

// exit is how a way out is probed. GET routes are asked as they are and with each of queries, where {word} stands for
// the words of a canary and {id} for its id; other methods send body.
type exit struct {
	queries  []string
	body     string // {raw}, {id} and {word} are filled in
	kind     string
	shows    bool   // carries objects: somebody must find a canary here
	members  bool   // says who the members are and what they did but share, to fellows; never who shared
	stewards bool   // lists the members to a steward, who gives custody to one
	none     string // why nothing of an object can be here; it is probed all the same
}

const (
	people = "holds people and rights, no object"
	aside  = "says whether the node works"
	public = "the same for everybody"

	sealedSets = "names sets and answers blinded values; no value stands in it"
	standsFor  = "names pseudonyms, and nobody behind one"
	stranger   = "answers peers alone; what those get, TestS4Nodes looks through"

	formKind = "application/x-www-form-urlencoded"
)

// exits are all ways out by HTTP, by their name. A route whose exit is not here fails.
var exits = map[string]exit{
	"api.objects":   {shows: true, queries: []string{"?version=all&limit=1000", "?community=ring", "?type=indicator&version=all", "?limit=2"}},
	"api.object":    {shows: true, queries: []string{"?version=all", "?community=other"}},
	"api.signature": {members: true, none: "says who signed what the asker sees, and never what it says"},
	"api.keys":      {members: true, none: "says who signs, not what"}, "keys.list": {members: true, none: "says who signs, not what"},
	"api.communities": {none: "names communities and the asker's role"},
	"api.export": {shows: true, queries: []string{"?format=stix", "?format=misp", "?format=csv", "?format=suricata", "?format=zeek", "?format=rpz", "?format=plain",
		"?format=stix&community=other", "?format={word}"}},
	"api.stream":         {shows: true, queries: []string{"?since=0", "?since=0&community=other"}},
	"api.share":          {members: true, body: `{"type":"bundle","id":"bundle--5d0092c5-5f74-4287-9642-33f4c354e56d","objects":[{raw}]}`, kind: jsonKind, none: "tells of what the asker sent"},
	"api.withdraw":       {none: "answers with the id that the asker sent"},
	"api.custodian":      {body: `{"to":"{plain}"}`, kind: jsonKind, none: "answers without a body"},
	"api.questions":      {queries: []string{"?community=other"}, none: "no question is asked here"},
	"api.ask":            {body: `{"question":"Who knows?","object_refs":["{id}"],"tlp":"amber"}`, kind: jsonKind, none: "answers with an id of its own"},
	"api.sighting":       {body: `{"count":1}`, kind: jsonKind, none: "answers with an id of its own"},
	"api.opinion":        {body: `{"opinion":"agree"}`, kind: jsonKind, none: "answers with an id of its own"},
	"api.note":           {body: `{"content":"Noted."}`, kind: jsonKind, none: "answers with an id of its own"},
	"api.question.close": {body: `{}`, kind: jsonKind, none: "answers with an id of its own"},
	"api.search":         {shows: true, queries: []string{"?q={word}", "?q={id}", "?q=indicator", "?q=zq&community=other"}},
	"api.value":          {shows: true, queries: []string{"?value={word}.example", "?value={word}"}},
	"api.description":    {none: public},
	"api.advisories":     {none: "no advisory is shared here"},
	"api.advisory":       {none: "no advisory is shared here"},
	"api.advise":         {body: `{"title":"t","body":"b","tlp":"amber","object_refs":["{id}"]}`, kind: jsonKind, none: "answers with an id of its own"},
	"api.events":         {body: `{"word":"{id}"}`, kind: "application/x-ndjson", none: "takes in, and gives nothing of it"},
	"api.alerts":         {shows: true, queries: []string{"?limit=200", "?state=suppressed", "?object={id}"}}, "api.alert": {shows: true},
	"api.alert.state":    {body: `{"state":"confirmed"}`, kind: jsonKind, none: "asked by the id of an object, which no alert has"},
	"api.alert.sighting": {body: `{}`, kind: jsonKind, none: "nothing is confirmed here"},
	"api.suppressions":   {body: `{"rule":"{id}","scope":"host","value":"ws-1","reason":"r","until":"2030-01-01T00:00:00Z"}`, kind: jsonKind, none: "nothing is suppressed here"},
	"api.suppression":    {body: `{"reason":"r"}`, kind: jsonKind, none: "nothing is suppressed here"},
	"api.retention":      {none: "a number of days"},
	"api.retention.set":  {body: `{"days":30}`, kind: jsonKind, none: "a number of days"},

	"api.proposal":         {body: `{"patch":{"description":"Better."},"reason":"Seen."}`, kind: jsonKind, none: "answers with an id of its own"},
	"api.proposals":        {queries: []string{"?community=other", "?state=open"}, none: "nothing is proposed before all is read"},
	"api.proposal.accept":  {body: `{}`, kind: jsonKind, none: "asked by the id of an object, which no proposal has"},
	"api.proposal.decline": {body: `{"reason":"No."}`, kind: jsonKind, none: "asked by the id of an object, which no proposal has"},
	"api.worth":            {queries: []string{"?community=other"}, none: "a number and its reasons"}, "api.decay": {none: public},
	"api.payback": {queries: []string{"?community=other"}, none: "what an organisation's own objects did"}, "api.payback.rules": {none: public}, "api.payback.quality": {none: "asked for somebody who shared nothing"},
	"api.payback.contributors": {none: "counts what the asker sees, of those who gave their name"}, "api.payback.health": {none: "counts what a whole community was given"},
	"payback.account": {queries: []string{"?community=other"}, none: "what an organisation's own objects did"}, "payback.contributors": {queries: []string{"?community=other"}, none: "counts what the asker sees, of those who gave their name"},
	"payback.contributor": {none: "asked for somebody who shared nothing"}, "payback.health": {queries: []string{"?community=other"}, none: "counts what a whole community was given"}, "payback.rules": {none: public},
	"exchange.proposals": {none: "nothing is proposed before all is read"}, "exchange.proposal": {none: "asked by the id of an object, which no proposal has"},
	"exchange.proposal.accept": {none: "asked by the id of an object, which no proposal has"}, "exchange.proposal.decline": {body: "reason=No", kind: formKind, none: "asked by the id of an object, which no proposal has"},

	"exchange.advisories": {none: "no advisory is shared here"}, "exchange.advisory": {none: "no advisory is shared here"}, "exchange.advisory.file": {none: "no advisory is shared here"},
	"exchange.advisory.revise": {none: "no advisory is shared here"}, "exchange.advisory.revoke": {none: "no advisory is shared here"},
	"exchange.draft":     {body: "title=t&body=b&tlp=amber&about={id}", kind: formKind, members: true, none: "an organisation's own text"},
	"exchange.questions": {body: "question=Who%3F&tlp=amber&about={id}", kind: formKind, members: true, none: "no question is asked here"}, "exchange.question": {none: "no question is asked here"},
	"exchange.question.note": {body: "text=x", kind: formKind, none: "no question is asked here"}, "exchange.question.opinion": {body: "opinion=agree", kind: formKind, none: "no question is asked here"},
	"exchange.question.close": {none: "no question is asked here"},
	"exchange.notifications":  {none: "a person's own rules"}, "exchange.notification": {none: "a person's own rules"}, "exchange.notification.off": {none: "a person's own rules"},
	"exchange.notified": {none: "answers with an address"},

	"exchange.objects": {shows: true, queries: []string{"?community=other", "?type=indicator"}},
	"exchange.object":  {shows: true, stewards: true, queries: []string{"?community=other", "?version=all"}}, "exchange.search": {shows: true, queries: []string{"?q={word}", "?q={id}", "?q=indicator"}},
	"exchange.value": {shows: true, queries: []string{"?value={word}.example", "?value={word}"}}, "exchange.feed": {shows: true, queries: []string{"?since=0", "?after=0"}},
	"exchange.release":     {none: "tells an organisation's own settings to its stewards"},
	"api.release":          {none: "tells an organisation's own settings to its stewards"},
	"api.release.set":      {none: "says back the settings that it was given"},
	"api.release.preview":  {none: "says back the objects that it was given"},
	"exchange.block lists": {queries: []string{"?format=plain", "?format=rpz&community=ring"}, none: "counts what the lists of [exits] api.export hold"},
	"exchange.share":       {body: "text={raw}&tlp=amber&community=ring", kind: formKind, members: true, none: "tells of what the asker sent"},

	"detect.alerts": {shows: true, queries: []string{"?kind=indicator", "?sort=-count"}}, "detect.alert": {shows: true}, "detect.feed": {queries: []string{"?since=0"}, none: "tells of what comes while it is open"},
	"detect.alert.suppress": {shows: true, body: "scope=host&reason=r&until=2030-01-01", kind: formKind}, "detect.alert.sighting": {none: "nothing is confirmed here"},
	"detect.suppressions": {none: "nothing is suppressed here"}, "detect.detection": {members: true, none: "counts what an organisation may see itself"},
	"detect.check":   {none: "tells of the log that was given"},
	"detect.notices": {none: "a person's own rules"}, "detect.notice": {none: "a person's own rules"}, "detect.notice.off": {none: "a person's own rules"},

	"taxii.manifest":    {shows: true, queries: []string{"?limit=1", "?match[version]=all"}},
	"taxii.objects":     {shows: true, queries: []string{"?match[version]=all&limit=1000", "?match[id]={id}", "?match[type]=indicator"}},
	"taxii.object":      {shows: true, queries: []string{"?match[version]=all"}},
	"taxii.versions":    {none: "versions are times"},
	"taxii.add":         {body: `{"objects":[{raw}]}`, kind: taxiiKind, none: "tells of what the asker sent"},
	"taxii.delete":      {none: "answers without a body"},
	"taxii.status":      {none: "tells an organisation of what it sent"},
	"taxii.collections": {none: "names communities"},
	"taxii.collection":  {none: "names a community"},
	"taxii.root":        {none: public},
	"taxii.discovery":   {none: public},
	"taxii.other":       {none: public},

	"api.match": {none: sealedSets}, "api.match.set": {none: sealedSets}, "api.match.epochs": {none: sealedSets}, "api.match.filter": {none: sealedSets}, "api.match.evaluate": {body: `{"epoch":1,"elements":["{word}"]}`, kind: jsonKind, none: sealedSets},
	"match.sets": {none: sealedSets}, "match.set": {none: sealedSets},
	"pseudonym.communities": {none: standsFor}, "pseudonym.list": {none: standsFor}, "pseudonym.one": {none: standsFor}, "pseudonym.open": {body: "reason=x", kind: formKind, none: standsFor},
	"pseudonym.stop": {body: "reason=x", kind: formKind, none: standsFor}, "pseudonym.renew": {none: standsFor},
	"log": {none: "numbers and hashes of the log, to the administrator"}, "log.checkpoint": {none: "a size and a root"}, "log.evidence": {none: "two checkpoints"},
	"peers.hello": {none: stranger}, "peers.session": {none: stranger}, "peers.look": {none: stranger}, "peers.join": {none: stranger}, "peers.state": {none: stranger}, "peers.roster": {none: stranger}, "peers.deliveries": {queries: []string{"?after=0"}, none: stranger},
	"peers.stream": {queries: []string{"?after=0"}, none: stranger}, "peers.push": {body: `{raw}`, kind: jsonKind, none: stranger}, "peers.return": {body: `{raw}`, kind: jsonKind, none: stranger}, "peers.leave": {none: stranger}, "peers.part": {none: stranger},
	"peers.pages": {members: true, none: "shows links to the administrator"},

	"ops.health": {none: aside}, "ops.ready": {none: aside}, "ops.metrics": {none: "counts requests by exit"},
	"static files": {none: public}, "sign": {none: public}, "preferences page": {none: public}, "keyboard page": {none: public}, "components page": {none: public},

	"members.login": {none: people}, "members.first password": {none: people}, "members.logout": {none: people}, "members.invitation script": {none: public},
	"members.login provider": {none: people}, "members.login passkey": {none: people}, "members.proof": {none: people}, "members.passkeys": {none: people},
	"members.passkey": {none: people}, "members.provider": {none: people}, "members.identity": {none: people},
	"members.account": {none: people}, "members.tokens": {none: people, members: true}, "members.token": {none: people}, "members.home": {none: people},
	"members.organisations": {none: people, members: true}, "members.organisation": {none: people, members: true}, "members.people": {none: people}, "members.person": {none: people},
	"members.communities": {none: people}, "members.community": {none: people, members: true}, "members.agreement": {none: people}, "members.leave": {none: people},
	"members.members": {none: people, members: true}, "members.member": {none: people, members: true}, "members.invitations": {none: people}, "members.invitation": {none: people},
	"members.request": {none: people}, "members.join": {none: people}, "members.join request": {none: people},
	"members.audit":  {none: "says an object's id to its own organisation only", queries: []string{"?action=share", "?object={id}"}, members: true},
	"members.api.me": {none: people}, "members.api.members": {none: people, members: true},
}

// prober walks exits and counts.
type prober struct {
	*place
	words    *wordSet
	t        *testing.T
	canaries []canary
	alerts   []string // ids of alerts, of several organisations
	probes   int
	found    map[string]int // canaries that somebody may see, by exit
}

func newProber(t *testing.T, p *place) *prober {
	x := &prober{place: p, t: t, canaries: p.release(t), found: map[string]int{}}
	var all []string
	for _, c := range x.canaries {
		all = slices.AppendSeq(all, maps.Values(c.words))
	}
	x.words = newWordSet(all)
	return x
}

// wordSet finds which of many words stand in a text, in one walk through it.
type wordSet struct {
	words   map[string]bool
	begin   [1 << 16]bool // by the first two bytes
	lengths []int
}

func newWordSet(words []string) *wordSet {
	s := &wordSet{words: map[string]bool{}}
	for _, w := range words {
		s.words[w] = true
		s.begin[int(w[0])<<8|int(w[1])] = true
		if !slices.Contains(s.lengths, len(w)) {
			s.lengths = append(s.lengths, len(w))
		}
	}
	return s
}

// in are the words that text holds, also where they overlap.
func (s *wordSet) in(text string) map[string]bool {
	found := map[string]bool{}
	for i := 0; i+1 < len(text); i++ {
		if !s.begin[int(text[i])<<8|int(text[i+1])] {
			continue
		}
		for _, n := range s.lengths {
			if i+n <= len(text) && s.words[text[i:i+n]] {
				found[text[i:i+n]] = true
			}
		}
	}
	return found
}

// TestWordSet: one walk finds what as many searches find.
func TestWordSet(t *testing.T) {
	set := newWordSet([]string{"aba", "ab", "bab", "zq00", "none"})
	for _, text := range []string{"", "a", "ab", "xabab", "zq0", "zq00", "zzq00", "nonzq00ba", "bba"} {
		for w := range set.words {
			if got, want := set.in(text)[w], strings.Contains(text, w); got != want {
				t.Errorf("%q in %q: %v", w, text, got)
			}
		}
	}
}

// TestS4Canary (S4, X6–X8, X20): words that only some may read, and the name of who shared blind, through every way out
// as every kind of reader.
func TestS4Canary(t *testing.T) {
	p := newPlace(t)
	x := newProber(t, p)
	x.meet()
	p.leave(t, "left", p.ring)
	for _, r := range p.Routes() {
		if byOwnWalk(r.Exit) {
			continue
		}
		e, listed := exits[r.Exit]
		if !listed {
			t.Errorf("%s %s is exit %q, which the list of exits lacks", r.Method, r.Pattern, r.Exit)
			continue
		}
		if r.Method == "GET" {
			x.read(r.Pattern, r.Exit, e, r.Stream)
		}
	}
	for _, r := range p.Routes() {
		if r.Method != "GET" && !byOwnWalk(r.Exit) {
			x.write(r.Method, r.Pattern, r.Exit, exits[r.Exit])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(x.found)) {
		if exits[name].shows && x.found[name] == 0 {
			t.Errorf("exit %s showed no canary to anybody: it was not tested", name)
		}
	}
	if a := p.ask(ask{as: "steward", path: "/audit?action=share"}); !strings.Contains(a.body, "member") {
		t.Errorf("the steward's audit says nothing of a share: %d", a.status)
	}
	x.logs()
	if x.probes < 5000 {
		t.Fatalf("%d probes, want at least 5,000", x.probes)
	}
	t.Logf("%d probes", x.probes)
}

// byOwnWalk tells whether an exit is walked by [TestS4Screening] or [TestS4Cases].
func byOwnWalk(name string) bool {
	_, screening := screenExits[name]
	_, cases := caseExits[name]
	return screening || cases
}

// meet has organisations meet the values of the canaries that they see in their own events, so that there are alerts.
func (x *prober) meet() {
	x.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	judged := make(chan error, 1)
	go func() { judged <- x.detection.intake.Run(ctx) }()
	for _, as := range []string{"plain", "named", "foreign"} {
		var lines []string
		for _, c := range x.canaries {
			if x.sees(as, c) {
				lines = append(lines, fmt.Sprintf(`{"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":22,"Computer":"ws-1","UtcTime":"2026-06-01 10:00:00.000","QueryName":"%s.example"}`, c.words["pattern"]))
			}
		}
		if a := x.ask(ask{as: as, method: "POST", path: "/api/v1/events?name=dns", kind: "application/x-ndjson", body: strings.Join(lines, "\n")}); a.status != 202 {
			x.t.Fatalf("events of %s: %d %s", as, a.status, a.body)
		}
		var list struct{ Alerts []struct{ ID string } }
		for end := time.Now().Add(20 * time.Second); len(list.Alerts) < len(lines); time.Sleep(10 * time.Millisecond) {
			a := x.ask(ask{as: as, path: "/api/v1/alerts?limit=200"})
			if err := json.Unmarshal([]byte(a.body), &list); err != nil || time.Now().After(end) {
				x.t.Fatalf("%s has %d alerts, want %d: %d %v %s", as, len(list.Alerts), len(lines), a.status, err, a.body)
			}
		}
		for _, a := range list.Alerts {
			x.alerts = append(x.alerts, a.ID)
		}
	}
	cancel()
	ok(x.t, <-judged)
}

func (x *prober) read(pattern, name string, e exit, stream bool) {
	base := x.fill(pattern, "{id}")
	if i := strings.IndexByte(base, '?'); i >= 0 {
		base = base[:i]
	}
	if e.shows {
		x.found[name] += 0
	}
	for _, query := range append([]string{""}, e.queries...) {
		for _, path := range x.paths(base, query, strings.Contains(pattern, "/collections/{id}")) {
			for _, reader := range readers {
				q := ask{as: reader, path: path}
				if stream {
					q.wait = 60 * time.Millisecond
				}
				x.probe(name, e, reader, path, x.ask(q))
			}
		}
	}
}

// paths are the addresses of one query: one, or one per canary.
func (x *prober) paths(base, query string, inCommunity bool) (out []string) {
	switch {
	case !strings.Contains(base+query, "{"):
		out = append(out, base+query)
	case strings.Contains(base, "/alerts/{id}"):
		for _, id := range x.alerts {
			out = append(out, strings.Replace(base, "{id}", id, 1)+query)
		}
	default:
		for _, c := range x.canaries {
			out = append(out, strings.NewReplacer("{id}", c.id, "{word}", c.words["pattern"]).Replace(base+query))
		}
	}
	if inCommunity {
		for _, path := range slices.Clone(out) {
			out = append(out, strings.Replace(path, "/"+x.ring.Alias+"/", "/"+x.other.Alias+"/", 1))
		}
	}
	return out
}

// write sends what changes something, about objects that the asker may not see: refusals tell nothing of them.
func (x *prober) write(method, pattern, name string, e exit) {
	if strings.HasPrefix(name, "members.") || name == "preferences page" {
		return // package members tries them role by role; none takes or gives an object
	}
	for _, c := range x.canaries {
		for _, reader := range readers {
			if x.sees(reader, c) {
				continue
			}
			fill := strings.NewReplacer("{id}", c.id, "{raw}", strings.Replace(c.raw(), c.words["name"], "taken", 1), "{plain}", string(x.orgs["plain"].ID))
			q := ask{as: reader, method: method, path: x.fill(pattern, c.id), body: fill.Replace(e.body), kind: e.kind, head: map[string]string{"Sec-Fetch-Site": "same-origin"}}
			q.body = strings.NewReplacer(c.words["description"], "x", c.words["label"], "y", c.words["custom"], "z", c.words["extension"], "e").Replace(q.body)
			if strings.Contains(e.body, "{raw}") {
				q.path += "?preview=1" // a line of its own would be another object to see
				if method == "POST" && name == "taxii.add" {
					q.body = `{"objects":[` + strings.Replace(entry(900+c.n, 0, stix.None, ""), "x", "X", 1) + `]}` // refused: no level
				}
			}
			a := x.ask(q)
			x.probe(name, e, reader, q.path+q.body, a)
		}
	}
}

// probe holds one answer against every canary.
func (x *prober) probe(name string, e exit, reader, sent string, a answer) {
	x.t.Helper()
	text := a.body
	for k, v := range a.head {
		text += "\n" + k + ": " + strings.Join(v, " ")
	}
	if decoded, err := url.QueryUnescape(text); err == nil && decoded != text {
		text += decoded
	}
	if a.status >= 500 {
		x.t.Errorf("%s as %q: %s: %d %s", name, reader, sent, a.status, a.body)
	}
	held := x.words.in(text)
	for _, c := range x.canaries {
		x.probes += len(c.words)
		for field, word := range c.words {
			switch {
			case !held[word] || strings.Contains(sent, word):
			case x.sees(reader, c):
				x.found[name]++
			default:
				x.t.Errorf("%s gives %q the %s of an object in %s, %s, to %q: %s", name, reader, field, c.community, c.level.Label(), c.to, sent)
			}
		}
	}
	x.blind(name, e, reader, sent, text)
}

// blind looks for who shared without a name.
func (x *prober) blind(name string, e exit, reader, sent, text string) {
	x.t.Helper()
	fellow := (e.members || e.stewards && reader == "steward") && !strings.Contains(sent, "action=share") && slices.Contains([]string{"named", "plain", "reader", "session", "steward", "foreign", "admin"}, reader)
	if org(reader) == "sharer" || fellow {
		return
	}
	for _, word := range []string{x.orgs["sharer"].Name, string(x.orgs["sharer"].ID), string(x.ids["sharer"])} {
		x.probes++
		if strings.Contains(text, word) {
			x.t.Errorf("%s tells %q of %q, who shared blind: %s", name, reader, word, sent)
		}
	}
}

// logs: no canary, no blind contributor and no secret is in the log of the node (S34).
func (x *prober) logs() {
	text := x.log.String()
	for _, c := range x.canaries {
		for field, word := range c.words {
			x.probes++
			if strings.Contains(text, word) {
				x.t.Errorf("the log holds the %s of an object: %s", field, word)
			}
		}
	}
	for key, secret := range x.tokens {
		if x.probes++; strings.Contains(text, secret) || strings.Contains(text, secret[len(secret)-30:]) {
			x.t.Errorf("the log holds the token %q", key)
		}
	}
	for _, word := range []string{x.cookie, x.password, x.orgs["sharer"].Name, string(x.orgs["sharer"].ID)} {
		if x.probes++; strings.Contains(text, word) {
			x.t.Errorf("the log holds %q", word)
		}
	}
	if !strings.Contains(text, `"msg":"request"`) {
		x.t.Error("the log is empty, so nothing was tested")
	}
}

// commands are all commands that end in something written. {url} and {token} are the node's, {data} its folder.
var commands = map[string]struct {
	args  []string
	shows bool
	none  string
	asks  string // the exit of the node that it asks, where that is of a capability that may be left out
}{
	"export":            {args: []string{"export", "--node", "{url}", "--token", "{token}", "--format", "stix"}, shows: true},
	"search":            {args: []string{"search", "--node", "{url}", "--token", "{token}", "--json", "zq00k2zq.example"}, shows: true, asks: "api.search"},
	"watch":             {args: []string{"watch", "--node", "{url}", "--token", "{token}", "--since", "0"}, shows: true},
	"share":             {args: []string{"share", "--node", "{url}", "--token", "{token}", "--community", "ring", "--preview", "--json", "-"}, none: "tells of what was given"},
	"withdraw":          {args: []string{"withdraw", "--node", "{url}", "--token", "{token}", "--community", "ring", "{hidden}"}, none: "tells of what was given"},
	"taxii pull":        {args: []string{"taxii", "pull", "{url}/taxii2/", "--collection", "ring", "--token", "{token}"}, shows: true},
	"taxii push":        {args: []string{"taxii", "push", "{url}/taxii2/", "--collection", "ring", "--token", "{token}", "-"}, none: "tells of what was given"},
	"taxii discover":    {args: []string{"taxii", "discover", "{url}/taxii2/", "--token", "{token}"}, none: public},
	"taxii collections": {args: []string{"taxii", "collections", "{url}/taxii2/", "--token", "{token}"}, none: "names communities"},
	"audit list":        {args: []string{"audit", "list", "--data", "{data}"}, none: "entries that are about no object"},
	"audit verify":      {args: []string{"audit", "verify", "--data", "{data}"}, none: "counts entries"},
	"org list":          {args: []string{"org", "list", "--data", "{data}"}, none: people},
	"community list":    {args: []string{"community", "list", "--data", "{data}"}, none: people},
	"person list":       {args: []string{"person", "list", "--data", "{data}"}, none: people},
	"token list":        {args: []string{"token", "list", "--data", "{data}"}, none: people},
	"backup":            {args: []string{"backup", "--data", "{data}", "--recipient", "{recipient}", "-"}, none: "is encrypted"},

	"peer": {none: "a group"}, "peer invite": {none: "makes an invitation"}, "peer accept": {none: "tells of what was given"}, "peer list": {args: []string{"peer", "list", "--data", "{data}", "--json"}, none: "counts what passes over links"},
	"peer confirm": {none: "tells of what was given"}, "peer pause": {none: "tells of what was given"}, "peer resume": {none: "tells of what was given"}, "peer remove": {none: "tells of what was given"}, "peer limit": {none: "tells of what was given"},
	"peer refused": {none: "ids and reasons of what was refused; see TestS22Nodes"}, "peer taxii": {none: "a group"}, "peer taxii add": {none: "tells of what was given"}, "peer taxii list": {args: []string{"peer", "taxii", "list", "--data", "{data}", "--json"}, none: "counts what passes"},
	"peer taxii pause": {none: "tells of what was given"}, "peer taxii resume": {none: "tells of what was given"}, "peer taxii remove": {none: "tells of what was given"}, "peer taxii refused": {none: "ids and reasons of what a server did not take"},
	"log": {none: "a group"}, "log checkpoint": {args: []string{"log", "checkpoint", "--data", "{data}"}, none: "a size and a root"}, "log prove": {args: []string{"log", "prove", "--data", "{data}", "{hidden}"}, none: "hashes of what the administrator names"},
	"log verify": {none: "reads files, no node"}, "log list": {args: []string{"log", "list", "--data", "{data}", "--json"}, none: "counts of logs"},
	"match-set": {none: "a group"}, "match-set publish": {none: "tells of what was given"}, "match-set list": {args: []string{"match-set", "list", "--data", "{data}", "--json"}, none: sealedSets}, "match-set remove": {none: "tells of what was given"}, "match-private": {none: "tells of what was given; see TestS4Nodes"},
	"pseudonym": {none: "a group"}, "pseudonym list": {args: []string{"pseudonym", "list", "--data", "{data}", "--community", "ring", "--json"}, none: standsFor}, "pseudonym open": {none: "is what opening is for, and logged"},
	"pseudonym stop": {none: "tells of what was given"}, "pseudonym renew": {none: "tells of what was given"},
	"release": {none: "a group"}, "release show": {none: "an organisation's own settings"}, "release set": {none: "tells of what was given"}, "release test": {none: "tells of what was given"},
	"keys show": {args: []string{"keys", "show", "--data", "{data}", "--all", "--json"}, none: "holds public keys"}, "keys rotate": {none: "tells of what was given"},
	"keys revoke": {none: "tells of what was given"}, "keys recovery": {none: "tells of what was given"}, "keys": {none: "a group"}, "verify": {none: "reads files, no node"},
	"proposals list":       {args: []string{"proposals", "list", "--node", "{url}", "--token", "{token}", "--json"}, none: "nothing is proposed here"},
	"payback show":         {args: []string{"payback", "show", "--node", "{url}", "--token", "{token}", "--json"}, none: "what an organisation's own objects did"},
	"payback health":       {args: []string{"payback", "health", "--node", "{url}", "--token", "{token}", "--community", "ring", "--json"}, none: "counts what a whole community was given"},
	"payback contributors": {args: []string{"payback", "contributors", "--node", "{url}", "--token", "{token}", "--community", "ring", "--json"}, none: "counts what the asker sees, of those who gave their name"},
	"decay explain":        {args: []string{"decay", "explain", "--node", "{url}", "--token", "{token}", "--json", "{hidden}"}, none: "a number and its reasons"},
	"propose":              {none: "tells of what was given"}, "proposals": {none: "a group"}, "proposals accept": {none: "tells of what was given"}, "proposals decline": {none: "tells of what was given"},
	"payback": {none: "a group"}, "payback rules": {none: public}, "decay": {none: "a group"}, "decay show": {none: "reads files, no node"},

	"detect": {none: "reads files, no node"}, "rules": {none: "a group"}, "rules lint": {none: "reads files, no node"}, "match": {none: "reads files, no node"},
	"hunt": {none: "reads an organisation's own events"}, "ingest": {none: "reads files, no node"},
	"init": {none: "makes a node"}, "serve": {none: "prints its address; its log is looked through above"}, "lint": {none: "reads files, no node"}, "version": {none: public},
	"protect": {none: "tells of what was given"}, "restore": {none: "writes a folder"}, "demo": {none: "makes a world of its own"},
	"screen": {none: "asks lists of the node; see TestS4ScreeningCommands"}, "names": {none: "a group"}, "names compare": {none: "tells of what was given"}, "lists": {none: "a group"},
	"lists import": {none: "tells of what was given"}, "lists show": {none: "lists of the node; see TestS4ScreeningCommands"}, "lists compare": {none: "reads files, no node"}, "lists share": {none: "tells of what was given"},
	"audit": {none: "a group"}, "org": {none: "a group"}, "community": {none: "a group"}, "person": {none: "a group"}, "token": {none: "a group"}, "taxii": {none: "a group"},
	"org add": {none: people}, "community add": {none: people}, "community join": {none: people}, "community leave": {none: people}, "community agreement": {none: people},
	"person add": {none: people}, "person disable": {none: people}, "person enable": {none: people}, "person reset-password": {none: people}, "person link": {none: people}, "person unlink": {none: people},
	"token create": {none: people}, "token revoke": {none: people},
	"report": {none: sealedExit}, "report confirm": {none: sealedExit}, "report desk": {none: "a group"}, "report desk list": {none: "names desks"}, "report desk open": {none: "tells of what was given"}, "report desk reader": {none: "tells of what was given"},
	"report inbox": {none: sealedExit}, "report key": {none: "one's own keys, locked"}, "report read": {none: sealedExit}, "report reply": {none: sealedExit}, "report show": {none: sealedExit}, "report template": {none: public},
	"case": {none: "a group"}, "case add": {none: "tells of what was given"}, "case open": {none: "tells of what was given"}, "case list": {none: "of cases; see TestS4CaseCommands"}, "case show": {none: "of cases; see TestS4CaseCommands"},
	"case export": {none: "of cases; see TestS4CaseCommands"}, "deadlines": {none: "what the law asks, of no case"},
}

// TestS4Commands: the same words through every command. What the administrator runs on the folder shows none at all.
func TestS4Commands(t *testing.T) {
	p := newPlace(t)
	x := newProber(t, p)
	p.leave(t, "left", p.ring)
	p.serve(t)
	key, err := age.GenerateX25519Identity()
	ok(t, err)
	for _, c := range Commands() {
		walk(c, "", func(name string) {
			row, listed := commands[name]
			if !listed {
				t.Errorf("polder %s: the list of commands lacks it", name)
				return
			}
			if row.args == nil {
				return
			}
			if row.shows {
				x.found[name] += 0
			}
			for _, reader := range []string{"named", "plain", "foreign", "left", "admin"} {
				x.command(name, reader, key.Recipient().String(), row.args)
				if strings.Contains(strings.Join(row.args, " "), "{data}") {
					break // one administrator
				}
			}
		})
	}
	for name, n := range x.found {
		asks := commands[name].asks
		there := asks == "" || slices.ContainsFunc(p.Routes(), func(r web.Route) bool { return r.Exit == asks })
		if commands[name].shows && n == 0 && there {
			t.Errorf("polder %s showed no canary to anybody: it was not tested", name)
		}
	}
	t.Logf("%d probes", x.probes)
}

func walk(c *cobra.Command, prefix string, f func(string)) {
	name := strings.TrimSpace(prefix + " " + c.Name())
	f(name)
	for _, sub := range c.Commands() {
		walk(sub, name, f)
	}
}

func (x *prober) command(name, reader, recipient string, args []string) {
	hidden := x.canaries[9] // red, to one
	fill := strings.NewReplacer("{url}", x.url, "{token}", x.tokens[reader], "{data}", x.dir, "{hidden}", hidden.id, "{recipient}", recipient)
	var filled []string
	for _, a := range args {
		filled = append(filled, fill.Replace(a))
	}
	as := reader
	if strings.Contains(strings.Join(args, " "), "{data}") {
		as = "admin"
	}
	wait := 20 * time.Second
	if name == "watch" {
		wait = time.Second
	}
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	var out, errs bytes.Buffer
	cli.Run(ctx, filled, strings.NewReader(entry(1, 0, stix.None, "")), &out, &errs, Commands()...)
	sent := strings.Join(args, " ")
	if strings.Contains(sent, "{hidden}") {
		sent += hidden.id
	}
	if strings.Contains(sent, "zq00k2zq") {
		sent = "a word"
	}
	members := strings.HasPrefix(name, "org ") || strings.HasPrefix(name, "audit ") || strings.HasPrefix(name, "token ") || strings.HasPrefix(name, "community ")
	x.probe("polder "+name, exit{members: members}, as, sent, answer{status: 200, body: out.String() + errs.String()})
	x.found[name] += x.found["polder "+name]
}

// leave ends a membership by a command's way: another process that has the folder open.
func (p *place) leave(t testing.TB, who string, c polder.Community) {
	t.Helper()
	s, err := OpenStore(context.Background(), p.dir, false)
	ok(t, err)
	defer s.Close()
	ok(t, s.Accounts.Leave(context.Background(), accounts.Local(), c.ID, p.orgs[who].ID))
}
