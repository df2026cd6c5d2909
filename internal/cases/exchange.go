package cases

import (
	"context"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/stix"
)

// Exchange is what cases need of it: to look up what members know of a value, and to let something out. node plugs it in.
type Exchange interface {
	// Known are the objects about a value that by may see, the latest first, at most limit; none is no error.
	Known(ctx context.Context, by polder.Actor, value string, limit int) ([]KnownObject, error)
	// Places are the communities where by may share, and the levels that its organisation may use.
	Places(ctx context.Context, by polder.Actor) ([]Place, []stix.Marking, error)
	// Release shares objects that cases made, or shows what would leave.
	Release(ctx context.Context, by polder.Actor, r Release) (Released, error)
}

// KnownObject is an object of the exchange that names a value.
type KnownObject struct {
	ID, Type, Title, Href    string
	Community, CommunityName string
	Level                    stix.Marking
	Seen                     time.Time // when it was shared
}

// Place is a community where something may be shared.
type Place struct {
	Alias, Name string
	Members     []PlaceMember
}

// PlaceMember is an organisation of a community.
type PlaceMember struct {
	Org     polder.OrgID
	Name    string
	Country string // ISO 3166-1 alpha-2
}

// Release is what is to leave, to whom, and how it is marked.
type Release struct {
	Community string // alias
	To        []polder.OrgID
	Level     stix.Marking
	Named     bool     // names the contributor
	Confirmed bool     // the sharer saw the warnings and goes on
	Preview   bool     // nothing leaves
	Objects   [][]byte // STIX 2.1, without marking; creator set where Named, else the blind identity is put in
}

// Released is what left, or would leave.
type Released struct {
	IDs      []string
	Raw      [][]byte // as it leaves
	Readers  []string // names of those who will be able to read it
	Warnings []string
	Held     bool // a warning must be confirmed first

	Withdrawn int // of a set: how many objects were withdrawn, or would be
}

// Keeper keeps sets of objects current in communities. node plugs the exchange in.
type Keeper interface {
	// Keep brings a set up to date: new parts are shared, changed ones get a version, those that are gone are withdrawn.
	Keep(ctx context.Context, by polder.Actor, k Kept) (Released, error)
}

// Kept is a set of objects that a case shares, as it is now.
type Kept struct {
	Community  string // alias
	To         []polder.OrgID
	Name       string                 // of the set; with a part's key it tells its object
	Type       string                 // of the objects
	Definition []byte                 // of the extension that says what that type is
	In         func(stix.Object) bool // whether an object of Type that the organisation keeps there is of this set
	Level      stix.Marking           // of the definition, and of parts that say none
	Named      bool
	Confirmed  bool
	Preview    bool
	Parts      []KeptPart
}

// KeptPart is one object of a set.
type KeptPart struct {
	Key   string
	Level stix.Marking
	Set   func(*stix.Members)
}
