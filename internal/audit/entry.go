package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
)

// Entry says who did what. The zero Org, Person and Token are the node itself.
type Entry struct {
	Org       polder.OrgID
	Person    polder.PersonID
	Token     polder.TokenID
	Action    string // "share", "token.create", …
	Community polder.CommunityID
	Object    string            // the id of the one thing it is about
	Detail    map[string]string // never a secret and never a body; of a blind entry nothing that names the actor
	Blind     bool              // others than Org read "a member" (rule X20)
	Narrow    bool              // about a delivery that not the whole community may see: nobody but Org reads it
	Hour      bool              // its time is kept to the hour, for what somebody did who must not be recognised by it
}

// EntryOf is an entry by a, to be completed.
func EntryOf(a polder.Actor) Entry { return Entry{Org: a.Org, Person: a.Person, Token: a.Token} }

// Record is an entry as it is kept.
type Record struct {
	N    int64
	Time time.Time
	Entry
	Hash [32]byte // zero where the actor is hidden
}

// View is how much of an entry somebody may read.
type View uint8

const (
	Nothing     View = iota // not even that there is one
	WithoutName             // all but the actor
	All
)

// ViewOf is the rule who may read an entry: viewer, who is steward of the communities given. An entry that is about an
// object of a community is hidden from a viewer whose role reads no objects.
func ViewOf(viewer polder.Actor, steward []polder.CommunityID, e Entry) View {
	ofObject := e.Community != "" && e.Object != ""
	switch {
	case viewer.Role == polder.RoleNone:
		return Nothing
	case ofObject && viewer.Role.OnObjects() == polder.RoleNone:
		return Nothing
	case viewer.Org != "" && e.Org == viewer.Org:
		return All
	case e.Narrow:
		return Nothing
	case e.Community != "" && slices.Contains(steward, e.Community),
		!ofObject && viewer.Role == polder.RoleAdmin:
		if e.Blind {
			return WithoutName
		}
		return All
	}
	return Nothing
}

// seenBy is r as a viewer reads it.
func (r Record) seenBy(v View) Record {
	if v == WithoutName {
		r.Org, r.Person, r.Token, r.Hash = "", "", "", [32]byte{}
	}
	return r
}

// row is a line of the table: what is hashed.
type row struct {
	n, micros                                     int64
	org, person, token, action, community, object string
	detail                                        string
	flags                                         uint8
	salt, hash                                    []byte
}

const (
	flagBlind  = 1
	flagNarrow = 2
	saltSize   = 16
)

func rowOf(n int64, at time.Time, e Entry, salt []byte) (row, error) {
	r := row{
		n: n, micros: at.UnixMicro(),
		org: clean(string(e.Org)), person: clean(string(e.Person)), token: clean(string(e.Token)), action: clean(e.Action),
		community: clean(string(e.Community)), object: clean(e.Object), salt: salt,
	}
	if e.Blind {
		r.flags |= flagBlind
	}
	if e.Narrow {
		r.flags |= flagNarrow
	}
	if len(e.Detail) > 0 {
		text, err := json.Marshal(e.Detail) // with sorted names
		if err != nil {
			return row{}, err
		}
		r.detail = string(text)
	}
	return r, nil
}

// clean makes s a text that every reader of the database reads alike.
func clean(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "\uFFFD"), "\uFFFD")
}

func (r row) record() Record {
	rec := Record{N: r.n, Time: time.UnixMicro(r.micros).UTC(), Entry: Entry{
		Org: polder.OrgID(r.org), Person: polder.PersonID(r.person), Token: polder.TokenID(r.token), Action: r.action,
		Community: polder.CommunityID(r.community), Object: r.object,
		Blind: r.flags&flagBlind != 0, Narrow: r.flags&flagNarrow != 0,
	}}
	if r.detail != "" {
		if json.Unmarshal([]byte(r.detail), &rec.Detail) != nil { // changed by another hand: Verify says so, shown as it is
			rec.Detail = map[string]string{"unreadable": r.detail}
		}
	}
	copy(rec.Hash[:], r.hash)
	return rec
}

// sum is the hash of r after the entry with hash before; see the package comment.
func (r row) sum(before [32]byte) [32]byte {
	b := make([]byte, 0, 512)
	b = append(b, "polder audit 1\n"...)
	b = append(b, before[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(r.n))
	b = binary.BigEndian.AppendUint64(b, uint64(r.micros))
	b = append(b, r.flags)
	b = append(b, r.salt...)
	for _, s := range []string{r.org, r.person, r.token, r.action, r.community, r.object, r.detail} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	return sha256.Sum256(b)
}
