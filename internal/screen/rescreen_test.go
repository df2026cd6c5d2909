package screen

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/screen/lists"
)

// fillers are listings that nobody meets.
func fillers(n int) (out []lists.Entry) {
	for i := range n {
		out = append(out, entry(fmt.Sprint("f", i), fmt.Sprintf("Nobodyknows Filler%d", i)))
	}
	return out
}

// TestOnlyTheDifferenceIsAsked: when a list gains one listing and changes another, the parties are asked against those
// two and no others, and are at the present afterwards.
func TestOnlyTheDifferenceIsAsked(t *testing.T) {
	w := newServiceWorld(t)
	base := append(fillers(50), entry("1", firmOne))
	w.lists.put("alpha", "2026-11-01", base...)
	w.lists.put("beta", "2026-11-01", entry("b1", "Betalisted Someone"))
	_, err := w.ImportParties(t.Context(), anna, Customers, manyRows(30, 0))
	must(t, err)
	_, err = w.ImportParties(t.Context(), anna, Suppliers, rowsOf(company("A", firmOne), company("B", firmTwo), company("C", firmThree)))
	must(t, err)
	w.work()
	if all := w.all(""); len(all) != 1 || all[0].Listing != "1" {
		t.Fatalf("at first: %v", all)
	}
	changed := entry("f3", firmThree)
	next := append([]lists.Entry{entry("2", firmTwo)}, base...)
	next[4] = changed
	w.lists.put("alpha", "2026-11-02", next...)
	w.work()
	if all := w.all(""); len(all) != 3 {
		t.Fatalf("%d reviews after the list changed, want 3: %v", len(all), all)
	}
	runs, err := w.Rescreenings(t.Context(), dirk, 10)
	must(t, err)
	if len(runs) != 2 || runs[0].Entries != 2 || runs[0].Parties != 33 || runs[0].Opened != 2 || runs[0].Ended.IsZero() || runs[1].Parties != 33 {
		t.Errorf("the rescreenings were %+v", runs)
	}
	p, err := w.Progress(t.Context(), dirk)
	must(t, err)
	if p.Parties != 33 || p.Settled != 33 || p.New != 0 || len(p.Lists) != 2 {
		t.Errorf("the progress is %+v", p)
	}
	ps, err := w.Parties(t.Context(), dirk, PartyFilter{Group: Suppliers})
	must(t, err)
	for _, p := range ps.Parties {
		if len(p.Against) != 2 || p.Against[0].Date != "2026-11-02" || p.Against[1].Date != "2026-11-01" || p.Screened.IsZero() || p.Waiting != 1 {
			t.Errorf("%s was asked against %v at %v, %d wait", p.Query.Ref, p.Against, p.Screened, p.Waiting)
		}
	}
	calls := w.lists.versions
	w.work()
	if w.lists.versions != calls {
		t.Error("work without any change reads lists")
	}
}

func TestListsThatChange(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(w *serviceWorld)
		want State  // of the open review about firm one
		note string // begins so
		why  string
	}{
		{"nothing", func(w *serviceWorld) {}, StateOpen, "", "work alone changes nothing"},
		{"another listing", func(w *serviceWorld) { w.lists.put("alpha", "2026-11-02", entry("1", firmOne), entry("9", "Else")) }, StateOpen, "", "others do not matter"},
		{"unlisted", func(w *serviceWorld) { w.lists.put("alpha", "2026-11-02", entry("2", firmTwo)) }, StateClosed, "no longer listed on alpha of 2026-11-02", "nobody needs to decide"},
		{"unlisted and listed again", func(w *serviceWorld) {
			w.lists.put("alpha", "2026-11-02", entry("2", firmTwo))
			w.work()
			w.lists.put("alpha", "2026-11-03", entry("1", firmOne))
		}, StateOpen, "the listing is on its list again", "it counts again"},
		{"another name", func(w *serviceWorld) { w.lists.put("alpha", "2026-11-02", entry("1", "Completely Otherwise")) }, StateOpen, "the listing changed since 2026-11-01: name; they no longer meet", "a person decides"},
		{"list dropped", func(w *serviceWorld) { w.lists.drop("alpha"); w.lists.put("beta", "2026-11-01", entry("7", "Seven")) }, StateOpen, "", "a list that is not asked says nothing new"},
		{"versions forgotten", func(w *serviceWorld) {
			w.lists.forget = true
			w.lists.put("alpha", "2026-11-02", entry("1", firmOne), entry("9", "Else"))
		}, StateOpen, "", "the whole list is asked, and the same is met"},
	} {
		for _, party := range []bool{true, false} {
			w := ready(t)
			if party {
				_, err := w.AddParty(t.Context(), anna, Customers, company("A", firmOne))
				must(t, err)
			} else {
				w.review(company("", firmOne))
			}
			w.work()
			id := w.all("all")[0].ID
			c.do(w)
			w.work()
			if r := w.get(id); r.State != c.want || !strings.HasPrefix(r.Note, c.note) || c.note == "" && r.Note != "" {
				t.Errorf("%s (party %v): %s %q, want %s %q: %s", c.name, party, r.State, r.Note, c.want, c.note, c.why)
			}
			if all := w.all("all"); len(all) != 1 {
				t.Errorf("%s (party %v): %d reviews", c.name, party, len(all))
			}
		}
	}
}

// TestDecidedAndUnlisted: what was decided stays decided when the listing goes, is marked, and is remembered when the
// same listing comes back.
func TestDecidedAndUnlisted(t *testing.T) {
	for _, v := range []Verdict{VerdictTrue, VerdictFalse} {
		w := ready(t)
		p, err := w.AddParty(t.Context(), anna, Customers, company("A", firmOne))
		must(t, err)
		w.work()
		id := w.all("")[0].ID
		_, err = w.say(anna, id, v)
		must(t, err)
		w.lists.put("alpha", "2026-11-02", entry("2", firmTwo))
		w.work()
		if r := w.get(id); r.State != State(v) || r.Gone.IsZero() || r.Note != "no longer listed on alpha of 2026-11-02" {
			t.Errorf("%s and unlisted: %s, gone %v, %q", v, r.State, r.Gone, r.Note)
		}
		w.lists.put("alpha", "2026-11-03", entry("1", firmOne))
		w.work()
		if r := w.get(id); r.State != State(v) || !r.Gone.IsZero() {
			t.Errorf("%s and listed again: %s, gone %v", v, r.State, r.Gone)
		}
		known, err := w.Decided(t.Context(), dirk, []Answer{w.ask(company("A", firmOne))}, p.ID)
		must(t, err)
		if known[0][0].Known != string(v) {
			t.Errorf("%s is shown with the party as %q", v, known[0][0].Known)
		}
		if got, err := w.Party(t.Context(), dirk, p.ID); err != nil || got.True+got.False != 1 || (v == VerdictTrue) != (got.True == 1) {
			t.Errorf("the party counts %d true and %d false: %v", got.True, got.False, err)
		}
	}
}

func TestRemovedPartyIsAskedNoMore(t *testing.T) {
	w := ready(t)
	p, err := w.AddParty(t.Context(), anna, Customers, company("A", firmOne))
	must(t, err)
	w.work()
	id := w.all("")[0].ID
	must(t, w.RemoveParty(t.Context(), bram, p.ID))
	must(t, w.RemoveParty(t.Context(), bram, p.ID))
	if r := w.get(id); r.State != StateClosed || r.Note != "the party is no longer known" {
		t.Fatalf("the review is %s %q", r.State, r.Note)
	}
	changed := entry("1", firmOne)
	changed.Note = "new remark"
	w.lists.put("alpha", "2026-11-02", changed)
	w.work()
	if r := w.get(id); r.State != StateClosed {
		t.Errorf("after the list changed the review of a removed party is %s", r.State)
	}
	if _, err := w.AddParty(t.Context(), anna, Customers, company("A", firmOne)); err != nil {
		t.Errorf("the reference is not free again: %v", err)
	}
	isKind(t, func() error {
		_, err := w.ChangeParty(t.Context(), anna, p.ID, PartyChange{Query: company("A", "x"), Seen: 2})
		return err
	}(), polder.Conflict)
	gone, err := w.Parties(t.Context(), dirk, PartyFilter{Removed: true})
	must(t, err)
	if len(gone.Parties) != 1 || gone.Parties[0].ID != p.ID {
		t.Errorf("removed: %v", gone)
	}
}

// TestThresholdAsksAgain: a lower threshold asks all parties against everything, a higher one does not.
func TestThresholdAsksAgain(t *testing.T) {
	w := ready(t)
	_, err := w.ImportParties(t.Context(), anna, Customers, manyRows(10, 0))
	must(t, err)
	w.work()
	set, err := w.Settings(t.Context(), dirk)
	must(t, err)
	for _, c := range []struct {
		threshold float64
		entries   int
	}{{set.Threshold + 0.02, 0}, {set.Threshold - 0.1, 2}} {
		set.Threshold = c.threshold
		set, err = w.Set(t.Context(), carla, set)
		must(t, err)
		w.work()
		runs, err := w.Rescreenings(t.Context(), dirk, 1)
		must(t, err)
		if runs[0].Parties != 10 || runs[0].Entries != c.entries {
			t.Errorf("at %v %d parties were asked against %d listings, want 10 and %d", c.threshold, runs[0].Parties, runs[0].Entries, c.entries)
		}
	}
	set.Version--
	_, err = w.Set(t.Context(), carla, set)
	isKind(t, err, polder.Conflict)
	set.Threshold = 0.1
	_, err = w.Set(t.Context(), carla, set)
	isKind(t, err, polder.Invalid)
}

// TestNoListsIsNoAnswer: without a list nothing is asked, and nothing passes for asked.
func TestNoListsIsNoAnswer(t *testing.T) {
	w := newServiceWorld(t)
	_, err := w.AddParty(t.Context(), anna, Customers, company("A", firmOne))
	must(t, err)
	b, err := w.AddBatch(t.Context(), anna, BatchOrder{Name: "b"}, rowsOf(company("", firmOne)))
	must(t, err)
	w.work()
	_, err = w.Screen(t.Context(), anna, []Query{company("", firmOne)}, Options{})
	isKind(t, err, polder.Conflict)
	_, err = w.Keep(t.Context(), anna, Answer{Query: company("", firmOne)}, KeepOptions{})
	isKind(t, err, polder.Invalid)
	p, err := w.Progress(t.Context(), dirk)
	must(t, err)
	if got, err := w.Batch(t.Context(), dirk, b.ID); p.New != 1 || p.Settled != 0 || err != nil || got.State != BatchWaiting {
		t.Errorf("progress %+v, batch %s, %v", p, got.State, err)
	}
	w.lists.put("alpha", "2026-11-01", entry("1", firmOne))
	w.work()
	if got, err := w.Batch(t.Context(), dirk, b.ID); err != nil || got.State != BatchDone || len(w.all("")) != 2 {
		t.Errorf("once there is a list: %s, %d reviews", got.State, len(w.all("")))
	}
}

// failingLists cannot be read for one organisation.
type failingLists struct{ *fakeLists }

func (f failingLists) Screener(ctx context.Context, org polder.OrgID) (*Screener, error) {
	if org == theirs {
		return nil, errors.New("the disk is broken")
	}
	return f.fakeLists.Screener(ctx, org)
}

// TestOneFaultKeepsNobodyWaiting: what fails for one organisation is told, and the others' work is done.
func TestOneFaultKeepsNobodyWaiting(t *testing.T) {
	w := ready(t)
	w.o.Lists = failingLists{w.lists}
	for _, by := range []polder.Actor{other, anna} {
		_, err := w.AddParty(t.Context(), by, Customers, company("A", firmOne))
		must(t, err)
	}
	if err := w.Work(t.Context()); err == nil || !strings.Contains(err.Error(), "the disk is broken") {
		t.Errorf("the fault is told as %v", err)
	}
	if n := len(w.all("")); n != 1 {
		t.Errorf("%d reviews of the organisation whose lists work", n)
	}
}

// TestRunWakes: Run does work when it comes, and when lists change, without waiting for its clock.
func TestRunWakes(t *testing.T) {
	w := ready(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); w.Run(ctx) }()
	waitFor := func(n int) {
		t.Helper()
		for range 500 {
			changed := w.Changed()
			if got, err := w.Waiting(t.Context(), dirk); err == nil && got == n {
				return
			}
			select {
			case <-changed:
			case <-time.After(20 * time.Millisecond):
			}
		}
		t.Fatalf("there are never %d reviews", n)
	}
	_, err := w.ImportParties(t.Context(), anna, Customers, rowsOf(company("A", firmOne), company("B", firmThree)))
	must(t, err)
	waitFor(1)
	w.lists.put("alpha", "2026-11-02", entry("1", firmOne), entry("3", firmThree))
	waitFor(2)
	cancel()
	<-ended
}

const (
	killParties = 2_000
	killBatch   = 600
)

// TestF3KillRescreening (F3): the process that asks known parties again, and works at a batch, is killed over and over,
// wherever it is. It goes on each time, and in the end each party has its reviews once and each row of the batch counts
// once.
func TestF3KillRescreening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "polder.db")
	if os.Getenv("POLDER_RESCREEN_CHILD") != "" {
		killedChild(t)
		return
	}
	if testing.Short() {
		t.Skip("it starts and kills processes")
	}
	w := openServiceWorld(t, path)
	killLists(w.lists, 1)
	_, err := w.ImportParties(t.Context(), anna, Customers, manyRows(killParties, 4))
	must(t, err)
	w.work()
	before := len(w.all("all"))
	_, err = w.AddBatch(t.Context(), anna, BatchOrder{Name: "killed"}, manyRows(killBatch, 3))
	must(t, err)
	must(t, w.db.Close())

	kills := 0
	for round := 0; ; round++ {
		if round == 200 {
			t.Fatal("the work never ends")
		}
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestF3KillRescreening$")
		cmd.Env = append(os.Environ(), "POLDER_RESCREEN_CHILD="+path)
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		lines := bufio.NewScanner(out)
		done := false
		for lines.Scan() {
			if lines.Text() == "working" {
				time.Sleep(time.Duration(3+round*7%40+round*3) * time.Millisecond) // ever longer, so that it ends on any machine
				_ = cmd.Process.Kill()
			}
			done = done || lines.Text() == "done"
		}
		if err := cmd.Wait(); err == nil || done {
			break
		}
		kills++
	}
	if kills < 3 {
		t.Errorf("only %d kills hit the work", kills)
	}
	w = openServiceWorld(t, path)
	killLists(w.lists, 2)
	w.work()
	all := w.all("all")
	seen := map[string]int{}
	for _, r := range all {
		seen[r.Party+" "+r.Query.Name+" "+r.Listing]++
	}
	for key, n := range seen {
		if n != 1 {
			t.Errorf("%d reviews of %s", n, key)
		}
	}
	// Every fourth party meets the old listing, and now the new one of the same name too; the batch's one name meets both.
	if want := killParties/4*2 + 2; len(all) != want || before != killParties/4 {
		t.Errorf("%d reviews before and %d after, want %d and %d", before, len(all), killParties/4, want)
	}
	b, err := w.Batches(t.Context(), dirk, 1)
	must(t, err)
	if b[0].State != BatchDone || b[0].Done != killBatch || b[0].Met != killBatch/3 || b[0].Hits != 2*killBatch/3 || b[0].New != 2 {
		t.Errorf("the batch is %+v", b[0])
	}
	runs, err := w.Rescreenings(t.Context(), dirk, 1)
	must(t, err)
	if runs[0].Parties != killParties || runs[0].Opened != killParties/4 || runs[0].Ended.IsZero() {
		t.Errorf("after %d kills the rescreening counts %+v", kills, runs[0])
	}
	t.Logf("%d kills", kills)
}

// killLists are the two versions of the list of the test that kills.
func killLists(f *fakeLists, version int) {
	entries := append(fillers(20), entry("1", firmOne))
	f.put("alpha", "2026-11-01", entries...)
	if version == 2 {
		f.put("alpha", "2026-11-02", append(entries, entry("9", firmOne))...)
	}
}

// killedChild works until it is done or killed.
func killedChild(t *testing.T) {
	w := openServiceWorld(t, os.Getenv("POLDER_RESCREEN_CHILD"))
	killLists(w.lists, 2)
	fmt.Println("working")
	must(t, w.Work(t.Context()))
	fmt.Println("done")
}

// TestRemovalThatWasCutOff: a party was removed, and the process ended before its reviews were closed: work closes them.
func TestRemovalThatWasCutOff(t *testing.T) {
	w := ready(t)
	p, err := w.AddParty(t.Context(), anna, Customers, company("A", firmOne))
	must(t, err)
	w.work()
	must(t, w.db.Write(t.Context(), func(tx *db.Tx) error {
		p, err := readParty(tx, ours, p.ID)
		if err != nil {
			return err
		}
		p.Removed, p.against = w.pass(0), -1
		return updateParty(tx, p)
	}))
	w.work()
	if r := w.all("all")[0]; r.State != StateClosed || r.Note != "the party is no longer known" {
		t.Errorf("the review is %s: %q", r.State, r.Note)
	}
}
