package cases

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"math/rand/v2" //house:allow math/rand/v2: when a process is killed in a test may be guessed
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/blob"
	"github.com/polder-exchange/polder/stix"
)

var caseChild = flag.String("case-child", "", "the folder in which a process that will be killed works on a case")

// TestF3CasesKilled (F3): a process whose four officers add items, decisions and evidence, and change them, is killed at
// random moments. What it acknowledged is there, with its history and its bytes, and nothing is there by half.
func TestF3CasesKilled(t *testing.T) {
	if *caseChild != "" {
		caseChildWorks(t)
		return
	}
	dir := t.TempDir()
	w := openCaseWorld(t, dir, blob.Options{})
	c := w.open(stix.Green, "Killed")
	caseMust(t, w.blobs.Close())
	caseMust(t, w.db.Close())
	program, err := os.Executable()
	caseMust(t, err)
	total := 0
	for range 4 {
		child := exec.Command(program, "-test.run=^TestF3CasesKilled$", "-case-child="+dir+"|"+string(c.ID))
		out, err := child.StdoutPipe()
		caseMust(t, err)
		caseMust(t, child.Start())
		lines := bufio.NewReader(out)
		if _, err := lines.Peek(1); err != nil { // it works now
			t.Fatal(err)
		}
		time.AfterFunc(100*time.Millisecond+rand.N(200*time.Millisecond), func() { _ = child.Process.Kill() })
		acks := []string{}
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				break
			}
			acks = append(acks, strings.TrimSpace(line))
		}
		_ = child.Wait()
		total += caseAfterDeath(t, dir, c.ID, acks)
	}
	if total == 0 {
		t.Fatal("nothing was acknowledged in any round: the test does not test")
	}
	t.Logf("%d acknowledged changes in 4 rounds", total)
}

// caseChildWorks adds and changes until the process is killed, and says what was acknowledged.
func caseChildWorks(t *testing.T) {
	dir, id, _ := strings.Cut(*caseChild, "|")
	w := openCaseWorld(t, dir, blob.Options{})
	w.now = time.Now()
	var mu sync.Mutex
	var all sync.WaitGroup
	say := func(text string) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Println(text)
	}
	for who := range 4 {
		all.Go(func() {
			for n := 0; ; n++ {
				text := fmt.Sprintf("%d-%d-%d", os.Getpid(), who, n)
				switch n % 3 {
				case 0:
					it, err := w.AddItem(context.Background(), lead, CaseID(id), Item{Kind: ItemNote, Text: text})
					if err != nil {
						return
					}
					say("note " + it.ID + " " + text)
					it.Text += "-changed"
					if it, err = w.ChangeItem(context.Background(), lead, CaseID(id), it); err != nil {
						return
					}
					say("change " + it.ID + " " + text)
				case 1:
					it, err := w.AddItem(context.Background(), lead, CaseID(id), Item{Kind: ItemDecision, Title: text, Decision: &Decision{Reason: "because " + text}})
					if err != nil {
						return
					}
					say("decision " + it.ID + " " + text)
				case 2:
					it, err := w.AddEvidence(context.Background(), lead, CaseID(id), Item{Evidence: &Evidence{Name: text}}, strings.NewReader(text))
					if err != nil {
						return
					}
					say("file " + it.ID + " " + text)
				}
			}
		})
	}
	all.Wait()
}

// caseAfterDeath looks for what was acknowledged.
func caseAfterDeath(t *testing.T, dir string, id CaseID, acks []string) int {
	t.Helper()
	w := openCaseWorld(t, dir, blob.Options{})
	w.now = time.Now()
	defer w.db.Close()
	defer w.blobs.Close()
	var half int
	caseMust(t, w.db.Read().QueryRow(`SELECT count(*) FROM cases_item i WHERE NOT EXISTS (SELECT 1 FROM cases_revision r WHERE r.item = i.id AND r.version = i.version) OR i.kind = 'evidence' AND NOT EXISTS (SELECT 1 FROM cases_custody s WHERE s.item_n = i.n)`).Scan(&half))
	if half != 0 {
		t.Errorf("%d items by half", half)
	}
	if _, err := w.audit.Verify(t.Context(), nil); err != nil {
		t.Error(err)
	}
	for _, ack := range acks {
		fields := strings.Fields(ack)
		if len(fields) != 3 {
			continue // cut short, or a line of the test's own
		}
		it, err := w.Item(t.Context(), lead, id, fields[1])
		switch {
		case err != nil:
			t.Errorf("%s: %v", ack, err)
		case fields[0] == "change" && it.Text != fields[2]+"-changed", fields[0] == "decision" && it.Decision.Reason != "because "+fields[2]:
			t.Errorf("%s: is %+v", ack, it)
		case fields[0] == "file":
			f, _, err := w.OpenEvidence(t.Context(), lead, id, it.ID, "")
			caseMust(t, err)
			text, err := io.ReadAll(f)
			caseMust(t, err)
			sum := sha256.Sum256(text)
			if string(text) != fields[2] || hex.EncodeToString(sum[:]) != it.Evidence.SHA256 {
				t.Errorf("%s: the file holds %q", ack, text)
			}
			f.Close()
		}
	}
	return len(acks)
}

// TestF5CasesOnAFullDisk (F5): nothing new is kept, and the error says so; reading, revoking and erasing go on; with room
// again everything does, and nothing is there by half.
func TestF5CasesOnAFullDisk(t *testing.T) {
	w := newCaseWorld(t)
	ctx := t.Context()
	c := w.open(stix.Green, "Full")
	w.let(c.ID, worker, PartWork, stix.Red)
	it := w.add(lead, c.ID, Item{Kind: ItemNote, Text: "words"})
	file, err := w.AddEvidence(ctx, lead, c.ID, Item{Evidence: &Evidence{Name: "a"}}, strings.NewReader("bytes"))
	caseMust(t, err)
	grows := map[string]func() error{
		"open": func() error { _, err := w.OpenCase(ctx, lead, CaseNew{Title: "Another"}); return err },
		"add": func() error {
			_, err := w.AddItem(ctx, lead, c.ID, Item{Kind: ItemNote, Text: "more"})
			return err
		},
		"evidence": func() error {
			_, err := w.AddEvidence(ctx, lead, c.ID, Item{Evidence: &Evidence{Name: "b"}}, strings.NewReader("more"))
			return err
		},
		"change": func() error { n := it; n.Text = "others"; _, err := w.ChangeItem(ctx, lead, c.ID, n); return err },
		"assess": func() error {
			_, err := w.AssessDamage(ctx, lead, c.ID, Damage{Taken: TakenSome, What: "a plan"})
			return err
		},
		"jewel": func() error { _, err := w.SetJewel(ctx, chief, Jewel{Name: "Lens"}); return err },
	}
	w.full.Store(true)
	for what, do := range grows {
		if err := do(); polder.KindOf(err) != polder.Full || !strings.Contains(err.Error(), "disk") {
			t.Errorf("%s on a full disk: %v", what, err)
		}
	}
	page, err := w.Items(ctx, lead, c.ID, ItemFilter{})
	if err != nil || len(page.Items) != 2 {
		t.Errorf("%d items, %v", len(page.Items), err)
	}
	f, _, err := w.OpenEvidence(ctx, lead, c.ID, file.ID, "")
	caseMust(t, err)
	f.Close()
	caseMust(t, w.RemoveMember(ctx, lead, c.ID, worker.Person, ""))
	if _, err := w.EraseItem(ctx, lead, c.ID, file.ID, "the law asks it"); err != nil {
		t.Error(err)
	}
	w.full.Store(false)
	for what, do := range grows {
		if err := do(); err != nil {
			t.Errorf("%s with room again: %v", what, err)
		}
	}
}

// TestEvidenceBound: a file above the bound is refused whole, and the item is not there.
func TestEvidenceBound(t *testing.T) {
	w := openCaseWorld(t, t.TempDir(), blob.Options{Max: MaxEvidence})
	c := w.open(stix.Green, "Large")
	_, err := w.AddEvidence(t.Context(), lead, c.ID, Item{Evidence: &Evidence{Name: "disk.img"}}, io.LimitReader(zeros{}, MaxEvidence+1))
	caseIs(t, err, polder.TooLarge, "larger")
	_, err = w.AddEvidence(t.Context(), lead, c.ID, Item{Evidence: &Evidence{Name: "empty"}}, bytes.NewReader(nil))
	caseIs(t, err, polder.Invalid, "empty")
	it, err := w.AddEvidence(t.Context(), lead, c.ID, Item{Evidence: &Evidence{Name: "disk.img"}}, io.LimitReader(zeros{}, MaxEvidence))
	caseMust(t, err)
	page, err := w.Items(t.Context(), lead, c.ID, ItemFilter{})
	caseMust(t, err)
	if it.Evidence.Size != MaxEvidence || len(page.Items) != 1 {
		t.Errorf("%+v, %d items", it.Evidence, len(page.Items))
	}
}

// zeros is a file of nothing, without end.
type zeros struct{}

// Read fills p.
func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
