package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/polder-exchange/polder/stix"
)

//go:embed templates locale static
var own embed.FS

// FS is where a part keeps its files; an embed.FS is one.
type FS = fs.ReadDirFS

// Page is one answer in the console's shell. Its texts are already in the reader's language.
type Page struct {
	Template string       // "part/name"
	Title    string       // the heading, and the title of the window
	Lede     string       // the answer, in a line below the heading
	TLP      stix.Marking // the highest on the page; None shows no chip
	Crumbs   []Link       // the way here, without this page itself
	Facts    []Pair       // the line of facts below the lede
	Live     bool         // the page has a feed: the band shows whether it is connected
	Solo     bool         // a page of one task, without the rail
	Status   int          // 0 is 200
	Scripts  []string     // modules of a part's folder static that the page loads beside the console's own
	Data     any          // the dot of the template
}

// Link is a text that leads somewhere on this site.
type Link struct{ Text, Href string }

// page is a parsed page, or the fragments of a part under "part/".
type page struct{ t *template.Template }

// readPages parses the shell, the components and every page of every part, once per language.
func (s *Site) readPages(parts []Part) error {
	s.pages = map[string]map[string]*page{}
	for _, lang := range Languages {
		pages := map[string]*page{}
		s.pages[lang] = pages
		shell, err := template.New("").Funcs(s.funcs(s.words[lang], pages)).ParseFS(own, "templates/*.part.html")
		if err != nil {
			return fmt.Errorf("parse the shell: %w", err)
		}
		for _, part := range parts {
			if err := readPart(part, shell, pages); err != nil {
				return fmt.Errorf("part %s: %w", part.Name, err)
			}
		}
	}
	return nil
}

// readPart parses one part. The top level of a page's file becomes the template "main"; it may define "actions".
func readPart(part Part, shell *template.Template, pages map[string]*page) error {
	shared, err := shell.Clone()
	if err != nil {
		return err
	}
	names, err := fs.Glob(part.Files, "templates/*.html")
	if err != nil {
		return err
	}
	for _, name := range names {
		if part.Name != "web" && strings.HasSuffix(name, ".part.html") {
			if err := parseInto(shared, path.Base(name), part.Files, name); err != nil {
				return err
			}
		}
	}
	for _, name := range names {
		if strings.HasSuffix(name, ".part.html") {
			continue
		}
		t, err := shared.Clone()
		if err == nil {
			err = parseInto(t, "main", part.Files, name)
		}
		if err != nil {
			return err
		}
		pages[part.Name+"/"+strings.TrimSuffix(path.Base(name), ".html")] = &page{t}
	}
	pages[part.Name+"/"] = &page{shared}
	return nil
}

func parseInto(t *template.Template, as string, files fs.FS, name string) error {
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return err
	}
	if _, err := t.New(as).Parse(string(text)); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// PageNames are the names of all pages, "part/name", sorted.
func (s *Site) PageNames() []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(s.pages[Languages[0]])) {
		if !strings.HasSuffix(name, "/") {
			names = append(names, name)
		}
	}
	return names
}

// Render answers with a page. A template that fails answers as an internal fault; nothing half-made is sent.
func (s *Site) Render(w http.ResponseWriter, r *http.Request, p Page) {
	out, err := s.render(w, r, p)
	if err != nil {
		Problem(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	if p.Status != 0 {
		w.WriteHeader(p.Status)
	}
	w.Write(out)
}

func (s *Site) render(w http.ResponseWriter, r *http.Request, p Page) ([]byte, error) {
	words := WordsOf(r)
	found := s.pages[words.Lang()][p.Template]
	if found == nil {
		return nil, fmt.Errorf("render page: there is no template %q", p.Template)
	}
	var out bytes.Buffer
	if err := found.t.ExecuteTemplate(&out, "shell", s.view(w, r, p, words)); err != nil {
		return nil, fmt.Errorf("render page: %w", err)
	}
	return shown(out.Bytes()), nil
}

// Try renders the body of a page without the shell and tells why it fails, for tests: an answer never tells.
func (s *Site) Try(lang, name string, data any) error {
	found := s.pages[s.Words(lang).Lang()][name]
	if found == nil {
		return fmt.Errorf("there is no template %q", name)
	}
	for _, block := range []string{"main", "actions"} {
		if err := found.t.ExecuteTemplate(io.Discard, block, data); err != nil {
			return err
		}
	}
	return nil
}

// Fragment renders the template that a part has defined under name ("part/name") in one of its templates/*.part.html,
// in the language of words: a row for the live stream, a mail.
func (s *Site) Fragment(words Words, name string, data any) ([]byte, error) {
	out, err := fragment(s.pages[s.Words(words.Lang()).Lang()], name, data)
	return shown(out), err
}

func fragment(pages map[string]*page, name string, data any) ([]byte, error) {
	part, block, _ := strings.Cut(name, "/")
	found := pages[part+"/"]
	if found == nil || found.t.Lookup(block) == nil {
		return nil, fmt.Errorf("render fragment: there is no template %q", name)
	}
	var out bytes.Buffer
	if err := found.t.ExecuteTemplate(&out, block, data); err != nil {
		return nil, fmt.Errorf("render fragment: %w", err)
	}
	return out.Bytes(), nil
}
