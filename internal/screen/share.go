package screen

import (
	"context"
	"encoding/json"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/screen/lists"
	"github.com/polder-exchange/polder/stix"
)

// Share asks to bring an organisation's own list into a community, or what is there of it up to date.
type Share struct {
	List      string // its name
	Community string // alias or id
	Level     stix.Marking
	Named     bool // name the organisation; else it is a member's list
	Confirmed bool // go on although a warning asks to look twice
	Preview   bool // store nothing
}

// SharedParts is a list as the exchange keeps it current: one object for each listing.
type SharedParts struct {
	Type       string                 // of the objects
	Definition []byte                 // of the extension that says what that type is
	In         func(stix.Object) bool // whether an object of Type is of this list
	Parts      []SharedPart
}

// SharedPart is one listing of a shared list.
type SharedPart struct {
	Key string // the listing's id
	Set func(*stix.Members)
}

// Published is what sharing a list did, or would do.
type Published struct {
	New       int      `json:"new"`
	Changed   int      `json:"changed"`
	Same      int      `json:"same"`
	Withdrawn int      `json:"withdrawn"`
	Refused   []string `json:"refused"`
	Warnings  []string `json:"warnings"`
	Held      bool     `json:"held"`    // nothing is shared until it is confirmed
	Readers   int      `json:"readers"` // others who would read what is new; in a preview
	Sight     string   `json:"-"`       // digest of what leaves at which level to whom; in a preview
}

// Publisher brings lists into communities. node plugs the exchange in.
type Publisher interface {
	Publish(ctx context.Context, by polder.Actor, s Share, parts SharedParts) (Published, error)
}

// Publish shares a list of by's organisation with a community: each listing as an object of its own, so that what was
// shared before gets a new version, and what is no longer listed is withdrawn. Lists of the node and of other members are
// not by's to share.
func (r *Registry) Publish(ctx context.Context, by polder.Actor, s Share) (Published, error) {
	if err := mayScreen(by, polder.RoleContributor); err != nil {
		return Published{}, err
	}
	if r.o.Publisher == nil {
		return Published{}, polder.Errorf(polder.Unavailable, "there is no exchange here")
	}
	f, err := r.folder(place{by.Org, s.List})
	if err != nil {
		return Published{}, err
	}
	n, err := f.current()
	if err != nil {
		return Published{}, err
	}
	if n == 0 {
		return Published{}, polder.Errorf(polder.NotFound, "your organisation keeps no list %s; import it first", s.List)
	}
	l, err := f.readList(n)
	if err != nil {
		return Published{}, err
	}
	return r.o.Publisher.Publish(ctx, by, s, sharedParts(l))
}

// sharedParts is a list as objects.
func sharedParts(l *lists.List) SharedParts {
	out := SharedParts{Type: listingType, Definition: []byte(listingDefinition), In: func(o stix.Object) bool {
		var name string
		return json.Unmarshal(o.Property("list"), &name) == nil && name == l.Name
	}}
	for _, e := range l.Parties {
		listing, err := json.Marshal(e)
		if err != nil {
			panic(err) // an entry is text
		}
		out.Parts = append(out.Parts, SharedPart{Key: e.ID, Set: func(m *stix.Members) {
			m.Set("name", e.Name)
			m.Set("list", l.Name)
			m.Set("title", l.Title)
			m.Set("purpose", string(l.Purpose))
			m.Set("listing", json.RawMessage(listing))
			m.Set("extensions", func(x *stix.Members) {
				x.Set(listingExtension, func(d *stix.Members) { d.Set("extension_type", "new-sdo") })
			})
		}})
	}
	return out
}
