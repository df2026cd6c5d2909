package node

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/cases"
	"github.com/polder-exchange/polder/internal/seal"
)

// This file is the part of the story in which somebody at a maker of valves dares to say what was seen, and what comes
// of it.

// What the scenes of reports and cases speak of.
const (
	caseDesk     = "vertrouwenspunt-klepwerk" // alias of the desk for reports
	caseTeam     = "response-team"            // alias of the CSIRT's desk
	caseCanary   = "Wezelgang"                // a word that stands in the report and nowhere else
	caseTitle    = "Log-ins with the account of a fitter who left"
	caseGreen    = "Accounts of the supplier closed"
	caseStrict   = "Which drawings the account opened"
	caseObserved = serverValue // the CSIRT's members know it already
)

// responding are the scenes of reports and cases.
func responding() []scene {
	return []scene{
		{name: "desk", says: "Klepwerk opens a desk for reports, the CSIRT one of its response team; their readers make keys under passphrases of their own", do: openDesks},
		{name: "report", says: "somebody at Klepwerk reports what she saw, without a name; it is sealed on her device, and six words are all she keeps", do: reportUnnamed, check: nodeCannotRead},
		{name: "opened", says: "the officer opens it on her own device: a class and a severity are proposed, with the words that decided", do: openReport},
		{name: "thread", says: "she asks back; with the six words the reporter reads it and answers, from anywhere", do: askReporter},
		{name: "case", says: "she opens a case: the clock of the law has run since this morning, and says until when and by which article", do: openStoryCase},
		{name: "known-already", says: "the address in the case is known to the community already, and the case links to it", do: knowObservable},
		{name: "partner", says: "Okular is let into the case up to TLP:GREEN: it sees one entry, and nothing of the other, its existence included", do: letPartnerIn, check: partnerSeesGreen},
		{name: "early-warning", says: "the early warning is sent, by a person, in time; the form was filled in as far as the case knows", do: sendWarning},
		{name: "assessed", says: "what was taken, and whom it touches; it cannot be closed while the law waits for a report; the deliverable is a PDF", do: assessStoryCase},
	}
}

// officer runs a command with the token that a steward of a part made.
func (st *stage) officer(ctx context.Context, key string, into any, args ...string) error {
	out, err := run(ctx, append(args, "--node", st.at, "--token", st.players[key].officer, "--json")...)
	if err != nil || into == nil {
		return err
	}
	return json.Unmarshal([]byte(out), into)
}

// phrase writes a passphrase where commands can read it, and remembers it for who looks on.
func (st *stage) phrase(key string) (string, error) {
	path := filepath.Join(filepath.Dir(st.dir), key+".passphrase")
	if st.held[key+" passphrase"] == "" {
		words, err := seal.NewPassphrase(rand.Reader, "en")
		if err != nil {
			return "", err
		}
		st.held[key+" passphrase"] = words
	}
	return path, os.WriteFile(path, []byte(st.held[key+" passphrase"]+"\n"), 0o600)
}

// deskSeen is what `polder report desk` prints of a desk.
type deskSeen struct {
	Alias   string           `json:"alias"`
	Readers []map[string]any `json:"readers"`
}

func openDesks(ctx context.Context, st *stage) (polder.Seq, error) {
	for _, d := range []struct {
		key, alias, name string
		more             []string
	}{
		{"csirt", caseTeam, "Response team of the National CSIRT", []string{"--kind", "team", "--unlisted"}},
		{"klepwerk", caseDesk, "Vertrouwenspunt Klepwerk", []string{"--team", caseTeam, "--phone", "+31 20 555 0100", "--promise", "Noor reads within a working day. You hear what is done with it."}},
	} {
		path, err := st.phrase(d.key)
		if err != nil {
			return 0, err
		}
		if err := st.officer(ctx, d.key, nil, "report", "key", "--passphrase-file", path); err != nil {
			return 0, err
		}
		var got deskSeen
		if err := st.officer(ctx, d.key, &got, append([]string{"report", "desk", "open", d.name, "--alias", d.alias}, d.more...)...); err != nil {
			return 0, err
		}
		if len(got.Readers) != 1 {
			return 0, fmt.Errorf("the desk %s has %d readers", d.alias, len(got.Readers))
		}
	}
	return 0, nil
}

func reportUnnamed(ctx context.Context, st *stage) (polder.Seq, error) {
	path, err := st.file("suspicion.answers.json")
	if err != nil {
		return 0, err
	}
	out, err := run(ctx, "report", "--node", st.at, "--to", caseDesk, "--file", path, "--anonymous", "--json")
	if err != nil {
		return 0, err
	}
	var got struct{ Receipt string }
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		return 0, err
	}
	if len(strings.Fields(got.Receipt)) != 6 {
		return 0, errors.New("the receipt is not six words")
	}
	st.held["receipt"] = got.Receipt
	return 0, nil
}

// nodeCannotRead looks for a word of the report in every file of the node.
func nodeCannotRead(_ context.Context, st *stage) error {
	files := 0
	err := fs.WalkDir(os.DirFS(st.dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(filepath.Join(st.dir, path))
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it was of the moment
		}
		if err == nil && strings.Contains(string(text), caseCanary) {
			err = fmt.Errorf("%s holds a word of the report", path)
		}
		files++
		return err
	})
	if err == nil && files < 5 {
		err = fmt.Errorf("only %d files were looked at", files)
	}
	return err
}

// reportSeen is a line of `polder report inbox`.
type reportSeen struct {
	ID     string        `json:"id"`
	Report cases.Answers `json:"report"`
}

func openReport(ctx context.Context, st *stage) (polder.Seq, error) {
	path, err := st.phrase("klepwerk")
	if err != nil {
		return 0, err
	}
	var got reportSeen
	if err := st.officer(ctx, "klepwerk", &got, "report", "inbox", "--passphrase-file", path); err != nil {
		return 0, err
	}
	proposed := got.Report.Proposed
	if !strings.Contains(got.Report.What, caseCanary) || proposed == nil || !strings.HasPrefix(proposed.Class, "intrusions/") || len(proposed.Why) == 0 {
		return 0, fmt.Errorf("the report came out as %q, with %+v proposed", got.Report.What, proposed)
	}
	st.held["report"], st.held["class"] = got.ID, proposed.Class
	return 0, nil
}

func askReporter(ctx context.Context, st *stage) (polder.Seq, error) {
	path, err := st.phrase("klepwerk")
	if err != nil {
		return 0, err
	}
	if err := st.officer(ctx, "klepwerk", nil, "report", "reply", st.held["report"], "--passphrase-file", path, "--text", "Thank you. Do you know on which days?"); err != nil {
		return 0, err
	}
	show := []string{"report", "show", "--node", st.at, "--to", caseDesk, "--receipt", st.held["receipt"], "--json"}
	out, err := run(ctx, show...)
	if err == nil && !strings.Contains(out, "on which days") {
		err = errors.New("the reporter does not see what was asked back")
	}
	if err != nil {
		return 0, err
	}
	_, err = run(ctx, append(show, "--reply", "On the two Sundays, late in the evening.")...)
	return 0, err
}

func openStoryCase(ctx context.Context, st *stage) (polder.Seq, error) {
	officer := st.players["klepwerk"].officer
	var opened cases.CaseView
	err := st.ask(ctx, officer, "POST", "/api/v1/cases", map[string]any{
		"title": caseTitle, "kind": "incident", "roads": []string{"cyber", "insider"}, "class": st.held["class"], "severity": "high", "tlp": "amber+strict", "sector": "manufacturing",
		"aware": st.began.Add(-3 * time.Hour).UTC().Format(time.RFC3339), "countries": []string{"NL", "DE"}, "report": st.held["report"],
		"summary": "An account that should have been closed was used to reach the server for remote maintenance.",
	}, &opened)
	if err != nil {
		return 0, err
	}
	st.held["case"] = string(opened.ID)
	for _, i := range []map[string]any{
		{"kind": "entry", "title": caseGreen, "text": "Nine accounts; two were in use last week.", "tlp": "green"},
		{"kind": "entry", "title": caseStrict, "text": "Asked the document store for reads by these accounts.", "weighs": true},
		{"kind": "observable", "tlp": "green", "observable": map[string]any{"value": caseObserved, "bad": true}},
		{"kind": "decision", "title": "Customers are told when the drawings are known", "decision": map[string]any{"reason": "Telling them now would be guessing."}},
	} {
		var item cases.Item
		if err := st.ask(ctx, officer, "POST", "/api/v1/cases/"+st.held["case"]+"/items", i, &item); err != nil {
			return 0, err
		}
		st.held[string(item.Kind)] = item.ID
	}
	return 0, st.duties(ctx, "early warning", "art. 23(4)(a)")
}

// duties demands that the case has a deadline of an article.
func (st *stage) duties(ctx context.Context, what, article string) error {
	var got cases.CaseDuties
	if err := st.ask(ctx, st.players["klepwerk"].officer, "GET", "/api/v1/cases/"+st.held["case"]+"/deadlines", nil, &got); err != nil {
		return err
	}
	for _, d := range got.Deadlines {
		if d.What == what && d.Article == article && d.Due.Sub(st.began.Add(-3*time.Hour)).Round(time.Minute) == 24*time.Hour {
			st.held[what] = strings.ReplaceAll(d.Rule, "/", ".")
			return nil
		}
	}
	return fmt.Errorf("of %d deadlines none is the %s by %s, 24 hours after awareness", len(got.Deadlines), what, article)
}

func knowObservable(ctx context.Context, st *stage) (polder.Seq, error) {
	path := "/api/v1/cases/" + st.held["case"] + "/items/" + st.held["observable"] + "/lookup"
	var got cases.ItemLookUpAnswer
	if err := st.ask(ctx, st.players["klepwerk"].officer, "GET", path, nil, &got); err != nil {
		return 0, err
	}
	if !slices.ContainsFunc(got.Known, func(k cases.ItemKnown) bool { return k.ID == st.held["server"] }) {
		return 0, fmt.Errorf("of %d objects none is the indicator that others shared", len(got.Known))
	}
	v, err := st.visitAs(ctx, exportControl)
	if err != nil {
		return 0, err
	}
	return 0, errors.Join(v.shows(ctx, "/cases/"+st.held["case"], []string{caseTitle, "/objects/"}, nil), v.shows(ctx, "/objects/"+st.held["server"], []string{caseTitle}, nil))
}

func letPartnerIn(ctx context.Context, st *stage) (polder.Seq, error) {
	return 0, st.ask(ctx, st.players["klepwerk"].officer, "POST", "/api/v1/cases/"+st.held["case"]+"/members", map[string]any{"org": st.players["okular"].org.ID, "part": "read", "ceiling": "green"}, nil)
}

// partnerSeesGreen looks at the case as Okular does, and as one who was not let in.
func partnerSeesGreen(ctx context.Context, st *stage) error {
	path := "/api/v1/cases/" + st.held["case"]
	var items json.RawMessage
	if err := st.ask(ctx, st.players["okular"].reader, "GET", path+"/items", nil, &items); err != nil {
		return err
	}
	switch text := string(items); {
	case !strings.Contains(text, caseGreen):
		return errors.New("the partner does not see the entry that is green")
	case strings.Contains(text, caseStrict), strings.Contains(text, "guessing"):
		return errors.New("the partner sees what is marked above its ceiling")
	}
	return demands(http.StatusNotFound, st.ask(ctx, st.players["meridiaan"].writer, "GET", path, nil, nil))
}

func sendWarning(ctx context.Context, st *stage) (polder.Seq, error) {
	path, officer := "/api/v1/cases/"+st.held["case"]+"/deadlines", st.players["klepwerk"].officer
	rule := path + "/" + st.held["early warning"]
	var form struct {
		Fields []struct{ Value any } `json:"fields"`
	}
	if err := st.ask(ctx, officer, "GET", rule+"/form", nil, &form); err != nil {
		return 0, err
	}
	var before, after cases.CaseDuties
	if err := st.ask(ctx, officer, "GET", path, nil, &before); err != nil {
		return 0, err
	}
	version := 0
	for _, d := range before.Deadlines {
		if strings.ReplaceAll(d.Rule, "/", ".") == st.held["early warning"] {
			version = d.Version
		}
	}
	if err := st.ask(ctx, officer, "POST", rule+"/sent", map[string]any{"version": version, "reference": "NC-26-20931"}, &after); err != nil {
		return 0, err
	}
	for _, d := range after.Deadlines {
		if strings.ReplaceAll(d.Rule, "/", ".") == st.held["early warning"] && d.State == cases.DeadlineSent {
			return 0, nil
		}
	}
	return 0, errors.New("the early warning is not noted as sent")
}

func assessStoryCase(ctx context.Context, st *stage) (polder.Seq, error) {
	path, officer := "/api/v1/cases/"+st.held["case"], st.players["klepwerk"].officer
	if err := st.ask(ctx, officer, "PUT", path+"/damage", map[string]any{
		"taken": "maybe", "what": "Drawings of two valve bodies were open for six minutes.", "partners": []string{"Meridiaan Lithografie"}, "products": []string{"Vacuum valve, series 40"},
		"measures": "Accounts of suppliers end with the contract.",
	}, nil); err != nil {
		return 0, err
	}
	var now cases.CaseView
	if err := st.ask(ctx, officer, "GET", path, nil, &now); err != nil {
		return 0, err
	}
	status := func(to string) error {
		return st.ask(ctx, officer, "POST", path+"/status", map[string]any{"status": to, "reason": "Nothing further was found; the accounts are closed.", "version": now.Version}, nil)
	}
	if err := errors.Join(demands(http.StatusConflict, status("closed")), status("contained")); err != nil {
		return 0, err
	}
	out := filepath.Join(filepath.Dir(st.dir), "case.pdf")
	if _, err := run(ctx, "case", "export", st.held["case"], "--format", "pdf", "-o", out, "--node", st.at, "--token", officer); err != nil {
		return 0, err
	}
	text, err := os.ReadFile(out)
	if err == nil && !strings.HasPrefix(string(text), "%PDF-") {
		err = errors.New("the deliverable is no PDF")
	}
	return 0, err
}
