package event

import (
	"bytes"
	"strings"
	"time"
)

// This file reads what firewalls put into the message of syslog, under the names of Sigma's category firewall: src_ip,
// src_port, dst_ip, dst_port, action, and blocked, which says true or false where the action has words of its own.

var (
	nameSrcIP    = Intern("src_ip")
	nameSrcPort  = Intern("src_port")
	nameDstIP    = Intern("dst_ip")
	nameDstPort  = Intern("dst_port")
	nameAction   = Intern("action")
	nameBlocked  = Intern("blocked")
	nameProtocol = Intern("protocol")
	nameIface    = Intern("interface")
	nameRule     = Intern("rule")
	nameFacMod   = Intern("cisco.facility")
	nameSevMod   = Intern("cisco.severity")
	nameMnemonic = Intern("cisco.mnemonic")
	nameMisc     = Intern("misc")
	nameThreat   = Intern("threatid")
)

// What is done with a connection, for devices that say it in words of their own.
var textAccept, textDeny, textTeardown = []byte("accept"), []byte("deny"), []byte("teardown")

// block adds the field blocked.
func block(e *Event, blocked bool) {
	if blocked {
		e.add(nameBlocked, Bool, textTrue)
	} else {
		e.add(nameBlocked, Bool, textFalse)
	}
}

// ciscoServices are Sigma's services of Cisco by the facility of a message.
var ciscoServices = map[string]*Source{
	"AAA":       knownSource("cisco", nil, []string{"aaa"}),
	"PARSER":    knownSource("cisco", nil, []string{"aaa"}),
	"SYS":       knownSource("cisco", nil, []string{"aaa", "sys"}),
	"SEC_LOGIN": knownSource("cisco", nil, []string{"aaa", "sec_login"}),
	"BGP":       knownSource("cisco", nil, []string{"bgp"}),
	"LDP":       knownSource("cisco", nil, []string{"ldp"}),
	"TDP":       knownSource("cisco", nil, []string{"ldp"}),
	"TCP":       knownSource("cisco", nil, []string{"bgp", "ldp"}),
	"IP-TCP":    knownSource("cisco", nil, []string{"bgp", "ldp"}),
	"ASA":       knownSource("cisco", firewallCategory, []string{"asa"}),
	"FTD":       knownSource("cisco", firewallCategory, []string{"ftd"}),
	"PIX":       knownSource("cisco", firewallCategory, []string{"pix"}),
	"FWSM":      knownSource("cisco", firewallCategory, []string{"fwsm"}),
}

var ciscoSource = knownSource("cisco", nil, nil)

// cisco reads %FACILITY-5-MNEMONIC: text; false when the message is not of that form.
func (r *syslogReader) cisco(msg []byte, e *Event) bool {
	colon := bytes.IndexByte(msg[:min(len(msg), 96)], ':')
	if colon < 0 {
		return false
	}
	tag := msg[1:colon]
	last := bytes.LastIndexByte(tag, '-')
	if last < 3 || tag[last-2] != '-' || !isDigit(tag[last-1]) {
		return false
	}
	facility := tag[:last-2]
	e.add(nameFacMod, String, facility)
	e.add(nameSevMod, Number, tag[last-1:last])
	e.add(nameMnemonic, String, tag[last+1:])
	e.Source = ciscoSource
	s, ok := ciscoServices[string(facility)]
	if !ok {
		return true
	}
	e.Source = s
	if s.Categories != nil {
		asa(bytes.TrimLeft(msg[colon+1:], " "), e)
	}
	return true
}

// asa reads the sentence of a firewall of Cisco: what was done, and the two ends as interface:address/port.
func asa(text []byte, e *Event) {
	word, rest, _ := bytes.Cut(text, []byte{' '})
	switch string(word) {
	case "Built":
		e.add(nameAction, String, textAccept)
		block(e, false)
	case "Deny", "Dropped", "Drop", "Discard":
		e.add(nameAction, String, textDeny)
		block(e, true)
	case "Teardown":
		e.add(nameAction, String, textTeardown)
	case "access-list":
		if bytes.Contains(rest, []byte(" permitted ")) {
			e.add(nameAction, String, textAccept)
			block(e, false)
		} else if bytes.Contains(rest, []byte(" denied ")) {
			e.add(nameAction, String, textDeny)
			block(e, true)
		}
	}
	asaEnds(rest, e)
}

// asaEnds adds the protocol and the two ends that a sentence names. Of a connection from inside, the second end is the
// one that began it; addresses in parentheses are those after translation.
func asaEnds(rest []byte, e *Event) {
	from := [2]Name{nameSrcIP, nameDstIP}
	ports := [2]Name{nameSrcPort, nameDstPort}
	if bytes.HasPrefix(rest, []byte("outbound ")) {
		from[0], from[1] = from[1], from[0]
		ports[0], ports[1] = ports[1], ports[0]
	}
	found := 0
	for len(rest) > 0 && found < 2 {
		var word []byte
		word, rest, _ = bytes.Cut(rest, []byte{' '})
		switch string(word) {
		case "tcp", "TCP", "udp", "UDP", "icmp", "ICMP":
			if found == 0 {
				e.add(nameProtocol, String, word)
			}
			continue
		}
		if ip, port, ok := asaEnd(word); ok {
			e.add(from[found], String, ip)
			e.addPort(ports[found], port)
			found++
		}
	}
}

func (e *Event) addPort(n Name, port []byte) {
	if len(port) > 0 {
		e.add(n, Number, port)
	}
}

// asaEnd reads outside:192.0.2.7/443, 192.0.2.7/443 and outside/192.0.2.7(443).
func asaEnd(word []byte) (ip, port []byte, ok bool) {
	word = bytes.TrimRight(word, ",;)")
	slash := bytes.LastIndexByte(word, '/')
	if slash < 1 || word[0] == '(' {
		return nil, nil, false
	}
	if paren := bytes.IndexByte(word, '('); paren > slash {
		ip, port = word[slash+1:paren], word[paren+1:]
	} else {
		ip, port = word[:slash], word[slash+1:]
		if colon := bytes.IndexByte(ip, ':'); colon >= 0 && !isHexGroup(ip[:colon]) {
			ip = ip[colon+1:]
		}
	}
	return ip, port, allDigits(port) && len(ip) > 2 && (bytes.IndexByte(ip, '.') > 0 || bytes.IndexByte(ip, ':') >= 0)
}

func isHexGroup(b []byte) bool {
	for _, c := range b {
		if unhex(c) > 15 {
			return false
		}
	}
	return len(b) <= 4
}

// isFortiLine says whether a message is that of a FortiGate.
func isFortiLine(msg []byte) bool {
	head := msg[:min(len(msg), 400)]
	return bytes.Contains(head, []byte("logid=")) && (bytes.Contains(head, []byte("devname=")) || bytes.Contains(head, []byte("devid=")) || bytes.Contains(head, []byte("vd=")))
}

// forti reads the pairs of a FortiGate. Its types are Sigma's services; traffic is of the category firewall.
func (r *syslogReader) forti(msg []byte, e *Event) {
	r.pairs.rest = msg
	var typ, sub, date, clock []byte
	dated := false
	for {
		key, value, ok := r.pairs.next()
		if !ok || e.full() {
			break
		}
		switch string(key) {
		case "type":
			typ = value
		case "subtype":
			sub = value
		case "date":
			date = value
		case "time":
			clock = value
		case "eventtime":
			e.at(value, readEpoch)
			dated = true
		}
		e.add(r.words.name(key), String, value)
	}
	if from := bytes.Index(msg, []byte("date=")); !dated && from >= 0 && len(date) > 0 && len(clock) > 0 {
		if to := bytes.Index(msg[from:], []byte("time=")); to >= 0 {
			e.at(msg[from:min(len(msg), from+to+5+10)], readFortiStamp)
		}
	}
	e.Source = r.fortiSource(msg, typ, sub)
}

// fortiKinds are the sources of a FortiGate by type and subtype.
var fortiKinds = map[string]*Source{
	"traffic": knownSource("fortigate", firewallCategory, []string{"traffic"}),
	"event":   knownSource("fortigate", nil, []string{"event"}),
	"utm":     knownSource("fortigate", nil, []string{"utm"}),
	"vpn":     knownSource("fortigate", nil, []string{"event", "vpn"}),
}

var (
	fortiSource = knownSource("fortigate", nil, nil)
	sslvpnd     = knownSource("fortios", nil, []string{"sslvpnd"})
)

func (r *syslogReader) fortiSource(msg, typ, sub []byte) *Source {
	if bytes.Contains(msg, []byte("sslvpnd")) {
		return sslvpnd
	}
	if string(typ) == "event" && string(sub) == "vpn" {
		return fortiKinds["vpn"]
	}
	if s, ok := fortiKinds[string(typ)]; ok {
		return s
	}
	return fortiSource
}

// readFortiStamp reads date=2024-02-01 time=08:15:30, quotes or not, as UTC.
func readFortiStamp(text []byte) time.Time {
	s := strings.NewReplacer("date=", "", "time=", "", `"`, "").Replace(string(text))
	s = strings.Join(strings.Fields(s), " ")
	t, err := time.Parse(time.DateTime, s[:min(len(s), len(time.DateTime))])
	if err != nil {
		return time.Time{}
	}
	return t
}

var pfSource = knownSource("pfsense", firewallCategory, []string{"filterlog"})

// filterlog reads the packet filter's list of values, whose places depend on the version of IP.
func (r *syslogReader) filterlog(msg []byte, e *Event) {
	e.Source = pfSource
	var v [24][]byte
	n := splitComma(msg, v[:])
	if n < 9 {
		return
	}
	e.add(nameIface, String, v[4])
	e.add(nameAction, String, v[6])
	block(e, string(v[6]) != "pass")
	src, proto := 18, 16
	if string(v[8]) == "6" {
		src, proto = 15, 12
	}
	if n > src+1 {
		e.add(nameProtocol, String, v[proto])
		e.add(nameSrcIP, String, v[src])
		e.add(nameDstIP, String, v[src+1])
	}
	if n > src+3 && allDigits(v[src+2]) && allDigits(v[src+3]) {
		e.add(nameSrcPort, Number, v[src+2])
		e.add(nameDstPort, Number, v[src+3])
	}
}

// splitComma fills into with the parts of text between commas and returns how many there are at most len(into).
func splitComma(text []byte, into [][]byte) int {
	n := 0
	for ; n < len(into); n++ {
		part, rest, more := bytes.Cut(text, []byte{','})
		if len(part) > 1 && part[0] == '"' {
			part, rest, _ = cutQuoted(text)
			more = len(rest) > 0
			rest = bytes.TrimPrefix(rest, []byte{','})
		}
		into[n] = part
		if !more {
			return n + 1
		}
		text = rest
	}
	return n
}

// isPacketLine says whether a message is one of iptables or nftables.
func isPacketLine(msg []byte) bool {
	return bytes.Contains(msg, []byte("IN=")) && bytes.Contains(msg, []byte(" OUT=")) && bytes.Contains(msg, []byte(" SRC="))
}

var packetSource = knownSource("linux", firewallCategory, []string{"syslog", "iptables"})

// packet reads a logged packet of Linux: pairs, and in front the prefix of the rule, which usually says what was done.
func (r *syslogReader) packet(msg []byte, e *Event) {
	e.Source = packetSource
	at := bytes.Index(msg, []byte("IN="))
	var buf [64]byte
	prefix := lower(buf[:0], msg[:at])
	for _, a := range packetActions {
		if bytes.Contains(prefix, a.word) {
			e.add(nameAction, String, a.action)
			block(e, a.blocked)
			break
		}
	}
	r.allPairs(msg[at:], e)
}

var packetActions = []struct {
	word, action []byte
	blocked      bool
}{
	{[]byte("block"), []byte("block"), true},
	{[]byte("drop"), []byte("drop"), true},
	{[]byte("reject"), []byte("reject"), true},
	{[]byte("deny"), []byte("deny"), true},
	{[]byte("denied"), []byte("deny"), true},
	{[]byte("allow"), []byte("accept"), false},
	{[]byte("accept"), []byte("accept"), false},
}

// isPaloAlto says whether a message is a traffic or threat log of PAN-OS.
func isPaloAlto(msg []byte) bool {
	head := msg[:min(len(msg), 120)]
	return bytes.Contains(head, []byte(",TRAFFIC,")) || bytes.Contains(head, []byte(",THREAT,"))
}

// paloPlaces are where the values of PAN-OS stand that have names of Sigma or are asked for often.
var paloPlaces = []struct {
	at   int
	name Name
	kind Kind
}{
	{3, Intern("type"), String}, {4, Intern("subtype"), String}, {7, nameSrcIP, String}, {8, nameDstIP, String},
	{11, nameRule, String}, {12, Intern("srcuser"), String}, {13, Intern("dstuser"), String}, {14, Intern("app"), String},
	{16, Intern("from"), String}, {17, Intern("to"), String}, {24, nameSrcPort, Number}, {25, nameDstPort, Number},
	{29, nameProtocol, String}, {30, nameAction, String},
}

var (
	paloTraffic = knownSource("paloalto", firewallCategory, []string{"traffic"})
	paloThreat  = knownSource("paloalto", firewallCategory, []string{"threat"})
)

func (r *syslogReader) paloAlto(msg []byte, e *Event) {
	var v [34][]byte
	n := splitComma(msg, v[:])
	e.Source = paloTraffic
	if n > 3 && string(v[3]) == "THREAT" {
		e.Source = paloThreat
		if n > 32 {
			e.add(nameMisc, String, v[31])
			e.add(nameThreat, String, v[32])
		}
	}
	for _, p := range paloPlaces {
		if p.at < n && len(v[p.at]) > 0 {
			e.add(p.name, p.kind, v[p.at])
		}
	}
	if n > 30 {
		block(e, string(v[30]) != "allow" && string(v[30]) != "alert")
	}
	if n > 6 {
		e.at(v[6], readStamp)
	}
}
