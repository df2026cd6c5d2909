package event

// Windows events as JSON, in the shapes of four families of writers. They differ in where Channel and EventID stand and
// in what lies around the fields of the event itself; the mapping takes that away.

// Where the channel and the id of a Windows event stand, as pairs: the kinds of Windows JSON watch these.
var windowsPaths = map[Format][]string{
	NXLog:       {"Channel", "EventID", "SourceName"},
	WindowsJSON: {"Channel", "EventID", "Provider_Name", "LogName", "Id", "ProviderName"},
	Winlogbeat: {
		"winlog.channel", "winlog.event_id", "winlog.provider_name",
		"log_name", "event_id", "source_name",
		"_source.winlog.channel", "_source.winlog.event_id", "_source.winlog.provider_name",
	},
	EvtxDump: {
		"Event.System.Channel", "Event.System.EventID", "Event.System.Provider.#attributes.Name",
		"Event.System.Channel.#text", "Event.System.EventID.#text", "Event.System.Provider_attributes.Name",
	},
}

// windowsTimes are the places of the time, the best first: when it was written down, in UTC, before when it was collected.
var windowsTimes = map[Format][]stamp{
	NXLog:       {{"UtcTime", readStamp}, {"@timestamp", readStamp}, {"EventTime", readStamp}, {"TimeCreated", readStamp}, {"EventReceivedTime", readStamp}},
	WindowsJSON: {{"UtcTime", readStamp}, {"SystemTime", readStamp}, {"TimeCreated", readStamp}, {"TimeGenerated", readStamp}, {"@timestamp", readStamp}, {"EventTime", readStamp}, {"timestamp", readStamp}},
	Winlogbeat:  {{"@timestamp", readStamp}, {"_source.@timestamp", readStamp}, {"winlog.event_data.UtcTime", readStamp}, {"event_data.UtcTime", readStamp}, {"event.created", readStamp}},
	EvtxDump: {
		{"Event.System.TimeCreated.#attributes.SystemTime", readStamp}, {"Event.System.TimeCreated_attributes.SystemTime", readStamp},
		{"Event.System.TimeCreated.SystemTime", readStamp}, {"Event.EventData.UtcTime", readStamp},
	},
}

// windowsJSON is the format of Windows events at these paths.
func windowsJSON(f Format, mapping string, sure func(e *Event) int) format {
	return jsonFormat(mapping, &jsonKind{
		format: f,
		sure:   sure,
		watch:  windowsPaths[f],
		times:  windowsTimes[f],
		source: func(r *jsonReader, _ *Event) *Source {
			if s := r.windows(0, len(r.kind.watch)); s != nil {
				return s
			}
			return anyWindows
		},
	})
}

// windows is the source by the paths watched from a to b, in triples: channel, id, provider; the first of each that is
// there counts. An event without a channel is of Sysmon when its provider says so. It is nil when there is neither.
func (r *jsonReader) windows(a, b int) *Source {
	var channel, id, provider *Field
	for i := a; i+2 < b; i += 3 {
		channel, id, provider = either(channel, r.seen(i)), either(id, r.seen(i+1)), either(provider, r.seen(i+2))
	}
	number := -1
	if id != nil {
		number = small(id.Value)
	}
	var buf [128]byte
	switch {
	case channel != nil:
		return WindowsSource(channel.Text(buf[:0]), number)
	case provider != nil && string(provider.Value) == "Microsoft-Windows-Sysmon":
		return WindowsSource([]byte("Microsoft-Windows-Sysmon/Operational"), number)
	}
	return nil
}

// either is the first of two fields that is there and says something.
func either(a, b *Field) *Field {
	if a == nil && b != nil && len(b.Value) > 0 {
		return b
	}
	return a
}

// small reads a number of at most six digits; -1 of anything else.
func small(text []byte) int {
	if len(text) == 0 || len(text) > 6 {
		return -1
	}
	n := 0
	for _, c := range text {
		if c < '0' || c > '9' {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	return n
}

// has says how many of these paths the event has a field at.
func (e *Event) has(names ...string) (n int) {
	for _, name := range names {
		if e.Get(Intern(name)) != nil {
			n++
		}
	}
	return n
}

func sureWinlogbeat(e *Event) int {
	switch {
	case e.has("winlog.channel", "winlog.event_id") == 2, e.has("_source.winlog.channel", "_source.winlog.event_id") == 2:
		return 95
	case e.has("log_name", "event_id") == 2 && e.has("source_name", "computer_name", "record_number") > 0:
		return 90
	}
	return 0
}

func sureNXLog(e *Event) int {
	if e.has("Channel", "EventID") == 2 && e.has("SourceModuleType", "SourceModuleName", "EventReceivedTime") > 0 {
		return 95
	}
	return 0
}

func sureEvtxDump(e *Event) int {
	if e.has("Event.System.EventID", "Event.System.EventID.#text") > 0 && e.has("Event.System.Channel", "Event.System.Computer") > 0 {
		return 95
	}
	return 0
}

func sureWindowsJSON(e *Event) int {
	switch {
	case e.has("LogName", "Id", "ProviderName") == 3: // Get-WinEvent | ConvertTo-Json
		return 85
	case e.has("EventID") == 0:
		return 0
	case e.has("Channel") == 1:
		return 85
	case e.has("Provider_Name", "ProviderGuid", "ProviderName") > 0:
		return 70
	}
	return 0
}
