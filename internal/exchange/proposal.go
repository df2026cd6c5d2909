package exchange

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/stix"
)

// This file says, purely, what a proposal is: a change that somebody would like another's object to have. It travels as a
// note with a property extension, so that any STIX tool shows it, and changes nothing by itself: the custodian of the
// object accepts it, which makes a new version, or declines it with a reason. Either closes it with a note of its own.

// proposalExtension is the id of the property extension that makes a note a proposal, or the decision of one.
const proposalExtension = "extension-definition--0d9e6c3a-58b4-4f27-9a61-c47b2e8f5d13"

const proposalDefinition = `{"type":"extension-definition","spec_version":"2.1","id":"` + proposalExtension + `","created_by_ref":"identity--7f0a6d52-5d0b-4d3e-8a87-2f3c1b9e6d10","created":"2026-11-01T00:00:00.000Z","modified":"2026-11-01T00:00:00.000Z","name":"Proposal","description":"Makes a note a proposal to change another object, or the decision of such a proposal. Properties of a proposal: target (identifier, required), version (timestamp of the version that it is about, required), patch (JSON merge patch of the target, required), reason (string, required). Properties of a decision: proposal (identifier of the note, required), outcome (accepted or declined, required), reason (string).","schema":"https://github.com/polder-exchange/polder/blob/main/docs/extensions.md","version":"1.0.0","extension_types":["property-extension"]}`

// proposalReference is the external id under which proposals are found.
const proposalReference = "x-polder-proposal"

// proposalSource names the kind of that external id.
const proposalSource = "polder"

// Proposable are the properties that a proposal may change. Whose object it is, when it began, its marking and what it
// refers to are not among them.
var Proposable = []string{"name", "description", "labels", "confidence", "valid_until", "revoked", "indicator_types", "kill_chain_phases", "external_references", "pattern"}

// Bounds of a proposal.
const (
	maxProposalPatch  = 64 << 10
	maxProposalReason = 2000
)

// ProposalState is how a proposal stands.
type ProposalState string

const (
	ProposalOpen       ProposalState = "open"
	ProposalAccepted   ProposalState = "accepted"
	ProposalDeclined   ProposalState = "declined"
	ProposalSuperseded ProposalState = "superseded" // the object has another version by now
	ProposalEnded      ProposalState = "ended"      // the object is revoked or erased
)

// proposalWords is what the extension of a proposal, or of a decision, says.
type proposalWords struct {
	Type     string                     `json:"extension_type"`
	Target   string                     `json:"target,omitempty"`
	Version  string                     `json:"version,omitempty"`
	Patch    map[string]json.RawMessage `json:"patch,omitempty"`
	Proposal string                     `json:"proposal,omitempty"`
	Outcome  ProposalState              `json:"outcome,omitempty"`
	Reason   string                     `json:"reason,omitempty"`
}

// proposalOf reads the extension of a note; ok is false for a note that is neither proposal nor decision.
func proposalOf(o stix.Object) (w proposalWords, ok bool) {
	var all map[string]json.RawMessage
	if o.Type != "note" || o.Revoked || json.Unmarshal(o.Property("extensions"), &all) != nil || json.Unmarshal(all[proposalExtension], &w) != nil {
		return proposalWords{}, false
	}
	switch {
	case w.Proposal != "":
		return w, stix.ValidID(w.Proposal) && slices.Contains(o.ObjectRefs, w.Proposal) && (w.Outcome == ProposalAccepted || w.Outcome == ProposalDeclined)
	case w.Target != "":
		return w, stix.ValidID(w.Target) && slices.Contains(o.ObjectRefs, w.Target) && proposalCheck(w.Patch) == nil
	}
	return proposalWords{}, false
}

// proposalCheck says what is wrong with a patch by itself.
func proposalCheck(patch map[string]json.RawMessage) error {
	if len(patch) == 0 {
		return polder.Errorf(polder.Invalid, "patch: is empty; say which property to change, as name=…")
	}
	size := 0
	for _, name := range slices.Sorted(maps.Keys(patch)) {
		if !slices.Contains(Proposable, name) {
			return polder.Errorf(polder.Invalid, "patch: %q cannot be proposed; the properties are %s", clip(name, 60), strings.Join(Proposable, ", "))
		}
		size += len(name) + len(patch[name])
	}
	if size > maxProposalPatch {
		return polder.Errorf(polder.TooLarge, "patch: is longer than %d KiB", maxProposalPatch>>10)
	}
	return nil
}

// proposalApplied is the next version of an object with a patch (RFC 7396) applied: everything else stays, but the
// signature, which its custodian makes anew. at is the time of the new version; it is moved behind that of the last one.
func proposalApplied(o stix.Object, patch map[string]json.RawMessage, at time.Time) (stix.Object, error) {
	if err := proposalCheck(patch); err != nil {
		return stix.Object{}, err
	}
	if at = at.Truncate(time.Millisecond); !at.After(o.Modified.Time) {
		at = o.Modified.Time.Add(time.Millisecond).Truncate(time.Millisecond)
	}
	was := membersOf(o)
	changed := false
	for name, value := range patch {
		if isNull(value) {
			_, there := was[name]
			changed = changed || there
			continue
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, value); err != nil {
			return stix.Object{}, polder.Errorf(polder.Invalid, "patch: %s: %w", name, err)
		}
		changed = changed || !bytes.Equal(compact.Bytes(), was[name])
	}
	if !changed {
		return stix.Object{}, polder.Errorf(polder.Invalid, "patch: the object has these values already; say what to change")
	}
	out, err := stix.Make(o.Type, func(m *stix.Members) { proposalMembers(m, o, patch, at) })
	if err != nil {
		return stix.Object{}, polder.Errorf(polder.Invalid, "the object would not be sound: %w", err)
	}
	if _, err := checked(out.Raw()); err != nil {
		return stix.Object{}, polder.Errorf(polder.Invalid, "the object would not be sound: %w", err)
	}
	return out, nil
}

func proposalMembers(m *stix.Members, o stix.Object, patch map[string]json.RawMessage, at time.Time) {
	dec := json.NewDecoder(bytes.NewReader(o.Raw()))
	_, _ = dec.Token() // the object was parsed before: it is sound JSON
	for dec.More() {
		name, _ := dec.Token()
		var value json.RawMessage
		if dec.Decode(&value) != nil {
			return
		}
		key, _ := name.(string)
		if _, replaced := patch[key]; replaced {
			continue
		}
		switch key {
		case "type", "spec_version", "modified":
		case "extensions":
			m.Set(key, withoutSignature(value))
		default:
			m.Set(key, value)
		}
	}
	for _, name := range Proposable {
		if value, ok := patch[name]; ok && !isNull(value) {
			m.Set(name, value)
		}
	}
	m.Set("modified", stix.FormatTime(at))
}

// withoutSignature are an object's extensions without its signature; nil when nothing is left.
func withoutSignature(extensions json.RawMessage) json.RawMessage {
	var all map[string]json.RawMessage
	if json.Unmarshal(extensions, &all) != nil {
		return extensions
	}
	if _, signed := all[stix.SignatureExtension]; !signed {
		return extensions
	}
	delete(all, stix.SignatureExtension)
	if len(all) == 0 {
		return nil
	}
	out, err := json.Marshal(all)
	if err != nil {
		return extensions
	}
	return out
}

func isNull(v json.RawMessage) bool { return string(bytes.TrimSpace(v)) == "null" }

// LineChange is a line of a difference: taken out, put in, or as it was.
type LineChange struct {
	Sign string `json:"sign"` // "-", "+" or " "
	Text string `json:"text"`
}

// PropertyChange is what a proposal does to one property, line by line.
type PropertyChange struct {
	Property string       `json:"property"`
	Lines    []LineChange `json:"lines"`
}

// proposalDifference is what a new version changes, property by property.
func proposalDifference(was, is stix.Object) (out []PropertyChange) {
	a, b := membersOf(was), membersOf(is)
	for _, name := range Proposable {
		if bytes.Equal(a[name], b[name]) {
			continue
		}
		out = append(out, PropertyChange{name, lineDifference(proposalLines(name, a[name]), proposalLines(name, b[name]))})
	}
	return out
}

// proposalLines writes the value of a property in lines: texts as they are broken, lists an entry a line.
func proposalLines(name string, value json.RawMessage) []string {
	var s string
	var list []json.RawMessage
	switch {
	case value == nil:
		return nil
	case json.Unmarshal(value, &s) == nil:
		return strings.Split(s, "\n")
	case len(linesOf(name, value)) > 0:
		return linesOf(name, value)
	case json.Unmarshal(value, &list) == nil:
		lines := make([]string, len(list))
		for i, v := range list {
			if json.Unmarshal(v, &lines[i]) != nil {
				lines[i] = string(v)
			}
		}
		return lines
	}
	return []string{string(value)}
}

// maxDifference is how many lines are compared with each other; longer texts are shown whole, before and after.
const maxDifference = 400

// lineDifference is a shortest way from a to b in lines.
func lineDifference(a, b []string) (out []LineChange) {
	if len(a) > maxDifference || len(b) > maxDifference {
		for _, l := range a {
			out = append(out, LineChange{"-", l})
		}
		for _, l := range b {
			out = append(out, LineChange{"+", l})
		}
		return out
	}
	common := make([][]int, len(a)+1) // longest common lines of a[i:] and b[j:]
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			out = append(out, LineChange{" ", a[i]})
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			out = append(out, LineChange{"-", a[i]})
			i++
		default:
			out = append(out, LineChange{"+", b[j]})
			j++
		}
	}
	return out
}
