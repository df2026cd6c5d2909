package event

import (
	"bytes"
	"strings"
)

// This file finds out who wrote a line of syslog, and so which kind of log it is. The message of a firewall is read by
// syslog_firewall.go.

// device adds the fields that stand in the message and sets the source.
func (r *syslogReader) device(e *Event) {
	m := &r.line
	msg := m.message
	switch {
	case len(msg) > 2 && msg[0] == '%' && msg[1] == '%':
		e.Source = huaweiSource(msg)
	case len(msg) > 1 && msg[0] == '%' && r.cisco(msg, e):
	case string(m.app) == "CEF" && len(msg) > 1 && isDigit(msg[0]):
		r.cef(msg, e)
	case isFortiLine(msg):
		r.forti(msg, e)
	case string(m.app) == "filterlog":
		r.filterlog(msg, e)
	case bytes.HasPrefix(msg, []byte("type=")) && bytes.Contains(msg[:min(len(msg), 80)], []byte("msg=audit(")):
		e.Source = auditdSource
		e.at(auditNumber(msg), readAuditStamp)
		auditPairs(msg, &r.words, &r.pairs, e)
	case isPacketLine(msg):
		r.packet(msg, e)
	case isPaloAlto(msg):
		r.paloAlto(msg, e)
	case isJuniper(m):
		e.Source = juniperSource(m)
	default:
		e.Source = r.linux()
		if app := string(m.app); app == "sshd" || app == "sshd-session" {
			sshLogin(msg, e)
		}
		if isPairs(msg) && r.allPairs(msg, e) {
			e.Source = anyFirewall
		}
	}
}

var nameVisitor = Intern("user")

// sshLogin adds who logged in, or tried to, and from where: of "Failed password for invalid user anna from 192.0.2.7
// port 4711 ssh2" the user anna, the address and the port. The name is the visitor's own choice and may itself read "x
// from 192.0.2.8 port 1": the address is the last one.
func sshLogin(msg []byte, e *Event) {
	if !bytes.HasPrefix(msg, []byte("Failed ")) && !bytes.HasPrefix(msg, []byte("Accepted ")) {
		return
	}
	_, rest, ok := bytes.Cut(msg, []byte(" for "))
	at := bytes.LastIndex(rest, []byte(" from "))
	if !ok || at < 0 {
		return
	}
	address, behind, ok := bytes.Cut(rest[at+len(" from "):], []byte(" port "))
	if !ok {
		return
	}
	port, _, _ := bytes.Cut(behind, []byte{' '})
	e.add(nameVisitor, String, bytes.TrimPrefix(rest[:at], []byte("invalid user ")))
	e.add(nameSrcIP, String, address)
	e.add(nameSrcPort, String, port)
}

// isPairs says whether a message is a list of key=value and nothing else in front.
func isPairs(msg []byte) bool {
	n := 0
	for n < len(msg) && n < 64 && isKeyByte(msg[n]) {
		n++
	}
	return n > 0 && n < len(msg) && msg[n] == '=' && bytes.Count(msg, []byte{'='}) >= 3
}

var anyFirewall = knownSource("", firewallCategory, nil)

// allPairs adds each pair of the message and says whether both ends of a connection are among them.
func (r *syslogReader) allPairs(msg []byte, e *Event) (ends bool) {
	r.pairs.rest = msg
	from, to := false, false
	for {
		key, value, ok := r.pairs.next()
		if !ok || e.full() {
			return from && to
		}
		switch string(key) {
		case "src", "srcip", "src_ip", "src_addr", "source_ip":
			from = true
		case "dst", "dstip", "dst_ip", "dst_addr", "destination_ip":
			to = true
		}
		e.add(r.words.name(key), String, value)
	}
}

// linuxServices are Sigma's services of Linux that programs of other names write to.
var linuxServices = map[string][]string{
	"sshd":           {"auth"},
	"sshd-session":   {"sshd", "auth"},
	"sudo":           {"auth"},
	"su":             {"auth"},
	"login":          {"auth"},
	"passwd":         {"auth"},
	"pkexec":         {"auth"},
	"polkitd":        {"auth"},
	"systemd-logind": {"auth"},
	"crond":          {"cron"},
	"crontab":        {"cron"},
	"anacron":        {"cron"},
	"clamd":          {"clamav"},
	"clamscan":       {"clamav"},
	"freshclam":      {"clamav"},
	"guacd":          {"guacamole"},
	"httpd":          {"apache"},
	"apache2":        {"apache"},
}

// maxApps bounds the programs whose source a reader remembers.
const maxApps = 1 << 12

// linux is the source of a line by its program and facility.
func (r *syslogReader) linux() *Source {
	m := &r.line
	facility := -1
	if m.priority >= 0 {
		facility = m.priority >> 3
	}
	set := 0
	switch facility {
	case 4, 10:
		set = 1
	case 9, 15:
		set = 2
	}
	if s, ok := r.apps[set][string(m.app)]; ok {
		return s
	}
	app := strings.ToLower(string(m.app))
	app = app[strings.LastIndexByte(app, '/')+1:]
	app, _, _ = strings.Cut(app, "(")
	services := []string{"syslog"}
	add := func(s string) {
		for _, have := range services {
			if have == s {
				return
			}
		}
		services = append(services, s)
	}
	for _, s := range linuxServices[app] {
		add(s)
	}
	switch set {
	case 1:
		add("auth")
	case 2:
		add("cron")
	}
	if app == "sslvpnd" {
		return knownSource("fortios", nil, []string{"sslvpnd"})
	}
	if app != "" && len(app) <= 48 {
		add(app)
	}
	s := knownSource("linux", nil, services)
	if len(r.apps[set]) < maxApps {
		if r.apps[set] == nil {
			r.apps[set] = map[string]*Source{}
		}
		r.apps[set][string(m.app)] = s
	}
	return s
}

// huaweiSource reads %%01BGP/3/BGP_AUTH_FAILED.
func huaweiSource(msg []byte) *Source {
	word := msg[2:]
	for len(word) > 0 && isDigit(word[0]) {
		word = word[1:]
	}
	module, _, ok := bytes.Cut(word, []byte{'/'})
	if !ok || len(module) == 0 || len(module) > 32 {
		return knownSource("huawei", nil, nil)
	}
	return knownSource("huawei", nil, []string{strings.ToLower(string(module))})
}

// isJuniper says whether a device of Juniper wrote the line.
func isJuniper(m *syslogLine) bool {
	return bytes.Contains(m.data, []byte("@2636.")) || bytes.HasPrefix(m.app, []byte("RT_")) ||
		string(m.app) == "rpd" || string(m.app) == "/kernel" || string(m.app) == "mgd"
}

func juniperSource(m *syslogLine) *Source {
	switch {
	case bytes.HasPrefix(m.app, []byte("RT_")):
		return knownSource("juniper", firewallCategory, []string{strings.ToLower(string(m.app[:min(len(m.app), 48)]))})
	case string(m.app) == "rpd", bytes.Contains(m.message, []byte("tcp_auth_ok")):
		return knownSource("juniper", nil, []string{"bgp"})
	}
	return knownSource("juniper", nil, nil)
}

var firewallCategory = []string{"firewall"}
