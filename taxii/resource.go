package taxii

import (
	"encoding/json"
	"fmt"
	"time"
)

// Media types of TAXII and STIX.
const (
	MediaType     = "application/taxii+json;version=2.1" // of every answer
	STIXMediaType = "application/stix+json;version=2.1"  // of an object, where a record does not say
)

// Discovery tells of a server and its API roots.
type Discovery struct {
	Title       string   `json:"title"`
	Description string   `json:"description,omitempty"`
	Contact     string   `json:"contact,omitempty"`
	Default     string   `json:"default,omitempty"` // one of APIRoots
	APIRoots    []string `json:"api_roots,omitempty"`
}

// APIRoot tells of one API root.
type APIRoot struct {
	Title            string   `json:"title"`
	Description      string   `json:"description,omitempty"`
	Versions         []string `json:"versions"`
	MaxContentLength int64    `json:"max_content_length"` // the longest body of a POST, in bytes
}

// Collection is a named set of objects, as one subject may use it.
type Collection struct {
	ID          string   `json:"id"` // a UUIDv4
	Title       string   `json:"title"`
	Description string   `json:"description,omitempty"`
	Alias       string   `json:"alias,omitempty"` // unique in its API root; stands for the id in paths
	CanRead     bool     `json:"can_read"`
	CanWrite    bool     `json:"can_write"`
	MediaTypes  []string `json:"media_types,omitempty"` // empty for application/stix+json
}

// The two values of [Status.Status].
const (
	Complete = "complete"
	Pending  = "pending"
)

// Status tells what became of the objects of one POST.
type Status struct {
	ID               string         `json:"id"` // a UUIDv4
	Status           string         `json:"status"`
	RequestTimestamp Time           `json:"request_timestamp,omitzero"`
	TotalCount       int            `json:"total_count"`
	SuccessCount     int            `json:"success_count"`
	Successes        []StatusDetail `json:"successes,omitempty"`
	FailureCount     int            `json:"failure_count"`
	Failures         []StatusDetail `json:"failures,omitempty"`
	PendingCount     int            `json:"pending_count"`
	Pendings         []StatusDetail `json:"pendings,omitempty"`
}

// StatusDetail tells what became of one object.
type StatusDetail struct {
	ID      string `json:"id"`
	Version string `json:"version"` // the text of its version, or the instant of the request
	Message string `json:"message,omitempty"`
}

// ManifestRecord is a line of a manifest: one version of an object.
type ManifestRecord struct {
	ID        string `json:"id"`
	DateAdded Time   `json:"date_added"`
	Version   string `json:"version"`
	MediaType string `json:"media_type,omitempty"`
}

// errorResource is the body of every refusal.
type errorResource struct {
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	ErrorID     string `json:"error_id,omitempty"`
	HTTPStatus  string `json:"http_status"` // a string, says the standard
}

// Time is an instant in TAXII's text: written with exactly six digits of fraction in UTC, read as [ParseTime] does.
type Time struct{ time.Time }

// TimeOf is the date_added that a record's number stands for.
func TimeOf(number int64) Time { return Time{time.UnixMicro(number).UTC()} }

const stampLayout = "2006-01-02T15:04:05.000000Z"

// String is t in TAXII's text.
func (t Time) String() string { return t.UTC().Format(stampLayout) }

// MarshalJSON writes t in TAXII's text.
func (t Time) MarshalJSON() ([]byte, error) {
	return t.UTC().AppendFormat(nil, `"`+stampLayout+`"`), nil
}

// UnmarshalJSON reads t as [ParseTime] does.
func (t *Time) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return fmt.Errorf("a timestamp is a JSON string: %w", err)
	}
	at, err := ParseTime(text)
	t.Time = at
	return err
}
