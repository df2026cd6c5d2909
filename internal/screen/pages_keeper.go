package screen

import (
	"context"
	"io"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/screen/lists"
)

// Owner says whose a list is.
type Owner string

// The owners.
const (
	OwnedByNode   Owner = "node"   // of the node: every organisation of it is asked about with it
	OwnedByOrg    Owner = "own"    // of the organisation that asks
	OwnedByMember Owner = "shared" // of another member, who shares it
)

// KeptList is a list as it is kept here, and how its refreshing goes.
type KeptList struct {
	lists.Meta
	Owner    Owner
	From     string        // who shares it, for [OwnedByMember]
	Origin   string        // the URL or the folder that it is refreshed from; "" when it is imported by hand
	Every    time.Duration // how often it is refreshed by itself; 0 is never
	Checked  time.Time     // when its origin was last asked and answered, whether or not something had changed
	Next     time.Time     // when it is asked again by itself; zero is never
	Age      time.Duration // since its origin last gave or confirmed it; 0 for lists of members
	Stale    bool          // it is older than it should be; answers say so
	StaleAt  time.Time     // from when on it is, or was, stale; zero is never
	Failures int           // how often refreshing failed since it last worked; the list that is kept is still asked
	Failed   time.Time     // when it last failed
	Failure  string        // why, fit to be shown
	Versions int           // how many versions are kept
}

// ListVersion is a version of a list that is kept.
type ListVersion struct {
	lists.Meta        // SHA256 names the version
	By         string // who imported it; "" when it was refreshed by itself
	Now        bool   // it is the one that is asked
}

// ListDifference is what differs between two versions of a list, each part clipped to the limit that was asked for.
type ListDifference struct {
	Old, New       ListVersion
	Added, Removed []lists.Entry
	Changed        []ChangedEntry

	AddedCount, RemovedCount, ChangedCount int // of all, shown or not
}

// ChangedEntry is a listing that both versions have, and differently.
type ChangedEntry struct{ Old, New lists.Entry }

// ListImport is a list that somebody brings. Name, Purpose and the rest may be empty: then the file says it.
type ListImport struct {
	Name    string // short: letters, digits, "_" and "-"; else the file's name
	File    string // the name of the file
	Form    string // of the file; else it is recognised
	Purpose lists.Purpose
	Title   string
	Source  string
	Licence string
	Date    string
	Mapping []byte // a mapping file, for a CSV of which no form is known
}

// ListKeeper keeps the lists that organisations ask. What by's organisation does not ask is [polder.NotFound]; whoever
// may not read objects is refused. node plugs the registry in.
type ListKeeper interface {
	// Lists are those that by's organisation asks: restricted ones before verified ones, then by name.
	Lists(ctx context.Context, by polder.Actor) ([]KeptList, error)

	// Versions are those of one list that are kept, the newest first.
	Versions(ctx context.Context, by polder.Actor, name string) ([]ListVersion, error)

	// Difference is what changed from one kept version to another, each by its SHA256. An empty new one is the one that
	// is asked now, an empty old one is the version before new. At most limit of each are given, counts are of all.
	Difference(ctx context.Context, by polder.Actor, name, old, new string, limit int) (ListDifference, error)

	// Entry is a listing as the list has it now.
	Entry(ctx context.Context, by polder.Actor, name, id string) (lists.Entry, error)

	// Import makes a file a list of by's organisation, or the next version of one: the whole of it or, with an error
	// that says why, nothing. It asks for a steward.
	Import(ctx context.Context, by polder.Actor, o ListImport, file io.Reader) (KeptList, error)

	// Refresh asks the origin of a list now. It asks for a steward. A refresh that fails is an error and keeps the list.
	Refresh(ctx context.Context, by polder.Actor, name string) (KeptList, error)

	// Publish shares a list of by's organisation with a community; see [Registry.Publish]. It asks for a contributor.
	Publish(ctx context.Context, by polder.Actor, s Share) (Published, error)
}
