package screen

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/fail"
	"github.com/polder-exchange/polder/internal/screen/lists"
)

// Source says where a list of the node comes from by itself.
type Source struct {
	Name    string        `yaml:"name" json:"name"`                 // of the list
	From    string        `yaml:"from" json:"from"`                 // an https address, or a file or folder on this machine
	Every   time.Duration `yaml:"every" json:"every"`               // how often it is asked; 24 h
	Stale   time.Duration `yaml:"stale" json:"stale,omitempty"`     // from which age the list is called old; 7 days
	Form    string        `yaml:"form" json:"form,omitempty"`       // of the file; "" recognises it
	Mapping string        `yaml:"mapping" json:"mapping,omitempty"` // a mapping file, for a CSV of one's own
	Purpose lists.Purpose `yaml:"purpose" json:"purpose,omitempty"` // restricted, or verified
	Title   string        `yaml:"title" json:"title,omitempty"`     //
	Licence string        `yaml:"licence" json:"licence,omitempty"` //
}

// The usual times of a source.
const (
	refreshEvery = 24 * time.Hour
	changeLook   = 2 * time.Second  // how often the registry looks what another process has changed
	refreshLook  = time.Minute      // how often it looks what is due
	refreshRetry = 15 * time.Minute // after a failure, doubled with each further one up to Every
	refreshTime  = 10 * time.Minute // that one may take
)

func (s *Source) every() time.Duration {
	if s.Every <= 0 {
		return refreshEvery
	}
	return max(s.Every, time.Minute)
}

func (s *Source) stale() time.Duration {
	if s == nil || s.Stale <= 0 {
		return staleAfter
	}
	return s.Stale
}

// remote says whether the source is an address.
func (s *Source) remote() bool {
	return strings.HasPrefix(s.From, "https://") || strings.HasPrefix(s.From, "http://")
}

// shown is where the list comes from as everybody may read it: an address without the key that may stand in it.
func (s *Source) shown() string {
	u, err := url.Parse(s.From)
	if !s.remote() || err != nil {
		return s.From
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// due is when the source is asked next.
func (s *Source) due(st state) time.Time {
	if st.Tried.IsZero() {
		return time.Time{}
	}
	wait := s.every()
	if st.Failures > 0 {
		wait = min(wait, refreshRetry<<min(st.Failures-1, 10))
	}
	return st.Tried.Add(wait)
}

// Follow makes the sources those of the node: each list is refreshed from its source from now on. A list whose source is
// no longer named stays, and is refreshed by nobody.
func (r *Registry) Follow(sources []Source) error {
	named := map[string]*Source{}
	for i := range sources {
		s := &sources[i]
		if _, err := r.folder(place{"", s.Name}); err != nil {
			return err
		}
		if u, err := url.Parse(s.From); s.From == "" || s.remote() && (err != nil || u.Host == "") {
			return polder.Errorf(polder.Invalid, "list %s: from %q is no https address, file or folder", s.Name, s.From)
		}
		if named[s.Name] != nil {
			return polder.Errorf(polder.Invalid, "list %s is named twice", s.Name)
		}
		named[s.Name] = s
		if err := r.setSource(place{"", s.Name}, s); err != nil {
			return err
		}
	}
	all, err := r.places("")
	if err != nil {
		return err
	}
	for _, p := range all {
		if named[p.name] == nil {
			if err := r.setSource(p, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Registry) setSource(p place, s *Source) error {
	f, err := r.folder(p)
	if err != nil {
		return err
	}
	st, err := f.readState()
	if err != nil {
		return err
	}
	if s == nil && st.Source == nil {
		return nil
	}
	if s == nil || st.Source == nil || st.Source.From != s.From { // what another source said of itself is of no use
		st.ETag, st.Modified, st.Sum, st.Tried, st.Failures, st.Failed = "", "", "", time.Time{}, 0, ""
	}
	st.Source = s
	return f.writeState(st)
}

// Run refreshes what is due until ctx ends. Nothing that goes wrong in it ends it.
func (r *Registry) Run(ctx context.Context) {
	look, due := time.NewTicker(changeLook), time.NewTicker(refreshLook)
	defer look.Stop()
	defer due.Stop()
	r.refreshDue(ctx)
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
			if err := r.look(); err != nil {
				r.o.Log.ErrorContext(ctx, "the lists cannot be read", "error", err)
			}
		case <-due.C:
			r.refreshDue(ctx)
		}
	}
}

func (r *Registry) refreshDue(ctx context.Context) {
	all, err := r.places("")
	if err != nil {
		r.o.Log.ErrorContext(ctx, "the lists cannot be read", "error", err)
		return
	}
	for _, p := range all {
		f, err := r.folder(p)
		if err != nil {
			continue
		}
		st, err := f.readState()
		if err != nil || st.Source == nil || r.o.Now().Before(st.Source.due(st)) || ctx.Err() != nil {
			continue
		}
		if err := r.refresh(ctx, p); err != nil {
			r.o.Log.WarnContext(ctx, "a list was not refreshed; the one there is stays in use", "list", p.name, "reason", err.Error())
		}
	}
}

// refresh asks the source of one list now. Whatever fails keeps the list there is, and is written down.
func (r *Registry) refresh(ctx context.Context, p place) (err error) {
	r.fetches.Lock()
	defer r.fetches.Unlock()
	f, err := r.folder(p)
	if err != nil {
		return err
	}
	st, err := f.readState()
	if err != nil {
		return err
	}
	if st.Source == nil {
		return polder.Errorf(polder.Conflict, "list %s has no source; import it by hand, or name one under lists: in polder.yaml", p.name)
	}
	ctx, cancel := context.WithTimeout(ctx, refreshTime)
	defer cancel()
	got, err := r.fetch(ctx, st)
	release, held := r.alone(ctx)
	if held != nil {
		return errors.Join(err, held)
	}
	defer release()
	if now, err := f.readState(); err != nil || now.Source == nil {
		return errors.Join(err, polder.Errorf(polder.Conflict, "list %s has another source by now", p.name))
	} else if st.Confirmed.Before(now.Confirmed) {
		st.Confirmed = now.Confirmed // somebody imported it meanwhile
	}
	st.Tried = r.o.Now()
	if err == nil && got.list != nil {
		err = r.accept(p, f, got.list, "", false)
	}
	if err != nil {
		st.Failures++
		st.Failed = clip(err.Error(), 500)
		if fail.Bug("refresh-drops") {
			_ = f.remove()
		}
		return errors.Join(err, f.writeState(st))
	}
	st.Confirmed, st.Checked, st.Failures, st.Failed = got.confirmed, st.Tried, 0, ""
	if got.list != nil {
		st.ETag, st.Modified, st.Sum = got.etag, got.modified, got.sum
	}
	if err := f.writeState(st); err != nil {
		return err
	}
	return r.touch()
}

// fetched is what a source gave.
type fetched struct {
	list                *lists.List // nil: what there is is current
	confirmed           time.Time
	etag, modified, sum string
}

// fetch asks a source. A panic of a reader is an error like others.
func (r *Registry) fetch(ctx context.Context, st state) (got fetched, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the list could not be read: %v", p)
		}
	}()
	o := lists.ReadOptions{As: st.Source.Name, Form: st.Source.Form, Purpose: st.Source.Purpose, Title: st.Source.Title, Licence: st.Source.Licence, Source: st.Source.shown(), At: r.o.Now()}
	if st.Source.Mapping != "" {
		text, err := os.ReadFile(st.Source.Mapping)
		if err != nil {
			return got, err
		}
		if o.Mapping, err = lists.ParseMapping(st.Source.Mapping, text); err != nil {
			return got, err
		}
	}
	if st.Source.remote() {
		return r.fetchAddress(ctx, st, o)
	}
	return r.fetchPath(st, o)
}

func (r *Registry) fetchAddress(ctx context.Context, st state, o lists.ReadOptions) (got fetched, err error) {
	if r.o.Client == nil {
		return got, polder.Errorf(polder.Unavailable, "nothing is fetched here")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, st.Source.From, nil)
	if err != nil {
		return got, err
	}
	req.Header.Set("Accept", "*/*")
	if st.ETag != "" {
		req.Header.Set("If-None-Match", st.ETag)
	}
	if st.Modified != "" {
		req.Header.Set("If-Modified-Since", st.Modified)
	}
	res, err := r.o.Client.Do(req)
	if err != nil {
		if in, ok := errors.AsType[*url.Error](err); ok { // which would say the whole address
			err = in.Err
		}
		return got, fmt.Errorf("%s: %w", st.Source.shown(), err)
	}
	defer res.Body.Close()
	got.confirmed = r.o.Now()
	switch {
	case res.StatusCode == http.StatusNotModified && st.ETag+st.Modified != "":
		return got, nil
	case res.StatusCode != http.StatusOK:
		return got, fmt.Errorf("%s answered %s; a list comes with 200 OK", st.Source.shown(), res.Status)
	}
	if strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
		return got, fmt.Errorf("%s answered with a page for people (text/html), not with a list", st.Source.shown())
	}
	got.list, err = lists.Read(path.Base(req.URL.Path), res.Body, o)
	if err == nil && got.list.Date == "" {
		if t, err := http.ParseTime(res.Header.Get("Last-Modified")); err == nil {
			got.list.Date = t.UTC().Format(time.DateOnly)
		}
	}
	got.etag, got.modified = res.Header.Get("ETag"), res.Header.Get("Last-Modified")
	return got, err
}

// fetchPath reads a file or a folder when it looks other than the last time. Its age is that of its files: nobody has
// said since that they are current.
func (r *Registry) fetchPath(st state, o lists.ReadOptions) (got fetched, err error) {
	sum, newest, err := look(st.Source.From)
	if err != nil {
		return got, err
	}
	got.sum, got.confirmed = sum, newest
	if sum == st.Sum {
		return got, nil
	}
	got.list, err = lists.ReadPath(st.Source.From, o)
	return got, err
}

// look is a digest of the names, sizes and times of a file, or of a folder's files, and the newest of the times.
func look(from string) (sum string, newest time.Time, err error) {
	h := sha256.New()
	err = filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Stat(name)
		if err != nil || info.IsDir() {
			return err
		}
		h.Write([]byte(name))
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(info.Size())))
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(info.ModTime().UnixNano())))
		if info.ModTime().After(newest) {
			newest = info.ModTime()
		}
		return nil
	})
	return hex.EncodeToString(h.Sum(nil)), newest, err
}
