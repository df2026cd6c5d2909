package event

import "bytes"

// This file reads EVE, the JSON of Suricata. Sigma has the product suricata with the kind of event as its service; DNS,
// HTTP and flows are of the categories dns, proxy, webserver and firewall too.

// eveCategories are Sigma's categories of the kinds of events.
var eveCategories = map[string][]string{
	"dns":     {"dns"},
	"http":    {"proxy", "webserver"},
	"flow":    {"firewall"},
	"netflow": {"firewall"},
	"drop":    {"firewall"},
}

// eveSources are the sources of the kinds of events that Suricata writes, so that no event needs new memory.
var eveSources = func() map[string]*Source {
	m := map[string]*Source{}
	for _, k := range []string{"alert", "anomaly", "arp", "bittorrent_dht", "dcerpc", "dhcp", "dnp3", "dns", "drop", "enip", "fileinfo", "flow", "frame",
		"ftp", "ftp_data", "http", "http2", "ike", "krb5", "ldap", "mdns", "metadata", "modbus", "mqtt", "netflow", "nfs", "packetinfo", "pgsql",
		"pop3", "quic", "rdp", "rfb", "sip", "smb", "smtp", "snmp", "ssh", "stats", "telnet", "tftp", "tls", "websocket"} {
		m[k] = knownSource("suricata", eveCategories[k], []string{k})
	}
	return m
}()

var eveAny = knownSource("suricata", nil, nil)

// eveKind is what EVE differs in.
var eveKind = jsonKind{
	format: EVE,
	sure: func(e *Event) int {
		switch {
		case e.has("event_type", "timestamp", "flow_id") == 3:
			return 95
		case e.has("event_type", "timestamp") == 2 && e.has("src_ip", "stats.uptime", "in_iface", "dest_ip") > 0:
			return 92
		}
		return 0
	},
	watch: []string{"event_type"},
	times: []stamp{{"timestamp", readStamp}},
	source: func(r *jsonReader, _ *Event) *Source {
		f := r.seen(0)
		if f == nil {
			return eveAny
		}
		if s, ok := eveSources[string(f.Value)]; ok {
			return s
		}
		if len(f.Value) == 0 || len(f.Value) > 48 {
			return eveAny
		}
		return knownSource("suricata", nil, []string{string(bytes.ToLower(f.Value))})
	},
}
