package taxii

import (
	"context"
	"encoding/json"
	"time"
)

// Subject is who asks, as [Options.Authenticate] found it. It is opaque to this package but for its key.
type Subject interface {
	// Key is stable over restarts and differs between subjects that may see different things: `next` is bound to it.
	// It is never sent anywhere.
	Key() string
}

// Store holds collections of objects and applies policy: each method answers for one subject and shows it nothing
// else. Methods are called from many goroutines. They refuse with an [*Error] (wrapped or not); any other error is
// answered with status 500 and no detail.
//
// The server has found the collection in Collections and checked CanRead and CanWrite before it calls Records, Add or
// Delete; a right may still end between the two calls, so the store decides for itself again.
type Store interface {
	// Collections lists, in an order that does not change, the collections that the subject may know of,
	// with CanRead and CanWrite as they are for this subject.
	Collections(ctx context.Context, s Subject) ([]Collection, error)

	// Records returns the records of a collection that the subject may see and q asks for, in rising order of
	// their numbers. It filters first and counts afterwards: a page is short of q.Limit and q.Bytes only if it is
	// the last. When q.Object is set and the subject may see no record of it at all, it returns [ErrNotFound];
	// an empty page then means that the filters exclude all.
	Records(ctx context.Context, s Subject, collection string, q Query) (Page, error)

	// Add takes in objects: JSON objects as they came, at least one. What it refuses is told in the status
	// object by object; an error means that nothing was stored. An exact duplicate is a success.
	// The store may keep the slices.
	Add(ctx context.Context, s Subject, collection string, objects []json.RawMessage) (Status, error)

	// Delete removes the versions of an object that q.Versions and q.SpecVersions choose (the other fields of q
	// are zero). [ErrNotFound] when the subject may see none of them.
	Delete(ctx context.Context, s Subject, collection, object string, q Query) error

	// Status returns the status under which an earlier Add of this subject is known, or [ErrNotFound].
	Status(ctx context.Context, s Subject, id string) (Status, error)
}

// Query says which records are asked for. The lists are sorted and without doubles; an empty list asks for any.
type Query struct {
	After        int64    // only records with a greater number; 0 is the start
	Limit        int      // at most this many records; always positive
	Bytes        int      // end the page before the record whose body takes the sum of bodies above this, but not before the first; 0 without bodies
	Bodies       bool     // whether Record.Raw is wanted
	Object       string   // only versions of this object; empty for all objects
	IDs          []string // match[id]
	Types        []string // match[type]
	SpecVersions []string // match[spec_version]; empty asks for the latest specification version held of each object
	Versions     VersionFilter
}

// VersionFilter says which versions of an object are asked for; a version that any of its fields chooses is. The
// first and the last version are those of the versions that the subject may see.
type VersionFilter struct {
	All, First, Last bool
	Exact            []time.Time // compare as instants, whatever the text was
}

// Page is a piece of an answer.
type Page struct {
	Records []Record
	More    bool // records follow after the last of Records; never true when Records is empty
}

// Record is one version of an object in a collection.
type Record struct {
	Number    int64  // date_added in microseconds since 1970: unique, rising in the order in which records became visible
	ID        string // the object's id
	Version   string // the version's timestamp, in the text in which it came; empty for an object without: its date_added
	MediaType string // empty for application/stix+json;version=2.1
	Raw       []byte // the object, as it is to be sent; the server does not change it and does not keep it
}
