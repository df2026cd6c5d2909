package web

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	polder "github.com/polder-exchange/polder"
	"golang.org/x/text/language"
)

// Group is a heading of the rail.
type Group uint8

const (
	Top     Group = iota // without a heading
	Know                 // what is known
	Decide               // what must be decided
	Respond              // what happens now
	Node                 // this node
)

var groupKeys = [...]string{Know: "nav.know", Decide: "nav.decide", Respond: "nav.respond", Node: "nav.node"}

// NavItem is an entry of the rail. Whoever may not use it does not see it.
type NavItem struct {
	Group Group
	Key   string // one letter: g, then it, goes there; empty for none
	Path  string
	Icon  string
	Title string // a key of the catalogue
	Need  Need
	Order int // within the group, small first; equal ones as added

	// Count says how much waits there for by, and whether it is due. Nil counts nothing. It is called for every
	// page, so it must be quick; it is computed for the reader like everything else.
	Count func(ctx context.Context, by polder.Actor) (n int, due bool)
}

// AddNav adds entries to the rail.
func (s *Site) AddNav(items ...NavItem) {
	s.nav = append(s.nav, items...)
	slices.SortStableFunc(s.nav, func(a, b NavItem) int {
		if a.Group != b.Group {
			return int(a.Group) - int(b.Group)
		}
		return a.Order - b.Order
	})
}

// view is the dot of the shell.
type view struct {
	Page
	Lang, Theme, Static string
	Keys                bool
	Here                string // the path, for links that come back
	Groups              []navGroup
	Reader              string // tells readers apart in one browser, and says nothing else
	Who                 Identity
	Known               bool // somebody is logged in
	Session             bool // by a session, so that it can be ended
	Toast               *toast
}

type navGroup struct {
	Title string
	Items []navEntry
}

type navEntry struct {
	NavItem
	Title string
	Here  bool
	N     int
	Due   bool
}

func (s *Site) view(w http.ResponseWriter, r *http.Request, p Page, words Words) view {
	q := requestOf(r.Context())
	v := view{Page: p, Lang: words.Lang(), Static: s.static.prefix, Keys: preference(r, "keys") != "off", Here: LocalPath(r.URL.RequestURI())}
	if theme := preference(r, "theme"); theme == "light" || theme == "dark" {
		v.Theme = theme
	}
	if q != nil {
		v.Who, v.Known, v.Session = q.who, q.who.Actor != polder.Actor{}, q.by == bySession
	}
	if v.Known {
		v.Reader = hex.EncodeToString(s.sign([]byte("reader " + v.Who.Actor.Org + " " + polder.OrgID(v.Who.Actor.Person)))[:8])
	}
	if !p.Solo && v.Known {
		v.Groups = s.rail(r, v.Who.Actor, words)
	}
	v.Toast = s.takeToast(w, r, words)
	return v
}

// rail is what by sees of the nav, the entry of this page marked: the one whose path is the longest above it.
func (s *Site) rail(r *http.Request, by polder.Actor, words Words) []navGroup {
	var groups []navGroup
	var here *navEntry
	last := -1
	for _, item := range s.nav {
		if !item.Need.Allows(by) {
			continue
		}
		if int(item.Group) != last {
			g := navGroup{}
			if key := groupKeys[item.Group]; key != "" {
				g.Title = words.T(key)
			}
			groups, last = append(groups, g), int(item.Group)
		}
		g := &groups[len(groups)-1]
		e := navEntry{NavItem: item, Title: words.T(item.Title)}
		if item.Count != nil {
			e.N, e.Due = item.Count(r.Context(), by)
		}
		g.Items = append(g.Items, e)
	}
	for i := range groups {
		for j := range groups[i].Items {
			e := &groups[i].Items[j]
			if below(r.URL.Path, e.Path) && (here == nil || len(e.Path) > len(here.Path)) {
				here = e
			}
		}
	}
	if here != nil {
		here.Here = true
	}
	return groups
}

// below tells whether page lies at or below the path of an entry.
func below(page, entry string) bool {
	return page == entry || entry != "/" && strings.HasPrefix(page, strings.TrimSuffix(entry, "/")+"/")
}

// toast is what the last form says on the next page. It is a key of the catalogue, signed, so that nobody can put
// words of his own there.
type toast struct {
	Key   string `json:"k"`
	Pairs []any  `json:"p,omitempty"`
	Href  string `json:"h,omitempty"`
	Text  string `json:"-"`
}

const toastCookie = "polder-toast"

// Toast says the text of key on the page that the reader sees next, with an optional link to what it is about
// (href may be empty). The values of pairs are texts or whole numbers.
func (s *Site) Toast(w http.ResponseWriter, href, key string, pairs ...any) {
	body, err := json.Marshal(toast{Key: key, Pairs: pairs, Href: href})
	if err != nil || len(body) > 2000 { // a cookie holds no more
		body, _ = json.Marshal(toast{Key: key, Href: href})
	}
	c := s.cookie(toastCookie, base64.RawURLEncoding.EncodeToString(append(s.sign(body), body...)))
	c.MaxAge = 60
	http.SetCookie(w, c)
}

func (s *Site) sign(body []byte) []byte {
	mac := hmac.New(sha256.New, s.key)
	mac.Write(body)
	return mac.Sum(nil)
}

func (s *Site) takeToast(w http.ResponseWriter, r *http.Request, words Words) *toast {
	c, err := r.Cookie(toastCookie)
	if err != nil {
		return nil
	}
	gone := s.cookie(toastCookie, "")
	gone.MaxAge = -1
	http.SetCookie(w, gone)
	signed, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil || len(signed) < sha256.Size || !hmac.Equal(signed[:sha256.Size], s.sign(signed[sha256.Size:])) {
		return nil
	}
	var t toast
	if json.Unmarshal(signed[sha256.Size:], &t) != nil {
		return nil
	}
	for i, v := range t.Pairs {
		if f, ok := v.(float64); ok {
			t.Pairs[i] = int64(f)
		}
	}
	t.Text = words.T(t.Key, t.Pairs...)
	return &t
}

// preference reads what was chosen on this device.
func preference(r *http.Request, name string) string {
	c, err := r.Cookie("polder-" + name)
	if err != nil {
		return ""
	}
	return c.Value
}

var matcher = language.NewMatcher([]language.Tag{language.English, language.Dutch})

// language is the one to answer r in.
func (q *request) language(r *http.Request) string {
	var asked []string
	if r.URL.RawQuery != "" { // parsing the query for nothing costs
		asked = r.URL.Query()["lang"]
	}
	for _, lang := range append(asked, preference(r, "lang"), q.who.Language) {
		if slices.Contains(Languages, lang) {
			return lang
		}
	}
	accepted, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil || len(accepted) == 0 {
		return Languages[0]
	}
	_, i, _ := matcher.Match(accepted...)
	return Languages[i]
}

// preferences is the page of what is chosen on this device.
func (s *Site) preferences(w http.ResponseWriter, r *http.Request) {
	words := WordsOf(r)
	theme := preference(r, "theme")
	keys := "on"
	if preference(r, "keys") == "off" {
		keys = "off"
	}
	option := func(value, key, chosen string) Option {
		return Option{Value: value, Label: words.T(key), Chosen: value == chosen}
	}
	s.Render(w, r, Page{
		Template: "web/preferences", Title: words.T("prefs.title"), Lede: words.T("prefs.lede"), Solo: ActorOf(r) == polder.Actor{},
		Data: map[string]any{
			"Next": LocalPath(r.URL.Query().Get("next")),
			"Fields": []Field{
				{Name: "lang", Label: words.T("prefs.language"), Options: []Option{option("en", "prefs.english", words.Lang()), option("nl", "prefs.dutch", words.Lang())}},
				{Name: "theme", Label: words.T("prefs.theme"), Options: []Option{option("", "prefs.theme-system", theme),
					option("light", "prefs.theme-light", theme), option("dark", "prefs.theme-dark", theme)}},
				{Name: "keys", Label: words.T("prefs.keys"), Help: words.T("prefs.keys-help"), Options: []Option{option("on", "prefs.keys-on", keys), option("off", "prefs.keys-off", keys)}},
			},
		},
	})
}

// setPreferences keeps what was chosen, for a year, in cookies that say nothing else.
func (s *Site) setPreferences(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		Problem(w, r, polder.Errorf(polder.Invalid, "the form cannot be read: %v", Translate(err)))
		return
	}
	allowed := map[string][]string{"lang": Languages, "theme": {"", "light", "dark"}, "keys": {"on", "off"}}
	for name, values := range allowed {
		value, given := r.PostForm[name]
		if !given {
			continue
		}
		if !slices.Contains(values, value[0]) {
			Problem(w, r, polder.Errorf(polder.Invalid, "preference %s is one of %q", name, values))
			return
		}
		c := s.cookie("polder-"+name, value[0])
		c.MaxAge = 365 * 24 * 3600
		if value[0] == "" {
			c.MaxAge = -1
		}
		http.SetCookie(w, c)
	}
	http.Redirect(w, r, LocalPath(r.PostForm.Get("next")), http.StatusSeeOther)
}

// keyboard is the list of keys: the fixed ones, and those of the rail that this reader sees.
func (s *Site) keyboard(w http.ResponseWriter, r *http.Request) {
	words := WordsOf(r)
	by := ActorOf(r)
	var entries []navEntry
	for _, group := range s.rail(r, by, words) {
		for _, e := range group.Items {
			if e.Key != "" {
				entries = append(entries, e)
			}
		}
	}
	s.Render(w, r, Page{Template: "web/keyboard", Title: words.T("keys.title"), Lede: words.T("keys.lede"),
		Solo: by == polder.Actor{}, Data: map[string]any{"Entries": entries, "Here": LocalPath(r.URL.RequestURI())}})
}

// errorPage answers a person with what went wrong.
func (s *Site) errorPage(w http.ResponseWriter, r *http.Request, status int, err error) {
	words := WordsOf(r)
	q := requestOf(r.Context())
	kind := polder.KindOf(err)
	if status == http.StatusMethodNotAllowed {
		kind = polder.NotFound
	}
	key := "error." + strings.ReplaceAll(kind.String(), " ", "-")
	text := problemText(err, q.id)
	if kind == polder.Internal {
		text = words.T("error.logged", "id", q.id)
	}
	out, failed := s.render(w, r, Page{Template: "web/error", Title: words.T(key), Solo: q.who.Actor == polder.Actor{},
		Data: map[string]any{"Text": text, "ID": q.id, "LogIn": status == http.StatusUnauthorized}})
	if failed != nil {
		s.log().ErrorContext(r.Context(), "error page failed", "request", q.id, "err", failed)
		writeProblem(w, status, text, q.id)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(out)
}
