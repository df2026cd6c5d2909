package event

import (
	"fmt"
	"strings"
)

// Format is how a log is written, by the name that commands and settings use.
type Format string

// The formats, in the order in which they are tried.
const (
	EVTX        Format = "evtx"         // Windows event log files
	Winlogbeat  Format = "winlogbeat"   // Windows events as Winlogbeat and Elastic Agent write them
	NXLog       Format = "nxlog"        // Windows events as NXLog writes them: flat JSON
	EvtxDump    Format = "evtx_dump"    // Windows events as evtx_dump writes them: JSON with Event.System
	WindowsJSON Format = "windows-json" // Windows events as flat JSON with Channel and EventID
	Wevtutil    Format = "wevtutil"     // Windows events as XML, from wevtutil
	M365        Format = "m365"         // Microsoft 365 unified audit log
	Entra       Format = "entra"        // Entra sign-in and audit logs, Azure activity
	ZeekTSV     Format = "zeek-tsv"
	ZeekJSON    Format = "zeek-json"
	EVE         Format = "eve" // Suricata
	CloudTrail  Format = "cloudtrail"
	Auditd      Format = "auditd"
	CEF         Format = "cef"
	Syslog      Format = "syslog" // RFC 5424 and RFC 3164
	FirewallCSV Format = "firewall-csv"
	JSON        Format = "json" // any objects
	CSV         Format = "csv"  // any table with a header
)

// Formats are all formats that Open reads, in the order in which they are tried.
func Formats() []Format {
	var all []Format
	for i := range formats() {
		all = append(all, formats()[i].name)
	}
	return all
}

// ParseFormat reads the name of a format, in any case. The error lists the names there are.
func ParseFormat(s string) (Format, error) {
	f := Format(strings.ToLower(strings.TrimSpace(s)))
	if formatOf(f) == nil {
		var names []string
		for _, n := range Formats() {
			names = append(names, string(n))
		}
		return "", fmt.Errorf("no format %q; there are %s", s, strings.Join(names, ", "))
	}
	return f, nil
}
