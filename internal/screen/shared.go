package screen

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/screen/lists"
	"github.com/polder-exchange/polder/stix"
)

// A listing that a member shares is an object of its own, so that it is marked, versioned and withdrawn like any other.
const (
	listingType = "x-polder-listing"
	// listingExtension is the id of the extension definition that says what a listing is.
	listingExtension = "extension-definition--c2f0b6f4-3a57-4d0e-9c1b-5e8d7a94f1c3"
	// listingDefinition is that definition. Its bytes never change, so that everybody brings the same.
	listingDefinition = `{"type":"extension-definition","spec_version":"2.1","id":"` + listingExtension + `","created_by_ref":"identity--7f0a6d52-5d0b-4d3e-8a87-2f3c1b9e6d10","created":"2026-11-01T00:00:00.000Z","modified":"2026-11-01T00:00:00.000Z","name":"Listing of a party","description":"A party on a list of restricted or of verified parties that a member of a sharing community keeps. Properties: list (string, required), title (string), purpose (restricted or verified, required), name (string, required), listing (object, required: id, type, name, aliases, countries, births, identifiers, addresses, programmes, means, note, url, listed, changed).","schema":"https://github.com/polder-exchange/polder/blob/main/docs/extensions.md","version":"1.0.0","extension_types":["new-sdo"]}`
)

// Log is what the shared lists read of the journal. *journal.Journal is one.
type Log interface {
	// Scan is every delivery above a number, for a reader of this process that can be rebuilt.
	Scan(ctx context.Context, after polder.Seq, limit int) ([]journal.Scanned, polder.Seq, error)
	// Page is what a reader may see.
	Page(ctx context.Context, sight polder.Sight, q journal.Query) (journal.Page, error)
	// Top is the highest number handed out.
	Top() polder.Seq
	// Changed is closed at the next append.
	Changed() <-chan struct{}
}

// Own says what an organisation may see now in its own right, and the aliases of the communities in it.
type Own func(ctx context.Context, org polder.OrgID) (polder.Sight, map[polder.CommunityID]string, error)

// SharedLists gives each organisation the lists that members share with it, as policy lets it see them now.
type SharedLists struct {
	log Log
	own Own

	mu     sync.Mutex
	cursor polder.Seq
	seen   map[polder.OrgID]*sharedWith
}

// sharedWith is what was last read for one organisation.
type sharedWith struct {
	sight polder.Sight
	all   []*lists.List
	stamp string
}

// NewSharedLists reads what the journal holds when it is first asked.
func NewSharedLists(log Log, own Own) *SharedLists {
	return &SharedLists{log: log, own: own, seen: map[polder.OrgID]*sharedWith{}}
}

// Run follows the journal until ctx ends, so that whoever asks does not wait for it.
func (x *SharedLists) Run(ctx context.Context) {
	for {
		changed := x.log.Changed()
		x.mu.Lock()
		_ = x.follow(ctx) // whoever asks next tries again and is told
		x.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

// Sizes of reading the journal.
const (
	sharedScan = 1024
	sharedPage = 1000
)

// Lists are those that org may see now, one for each community and name; stamp is equal as long as they are.
func (x *SharedLists) Lists(ctx context.Context, org polder.OrgID) ([]*lists.List, string, error) {
	sight, aliases, err := x.own(ctx, org)
	if err != nil {
		return nil, "", err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.follow(ctx); err != nil {
		return nil, "", err
	}
	if have := x.seen[org]; have != nil && reflect.DeepEqual(have.sight, sight) {
		return have.all, have.stamp, nil
	}
	now := &sharedWith{sight: sight}
	h := sha256.New()
	for _, c := range sight.Communities {
		some, err := x.inCommunity(ctx, sight.In(c), aliases[c])
		if err != nil {
			return nil, "", err
		}
		for _, l := range some {
			h.Write([]byte(l.Name + " " + l.SHA256 + "\n"))
		}
		now.all = append(now.all, some...)
	}
	now.stamp = hex.EncodeToString(h.Sum(nil))
	x.seen[org] = now
	return now.all, now.stamp, nil
}

// follow forgets what was read when the journal has had a listing since.
func (x *SharedLists) follow(ctx context.Context) error {
	if len(x.seen) == 0 {
		x.cursor = x.log.Top()
		return nil
	}
	for {
		batch, next, err := x.log.Scan(ctx, x.cursor, sharedScan)
		if err != nil || next == x.cursor {
			return err
		}
		x.cursor = next
		if slices.ContainsFunc(batch, func(d journal.Scanned) bool { return d.Type() == listingType }) {
			clear(x.seen)
		}
	}
}

// inCommunity are the lists that a reader sees in one community, by name.
func (x *SharedLists) inCommunity(ctx context.Context, sight polder.Sight, alias string) ([]*lists.List, error) {
	byName := map[string]*lists.List{}
	q := journal.Query{Types: []string{listingType}, Limit: sharedPage}
	for {
		page, err := x.log.Page(ctx, sight, q)
		if err != nil {
			return nil, err
		}
		for _, d := range page.Deliveries {
			q.After = d.Seq
			if d.Raw == nil || d.Revoked {
				continue
			}
			if s, ok := readShared(d); ok {
				s.addTo(byName, alias)
			}
		}
		if !page.More {
			break
		}
	}
	out := slices.SortedFunc(maps.Values(byName), func(a, b *lists.List) int { return strings.Compare(a.Name, b.Name) })
	for _, l := range out {
		l.SHA256 = sumOf(l.Parties)
		l.Entries = len(l.Parties)
	}
	return out, nil
}

// sharedListing is a shared object as a listing.
type sharedListing struct {
	list, title string
	purpose     lists.Purpose
	modified    time.Time
	entry       lists.Entry
}

// readShared reads a listing; what another made of the type that is none is left out.
func readShared(d journal.Delivery) (s sharedListing, ok bool) {
	o, err := stix.Parse(d.Raw)
	if err != nil {
		return s, false
	}
	s.modified = o.Modified.Time
	purpose := ""
	for name, into := range map[string]any{"list": &s.list, "title": &s.title, "purpose": &purpose, "listing": &s.entry} {
		if v := o.Property(name); v != nil && json.Unmarshal(v, into) != nil {
			return s, false
		}
	}
	s.purpose = lists.Purpose(purpose)
	named := lists.Tidy(&s.entry)
	s.title = clip(s.title, maxShort)
	s.entry.ID = d.ID // of the object: two members' numbers may be the same
	return s, listName.MatchString(s.list) && named && (s.purpose == lists.Restricted || s.purpose == lists.Verified)
}

// addTo puts the listing into its list. A list of the same name with the other purpose is another list.
func (s sharedListing) addTo(byName map[string]*lists.List, alias string) {
	name := alias + "/" + s.list
	if s.purpose == lists.Verified {
		name += " (verified)"
	}
	l := byName[name]
	if l == nil {
		l = &lists.List{Meta: lists.Meta{Name: name, Title: s.title, Source: "members of " + alias, Purpose: s.purpose, Form: "shared"}}
		byName[name] = l
	}
	if date := s.modified.UTC().Format(time.DateOnly); date > l.Date {
		l.Date = date
	}
	l.Names += 1 + len(s.entry.Aliases)
	l.Parties = append(l.Parties, s.entry)
}

// sumOf is a digest of listings, in the order in which they stand.
func sumOf(parties []lists.Entry) string {
	h := sha256.New()
	for i := range parties {
		b, err := json.Marshal(&parties[i])
		if err != nil {
			panic(err) // an entry is text
		}
		h.Write(append(b, '\n'))
	}
	return hex.EncodeToString(h.Sum(nil))
}
