package exchange

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
)

// An advisory is a STIX report that people read: its description is Markdown, and this extension adds the box for small
// firms and the attachments. The files themselves stay on the node.
const advisoryType = "report"

// advisoryExtension is the id of the extension definition that says what an advisory adds to a report.
const advisoryExtension = "extension-definition--a3d1c9b2-6f0e-4f57-8a43-1be7d25c8f60"

// advisoryDefinition is that definition. Its bytes never change, so that everybody brings the same.
const advisoryDefinition = `{"type":"extension-definition","spec_version":"2.1","id":"` + advisoryExtension + `","created_by_ref":"identity--7f0a6d52-5d0b-4d3e-8a87-2f3c1b9e6d10","created":"2026-11-01T00:00:00.000Z","modified":"2026-11-01T00:00:00.000Z","name":"Advisory","description":"What an advisory adds to a report whose description is Markdown. Properties: format (markdown, required), for_whom (string), what_to_do (string), attachments (list of objects with name, sha256, size in bytes and media_type; the files are asked for at the node that shared the report).","schema":"https://github.com/polder-exchange/polder/blob/main/docs/extensions.md","version":"1.0.0","extension_types":["property-extension"]}`

// Bounds of an advisory.
const (
	MaxAttachment  = 10 << 20 // bytes of one file
	MaxAttachments = 5
	maxTitle       = 200
	maxAdvisory    = 100_000 // bytes of the text
	maxBox         = 4_000   // bytes of each half of the box
	maxAbout       = 100     // objects that an advisory refers to
	maxDrafts      = 200     // of one organisation
)

// Attachment is a file of an advisory, named by the SHA-256 of its bytes.
type Attachment struct {
	Name      string `json:"name"`
	SHA256    string `json:"sha256"`
	Size      int64  `json:"size"`
	MediaType string `json:"media_type"` // as its first bytes say; files are served as bytes whatever it is
}

// AdvisoryText is what the author of an advisory writes.
type AdvisoryText struct {
	Title    string `json:"title"`
	Body     string `json:"body"`       // Markdown
	ForWhom  string `json:"for_whom"`   // is this for me?
	WhatToDo string `json:"what_to_do"` // what do I do?
}

// Draft is an advisory that is being written. Only people of its organisation who may share see it.
type Draft struct {
	AdvisoryText
	ID          string         `json:"-"` // empty for one that is not saved yet
	Org         polder.OrgID   `json:"-"`
	Changed     time.Time      `json:"-"`
	By          string         `json:"by,omitempty"`        // who saved it last
	Community   string         `json:"community,omitempty"` // alias or id
	TLP         string         `json:"tlp,omitempty"`
	To          []polder.OrgID `json:"to,omitempty"`
	Named       bool           `json:"named,omitempty"`
	About       []string       `json:"about,omitempty"` // ids of objects in sight
	Of          string         `json:"of,omitempty"`    // id of the advisory that it is the next version of
	Attachments []Attachment   `json:"attachments,omitempty"`
}

// Advisory is one as a reader sees it.
type Advisory struct {
	AdvisoryText
	Delivery    journal.Delivery
	About       []string
	Published   time.Time
	Attachments []Attachment
	Revoked     bool
	Mine        bool // the reader's organisation is its custodian
}

// check says what must be mended before the draft can be saved.
func (d *Draft) check() error {
	d.Title = strings.Join(strings.Fields(d.Title), " ")
	switch {
	case d.Title == "" || len([]rune(d.Title)) > maxTitle:
		return polder.Errorf(polder.Invalid, "title: write one line of at most %d characters", maxTitle)
	case len(d.Body) > maxAdvisory:
		return polder.Errorf(polder.Invalid, "body: has %d bytes; at most %d are taken, so attach what is long", len(d.Body), maxAdvisory)
	case len(d.ForWhom) > maxBox:
		return polder.Errorf(polder.Invalid, "for whom: has %d bytes; at most %d are taken", len(d.ForWhom), maxBox)
	case len(d.WhatToDo) > maxBox:
		return polder.Errorf(polder.Invalid, "what to do: has %d bytes; at most %d are taken", len(d.WhatToDo), maxBox)
	case len(d.About) > maxAbout || len(d.To) > 1000:
		return polder.Errorf(polder.Invalid, "object_refs: at most %d objects and 1,000 recipients are taken", maxAbout)
	}
	for _, id := range d.About {
		if !stix.ValidID(id) {
			return polder.Errorf(polder.Invalid, "object_refs: %.80q is not a STIX id", id)
		}
	}
	if d.Of != "" && (!stix.ValidID(d.Of) || !strings.HasPrefix(d.Of, advisoryType+"--")) {
		return polder.Errorf(polder.Invalid, "of: %.80q is not the id of a report", d.Of)
	}
	if _, err := levelOf(d.TLP); err != nil {
		return err
	}
	return nil
}

// ready says what must be mended before the draft can be published.
func (d Draft) ready() error {
	switch {
	case strings.TrimSpace(d.Body) == "":
		return polder.Errorf(polder.Invalid, "body: is empty; write what happened")
	case d.Community == "":
		return polder.Errorf(polder.Invalid, "community: choose where it goes")
	}
	return nil
}

// attach adds a file; the same bytes again give them another name.
func (d *Draft) attach(f Attachment) error {
	d.detach(f.SHA256)
	if len(d.Attachments) >= MaxAttachments {
		return polder.Errorf(polder.Invalid, "attachments: at most %d files; take one away first", MaxAttachments)
	}
	d.Attachments = append(d.Attachments, f)
	return nil
}

// detach takes a file away and tells whether it was there.
func (d *Draft) detach(sha256 string) bool {
	n := len(d.Attachments)
	d.Attachments = slices.DeleteFunc(d.Attachments, func(f Attachment) bool { return f.SHA256 == sha256 })
	return len(d.Attachments) < n
}

// setExtension writes what the draft adds to a report.
func (d Draft) setExtension(o *stix.Members) {
	o.Set("extensions", func(e *stix.Members) {
		e.Set(advisoryExtension, func(x *stix.Members) {
			x.Set("extension_type", "property-extension")
			x.Set("format", "markdown")
			x.Set("for_whom", d.ForWhom)
			x.Set("what_to_do", d.WhatToDo)
			var files []func(*stix.Members)
			for _, f := range d.Attachments {
				files = append(files, func(m *stix.Members) {
					m.Set("name", f.Name)
					m.Set("sha256", f.SHA256)
					m.Set("size", f.Size)
					m.Set("media_type", f.MediaType)
				})
			}
			x.Set("attachments", files)
		})
	})
}

// readAdvisory reads a report; ok is false for one that is no advisory.
func readAdvisory(d journal.Delivery) (v Advisory, ok bool) {
	var r struct {
		Name        string    `json:"name"`
		Description string    `json:"description"`
		Published   time.Time `json:"published"`
		ObjectRefs  []string  `json:"object_refs"`
		Revoked     bool      `json:"revoked"`
		Extensions  map[string]json.RawMessage
	}
	if d.Type() != advisoryType || json.Unmarshal(d.Raw, &r) != nil {
		return v, false
	}
	var x struct {
		Format      string       `json:"format"`
		ForWhom     string       `json:"for_whom"`
		WhatToDo    string       `json:"what_to_do"`
		Attachments []Attachment `json:"attachments"`
	}
	if json.Unmarshal(r.Extensions[advisoryExtension], &x) != nil || x.Format != "markdown" {
		return v, false
	}
	for i := range x.Attachments { // others wrote these names
		x.Attachments[i].Name = fileName(x.Attachments[i].Name)
	}
	return Advisory{
		AdvisoryText: AdvisoryText{Title: r.Name, Body: r.Description, ForWhom: x.ForWhom, WhatToDo: x.WhatToDo},
		Delivery:     d, About: r.ObjectRefs, Published: r.Published, Attachments: x.Attachments, Revoked: r.Revoked,
	}, true
}

// file is the attachment of a hash.
func (v Advisory) file(sha256 string) (Attachment, bool) {
	i := slices.IndexFunc(v.Attachments, func(f Attachment) bool { return f.SHA256 == sha256 })
	if i < 0 {
		return Attachment{}, false
	}
	return v.Attachments[i], true
}

// fileName makes a name that is safe to offer for a download: no folder, no control or direction character, no leading
// dot, at most 100 characters, never empty.
func fileName(s string) string {
	s = path.Base(strings.ReplaceAll(strings.ToValidUTF8(s, ""), `\`, "/"))
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r):
			return -1
		case strings.ContainsRune(`"<>:|?*%;/`, r):
			return '_'
		}
		return r
	}, s)
	s = strings.TrimLeft(strings.TrimSpace(s), ". ")
	if r := []rune(s); len(r) > 100 {
		ext := []rune(path.Ext(s))
		if len(ext) > 10 {
			ext = nil
		}
		s = string(r[:100-len(ext)]) + string(ext)
	}
	if s == "" {
		return "attachment"
	}
	return s
}

// attachmentOwner names, for the store of files, who holds the attachments of a report.
func attachmentOwner(c polder.CommunityID, id string, org polder.OrgID) string {
	return fmt.Sprintf("advisory:%s:%s:%s", c, id, org)
}

func draftOwner(id string) string { return "draft:" + id }
