package web

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

// Leaflet is a set of pages beside the console, for people who have no account and leave no trace: in a shell of their
// own, in as many languages as there are files, and without a cookie, read or set. Style, sprite and escaping are those
// of the console. It is safe for concurrent use.
type Leaflet struct {
	site      *Site
	languages []string
	words     map[string]Words
	pages     map[string]map[string]*template.Template // language, then name
	matcher   language.Matcher
}

// LeafletPage is one answer of a [Leaflet].
type LeafletPage struct {
	Name    string   // of the template
	Title   string   // the heading, and the title of the window
	Lede    string   // the line below the heading
	Status  int      // 0 is 200
	Scripts []string // modules of a part's folder static
	Styles  []string // of a part's folder static
	Stays   bool     // there is no other language to turn to: the page is the answer to a form
	Bare    bool     // says neither where one is nor where one may go
	Data    any
}

// leafletView is the dot of a leaflet's shell.
type leafletView struct {
	LeafletPage
	Lang, Static string
	Others       []leafletTurn
}

// leafletLanguage is the key under which each file of a leaflet says the name of its language.
const leafletLanguage = "language.name"

// leafletTurn leads to the same page in another language.
type leafletTurn struct{ Lang, Name, Href string }

// Leaflet reads pages: LANG.txt holds the texts of a language (the first of [Languages] must be there, and says which
// keys the others must have), templates/*.part.html what pages share, with "shell" the whole of a page, and
// templates/NAME.html a page each, which becomes the block "main". Templates may call, of the console's functions, t,
// tlink, icon, lang, list and dict, telephone, and to, which leads to an address in the language of the page.
func (s *Site) Leaflet(files fs.FS) (*Leaflet, error) {
	l := &Leaflet{site: s, words: map[string]Words{}, pages: map[string]map[string]*template.Template{}}
	names, err := fs.Glob(files, "*.txt")
	if err != nil {
		return nil, fmt.Errorf("read leaflet: %w", err)
	}
	texts := map[string]Catalogue{}
	for _, name := range names {
		lang := strings.TrimSuffix(name, ".txt")
		if texts[lang], err = readLeafletTexts(files, name, lang); err != nil {
			return nil, fmt.Errorf("read leaflet: %s: %w", name, err)
		}
	}
	if err := l.take(texts); err != nil {
		return nil, fmt.Errorf("read leaflet: %w", err)
	}
	for _, lang := range l.languages {
		if l.pages[lang], err = s.readLeafletPages(files, l.words[lang]); err != nil {
			return nil, fmt.Errorf("read leaflet: %w", err)
		}
	}
	return l, nil
}

func readLeafletTexts(files fs.FS, name, lang string) (Catalogue, error) {
	if _, err := language.Parse(lang); err != nil {
		return nil, fmt.Errorf("%q is no language; name the file by its code: de.txt", lang)
	}
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return nil, err
	}
	return ParseCatalogue(string(text))
}

// take keeps the languages, that of [Languages] first, and holds each to the keys of the first.
func (l *Leaflet) take(texts map[string]Catalogue) error {
	base := Languages[0]
	if texts[base] == nil {
		return fmt.Errorf("there is no %s.txt", base)
	}
	var tags []language.Tag
	for _, lang := range append([]string{base}, slices.Sorted(maps.Keys(texts))...) {
		if l.words[lang].text != nil {
			continue
		}
		for _, key := range slices.Sorted(maps.Keys(texts[base])) {
			have, held := texts[lang][key]
			if !held {
				return fmt.Errorf("%s.txt has no text %q; add it", lang, key)
			}
			if a, b := Placeholders(texts[base][key]), Placeholders(have); !slices.Equal(a, b) && !strings.HasSuffix(key, ".one") {
				return fmt.Errorf("%s.txt: %q fills in %v, and %v in %s.txt; they must be the same", lang, key, b, a, base)
			}
		}
		for _, key := range slices.Sorted(maps.Keys(texts[lang])) {
			if _, held := texts[base][key]; !held {
				return fmt.Errorf("%s.txt has a text %q that %s.txt has not; take it out", lang, key, base)
			}
		}
		l.languages = append(l.languages, lang)
		l.words[lang] = Words{lang, texts[lang], l.site.o.Zone, l.site.o.Now}
		tags = append(tags, language.Make(lang))
	}
	l.matcher = language.NewMatcher(tags)
	return nil
}

func (s *Site) readLeafletPages(files fs.FS, words Words) (map[string]*template.Template, error) {
	shell, err := template.New("").Funcs(template.FuncMap{
		"t": words.T, "tlink": words.Link, "icon": Icon, "lang": words.Lang, "dict": dict, "telephone": Telephone,
		"list": func(items ...any) []any { return items },
		"to":   func(path string) string { return InLanguage(path, words.Lang()) },
	}).ParseFS(own, "templates/sprite.part.html")
	if err != nil {
		return nil, err
	}
	if shell, err = shell.ParseFS(files, "templates/*.part.html"); err != nil {
		return nil, err
	}
	names, err := fs.Glob(files, "templates/*.html")
	if err != nil {
		return nil, err
	}
	pages := map[string]*template.Template{}
	for _, name := range names {
		if strings.HasSuffix(name, ".part.html") {
			continue
		}
		t, err := shell.Clone()
		if err != nil {
			return nil, err
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		if _, err := t.New("main").Parse(string(text)); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		pages[strings.TrimSuffix(path.Base(name), ".html")] = t
	}
	return pages, nil
}

// InLanguage is the address of this site that is path in a language.
func InLanguage(path, lang string) string { return path + "?" + url.Values{"lang": {lang}}.Encode() }

// Languages are those of the leaflet, the one that is taken when nothing else is asked for first.
func (l *Leaflet) Languages() []string { return slices.Clone(l.languages) }

// Words are those of the language in the address (lang=nl) or, where it names none, of what the browser prefers.
// Nothing else is looked at.
func (l *Leaflet) Words(r *http.Request) Words {
	if asked := r.URL.Query().Get("lang"); slices.Contains(l.languages, asked) {
		return l.words[asked]
	}
	accepted, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil || len(accepted) == 0 {
		return l.words[l.languages[0]]
	}
	_, i, _ := l.matcher.Match(accepted...)
	return l.words[l.languages[i]]
}

// Render answers with a page. A template that fails answers as an internal fault; nothing half-made is sent.
func (l *Leaflet) Render(w http.ResponseWriter, r *http.Request, p LeafletPage) {
	words := l.Words(r)
	t := l.pages[words.Lang()][p.Name]
	if t == nil {
		l.fail(w, r, fmt.Errorf("render leaflet: there is no template %q", p.Name))
		return
	}
	v := leafletView{LeafletPage: p, Lang: words.Lang(), Static: l.site.static.prefix}
	for _, lang := range l.languages {
		if lang != words.Lang() && !p.Stays {
			v.Others = append(v.Others, leafletTurn{lang, l.words[lang].T(leafletLanguage), InLanguage(LocalPath(r.URL.EscapedPath()), lang)})
		}
	}
	var out bytes.Buffer
	if err := t.ExecuteTemplate(&out, "shell", v); err != nil {
		l.fail(w, r, fmt.Errorf("render leaflet: %w", err))
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if p.Status != 0 {
		w.WriteHeader(p.Status)
	}
	w.Write(shown(out.Bytes()))
}

// fail answers where a page cannot be made. It renders none: the page of errors may be the one that fails.
func (l *Leaflet) fail(w http.ResponseWriter, r *http.Request, err error) {
	id := RequestID(r.Context())
	l.site.log().ErrorContext(r.Context(), "request failed", "request", id, "err", err)
	writeProblem(w, http.StatusInternalServerError, problemText(err, id), id)
}
