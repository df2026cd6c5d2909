package cases

import (
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/internal/web/webtest"
)

// reportFilesWith are the files of the pages in memory, to add to.
func reportFilesWith(t *testing.T) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	err := fs.WalkDir(reportFiles, "report", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := reportFiles.ReadFile(path)
		files[strings.TrimPrefix(path, "report/")] = &fstest.MapFile{Data: text}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestReportAnotherLanguage adds a language that nobody speaks as one more file, and shows every page in it.
func TestReportAnotherLanguage(t *testing.T) {
	files := reportFilesWith(t)
	var made strings.Builder
	for line := range strings.Lines(string(files["en.txt"].Data)) {
		key, text, ok := strings.Cut(line, " = ")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		if key == "language.name" {
			text = "Sindarin\n"
		}
		made.WriteString(key + " = Mae " + text)
	}
	files["art.txt"] = &fstest.MapFile{Data: []byte(strings.Replace(made.String(), "Mae Sindarin", "Sindarin", 1))}
	site := reportSite(t)
	reports, err := newReportPages(site, files)
	if err != nil {
		t.Fatal(err)
	}
	// Those that answer a form cannot be asked for again in another language, and the empty page says nothing.
	turns := map[string]bool{"form": true, "form-empty": true, "pressed": true, "pressed-none": true, "enter": true, "wrong": true, "readers": true, "choose": true, "none": true, "fault": true}
	for name, page := range reportShown(t, reports, site, "art", "") {
		for _, fault := range webtest.Broken([]byte(page)) {
			t.Errorf("%s: %s", name, fault)
		}
		if !strings.Contains(page, `<html lang="art">`) || !strings.Contains(page, "Mae ") {
			t.Errorf("%s is not in the language that was added: %.300s", name, page)
		}
		if turns[name] && !strings.Contains(page, `?lang=nl" lang="nl"`) {
			t.Errorf("%s leads to no other language", name)
		}
	}
	for name, page := range reportShown(t, reports, site, "en", "") {
		if turns[name] && !strings.Contains(page, `?lang=art" lang="art" hreflang="art">Sindarin</a>`) {
			t.Errorf("%s does not lead to the language that was added", name)
		}
	}
}

// TestReportLanguageRefused: a language that lacks a text, has one too many, or loses a placeholder is an error that says
// which.
func TestReportLanguageRefused(t *testing.T) {
	whole := string(reportFilesWith(t)["nl.txt"].Data)
	for _, row := range []struct{ name, text, want string }{
		{"de.txt", regexp.MustCompile(`(?m)^send = .*\n`).ReplaceAllString(whole, ""), `de.txt has no text "send"`},
		{"de.txt", whole + "\nmore.hats = Hats\n", `a text "more.hats"`},
		{"de.txt", strings.Replace(whole, "{wrote}", "dat", 1), `"error.future" fills in`},
		{"de.txt", "send\n", "line 1"},
		{"not a language.txt", whole, "no language"},
	} {
		files := reportFilesWith(t)
		files[row.name] = &fstest.MapFile{Data: []byte(row.text)}
		if _, err := newReportPages(reportSite(t), files); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("the error is %v, want one that says %q", err, row.want)
		}
	}
}

// TestReportTextsAreUsed: every text of the pages is asked for somewhere, and every text that is asked for is there.
func TestReportTextsAreUsed(t *testing.T) {
	c, err := web.ParseCatalogue(string(reportFilesWith(t)["en.txt"].Data))
	if err != nil {
		t.Fatal(err)
	}
	sources := ""
	for _, pattern := range []string{"pages_report*.go", "report_mail.go", "report/templates/*.html", "static/report*.js"} {
		names, err := fs.Glob(os.DirFS("."), pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(name, "_test.go") {
				sources += string(text)
			}
		}
	}
	// Keys that are put together: what stands before the point, and what may follow.
	made := regexp.MustCompile(`^(language|road|kind|q2|q4|q6|pressed\.q2|month|more|thread\.state|thread\.from|readers\.log)\.`)
	for _, key := range slices.Sorted(maps.Keys(c)) {
		stem := strings.TrimSuffix(strings.TrimSuffix(key, ".one"), ".other")
		if made.MatchString(key) || strings.Contains(sources, `"`+key+`"`) || strings.Contains(sources, `"`+stem+`"`) {
			continue
		}
		if strings.HasSuffix(key, ".short") && strings.Contains(sources, `"`+strings.TrimSuffix(key, ".short")+`"`) {
			continue
		}
		t.Errorf("text %q is used nowhere", key)
	}
	asked := regexp.MustCompile(`\{\{(?:t|tlink) "([a-z0-9.-]+)"|words\.T\("([a-z0-9.-]+)"|c\["([a-z0-9.-]+)"\]|[^a-z]say\("([a-z0-9.-]+)"`)
	for _, m := range asked.FindAllStringSubmatch(sources, -1) {
		key := m[1] + m[2] + m[3] + m[4]
		if _, held := c[key]; !held && c[key+".other"] == "" && !strings.HasSuffix(key, ".") {
			t.Errorf("text %q is asked for and not there", key)
		}
	}
}

// TestReportSaysReachScripts: what a script says, its page brings along.
func TestReportSaysReachScripts(t *testing.T) {
	for script, keys := range map[string][]string{"static/report.js": reportFormSays, "static/report_thread.js": reportTalkSays} {
		text, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile("[^a-z]say\\([\"`]([a-z0-9.$-]+)").FindAllStringSubmatch(string(text), -1) {
			found := slices.ContainsFunc(keys, func(k string) bool {
				return k == m[1] || k == m[1]+".other" || strings.Contains(m[1], "$") && strings.HasPrefix(k, m[1][:strings.Index(m[1], "$")])
			})
			if !found {
				t.Errorf("%s says %q, which the page does not bring", script, m[1])
			}
		}
	}
}
