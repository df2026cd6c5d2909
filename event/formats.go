package event

import "sync"

// This file is the one list of formats. A format is a line in it and a file of its own with what the line names:
//
//   - sniff looks at the head of a file and says how certain it is, 0 to 100, that the file is in this format. The
//     highest certainty reads the file; of equals the first in the list. By custom: 100 a magic number, 90 members or a
//     header that nothing else has, 60 the general shape, 10 the last resort.
//   - cutter finds the borders of records in the stream; lines and objects are there to be used.
//   - reader reads one record into an Event. Each goroutine has its own, so it may keep buffers that live until it is
//     called again. A format whose records cannot be read one by one (evtx) has decoder instead.
//   - mapping is the name of the file in mappings that knows the names of its fields.
//
// A format that is JSON is a line jsonFormat(mapping, kind): the kind says what it differs in, see jsonKind; cutting,
// walking and recognition are there. A format's list of fields' names is a file in mappings.

// format is how one format is recognised, cut and read.
type format struct {
	name    Format
	mapping string
	sniff   func(h *head) int
	cutter  func(h *head) cutter
	reader  func() reader
	decoder func() Decoder // instead of reader
	json    *jsonKind      // of a format of JSON
}

// reader reads one record of a chunk into e, which has been emptied and has Index, Raw and Mapping set, and Source set to
// nothing known. It adds fields (see Event.add), sets Source by knownSource, and when. Values may point into the record or
// into memory of the reader, until the next call. An error says in words what is wrong with the record; what stands in e
// is then ignored.
type reader interface {
	read(record []byte, c *Chunk, e *Event) error
}

// formats is the list, in the order in which formats are tried.
func formats() []format {
	list.Do(func() { list.all = listed() })
	return list.all
}

var list struct {
	sync.Once
	all []format
}

func listed() []format {
	return []format{
		evtxFormat(),
		windowsJSON(Winlogbeat, "winlogbeat", sureWinlogbeat),
		windowsJSON(NXLog, "windows", sureNXLog),
		windowsJSON(EvtxDump, "evtx_dump", sureEvtxDump),
		windowsJSON(WindowsJSON, "windows", sureWindowsJSON),
		wevtutil(),
		m365Format(),
		jsonFormat("entra", entra),
		zeekTSV(),
		zeekJSON(),
		jsonFormat("suricata", &eveKind),
		jsonFormat("cloudtrail", cloudTrail),
		auditdFormat(),
		cefFormat(),
		webLog(),
		w3cFormat(),
		syslogFormat(),
		firewallCSV(),
		jsonFormat("json", anyJSON),
		csvFormat(),
	}
}

// jsonFormat is a format of JSON objects, in lines, in lists or pretty-printed.
func jsonFormat(mapping string, k *jsonKind) format {
	f := format{
		name:    k.format,
		mapping: mapping,
		sniff:   func(h *head) int { return h.sure(k) },
		cutter:  cutJSON,
		reader:  func() reader { return newStrayReader(k, mapping) },
		json:    k,
	}
	if k == anyJSON {
		f.reader = func() reader { return newAnyReader() }
	}
	return f
}

func formatOf(name Format) *format {
	all := formats()
	for i := range all {
		if all[i].name == name {
			return &all[i]
		}
	}
	return nil
}
