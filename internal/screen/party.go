package screen

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/screen/lists"
)

// Party is somebody whom an organisation knows and has watched: it is asked about again whenever a list changes.
type Party struct {
	ID      string
	Org     polder.OrgID
	Group   string
	Query   Query // its fields; Ref is the organisation's own reference
	Added   time.Time
	AddedBy string
	Changed time.Time
	Version int // rises with every change; a change names the one it saw
	Removed time.Time

	Screened  time.Time    // zero until it was asked about for the first time, and after a change
	Against   []lists.Meta // the lists it was last asked against, with their dates and hashes; nil when it was not
	Threshold float64      // with which it was

	Waiting int // reviews that wait for a person
	True    int // listings that it is, as people decided
	False   int // listings that it is not

	n           int64
	against     int64
	fingerprint string
}

// PartyGroup is a sort of parties.
type PartyGroup struct {
	Name    string // in addresses and files: lower case letters, digits and "-"
	Title   string // as people read it; "" for the groups that everybody has, which pages name in the reader's language
	Own     bool   // the organisation made it
	Parties int
}

// The groups that everybody has.
const (
	Customers = "customers"
	Suppliers = "suppliers"
	Visitors  = "visitors"
	Partners  = "partners"
)

// CommonGroups are the groups that everybody has.
var CommonGroups = []string{Customers, Suppliers, Visitors, Partners}

// MaxGroups is how many groups of its own an organisation may make.
const MaxGroups = 20

// checkGroup puts the name and title of a group of one's own into their kept form.
func checkGroup(g *PartyGroup) error {
	g.Name, g.Title = strings.TrimSpace(g.Name), strings.TrimSpace(g.Title)
	g.Title = cmp.Or(g.Title, g.Name)
	bad := func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' }
	switch {
	case g.Name == "" || len(g.Name) > 40 || strings.ContainsFunc(g.Name, bad):
		return polder.Errorf(polder.Invalid, "name: a group is named with up to 40 lower case letters, digits and hyphens")
	case slices.Contains(CommonGroups, g.Name):
		return polder.Errorf(polder.Conflict, "name: everybody has the group %s already", g.Name)
	case len(g.Title) > maxShort:
		return polder.Errorf(polder.TooLarge, "title: is longer than %d bytes", maxShort)
	}
	return nil
}

// keptQuery is q as it is kept: without spaces around its fields.
func keptQuery(q Query) Query {
	q.Ref, q.Name, q.Country, q.Birth = strings.TrimSpace(q.Ref), strings.TrimSpace(q.Name), strings.TrimSpace(q.Country), strings.TrimSpace(q.Birth)
	q.Identifiers = slices.Clone(q.Identifiers)
	for i, id := range q.Identifiers {
		q.Identifiers[i].Value, q.Identifiers[i].Country = strings.TrimSpace(id.Value), strings.TrimSpace(id.Country)
	}
	q.Identifiers = orNil(q.Identifiers)
	return q
}

// QueryFingerprint changes when the name, type, country, birth date or identifiers of a party change, whatever its
// reference. A decision is remembered for it.
func QueryFingerprint(q Query) string {
	q = keptQuery(q)
	q.Ref = ""
	slices.SortFunc(q.Identifiers, func(a, b lists.Identifier) int {
		return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.Country, b.Country), strings.Compare(a.Value, b.Value))
	})
	b, err := json.Marshal(q)
	if err != nil { // a type beyond the known ones, which checkQuery refuses
		return ""
	}
	sum := sha256.Sum256(append([]byte("polder query 1\n"), b...))
	return hex.EncodeToString(sum[:16])
}

// PartyFilter says which parties are listed.
type PartyFilter struct {
	Group   string // "" is every group
	Text    string // only those whose name or reference holds it
	Due     bool   // only those that were never asked about, or not since they changed
	Hit     bool   // only those that are on a list, as people decided, or about which a person must decide
	Removed bool   // those that are no longer known, instead of the others
	Next    string // where the page begins, as the page before said
	Limit   int    // 0 means 50; at most 200
}

func (f *PartyFilter) check() error {
	if len(f.Text) > maxShort || len(f.Group) > maxShort {
		return polder.Errorf(polder.TooLarge, "text, group: at most %d bytes each", maxShort)
	}
	if f.Limit <= 0 {
		f.Limit = 50
	}
	f.Limit = min(f.Limit, 200)
	return nil
}

// PartyPage is a part of a list of parties, by name. Next is where the following part begins, "" at the end.
type PartyPage struct {
	Parties []Party
	Next    string
}

// PartyChange is what becomes of a party.
type PartyChange struct {
	Group string // "" leaves it where it is
	Query Query
	Seen  int // the version that the person saw
}

// PartyImport tells what became of the rows of an import.
type PartyImport struct {
	Added, Changed, Same int
	Refused              int
	Faults               []string // of the first refused rows: which row, and what would be right; without names
}

// Ground is why something is erased. It is chosen and not written, so that the name that is to go does not come back.
type Ground string

// The grounds.
const (
	GroundRequest Ground = "request" // the person asked for it
	GroundMistake Ground = "mistake" // it should never have been kept
	GroundEnded   Ground = "ended"   // it is no longer needed
	GroundExpired Ground = "expired" // it was kept as long as the settings say; the node itself erases then
)

// Tombstone is what is left of what was erased: numbers, and neither a name nor a reason.
type Tombstone struct {
	At         time.Time
	By         string // "" for the node itself
	Ground     Ground
	Parties    int
	Screenings int
	Reviews    int
	Decisions  int
	Rows       int // of batches
}
