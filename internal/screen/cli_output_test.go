package screen

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/polder-exchange/polder/internal/screen/lists"
)

// TestResume: wherever a run is interrupted, the next one makes of its file what one run would have made; a file that
// holds something else is not touched.
func TestResume(t *testing.T) {
	s := NewScreener(testList("own", lists.Restricted, someParties...))
	var parties []FileParty
	for i := range 5 {
		p := FileParty{Row: i + 1, Query: Query{Name: []string{"Zarimir Volkontev", "Marigold \"Best\"\nHetherington", "=Ocean Heron"}[i%3]}}
		if i == 3 {
			p.Err = errors.New("no name")
		}
		parties = append(parties, p)
	}
	forms := map[string]func() answerForm{
		"lines": func() answerForm { return &lineForm{lists: shownLists(s.Lists()), threshold: 0.66} },
		"table": func() answerForm { return &tableForm{asked: "own 2026-03-01", threshold: "0.66"} },
	}
	run := func(file string, form answerForm) error {
		o, err := openOutput(file, form)
		if err != nil {
			return err
		}
		for i, p := range parties {
			if i < len(o.before) {
				if o.before[i] != form.sum(p.Query.Name) {
					return fmt.Errorf("row %d is not known again", p.Row)
				}
				continue
			}
			x := Answered{Party: p}
			if p.Err == nil {
				x.Answer = s.Screen(p.Query, Options{Threshold: 0.66})
			}
			if err := o.add(x); err != nil {
				return err
			}
		}
		if o.hits != 2 || o.with != 2 {
			return fmt.Errorf("%d hits of %d parties, want 2", o.hits, o.with)
		}
		return o.close()
	}
	for name, form := range forms {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "answers")
			if err := run(file, form()); err != nil {
				t.Fatal(err)
			}
			whole, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			least := len(form().heading())
			for cut := len(whole); cut >= least; cut -= 1 + len(whole)/500 { // every few bytes
				if cut > 0 && name == "lines" && cut < len(`{"row":1,`) {
					continue // too little to tell whose it is
				}
				if err := os.WriteFile(file, whole[:cut], 0o600); err != nil {
					t.Fatal(err)
				}
				if err := run(file, form()); err != nil {
					t.Fatalf("cut at %d: %v", cut, err)
				}
				if got, _ := os.ReadFile(file); string(got) != string(whole) {
					t.Fatalf("cut at %d: got\n%s\nwant\n%s", cut, got, whole)
				}
			}
			for _, other := range []string{"somebody's letter\n", "{\"name\":\"x\"}\n", "a,b,c\n1,2,3\n", "no line break"} {
				if err := os.WriteFile(file, []byte(other), 0o600); err != nil {
					t.Fatal(err)
				}
				if err := run(file, form()); err == nil || !strings.Contains(err.Error(), "give another name to begin anew") {
					t.Errorf("%q: %v", other, err)
				}
				if got, _ := os.ReadFile(file); string(got) != other {
					t.Errorf("%q became %q", other, got)
				}
			}
		})
	}
}

// TestTableIsSafe: no cell of a table of answers is run by a spreadsheet.
func TestTableIsSafe(t *testing.T) {
	form := &tableForm{asked: "=own", threshold: "0.66"}
	e := &lists.Entry{ID: "@1", Name: "=cmd()", Programmes: []string{"+1"}, Means: "-1", Type: 0}
	text, err := form.line(Answered{Party: FileParty{Row: 1, Query: Query{Name: "=1+1", Ref: "\t=2"}}, Answer: Answer{Hits: []Hit{{ID: e.ID, List: "=l", Name: "@x", Why: "=why", Listing: e}}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{",=", ",@", ",+", ",-", ",\t"} {
		if strings.Contains(string(text), bad) {
			t.Errorf("a cell begins with %q: %s", bad[1:], text)
		}
	}
	if _, err := form.read("t", strings.NewReader(string(form.heading())+string(text)), &output{}); err != nil && !errors.Is(err, io.EOF) {
		t.Errorf("the table does not read again: %v", err)
	}
}
