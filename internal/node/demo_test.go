package node

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/event"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/cases"
	"github.com/polder-exchange/polder/internal/screen"
	"github.com/polder-exchange/polder/misp"
	"github.com/polder-exchange/polder/stix"
	"github.com/polder-exchange/polder/stix/pattern"
)

// TestDemoStory: what the members of the demo share is valid, at any time at which it is played.
func TestDemoStory(t *testing.T) {
	files, err := fs.Glob(storyFiles, "story/*")
	ok(t, err)
	if len(files) < 10 {
		t.Fatalf("only %d files: %v", len(files), files)
	}
	for _, at := range []time.Time{storyTime, time.Date(2031, 12, 31, 23, 59, 59, 0, time.UTC)} {
		st := &stage{began: at}
		for _, f := range files {
			text, err := st.text(path.Base(f))
			ok(t, err)
			if n := checkStory(t, f, text, at); n == 0 {
				t.Errorf("%s: nothing to share in it", f)
			}
		}
	}
}

// checkStory counts what a file holds, and says what is wrong with it.
func checkStory(t *testing.T, name string, text []byte, at time.Time) (n int) {
	t.Helper()
	switch {
	case strings.HasSuffix(name, ".misp.json"):
		got, err := misp.ToSTIX(text, misp.Options{Now: func() time.Time { return at }})
		ok(t, err)
		return len(got.Objects)
	case strings.HasSuffix(name, ".list.csv"):
		return checkList(t, name, text)
	case strings.HasSuffix(name, ".parties.csv"):
		return checkParties(t, name, text)
	case strings.HasSuffix(name, ".answers.json"):
		var a cases.Answers
		ok(t, json.Unmarshal(text, &a))
		if !strings.Contains(a.What, caseCanary) {
			t.Errorf("%s: lacks the word that is looked for in the files of the node", name)
		}
		return len(a.Roads)
	case strings.HasSuffix(name, "order.txt"):
		return len(screen.Extract(string(text)))
	case strings.HasSuffix(name, ".csv"):
		rows, err := indicator.ReadCSV(bytes.NewReader(text), indicator.CSVLimits{})
		ok(t, err)
		return len(rows)
	case strings.HasSuffix(name, ".txt"):
		found := indicator.Find(string(text))
		if !slices.ContainsFunc(found, func(m indicator.Match) bool { return m.Defanged }) {
			t.Errorf("%s: no defanged value", name)
		}
		return len(found)
	case strings.HasSuffix(name, ".ndjson"):
		return checkLog(t, name, text, at)
	case strings.HasSuffix(name, ".md"):
		return len(bytes.Fields(text))
	}
	r := stix.NewReader(bytes.NewReader(text), stix.Limits{})
	for {
		o, pos, err := r.Next()
		if errors.Is(err, io.EOF) {
			return n
		}
		if err != nil {
			t.Errorf("%s:%d: %v", name, pos.Line, err)
			return n
		}
		n++
		if _, err := stix.Parse(o.Raw()); err != nil {
			t.Errorf("%s: %s: %v", name, o.ID, err)
		}
		if hints := stix.Hints(o.Raw()); len(hints) > 0 {
			t.Errorf("%s: %s: %v", name, o.ID, hints[0])
		}
		if o.Created.Time.After(at) {
			t.Errorf("%s: %s is of %s, after the story", name, o.ID, o.Created.Text)
		}
		if o.Pattern != "" {
			_, err := pattern.Parse(o.Pattern)
			ok(t, err)
		}
	}
}

// checkList counts the listings of a list: it is read whole, with nothing to remark.
func checkList(t *testing.T, name string, text []byte) int {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, path.Base(name))
	ok(t, os.WriteFile(file, text, 0o600))
	out, err := run(t.Context(), "lists", "import", "--data", filepath.Join(dir, "lists"), "--date", "2026-03-01", "--json", file)
	ok(t, err)
	var got struct {
		Entries int
		Notes   []string
	}
	if ok(t, json.Unmarshal([]byte(out), &got)); len(got.Notes) > 0 {
		t.Errorf("%s: %v", name, got.Notes)
	}
	return got.Entries
}

// checkParties counts the parties of a file: each has a reference and can be asked about.
func checkParties(t *testing.T, name string, text []byte) (n int) {
	t.Helper()
	r, err := screen.NewPartyReader(path.Base(name), bytes.NewReader(text), screen.PartyOptions{})
	ok(t, err)
	defer func() { ok(t, r.Close()) }()
	for {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			return n
		}
		if ok(t, err); p.Err != nil || p.Query.Ref == "" {
			t.Errorf("%s: row %d: %+v", name, p.Row, p)
		}
		n++
	}
}

// checkLog counts the events of a log: each is read, and lies not long before the story.
func checkLog(t *testing.T, name string, text []byte, at time.Time) (n int) {
	t.Helper()
	s, err := event.Open(bytes.NewReader(text), event.Options{Name: name})
	ok(t, err)
	d := s.NewDecoder()
	var ev event.Event
	for {
		c, err := s.Next()
		if errors.Is(err, io.EOF) {
			return n
		}
		ok(t, err)
		d.Decode(c, &ev, func(bad *event.Error) bool {
			if n++; bad != nil {
				t.Errorf("%s: %v", name, bad)
			} else if when := ev.Time(); when.IsZero() || when.After(at) || at.Sub(when) > 30*24*time.Hour {
				t.Errorf("%s: event %d is of %s, and the story of %s", name, ev.Index, when, at)
			}
			return true
		})
	}
}

func quiet(scene, outcome) {}

// TestDemoNotices: a step that fails is noticed and named, whatever fails of it, and nothing is played after it.
func TestDemoNotices(t *testing.T) {
	st, err := openStage(context.Background(), t.TempDir(), "127.0.0.1:0", io.Discard)
	ok(t, err)
	defer func() { ok(t, st.close()) }()
	share := story()[1]
	if share.name != "share-blind" {
		t.Fatalf("the second scene is %s", share.name)
	}
	hidden := share // as if Okular were not to see it
	hidden.sees = slices.DeleteFunc(slices.Clone(share.sees), func(k string) bool { return k == "okular" })
	hidden.do = func(ctx context.Context, st *stage) (polder.Seq, error) {
		seq, err := share.do(ctx, st)
		return seq, errors.Join(err, st.players["okular"].seen.until(ctx, seq, patience)) // so that it is noticed at once
	}
	repeated := share // a duplicate stores nothing
	never := scene{name: "never", do: func(context.Context, *stage) (polder.Seq, error) {
		t.Error("played on after a failure")
		return 0, nil
	}}
	sneaks := scene{name: "sneaks", do: shareFile("meridiaan", chain, "mistaken.json", "tlp=green")}
	for _, c := range []struct {
		why, want string
		scene     scene
	}{
		{"somebody sees what it may not", "Okular Optik saw", hidden},
		{"nothing is stored where something should be", "nothing was stored", repeated},
		{"something is stored where nothing should be", "something was stored", sneaks},
		{"a check of its own fails", "it stays broken", scene{name: "own", do: nothing, check: func(context.Context, *stage) error { return errors.New("it stays broken") }}},
		{"what should be refused is not", "was not refused", scene{name: "refusal", do: refusedShare("meridiaan", chain, "hasty.json", "tlp=green", 422)}},
		{"it is refused for another reason", "was to be refused with 403", scene{name: "other", do: refusedShare("bank", chain, "hasty.json", "tlp=green", 403)}},
	} {
		sum, err := st.play(context.Background(), []scene{c.scene, never}, quiet)
		if err == nil || sum.OK || !strings.Contains(err.Error(), "step "+c.scene.name+": ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: ok %v, %v", c.why, sum.OK, err)
		}
		if len(sum.Steps) != 1 || sum.Steps[0].OK || sum.Steps[0].Error == "" {
			t.Errorf("%s: steps %+v", c.why, sum.Steps)
		}
		if leaked := c.scene.name == "share-blind" && c.want == "Okular Optik saw"; leaked != (sum.Leaks.Found > 0) {
			t.Errorf("%s: leaks %+v", c.why, sum.Leaks)
		}
	}
}

// TestDemoEveryday: what goes on after the story is taken by the node, varies, and is the same for the same seed.
func TestDemoEveryday(t *testing.T) {
	st, err := openStage(context.Background(), t.TempDir(), "127.0.0.1:0", io.Discard)
	ok(t, err)
	defer func() { ok(t, st.close()) }()
	_, err = st.play(context.Background(), story()[1:2], quiet)
	ok(t, err)
	e := newEveryday(st, 7)
	for range 40 {
		ok(t, e.act(context.Background()))
	}
	alerts := map[string]int{}
	for _, key := range chainBut("") {
		ok(t, st.until(t.Context(), "all is judged", func() (bool, error) { return st.node.detection.intake.Waiting() == 0, nil }))
		all, err := st.alarms(t.Context(), key)
		ok(t, err)
		for _, a := range all {
			alerts[a.Kind]++
		}
	}
	if alerts["indicator"] == 0 || alerts["rule"] == 0 {
		t.Errorf("the queues do not live: %v", alerts)
	}
	if len(e.values) < 3 || len(e.values) > remembered {
		t.Errorf("remembers %d names", len(e.values))
	}
	if len(e.recent) < 5 || len(e.recent) > remembered {
		t.Errorf("remembers %d indicators", len(e.recent))
	}
	types := map[string]int{}
	for _, key := range []string{"okular", "bank"} {
		pages, err := st.pages(context.Background(), st.players[key])
		ok(t, err)
		for id := range pages {
			types[stix.TypeOf(id)]++
		}
	}
	for _, want := range []string{"indicator", "sighting", "note", "opinion"} {
		if types[want] == 0 {
			t.Errorf("no %s in forty events: %v", want, types)
		}
	}
	if a, b := (&dice{seed: 1}), (&dice{seed: 1}); a.roll(1<<30) != b.roll(1<<30) || a.roll(1<<30) == (&dice{seed: 2}).roll(1<<30) {
		t.Error("the dice do not follow their seed")
	}
}

// TestReadmeScreen runs the command of screening that the README shows, on the list of the story, and holds what it says
// to what is shown there. A line of dots stands for lines that are left out, and figures of scores are not compared: they
// move with what the threshold is fitted to.
func TestReadmeScreen(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	ok(t, err)
	list, err := storyFiles.ReadFile("story/control.list.csv")
	ok(t, err)
	_, shown, found := strings.Cut(string(text), "\n$ polder screen --data lists ")
	if !found {
		t.Fatal("the README shows no run of polder screen any more")
	}
	_, shown, _ = strings.Cut(shown, "\n")
	shown, _, _ = strings.Cut(shown, "```")
	dir := t.TempDir()
	ok(t, os.WriteFile(filepath.Join(dir, "control.csv"), list, 0o600))
	_, err = run(t.Context(), "lists", "import", "--data", filepath.Join(dir, "lists"), "--as", controlList, "--date", "2026-03-01", filepath.Join(dir, "control.csv"))
	ok(t, err)
	out, err := run(t.Context(), "screen", "--data", filepath.Join(dir, "lists"), consignee, "Marigold Hetherington")
	ok(t, err)
	figures := regexp.MustCompile(`[01]\.\d+|1 in \d+|\d+ in 100`)
	got := strings.Split(figures.ReplaceAllString(out, "N"), "\n")
	for line := range strings.SplitSeq(figures.ReplaceAllString(shown, "N"), "\n") {
		if strings.TrimSpace(line) == "…" {
			continue
		}
		i := slices.Index(got, line)
		if i < 0 {
			t.Fatalf("the README shows %q, and polder screen says\n%s", line, out)
		}
		got = got[i+1:]
	}
}

// TestDemoPasswords: they can be typed, are taken, and differ.
func TestDemoPasswords(t *testing.T) {
	a, err := typeable(strings.NewReader("\x00\x01\x02\x03\x04\x05\x06\x07"))
	ok(t, err)
	b, err := typeable(strings.NewReader("\x09\x01\x02\x03\x04\x05\x06\x07"))
	ok(t, err)
	if a == b || len(a) < 12 {
		t.Errorf("%q and %q", a, b)
	}
}

// TestDemoSummary: scripts read these names.
func TestDemoSummary(t *testing.T) {
	text, err := json.Marshal(summary{OK: true, Node: "http://localhost:1", Organisations: []orgSummary{{}}, Steps: []outcome{{}}})
	ok(t, err)
	for _, name := range []string{`"ok":true`, `"node":"http://localhost:1"`, `"may_see":0`, `"saw":0`, `"step":""`, `"ms":0`, `"objects":0`, `"latency_ms":{"p50":0,"p99":0}`, `"leaks":{"checked":0,"found":0}`} {
		if !strings.Contains(string(text), name) {
			t.Errorf("%s is not in %s", name, text)
		}
	}
}
