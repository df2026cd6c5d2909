package cases

import (
	"reflect"
	"strings"
	"testing"
)

// TestReportText: answers from JSON and from the text of the template, filled in as people and mail programs do.
func TestReportText(t *testing.T) {
	fill := func(lang string, pairs ...string) string {
		text := mailTemplate(lang)
		for i := 0; i < len(pairs); i += 2 {
			if !strings.Contains(text, pairs[i]) {
				t.Fatalf("the template does not hold %q", pairs[i])
			}
			text = strings.Replace(text, pairs[i], pairs[i+1], 1)
		}
		return text
	}
	whole := fill("en", "drawings.)\n", "drawings.)\nA visitor\nfilmed the hall\n", "fine.)\n", "fine.)\nlast  week\n", "[ ] Someone", "[x] Someone", "[ ] I am", "[X] I am",
		"[ ] Not sure", "[ x ] Not sure", "an e-mail shows your address.)\n", "an e-mail shows your address.)\n020 555 01 02\n", "[ ] Also the police", "[v] Also the police")
	want := Answers{What: "A visitor\nfilmed the hall", Noticed: "last week", Roads: []Road{RoadInsider, RoadUnknown}, Ongoing: "unknown", Call: "020 555 01 02", MayKnow: "police", Language: "en"}
	quoted := "> " + strings.ReplaceAll(whole, "\n", "\r\n> ")
	short := Answers{What: "Iets", Roads: []Road{}, MayKnow: "desk", Language: "nl"}
	for _, c := range []struct {
		why, text string
		want      Answers
	}{
		{"the text, filled in", whole, want},
		{"quoted by a mail program, with other line ends", quoted, want},
		{"with a mark of UTF-8 before it", "\ufeff" + whole, want},
		{"Dutch, and only the first answer", fill("nl", "weg.)\n", "weg.)\nIets\n"), short},
		{"without the words of help", fill("nl", "(In uw eigen woorden. Laat wachtwoorden en tekeningen weg.)", "Iets"), short},
		{"lines of help broken otherwise", fill("nl", "(In uw eigen woorden. Laat wachtwoorden en tekeningen weg.)", "(In uw eigen\nwoorden. Laat wachtwoorden\nen tekeningen weg.) Iets"), short},
		{"JSON", `{"what":"Iets","roads":[],"may_know":"desk","language":"nl"}`, short},
		{"JSON with more", ` {"what":"x","more":{"know_how":"3B001"},"kind":"approach"}`, Answers{What: "x", Kind: KindApproach, More: map[string]string{"know_how": "3B001"}}},
	} {
		got, line, err := parseReportText([]byte(c.text))
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, line %d, %v; want %+v", c.why, got, line, err, c.want)
		}
	}
}

func TestReportTextRefused(t *testing.T) {
	text := strings.Replace(mailTemplate("en"), "drawings.)\n", "drawings.)\nA visitor\n", 1)
	for _, c := range []struct {
		why, text, says string
		line            int
	}{
		{"nothing", "", "neither JSON", 0},
		{"another text", "Dear desk,\n1. What happened?", "neither JSON", 0},
		{"no UTF-8", "{\"what\":\"\xff\"}", "not UTF-8", 0},
		{"an empty template: nothing was said", mailTemplate("en"), "what: is empty", 0},
		{"two answers where one is asked", strings.Replace(text, "[ ] Yes\n[ ] No\n", "[x] Yes\n[x] No\n", 1), "has 2 answers; choose one", 30},
		{"an option that was changed", strings.Replace(text, "[ ] Yes", "[x] Perhaps", 1), "“Perhaps” is no answer", 30},
		{"a question that was taken out", strings.Replace(text, "4. Is it still going on?", "", 1), "question 4, “Is it still going on?”, is missing", 0},
		{"broken JSON", "{\n\"what\": \"x\",\n\"noticed\" 1}", "is no JSON", 3},
		{"JSON behind JSON", `{"what":"x"} {}`, "is no JSON", 1},
		{"an unknown key", `{"waht":"x"}`, `"waht" is not known; known are what, noticed`, 0},
		{"a key in capitals is another key", `{"What":"x"}`, `"What" is not known`, 0},
		{"an unknown key in more", `{"what":"x","more":{"colour":"red"}}`, `more: the key "colour" is not known; known are danger, systems`, 0},
		{"an unknown key in proposed", `{"what":"x","proposed":{"score":1}}`, "score", 0},
		{"a number for a text", "{\n\"what\": 1}", "what: is a number, and must be a text", 2},
		{"a text for a list", `{"what":"x","roads":"insider"}`, "roads: is a string, and must be a list of words", 1},
		{"a road that is none", `{"what":"x","roads":["sea"]}`, `roads: "sea" is not known; use cyber`, 0},
		{"who may know", `{"what":"x","may_know":"everybody"}`, `may_know: "everybody" is not known; use desk`, 0},
		{"going on", `{"what":"x","ongoing":"maybe"}`, `ongoing: "maybe" is not known; use yes`, 0},
		{"a kind that is none", `{"what":"x","kind":"war"}`, `kind: "war" is not known; use incident`, 0},
		{"a language without words", `{"what":"x","language":"xx"}`, `language: "xx" is not known`, 0},
		{"too long", `{"what":"` + strings.Repeat("x", maxAnswerText+1) + `"}`, "what: is longer than", 0},
	} {
		a, line, err := parseReportText([]byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.says) || c.line != line {
			t.Errorf("%s: %+v, line %d, %v; want line %d and %q", c.why, a, line, err, c.line, c.says)
		}
		if !reflect.DeepEqual(a, Answers{}) {
			t.Errorf("%s: half of it is read: %+v", c.why, a)
		}
	}
}

// FuzzReportText: whatever a file holds is refused, or is answers that a report can hold.
func FuzzReportText(f *testing.F) {
	f.Add([]byte(mailTemplate("en")))
	f.Add([]byte(strings.ReplaceAll(mailTemplate("nl"), "[ ]", "[x]")))
	f.Add([]byte(strings.Replace(mailTemplate("nl"), "weg.)\n", "weg.)\nIets\n", 1)))
	f.Add([]byte(`{"what":"x","roads":["cyber"],"more":{"told":"y"},"proposed":{"class":"c","severity":"low","why":[]}}`))
	f.Add([]byte("6. Who may know?\n1. What did you notice?\n2. When did you notice it?"))
	f.Fuzz(func(t *testing.T, text []byte) {
		a, line, err := parseReportText(text)
		if err != nil {
			if line < 0 || line > strings.Count(string(text), "\n")+2 {
				t.Errorf("line %d of %q", line, text)
			}
			return
		}
		if err := a.Check(); err != nil {
			t.Errorf("answers that no report can hold: %v", err)
		}
	})
}

// FuzzSavedName: whatever an attachment is called, it is written into the folder and nowhere else.
func FuzzSavedName(f *testing.F) {
	for _, s := range []string{"a.txt", "../x", "", "\xff", ".."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := safeFileName(s)
		if got == "" || len(got) > 100 || strings.ContainsAny(got, `/\:`+"\x00") || strings.HasPrefix(got, ".") || strings.HasPrefix(got, "-") {
			t.Errorf("%q is saved as %q", s, got)
		}
	})
}
