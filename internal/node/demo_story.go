package node

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/stix"
	"github.com/polder-exchange/polder/taxii"
)

// storyFiles is what the members of the demo share. All of it is made up; its names and addresses are those set aside for
// documentation.
//
//go:embed story
var storyFiles embed.FS

// storyTime is when the files say that it is. They are moved to the time at which the demo begins.
var storyTime = time.Date(2026, 3, 2, 8, 30, 0, 0, time.UTC)

var (
	stixTimes = regexp.MustCompile(`"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"`)
	mispTimes = regexp.MustCompile(`"timestamp": "(\d{10})"`)
)

// text is a file of the story, at the time of the demo.
func (st *stage) text(name string) ([]byte, error) {
	text, err := storyFiles.ReadFile("story/" + name)
	return moved(text, st.began.Sub(storyTime).Truncate(time.Second)), err
}

// moved moves every time in a text.
func moved(text []byte, by time.Duration) []byte {
	text = stixTimes.ReplaceAllFunc(text, func(b []byte) []byte {
		t, err := time.Parse(time.RFC3339Nano, strings.Trim(string(b), `"`))
		if err != nil {
			return b // no time after all
		}
		return []byte(strconv.Quote(stix.FormatTime(t.Add(by))))
	})
	return mispTimes.ReplaceAllFunc(text, func(b []byte) []byte {
		n, _ := strconv.ParseInt(string(mispTimes.FindSubmatch(b)[1]), 10, 64) // ten digits
		return fmt.Appendf(nil, `"timestamp": "%d"`, n+int64(by/time.Second))
	})
}

// Ids and values of the story's files that scenes speak of.
const (
	tidegate     = "TIDEGATE"
	serverValue  = "203.0.113.77"
	sealedValue  = "198.51.100.200"
	mistakeValue = "192.0.2.123"
)

// story is what the members live through. Each scene goes by a face that members have.
func story() []scene {
	return slices.Concat([]scene{
		{name: "log-in", says: "Klepwerk's office manager logs in on the console", do: logIn},
		{name: "share-blind", says: "Klepwerk shares an intrusion through its edge gateway at TLP:AMBER, without its name", by: "klepwerk", sees: chainBut("klepwerk"),
			do: shareFile("klepwerk", chain, "intrusion.json", "tlp=amber"), check: keepIDs},
		{name: "too-wide", says: "its own rule stops it from sharing wider than AMBER", do: refusedShare("klepwerk", chain, "wide.json", "tlp=green", http.StatusUnprocessableEntity)},
		{name: "reader-cannot-share", says: "a token that may only read cannot share", do: readerShares},
		{name: "free-text", says: "Meridiaan shares notes in free text; the defanged indicators in it are found", by: "meridiaan", sees: chainBut("meridiaan"),
			do: shareByCommand("meridiaan", "notes.txt", "--tlp", "amber")},
		{name: "table", says: "Okular shares a table as TLP:GREEN", by: "okular", sees: chainBut("okular"), do: shareByCommand("okular", "indicators.csv", "--tlp", "green")},
		{name: "misp", says: "the CSIRT shares a MISP event", by: "csirt", sees: chainBut("csirt"), do: shareFile("csirt", chain, "event.misp.json", "")},
		{name: "question", says: "Meridiaan asks the community who else sees the server", by: "meridiaan", sees: chainBut("meridiaan"), do: askQuestion},
		{name: "answer-note", says: "Okular answers with a note", by: "okular", sees: chainBut("okular"),
			do: saying("okular", "question", "notes", map[string]any{"abstract": "Seen here too", "content": "One log-in in the night of the 24th, from the same server. The session was ended and nothing left the house."})},
		{name: "answer-opinion", says: "Universiteit Maasland agrees with the finding", by: "maasland", sees: chainBut("maasland"),
			do: saying("maasland", tidegate, "opinions", map[string]any{"opinion": "strongly-agree", "explanation": "Our own look at the file comes to the same."})},
		{name: "sighting", says: "Okular reports a sighting of the server", by: "okular", sees: chainBut("okular"),
			do: saying("okular", "server", "sightings", map[string]any{"count": 3, "description": "Three connections, all stopped."}), check: questionIs("answered", 1)},
		{name: "red", says: "the CSIRT tells two members, and only these, of a second server (TLP:RED)", by: "csirt", sees: []string{"meridiaan", "klepwerk"}, do: shareRed, check: redIsHidden},
		{name: "mistake", says: "Okular shares an indicator that will prove wrong", by: "okular", sees: chainBut("okular"), do: shareFile("okular", chain, "mistaken.json", "tlp=green"),
			check: blockList(serverValue, true, mistakeValue, true, sealedValue, false)},
		{name: "revocation", says: "Okular revokes it, and it leaves the block lists", by: "okular", sees: chainBut("okular"), do: shareFile("okular", chain, "mended.json", "tlp=green"),
			check: blockList(serverValue, true, mistakeValue, false, sealedValue, false)},
		{name: "hasty", says: "Universiteit Maasland shares something by mistake", by: "maasland", sees: chainBut("maasland"), do: shareFile("maasland", chain, "hasty.json", "tlp=green"), check: keepHasty},
		{name: "withdrawal", says: "and withdraws it: gone from everywhere", by: "maasland", sees: chainBut("maasland"), do: withdraw, check: isGone},
		{name: "advisory", says: "the CSIRT publishes an advisory to all, under its own name", by: "csirt", sees: chainBut("csirt"), do: publish(chain)},
		{name: "advisory-elsewhere", says: "and in the other community too", by: "csirt", sees: []string{"bank", "zilt"}, do: publish(finance)},
		{name: "other-community", says: "the bank shares with its own community", by: "bank", sees: []string{"zilt", "csirt"}, do: shareFile("bank", finance, "fraud.json", "tlp=amber")},
	}, detecting(), asking(), responding(), spanning(), []scene{
		{name: "closing", says: "Meridiaan closes its question", by: "meridiaan", sees: chainBut("meridiaan"), do: closeQuestion, check: questionIs("closed", 1)},
		{name: "taxii", says: "a plain TAXII client pulls the collection, and finds none where it is no member", do: pullByTAXII},
		{name: "nobody-else", says: "every stream agrees with the pages, and no name of a blind member is anywhere", do: nothing, check: nobodyElse},
	})
}

// chainBut are the members of the supply chain's community, but one.
func chainBut(but string) []string {
	return partsBut(but, "bank", "zilt")
}

func nothing(context.Context, *stage) (polder.Seq, error) { return 0, nil }

// stored is the answer to a share.
type stored struct {
	Stored int        `json:"stored"`
	Seq    polder.Seq `json:"seq"`
}

func sharePath(community, query string) string {
	return "/api/v1/communities/" + community + "/share?" + query
}

// shareFile shares a file of the story by the REST API.
func shareFile(key, community, name, query string) func(context.Context, *stage) (polder.Seq, error) {
	return func(ctx context.Context, st *stage) (polder.Seq, error) {
		text, err := st.text(name)
		if err != nil {
			return 0, err
		}
		var got stored
		err = st.ask(ctx, st.players[key].writer, "POST", sharePath(community, "name="+name+"&"+query), text, &got)
		return got.Seq, err
	}
}

// shareByCommand shares a file of the story by the command line.
func shareByCommand(key, name string, flags ...string) func(context.Context, *stage) (polder.Seq, error) {
	return func(ctx context.Context, st *stage) (polder.Seq, error) {
		path, err := st.file(name)
		if err != nil {
			return 0, err
		}
		out, err := st.command(ctx, key, append([]string{"share", "--community", chain, "--json", path}, flags...)...)
		if err != nil {
			return 0, err
		}
		var got stored
		err = json.Unmarshal([]byte(out), &got)
		return got.Seq, err
	}
}

// demands turns the refusal that a scene wants into success, and everything else into a failure.
func demands(status int, err error) error {
	var r *refused
	if !errors.As(err, &r) {
		return errors.Join(fmt.Errorf("was not refused, though it should be"), err)
	}
	if r.status != status {
		return fmt.Errorf("was to be refused with %d: %w", status, err)
	}
	return nil
}

func refusedShare(key, community, name, query string, status int) func(context.Context, *stage) (polder.Seq, error) {
	share := shareFile(key, community, name, query)
	return func(ctx context.Context, st *stage) (polder.Seq, error) {
		seq, err := share(ctx, st)
		return seq, demands(status, err)
	}
}

func readerShares(ctx context.Context, st *stage) (polder.Seq, error) {
	text, err := st.text("hasty.json")
	if err != nil {
		return 0, err
	}
	return 0, demands(http.StatusForbidden, st.ask(ctx, st.players["meridiaan"].reader, "POST", sharePath(chain, "tlp=green"), text, nil))
}

// logIn logs in by the form and opens the first page with the cookie that comes back.
func logIn(ctx context.Context, st *stage) (polder.Seq, error) {
	v, err := st.visit(ctx, "klepwerk")
	if err != nil {
		return 0, err
	}
	return 0, v.shows(ctx, "/", []string{"Klepwerk"}, nil)
}

// keepIDs remembers what later scenes speak of, as a reader finds it.
func keepIDs(_ context.Context, st *stage) error {
	for _, h := range st.players["okular"].seen.between(0, 1<<53) {
		kind := stix.TypeOf(h.id)
		switch {
		case kind == "malware":
			st.held[tidegate] = h.id
		case kind == "indicator" && strings.Contains(h.body, serverValue):
			st.held["server"] = h.id
		}
	}
	if st.held[tidegate] == "" || st.held["server"] == "" {
		return fmt.Errorf("the malware or its server did not arrive")
	}
	return nil
}

// madeOne is the answer to a sighting, an opinion, a note or a question.
type madeOne struct {
	ID  string     `json:"id"`
	Seq polder.Seq `json:"seq"`
}

func askQuestion(ctx context.Context, st *stage) (polder.Seq, error) {
	var got madeOne
	err := st.ask(ctx, st.players["meridiaan"].writer, "POST", "/api/v1/communities/"+chain+"/questions", map[string]any{
		"question": "Who else sees this server in the logs of an edge gateway?", "content": "We look for log-ins of administrators that nobody made, since the first week of February.",
		"object_refs": []string{st.held["server"]}, "tlp": "amber",
	}, &got)
	st.held["question"] = got.ID
	return got.Seq, err
}

// saying says something about an object that is held under a name.
func saying(key, about, kind string, body map[string]any) func(context.Context, *stage) (polder.Seq, error) {
	return func(ctx context.Context, st *stage) (polder.Seq, error) {
		var got madeOne
		err := st.ask(ctx, st.players[key].writer, "POST", "/api/v1/communities/"+chain+"/objects/"+st.held[about]+"/"+kind, body, &got)
		return got.Seq, err
	}
}

func closeQuestion(ctx context.Context, st *stage) (polder.Seq, error) {
	var got madeOne
	err := st.ask(ctx, st.players["meridiaan"].writer, "POST", "/api/v1/communities/"+chain+"/questions/"+st.held["question"]+"/close", nil, &got)
	return got.Seq, err
}

// questionIs checks how the question stands for who asked it and for another member.
func questionIs(state string, answers int) func(context.Context, *stage) error {
	return func(ctx context.Context, st *stage) error {
		for key, mine := range map[string]bool{"meridiaan": true, "klepwerk": false} {
			var got struct {
				Questions []struct {
					ID, State string
					Mine      bool
					Answers   int
				}
			}
			if err := st.ask(ctx, st.players[key].writer, "GET", "/api/v1/questions", nil, &got); err != nil {
				return err
			}
			if len(got.Questions) != 1 {
				return fmt.Errorf("%s sees %d questions instead of one", key, len(got.Questions))
			}
			if q := got.Questions[0]; q.ID != st.held["question"] || q.State != state || q.Mine != mine || q.Answers != answers {
				return fmt.Errorf("%s sees the question as %+v", key, q)
			}
		}
		return nil
	}
}

func shareRed(ctx context.Context, st *stage) (polder.Seq, error) {
	to := url.Values{"to": {string(st.players["meridiaan"].org.ID), string(st.players["klepwerk"].org.ID)}}
	return shareFile("csirt", chain, "sealed.json", to.Encode())(ctx, st)
}

// redIsHidden looks for the object of the two as somebody else: by its id, by its value, and in each file.
func redIsHidden(ctx context.Context, st *stage) error {
	heard := st.players["klepwerk"].seen.between(0, 1<<53)
	id := heard[len(heard)-1].id
	for _, key := range []string{"okular", "maasland", "bank"} {
		err := st.ask(ctx, st.players[key].reader, "GET", "/api/v1/objects/"+id, nil, nil)
		if err := demands(http.StatusNotFound, err); err != nil {
			return fmt.Errorf("%s asks for it: %w", key, err)
		}
		var found page
		if err := st.ask(ctx, st.players[key].reader, "GET", "/api/v1/search?q="+sealedValue, nil, &found); err != nil {
			return err
		}
		if len(found.Objects) > 0 {
			return fmt.Errorf("%s finds it by its value", key)
		}
	}
	for _, key := range []string{"okular", "klepwerk"} { // RED is in no file, not even of those who may read it
		var file string
		if err := st.ask(ctx, st.players[key].reader, "GET", "/api/v1/export?format=stix", nil, &file); err != nil {
			return err
		}
		if strings.Contains(file, id) {
			return fmt.Errorf("it is in a file of %s", key)
		}
	}
	return nil
}

// blockList checks what is in Meridiaan's plain list: values, each followed by whether it is to be there.
func blockList(want ...any) func(context.Context, *stage) error {
	return func(ctx context.Context, st *stage) error {
		list, err := st.command(ctx, "meridiaan", "export", "--format", "plain", "--community", chain)
		if err != nil {
			return err
		}
		lines := strings.Split(list, "\n")
		for i := 0; i < len(want); i += 2 {
			if has := slices.Contains(lines, want[i].(string)); has != want[i+1].(bool) {
				return fmt.Errorf("%s stands in the block list: %v; it should be %v", want[i], has, want[i+1])
			}
		}
		return nil
	}
}

func keepHasty(_ context.Context, st *stage) error {
	all := st.players["maasland"].seen.between(0, 1<<53)
	st.held["hasty"] = all[len(all)-1].id
	return nil
}

func withdraw(ctx context.Context, st *stage) (polder.Seq, error) {
	if _, err := st.command(ctx, "maasland", "withdraw", "--community", chain, st.held["hasty"]); err != nil {
		return 0, err
	}
	// The command does not print the number; the withdrawal is the next thing that its own stream tells.
	who := st.players["maasland"].seen
	before := who.between(0, 1<<53)
	after := before[len(before)-1]
	if after.kind != "withdrawn" {
		if err := who.until(ctx, after.seq+1, patience); err != nil {
			return 0, err
		}
		after = who.between(after.seq, 1<<53)[0]
	}
	if after.kind != "withdrawn" || after.id != st.held["hasty"] {
		return 0, fmt.Errorf("the stream told of %s %s instead of the withdrawal", after.kind, after.id)
	}
	return after.seq, nil
}

func isGone(ctx context.Context, st *stage) error {
	for _, key := range []string{"maasland", "meridiaan", "csirt"} {
		err := st.ask(ctx, st.players[key].writer, "GET", "/api/v1/objects/"+st.held["hasty"], nil, nil)
		if err := demands(http.StatusNotFound, err); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return nil
}

// pullByTAXII pulls as any TAXII client does, and compares with the live stream.
func pullByTAXII(ctx context.Context, st *stage) (polder.Seq, error) {
	want := map[string]bool{}
	for _, h := range st.players["okular"].seen.between(0, 1<<53) {
		want[h.id] = h.kind == "object"
	}
	remote, err := (&taxii.Client{URL: st.at + "/taxii2/", User: "okular", Password: st.players["okular"].reader}).Find(ctx, chain)
	if err != nil {
		return 0, err
	}
	got := 0
	for raw, err := range remote.Objects(taxii.Cursor{}, taxii.Filter{}).All(ctx) {
		if err != nil {
			return 0, err
		}
		o, err := stix.Parse(raw)
		if err != nil {
			return 0, err
		}
		if !want[o.ID] {
			return 0, fmt.Errorf("%s came, which the stream does not have", o.ID)
		}
		got++
	}
	live := 0
	for _, there := range want {
		if there {
			live++
		}
	}
	if got != live {
		return 0, fmt.Errorf("%d objects came instead of %d", got, live)
	}
	if _, err := (&taxii.Client{URL: st.at + "/taxii2/", Token: st.players["bank"].reader}).Find(ctx, chain); err == nil {
		return 0, fmt.Errorf("the bank finds a collection that is not its own")
	}
	return 0, nil
}

// publish writes an advisory, named, and publishes it in one community. Drafts never leave the node, so this goes to the
// service that the console's form calls.
func publish(community string) func(context.Context, *stage) (polder.Seq, error) {
	return func(ctx context.Context, st *stage) (polder.Seq, error) {
		body, err := st.text("advisory.md")
		if err != nil {
			return 0, err
		}
		by, err := st.node.Accounts.Authenticate(ctx, st.players["csirt"].writer, netip.IPv6Loopback())
		if err != nil {
			return 0, err
		}
		d := exchange.Draft{Community: community, TLP: "green", Named: true, AdvisoryText: exchange.AdvisoryText{
			Title: "Edge gateways: sessions of administrators taken over", Body: string(body),
			ForWhom:  "Everybody who lets people or suppliers in from outside through a gateway of their own, however small the firm.",
			WhatToDo: "Ask whoever looks after your gateway to close its management page to the outside, to end all sessions and to restart it. It takes a quarter of an hour.",
		}}
		if community == chain {
			d.About = []string{st.held[tidegate], st.held["server"]}
		}
		if d, err = st.node.Exchange.SaveDraft(ctx, by, d); err != nil {
			return 0, err
		}
		got, err := st.node.Exchange.PublishDraft(ctx, by, d.ID, false)
		if err == nil && len(got.Refused)+len(got.Warnings) > 0 {
			err = fmt.Errorf("refused %v, warnings %v", got.Refused, got.Warnings)
		}
		return got.Seq, err
	}
}
