package taxii

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Filter says what a pull asks for; an empty list asks for any. Versions holds timestamps or one of first, last and
// all; empty means last.
type Filter struct {
	IDs, Types, SpecVersions, Versions []string
}

func (f Filter) values() url.Values {
	v := url.Values{}
	for _, field := range []struct {
		name string
		list []string
	}{{"id", f.IDs}, {"type", f.Types}, {"spec_version", f.SpecVersions}, {"version", f.Versions}} {
		if len(field.list) > 0 {
			v.Set("match["+field.name+"]", strings.Join(field.list, ","))
		}
	}
	return v
}

// Cursor is how far a pull has come. The zero Cursor is the start. It is kept as JSON between pulls and belongs to one
// collection, one kind of resource and one filter.
type Cursor struct {
	// After is the date_added of the last record that was handed on, as far as the server told.
	After Time `json:"after,omitzero"`
	// Next is the server's own cursor where the last pull ended before the end, and Began the added_after of the
	// question that it belongs to. The next pull goes on by After where it can: there are servers whose own cursor
	// has moved on when a page was sent, whether it arrived or not.
	Next  string `json:"next,omitempty"`
	Began Time   `json:"began,omitzero"`
	// Seen marks the items that were handed on with a date_added that may be equal to After. Servers give many objects
	// one stamp, so the next pull asks again for that instant and leaves out what is marked here.
	Seen []string `json:"seen,omitempty"`
	// Ahead marks the items that were handed on beyond After, of a page that was left half read.
	Ahead []string `json:"ahead,omitempty"`
	// Many says that too many items bear the stamp After to mark them; the next pull goes on after that stamp.
	Many bool `json:"many,omitempty"`
}

// maxSeen bounds Cursor.Seen.
const maxSeen = 20_000

// slack is how far a page may begin before the end of the one before it: servers round added_after.
const slack = time.Second

// Pull reads a collection from a cursor on. It may be ranged over once at a time, by one goroutine.
type Pull[T any] struct {
	remote *Remote
	path   []string
	list   string // the property that holds the items
	filter Filter
	cursor Cursor
	decode func(json.RawMessage) (T, error)
}

// Objects pulls the objects of the collection: each with the bytes that the server sent, not judged.
func (r *Remote) Objects(from Cursor, f Filter) *Pull[json.RawMessage] {
	return &Pull[json.RawMessage]{remote: r, path: []string{"objects"}, list: "objects", filter: f, cursor: from,
		decode: func(raw json.RawMessage) (json.RawMessage, error) { return bytes.Clone(raw), nil }}
}

// Manifest pulls the manifest of the collection.
func (r *Remote) Manifest(from Cursor, f Filter) *Pull[ManifestRecord] {
	return &Pull[ManifestRecord]{remote: r, path: []string{"manifest"}, list: "objects", filter: f, cursor: from,
		decode: func(raw json.RawMessage) (ManifestRecord, error) {
			var m ManifestRecord
			return m, json.Unmarshal(raw, &m)
		}}
}

// Versions pulls the versions of one object.
func (r *Remote) Versions(object string) *Pull[string] {
	return &Pull[string]{remote: r, path: []string{"objects", object, "versions"}, list: "versions",
		decode: func(raw json.RawMessage) (string, error) {
			var v string
			return v, json.Unmarshal(raw, &v)
		}}
}

// Cursor is where the pull stands: after the last item that was handed on. It holds after an error and after a break.
func (p *Pull[T]) Cursor() Cursor {
	c := p.cursor
	c.Seen, c.Ahead = slices.Clone(c.Seen), slices.Clone(c.Ahead)
	return c
}

// All hands on what the server has, oldest first. It ends with an error that says why when the server refuses or
// misbehaves; what was handed on before stays counted in [Pull.Cursor].
func (p *Pull[T]) All(ctx context.Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		u, err := p.remote.at(p.path...)
		if err != nil {
			yield(none, err)
			return
		}
		if !p.cursor.After.IsZero() && !p.cursor.Many {
			p.cursor.Next = ""
		}
		run := &run[T]{Pull: p, url: u, limits: p.remote.client.Limits.orDefaults(), resumed: p.cursor.Next != "", met: map[string]bool{}}
		run.size = run.limits.PageObjects
		for {
			more, err := run.page(ctx, yield)
			if err != nil {
				yield(none, about(http.MethodGet, u, err))
				return
			}
			if !more {
				return
			}
		}
	}
}

// run is one range over a pull.
type run[T any] struct {
	*Pull[T]
	url     *url.URL
	limits  Limits
	size    int  // objects to ask for at once
	resumed bool // the first page is asked for with a next from an earlier pull
	lost    bool // and that was refused: what bears the stamp of the cursor is asked for again, marked or not
	pages   int
	idle    int             // pages one after the other that brought nothing new
	met     map[string]bool // marks of the cursor that came again

	// Brent's way to find a circle of pages without keeping them all: mark is compared with each, and moved to the
	// newest after 1, 2, 4, … pages. A next that comes again is no circle by itself: there are servers that keep one
	// name for a cursor that they move.
	mark        string
	steps, span int
}

// page asks for one page and hands its items on; more tells whether to go on.
func (r *run[T]) page(ctx context.Context, yield func(T, error) bool) (more bool, err error) {
	if r.pages++; r.pages > r.limits.Pages {
		return false, fmt.Errorf("the server still has more after %d pages; pull again from the cursor", r.limits.Pages)
	}
	a, err := r.ask(ctx)
	if err != nil || a == nil {
		return err == nil, err
	}
	page, err := readPage(a.body, r.list)
	if err != nil {
		return false, err
	}
	last, err := r.stamps(a.header)
	if err != nil {
		return false, err
	}
	known := len(r.met)
	fresh, marks, proceed, err := r.handOn(page.items, yield)
	if err != nil || !proceed {
		r.cursor.Ahead = append(r.cursor.Ahead, fresh...)
		return false, err
	}
	if r.idle++; len(fresh) > 0 || len(r.met) > known {
		r.idle = 0
	}
	return r.advance(page, len(fresh), marks, last)
}

// ask requests the page at the cursor. It answers nothing and no error where it changed the question and is to be
// called again.
func (r *run[T]) ask(ctx context.Context) (*answer, error) {
	if r.cursor.Next == "" {
		r.cursor.Began = r.cursor.After
		if (len(r.cursor.Seen) > 0 || r.lost) && !r.cursor.After.IsZero() {
			r.cursor.Began.Time = r.cursor.After.Add(-time.Microsecond)
		}
	}
	u, v := *r.url, r.filter.values()
	v.Set("limit", strconv.Itoa(r.size))
	if !r.cursor.Began.IsZero() {
		v.Set("added_after", r.cursor.Began.String())
	}
	if r.cursor.Next != "" {
		v.Set("next", r.cursor.Next)
	}
	u.RawQuery = v.Encode()
	a, err := r.remote.client.request(ctx, http.MethodGet, &u, nil)
	switch {
	case err == nil:
		r.resumed, r.lost = false, false
		return &a, nil
	case errors.Is(err, errLongAnswer) && r.size > 1:
		r.size = max(1, r.size/4)
		return nil, nil
	case r.resumed && (hasStatus(err, http.StatusBadRequest) || hasStatus(err, http.StatusNotFound)):
		r.resumed, r.lost, r.cursor.Next = false, true, ""
		return nil, nil
	}
	return nil, err
}

func hasStatus(err error, status int) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Status == status
}

// stamps reads the time of a page's last record and holds first and last to the order that TAXII asks for.
// A time that is missing or unreadable is the zero Time.
func (r *run[T]) stamps(h http.Header) (last Time, err error) {
	var first Time
	first.Time, _ = ParseTime(h.Get("X-TAXII-Date-Added-First"))
	last.Time, _ = ParseTime(h.Get("X-TAXII-Date-Added-Last"))
	switch {
	case !first.IsZero() && !last.IsZero() && last.Before(first.Time):
		return last, fmt.Errorf("a page ends at %s before it begins at %s; the server's times go backwards", last, first)
	case !first.IsZero() && first.Before(r.cursor.After.Add(-slack)):
		return last, fmt.Errorf("a page begins at %s, before the end of the page before it, %s; the server's times go backwards", first, r.cursor.After)
	}
	return last, nil
}

// handOn yields the items that the cursor does not mark. fresh are the marks of those, marks of all items of the page.
func (r *run[T]) handOn(items []json.RawMessage, yield func(T, error) bool) (fresh, marks []string, proceed bool, err error) {
	had := make(map[string]bool, len(r.cursor.Seen)+len(r.cursor.Ahead))
	for _, list := range [][]string{r.cursor.Seen, r.cursor.Ahead} {
		for _, m := range list {
			had[m] = true
		}
	}
	for i, raw := range items {
		m := mark(raw)
		marks = append(marks, m)
		if had[m] {
			r.met[m] = true
			continue
		}
		item, err := r.decode(raw)
		if err != nil {
			return fresh, marks, false, fmt.Errorf("item %d of the page is not what it should be: %w", i, err)
		}
		fresh = append(fresh, m)
		if !yield(item, nil) {
			return fresh, marks, false, nil
		}
	}
	return fresh, marks, true, nil
}

// mark is a short name for an item by its content.
func mark(raw []byte) string {
	sum := sha256.Sum256(raw)
	return base64.RawStdEncoding.EncodeToString(sum[:12])
}

// advance moves the cursor behind a page whose items are all handed on, and sees to it that the server makes progress.
func (r *run[T]) advance(page page, fresh int, marks []string, last Time) (more bool, err error) {
	moved := last.After(r.cursor.After.Time)
	r.remember(marks, last)
	r.cursor.Next = page.next
	switch {
	case !page.more:
		r.cursor.Next, r.cursor.Began, r.cursor.Ahead = "", Time{}, nil
		return false, nil
	case r.idle > r.limits.IdlePages:
		return false, fmt.Errorf("the server promises more but %d pages one after the other brought nothing new", r.idle)
	case page.next != "":
		return true, r.notInCircles(page.next + strings.Join(marks, ""))
	case last.IsZero():
		return false, errors.New("the server promises more but tells neither next nor the time of the last record, so there is no way to go on")
	case fresh == 0 && !moved:
		if len(page.items) < r.size || r.size >= maxSeen {
			return false, fmt.Errorf("the server gives more than %d records the one time %s and has no next, so there is no way to go on", len(page.items), last)
		}
		r.size = min(2*r.size, maxSeen)
	}
	return true, nil
}

// remember moves the cursor's stamp to last, and marks the items of a page that ended there. A page without a time,
// or with that of the page before, adds to what is marked already.
func (r *run[T]) remember(marks []string, last Time) {
	c := &r.cursor
	if last.After(c.After.Time) {
		c.After, c.Seen, c.Many = last, marks, false
	} else if !c.Many {
		c.Seen = slices.Compact(slices.Sorted(slices.Values(append(c.Seen, marks...))))
	}
	if len(c.Ahead) > 0 {
		c.Ahead = slices.DeleteFunc(c.Ahead, func(m string) bool { return slices.Contains(marks, m) })
	}
	if len(c.Seen) > maxSeen {
		c.Seen, c.Many = nil, true
	}
}

// notInCircles refuses a page, told by its next and items, that was there before.
func (r *run[T]) notInCircles(page string) error {
	page = mark([]byte(page))
	if page == r.mark {
		return errors.New("the server sends us round in circles: a page comes again with the same next")
	}
	if r.steps++; r.steps > r.span {
		r.mark, r.steps, r.span = page, 0, max(1, 2*r.span)
	}
	return nil
}

// page is an envelope, a manifest or a list of versions.
type page struct {
	more  bool
	next  string
	items []json.RawMessage // parts of the body
}

// readPage reads a page whose items are under list. Other properties are ignored, and items are not judged: one bad
// object may not keep its reader from those after it.
func readPage(body []byte, list string) (page, error) {
	var p page
	dec := jsontext.NewDecoder(bytes.NewReader(body), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if tok, err := dec.ReadToken(); err != nil || tok.Kind() != '{' {
		return p, errors.New("the answer is no TAXII envelope")
	}
	var given []string // of the names that count
	for dec.PeekKind() != '}' {
		tok, err := dec.ReadToken()
		if err != nil {
			return p, brokenPage(err)
		}
		name := tok.String()
		if slices.Contains(given, name) {
			return p, fmt.Errorf("the answer has %q twice", name)
		}
		switch name {
		case list:
			given, err = append(given, name), p.readItems(dec, body)
		case "more", "next":
			given, err = append(given, name), p.readProperty(dec, name)
		default:
			err = dec.SkipValue()
		}
		if err != nil {
			return p, err
		}
	}
	if _, err := dec.ReadToken(); err != nil {
		return p, brokenPage(err)
	}
	if _, err := dec.ReadToken(); err != io.EOF {
		return p, errors.New("the answer goes on after its end")
	}
	return p, nil
}

func brokenPage(err error) error { return fmt.Errorf("the answer is no JSON as it should be: %w", err) }

func (p *page) readProperty(dec *jsontext.Decoder, name string) error {
	raw, err := dec.ReadValue()
	if err != nil {
		return brokenPage(err)
	}
	switch {
	case name == "more":
		err = json.Unmarshal(raw, &p.more)
	case len(raw) > 8<<10:
		return errors.New("the server's next is longer than 8 KiB")
	default:
		err = json.Unmarshal(raw, &p.next)
	}
	if err != nil {
		return fmt.Errorf("%q is not what it should be: %w", name, err)
	}
	return nil
}

func (p *page) readItems(dec *jsontext.Decoder, body []byte) error {
	tok, err := dec.ReadToken()
	if err != nil {
		return brokenPage(err)
	}
	if tok.Kind() == 'n' {
		return nil
	}
	if tok.Kind() != '[' {
		return errors.New("the items of the answer are no list")
	}
	for dec.PeekKind() != ']' {
		raw, err := dec.ReadValue()
		if err != nil {
			return brokenPage(err)
		}
		end := dec.InputOffset()
		p.items = append(p.items, json.RawMessage(body[end-int64(len(raw)):end:end]))
	}
	_, err = dec.ReadToken()
	return err
}
