package exchange

import (
	"fmt"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange/release"
	"github.com/polder-exchange/polder/internal/policy"
	"github.com/polder-exchange/polder/stix"
)

// Where says where in its source an object stood, for messages. The zero value says nothing.
type Where struct {
	File string
	Line int
}

func (w Where) String() string {
	switch {
	case w.File == "" && w.Line == 0:
		return ""
	case w.Line == 0:
		return w.File
	case w.File == "":
		return fmt.Sprintf("line %d", w.Line)
	}
	return fmt.Sprintf("%s:%d", w.File, w.Line)
}

// Incoming is one object on its way in: bytes, and where they came from.
type Incoming struct {
	Raw   []byte
	Where Where
	Made  bool  // Polder made it: its creator is the blind identity unless named, and it may be versioned here
	Err   error // the source could not be read as an object here
}

// Request is a share.
type Request struct {
	Community string // alias or id
	Objects   []Incoming
	Level     stix.Marking   // of this share; None leaves it to the objects
	To        []polder.OrgID // named recipients; empty for the community
	Named     bool           // name the contributor in what Polder makes
	Preview   bool           // store nothing
	Bytes     bool           // keep every byte as it came (TAXII)
	Partial   bool           // store what is right and report the rest (TAXII); otherwise all or nothing
	LeftOut   []Warning      // of the reading, to be told with the result
	Confirmed bool           // the sharer saw what the careless check found and goes on
	Override  string         // why a person sends what a value in it would stop; "" is nobody's word
	Derive    stix.Marking   // what is marked stricter than this is taken out, which makes another object; None takes out nothing

	to     []polder.OrgID                                                   // like To, and need not be members any more
	record func(tx *db.Tx, stored, duplicates int, refused []Refusal) error // in the transaction that stores (TAXII status)
	told   func([]Warning)                                                  // before anything of a Partial request is stored
}

// Refusal is an object that was not taken, and why.
type Refusal struct {
	ID    string `json:"id"`
	Error string `json:"error"`
	Index int    `json:"index"` // in the request
	Line  int    `json:"line,omitempty"`
	Where Where  `json:"-"`
}

// Item is one accepted object of a share, as its sharer previews it.
type Item struct {
	ID          string           `json:"id"`
	Type        string           `json:"type"`
	Name        string           `json:"name,omitempty"`
	Version     string           `json:"version,omitempty"`
	Level       stix.Marking     `json:"-"`
	TLP         string           `json:"tlp"`
	New         bool             `json:"new"`                    // somebody gets something new by it
	NamesYou    bool             `json:"names_you"`              // created_by_ref is the sharer
	Readers     []polder.OrgID   `json:"readers,omitempty"`      // preview: who will be able to see it
	Raw         []byte           `json:"-"`                      // as it leaves
	Before      []byte           `json:"-"`                      // as it came
	Changes     []release.Change `json:"changes,omitempty"`      // what is changed before it leaves, and by which rule
	DerivedFrom string           `json:"derived_from,omitempty"` // it is another object, made of this one
	Override    string           `json:"override,omitempty"`     // why it leaves although a value in it would stop it
	Index       int              `json:"-"`
	Seq         polder.Seq       `json:"-"`
	to          []polder.OrgID   // named recipients
}

// Result is what a share came to (X25).
type Result struct {
	Stored     int        `json:"stored"`
	Duplicates int        `json:"duplicates"`
	Refused    []Refusal  `json:"refused"`
	Seq        polder.Seq `json:"seq"`
	Items      []Item     `json:"-"`
	Warnings   []Warning  `json:"warnings,omitempty"`
	Note       string     `json:"note,omitempty"`
	Readers    []string   `json:"readers,omitempty"` // preview: the names of who will be able to see any of it
}

// Warning is something that the sharer should see before it shares, or that was left out.
type Warning struct {
	ID     string `json:"id,omitempty"`
	Value  string `json:"value,omitempty"`
	Reason string `json:"reason"`
	Held   bool   `json:"held,omitempty"` // the share waits until the sharer confirms
	Stop   bool   `json:"stop,omitempty"` // it waits for a reason instead (Request.Override)
	Rule   string `json:"rule,omitempty"` // of what an organisation set about what leaves
	Path   string `json:"path,omitempty"` // the property
}

// candidate is an object that is being shared.
type candidate struct {
	Incoming
	index  int
	object stix.Object
	level  stix.Marking
	bare   [32]byte
	from20 bool // it came as STIX 2.0

	changes  []release.Change // made before it leaves
	origin   *stix.Object     // what it was made of, where it is another object than came in
	named    []polder.OrgID   // who may read it, where that is not whom the share names
	override string           // why it leaves although it was stopped
	rules    []string         // that stopped it
	doubts   []release.Doubt  // what a person should look at
	handed   bool             // by the node of the sharer, which says whom it is for
	to       []polder.OrgID   // of what was handed: whom it names
	found    Signature
}

// prepare checks everything about one object that needs no other object: its form, its level, whose name it bears.
func prepare(in Incoming, index int, g policy.Given, creator string) (c candidate, err error) {
	c = candidate{Incoming: in, index: index}
	if in.Err != nil {
		return c, in.Err
	}
	if stix.IsSTIX20(in.Raw) {
		if g.Bytes {
			return c, polder.Errorf(polder.Invalid, "spec_version: this is STIX 2.0; TAXII takes STIX 2.1 only, other ways in convert it")
		}
		if in.Raw, err = stix.Upgrade20(in.Raw); err != nil {
			return c, polder.Errorf(polder.Invalid, "%w", err)
		}
		c.from20 = true
	}
	if c.object, err = checked(in.Raw); err != nil {
		return c, polder.Errorf(polder.Invalid, "%w", err)
	}
	if in.Made && c.object.CreatedByRef == "" && !c.object.IsObservable() {
		if c.object, err = c.object.WithCreator(creator); err != nil {
			return c, err
		}
		g.By = polder.OrgID(creator)
	}
	level, write, err := policy.Level(c.object, g)
	if err != nil {
		return c, err
	}
	c.level = level
	if write {
		if c.object, err = c.object.WithMarking(level); err != nil {
			return c, err
		}
	}
	return c, nil
}

// share is the candidate as policy sees it.
func (c candidate) share(by polder.OrgID, to []polder.OrgID) (policy.Share, error) {
	digest, err := c.object.Digest()
	if err != nil {
		return policy.Share{}, polder.Errorf(polder.Invalid, "%w", err)
	}
	return policy.Share{
		By: by, To: to, Level: c.level, Version: sortable(c.object.Version()), Digest: digest, BareDigest: c.bare,
		Revoked: c.object.Revoked, Created: sortable(c.object.Created.Instant()), CreatedBy: polder.OrgID(c.object.CreatedByRef),
	}, nil
}

// sortable is a canonical instant text without its Z, so that text order is time order.
func sortable(instant string) string {
	if n := len(instant); n > 0 && instant[n-1] == 'Z' {
		return instant[:n-1]
	}
	return instant
}

// given is the version's timestamp as it came, where that differs from its canonical text.
func (c candidate) given() string {
	text := c.object.Modified.Text
	if text == "" {
		text = c.object.Created.Text
	}
	if c.object.IsObservable() || text == c.object.Version() {
		return ""
	}
	return text
}
