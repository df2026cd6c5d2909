package event

import "bytes"

// The unified audit log of Microsoft 365: the records themselves, records in the AuditData of an export, and records of
// the audit log query of Graph.

var m365 = &jsonKind{
	format: M365,
	sure: func(e *Event) int {
		switch {
		case e.has("Operation", "Workload") == 2 && e.has("RecordType", "CreationTime", "OrganizationId", "UserType") > 0,
			e.has("auditData.Operation", "auditData.Workload") == 2:
			return 95
		case e.has("AuditData") == 1 && e.has("Operations", "Operation", "RecordType", "UserIds", "UserId") > 0:
			return 95
		}
		return 0
	},
	watch:  []string{"Workload", "auditData.Workload", "AuditData"},
	times:  []stamp{{"CreationTime", readStamp}, {"auditData.CreationTime", readStamp}, {"CreationDate", readStamp}, {"createdDateTime", readStamp}},
	whole:  []string{"Parameters", "ExtendedProperties", "ModifiedProperties", "OperationProperties", "auditData.Parameters"},
	finish: openAuditData,
	source: m365Source,
	pairs: []nameValues{
		{"ExtendedProperties", "Name", []string{"Value"}},
		{"Parameters", "Name", []string{"Value"}},
		{"OperationProperties", "Name", []string{"Value"}},
		{"DeviceProperties", "Name", []string{"Value"}},
		{"ModifiedProperties", "Name", []string{"NewValue", "OldValue"}},
		{"auditData.ExtendedProperties", "Name", []string{"Value"}},
		{"auditData.Parameters", "Name", []string{"Value"}},
		{"auditData.OperationProperties", "Name", []string{"Value"}},
		{"auditData.DeviceProperties", "Name", []string{"Value"}},
		{"auditData.ModifiedProperties", "Name", []string{"NewValue", "OldValue"}},
	},
}

// openAuditData adds the fields of the record that an export holds as text in AuditData.
func openAuditData(r *jsonReader, e *Event) {
	f := r.seen(2)
	if f == nil || f.Kind != String {
		return
	}
	if f.Escaped {
		r.open(f.Text(r.keep(len(f.Value))))
	} else {
		r.open(f.Value)
	}
}

// open adds the fields of the object in text to the event; of a broken one none.
func (r *jsonReader) open(text []byte) {
	e := r.e
	before, at, times := len(e.Fields), r.at, r.times
	if !r.walk(bytes.TrimSpace(text)) {
		e.Fields, r.at, r.times = e.Fields[:before], at, times
	}
}

// m365Format is that of the unified audit log, as JSON and as the table that the portal exports, with the record as JSON
// in its column AuditData.
func m365Format() format {
	f := jsonFormat("m365", m365)
	sure := f.sniff
	isTable := func(h *head) bool {
		_, columns := tableHeader(h)
		return contains(columns, "AuditData")
	}
	f.sniff = func(h *head) int {
		if isTable(h) {
			return 95
		}
		return sure(h)
	}
	f.cutter = func(h *head) cutter {
		if isTable(h) {
			return &tableCutter{}
		}
		return cutJSON(h)
	}
	f.reader = func() reader {
		return &unifiedAuditReader{json: newJSONReader(m365), lines: newStrayReader(m365, "m365"), data: Intern("AuditData"), date: Intern("CreationDate")}
	}
	return f
}

// unifiedAuditReader reads the audit log in both forms.
type unifiedAuditReader struct {
	json  *jsonReader // of the record in a table
	lines reader      // of those that are JSON themselves
	table tableReader
	data  Name // of the column with the record
	date  Name // of the column with its time
}

func (r *unifiedAuditReader) read(record []byte, c *Chunk, e *Event) error {
	if _, ok := c.context.(*table); !ok {
		return r.lines.read(record, c, e)
	}
	if err := r.table.read(record, c, e); err != nil {
		return err
	}
	r.json.begin(e)
	if f := e.Get(r.data); f != nil {
		r.json.open(f.Value)
	}
	r.json.settle()
	if f := e.Get(r.date); f != nil && e.when.read == nil {
		e.at(f.Value, readStamp)
	}
	return nil
}

var (
	fromM365         = knownSource("m365", nil, []string{"audit"})
	fromM365Exchange = knownSource("m365", nil, []string{"audit", "exchange"})
	fromM365Threats  = knownSource("m365", nil, []string{"audit", "threat_management", "threat_detection"})
)

func m365Source(r *jsonReader, _ *Event) *Source {
	w := r.seen(0)
	if w == nil {
		w = r.seen(1)
	}
	if w == nil {
		return fromM365
	}
	switch string(w.Value) {
	case "Exchange":
		return fromM365Exchange
	case "SecurityComplianceCenter", "ThreatIntelligence", "MicrosoftDefenderForEndpoint", "MCAS", "CloudAppSecurity":
		return fromM365Threats
	}
	return fromM365
}
