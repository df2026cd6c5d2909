package event

import "strings"

// This file reads Zeek's logs written as JSON. Which log an event is of stands in it (_path, or @stream where the stream
// was taken from a message queue) or in the name of the file, dns.log. Some exporters write id_orig_h for id.orig_h; the
// mapping knows both.

// zeekKind is what Zeek's JSON differs in.
var zeekJSONKind = jsonKind{
	format: ZeekJSON,
	sure:   sureZeekJSON,
	watch:  []string{"_path", "@stream", "zeek.session_id", "event.dataset"},
	times:  []stamp{{"ts", readStamp}, {"_write_ts", readStamp}, {"@timestamp", readStamp}},
	source: func(r *jsonReader, _ *Event) *Source {
		for i := range 2 {
			if f := r.seen(i); f != nil && len(f.Value) > 0 && len(f.Value) <= 64 {
				return zeekSourceOf(f.Value)
			}
		}
		return zeekAny
	},
}

var zeekAny = zeekSource("")

// zeekPaths are the sources of the logs that Zeek writes by itself, so that no event needs new memory.
var zeekPaths = func() map[string]*Source {
	m := map[string]*Source{}
	for _, p := range strings.Fields(`capture_loss cluster conn dce_rpc dhcp dnp3 dns dpd files ftp http intel irc kerberos
		known_certs known_hosts known_services ldap ldap_search loaded_scripts modbus mysql notice notice_alarm ntlm ntp
		ocsp packet_filter pe postgresql quic radius rdp reporter rfb sip smb_cmd smb_files smb_mapping smtp snmp socks
		software ssh ssl stats syslog telemetry traceroute tunnel weird websocket x509`) {
		m[p] = zeekSource(p)
	}
	return m
}()

func zeekSourceOf(path []byte) *Source {
	if s, ok := zeekPaths[string(path)]; ok {
		return s
	}
	return zeekSource(string(path))
}

// sureZeekJSON looks for the path, or for the ends of a connection under Zeek's names with a time of Zeek.
func sureZeekJSON(e *Event) int {
	ends := e.has("id.orig_h", "id.resp_h") == 2 || e.has("id_orig_h", "id_resp_h") == 2
	switch {
	case e.has("_path", "ts") == 2, e.has("@stream", "ts") == 2:
		return 95
	case ends && e.has("ts", "uid") == 2:
		return 90
	case ends:
		return 85
	case e.has("ts", "uid") == 2, e.has("ts", "fuid") == 2:
		return 70
	}
	return 0
}

// zeekJSON is the format of Zeek's JSON.
func zeekJSON() format {
	f := jsonFormat("zeek", &zeekJSONKind)
	inner, sniff := f.reader, f.sniff
	f.sniff = func(h *head) int {
		sure := sniff(h)
		if sure == 0 && zeekFile(h.name) != zeekAny {
			// Logs without connections, x509 or pe, are known by the file's name and a time.
			sure = h.sure(&jsonKind{sure: func(e *Event) int { return 60 * e.has("ts") }})
		}
		return sure
	}
	f.cutter = func(h *head) cutter { return named{cutJSON(h), zeekFile(h.name)} }
	f.reader = func() reader { return zeekNamed{inner()} }
	return f
}

// zeekFile is the source that the name of a file tells: dns.log, dns.2024-02-01.log, host_dns.log.
func zeekFile(name string) *Source {
	stem, _, _ := strings.Cut(name, ".")
	for stem != "" {
		if s, ok := zeekPaths[stem]; ok {
			return s
		}
		_, after, ok := strings.Cut(stem, "_")
		if !ok {
			break
		}
		stem = after
	}
	return zeekAny
}

// named is a cutter whose chunks know the source that the file's name tells.
type named struct {
	cutter
	source *Source
}

func (n named) cut(data []byte, eof bool, c *Chunk) int {
	taken := n.cutter.cut(data, eof, c)
	c.context = n.source
	return taken
}

// zeekNamed gives events that do not say their log the one of the file's name.
type zeekNamed struct{ reader }

func (z zeekNamed) read(record []byte, c *Chunk, e *Event) error {
	err := z.reader.read(record, c, e)
	if s, ok := c.context.(*Source); ok && e.Source == zeekAny {
		e.Source = s
	}
	return err
}
