package cases

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/seal"
)

// Bounds of what reporters send.
const (
	maxReportText   = 64 << 10 // padded bytes of a report or message
	maxReportFiles  = 5
	maxReportFile   = 11 << 20 // padded bytes of one: 10 MiB, and what padding adds
	maxReportTotal  = 22 << 20 // padded bytes of all together: 20 MiB, and what padding adds
	maxReportParts  = 300      // messages and files of one report
	maxAnswerText   = 20_000   // bytes of what a reporter says
	maxAnswerShort  = 2_000    // bytes of any other answer
	maxAnswerMore   = 20
	maxPlainMessage = 20_000
	boxOverhead     = 16 // bytes that sealing adds to a padded text
)

// Check refuses answers that no report can hold. It never asks for more than that something was said.
func (a Answers) Check() error {
	short := map[string]string{"noticed": a.Noticed, "ongoing": a.Ongoing, "call": a.Call, "may_know": a.MayKnow, "name": a.Name, "kind": string(a.Kind), "language": a.Language, "reply": a.Reply}
	for name, value := range a.More {
		short["more."+name] = value
	}
	for name, value := range short {
		if len(value) > maxAnswerShort || len(name) > 100 {
			return polder.Errorf(polder.TooLarge, "%.40s: is longer than %d characters; put the rest into what happened", name, maxAnswerShort)
		}
	}
	switch {
	case len(a.What) > maxAnswerText:
		return polder.Errorf(polder.TooLarge, "what: is longer than %d characters; send the rest as a message afterwards", maxAnswerText)
	case len(a.More) > maxAnswerMore || len(a.Roads) > len(reportRoads):
		return polder.Errorf(polder.TooLarge, "more, roads: hold too much; at most %d further answers, and each road once", maxAnswerMore)
	case strings.TrimSpace(a.What) == "":
		return polder.Errorf(polder.Invalid, "what: is empty; say in a few words what happened or what worries you")
	case a.Proposed != nil && (len(a.Proposed.Why) > 50 || len(a.Proposed.Class) > 100 || len(a.Proposed.Severity) > 40):
		return polder.Errorf(polder.TooLarge, "proposed: holds too much; leave it out")
	}
	for _, road := range a.Roads {
		if !slices.Contains(reportRoads, road) {
			return polder.Errorf(polder.Invalid, "roads: %.40q is not known; use cyber, insider, acquisition, export, research or unknown", string(road))
		}
	}
	text, err := json.Marshal(a)
	if err != nil || seal.PaddedSize(len(text), SealLeast) > maxReportText {
		return polder.Errorf(polder.TooLarge, "answers: are longer than %d bytes together; send the rest as a message afterwards", maxReportText)
	}
	return nil
}

var reportRoads = []Road{RoadCyber, RoadInsider, RoadAcquisition, RoadExport, RoadResearch, RoadUnknown}

// check refuses a post that contradicts itself.
func (p ReportPost) check() error {
	if err := checkOnce(p.Once); err != nil {
		return err
	}
	switch {
	case (p.Box == nil) == (p.Answers == nil):
		return polder.Errorf(polder.Invalid, `a report holds either box, sealed on the device, or answers, such as {"answers":{"what":"A visitor photographed the machine hall"}}`)
	case p.Also != "" && p.Also != "team":
		return polder.Errorf(polder.Invalid, "also: may be team, or nothing")
	case p.Answers != nil && (p.Thread != nil || len(p.Files) > 0):
		return polder.Errorf(polder.Invalid, "thread, files: belong to a report that was sealed on the device; with answers use anonymous and attachments")
	case p.Answers != nil && p.Answers.Reply != "":
		return polder.Errorf(polder.Invalid, "answers.reply: names the key of a reporter who sealed the report; leave it out, and use anonymous")
	case p.Box != nil && (p.Anonymous || len(p.Plain) > 0):
		return polder.Errorf(polder.Invalid, "anonymous, attachments: belong to answers that the node seals; with a box use thread and files")
	case p.Answers != nil:
		if err := p.Answers.Check(); err != nil {
			return err
		}
		return checkPlainFiles(p.Plain)
	}
	if err := checkBox("box", *p.Box, maxReportText); err != nil {
		return err
	}
	if p.Thread != nil {
		if _, ok := readProof(p.Thread.Proof); !ok {
			return polder.Errorf(polder.Invalid, "thread.proof: is not 32 bytes in standard base64")
		}
		if err := p.Thread.Public.Validate(); err != nil {
			return polder.Errorf(polder.Invalid, "thread.public: %w", err)
		}
	}
	return checkFiles(p.Files)
}

// checkBox refuses a box of the wrong form, or of a size that padding does not make.
func checkBox(name string, b seal.Box, most int) error {
	if len(b.Body) < SealLeast+boxOverhead && most == maxReportText {
		return polder.Errorf(polder.Invalid, "%s: body has %d bytes; pad the text to at least %d", name, len(b.Body), SealLeast)
	}
	if len(b.Body) > most+boxOverhead {
		return polder.Errorf(polder.TooLarge, "%s: body has %d bytes; at most %d are taken", name, len(b.Body), most+boxOverhead)
	}
	if err := b.Validate(most + boxOverhead); err != nil {
		return polder.Errorf(polder.Invalid, "%s: %w", name, err)
	}
	return nil
}

func checkFiles(files []seal.Box) error {
	if len(files) > maxReportFiles {
		return polder.Errorf(polder.TooLarge, "files: are %d; at most %d at once, send the others with a message afterwards", len(files), maxReportFiles)
	}
	total := 0
	for _, f := range files {
		if err := checkBox("files", f, maxReportFile); err != nil {
			return err
		}
		total += len(f.Body)
	}
	if total > maxReportTotal {
		return polder.Errorf(polder.TooLarge, "files: have %d bytes together; at most %d at once", total, maxReportTotal)
	}
	return nil
}

func checkPlainFiles(files []ReportAttachment) error {
	if len(files) > maxReportFiles {
		return polder.Errorf(polder.TooLarge, "attachments: are %d; at most %d at once, send the others with a message afterwards", len(files), maxReportFiles)
	}
	total := 0
	for _, f := range files {
		switch {
		case len(f.Name) > 300 || len(f.Type) > 100 || !utf8.ValidString(f.Name) || !utf8.ValidString(f.Type):
			return polder.Errorf(polder.Invalid, "attachments: a name is longer than 300 bytes, or no text")
		case len(f.Data) > 10<<20:
			return polder.Errorf(polder.TooLarge, "attachments: one has %d bytes; at most 10 MiB each", len(f.Data))
		}
		total += len(f.Data)
	}
	if total > 20<<20 {
		return polder.Errorf(polder.TooLarge, "attachments: have %d bytes together; at most 20 MiB at once", total)
	}
	return nil
}

// fileText is what is sealed of an attachment.
func (f ReportAttachment) fileText() ([]byte, error) {
	head, err := json.Marshal(struct {
		Name string `json:"name"`
		Type string `json:"type"`
	}{f.Name, f.Type})
	return append(append(head, '\n'), f.Data...), err
}

// sealedTo tells whether b is sealed to all of must, and to nobody but them and may.
func sealedTo(b seal.Box, must []seal.KeyID, may ...seal.KeyID) bool {
	have := b.Readers()
	for _, k := range must {
		if !slices.Contains(have, k) {
			return false
		}
	}
	return !slices.ContainsFunc(have, func(k seal.KeyID) bool { return !slices.Contains(must, k) && !slices.Contains(may, k) })
}

// readerKeys are the keys in force of readers, each once.
func readerKeys(readers []Reader) (ids []seal.KeyID, keys []seal.PublicKey) {
	for _, r := range readers {
		if !slices.Contains(ids, r.Key) {
			ids, keys = append(ids, r.Key), append(keys, r.Public)
		}
	}
	return ids, keys
}
