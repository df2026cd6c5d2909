// Package evtx reads the event logs of Windows (files ending in .evtx) on any system.
//
// A log is a file header of 4,096 bytes and chunks of 65,536, each readable by itself: records, the names and the
// templates that they refer to, checksums. A record is binary XML: a template with its values. [Reader] goes through a
// file or a stream, [Chunk] through one chunk; both deliver a [Record] with its number and the time it was written, and
// the event itself as text of XML ([Record.AppendXML]) or as a walk of its elements ([Record.Visit]).
//
// Logs are evidence and often damaged: copied from a running system, cut off, carved. What is whole is delivered, and
// each loss is reported once as a [Damage] that says where and what, after which reading goes on. A file made to harm
// costs a bounded time and memory for each record; see the limits below.
package evtx

// The limits that a record or a chunk is held to. No log that Windows wrote comes near them.
const (
	// MaxDepth is how deep elements, templates and nested XML may stand in each other.
	MaxDepth = 64
	// MaxSteps is how many elements, attributes and values one event may have.
	MaxSteps = 1 << 17
	// MaxText is how many bytes of values one event may have, each use of a value counted.
	MaxText = 4 << 20
)
