package detect

import (
	"github.com/polder-exchange/polder/event"
	"github.com/polder-exchange/polder/stix/pattern"
)

// role is what a field of an event tells of the objects in it.
type role uint8

const (
	noRole role = iota
	roleImage
	roleCommand
	rolePID
	roleDirectory
	roleParentImage
	roleParentCommand
	roleParentPID
	roleUser
	roleFile
	roleFileName
	roleModule
	roleHashes
	roleMD5
	roleSHA1
	roleSHA256
	roleRegistry
	roleRegistryData
	roleSourceIP
	roleTargetIP
	roleSourcePort
	roleTargetPort
	roleProtocol
	roleSourceName
	roleTargetName
	roleQuery
	roleAnswer
	roleURL
	roleHost
	roleMethod
	roleAgent
	roleMailFrom
	roleMailTo
	roleSubject
	roleMAC
	roleSerial
	roleIssuer
	roleCertSubject
	roleFingerprint
	roles // how many there are
)

// roleNames are the names of Sigma's taxonomy, and of ECS where Sigma has none, that tell a role. A mapping gives a
// field of any format such names.
var roleNames = map[string]role{
	"Image": roleImage, "SourceImage": roleImage, "exe": roleImage, "NewProcessName": roleImage, "process.executable": roleImage,
	"CommandLine": roleCommand, "proctitle": roleCommand, "process.command_line": roleCommand,
	"ProcessId": rolePID, "pid": rolePID, "process.pid": rolePID,
	"CurrentDirectory": roleDirectory, "cwd": roleDirectory, "process.working_directory": roleDirectory,
	"ParentImage": roleParentImage, "process.parent.executable": roleParentImage,
	"ParentCommandLine": roleParentCommand, "process.parent.command_line": roleParentCommand,
	"ParentProcessId": roleParentPID, "ppid": roleParentPID, "process.parent.pid": roleParentPID,
	"User": roleUser, "SubjectUserName": roleUser, "TargetUserName": roleUser, "acct": roleUser, "cs-username": roleUser, "user.name": roleUser,
	"TargetFilename": roleFile, "SourceFilename": roleFile, "file.path": roleFile,
	"filename": roleFileName, "fileinfo.filename": roleFileName, "file.name": roleFileName,
	"ImageLoaded": roleModule, "dll.path": roleModule,
	"Hashes": roleHashes, "Hash": roleHashes, "md5": roleMD5, "sha1": roleSHA1, "sha256": roleSHA256,
	"file.hash.md5": roleMD5, "file.hash.sha1": roleSHA1, "file.hash.sha256": roleSHA256,
	"TargetObject": roleRegistry, "registry.path": roleRegistry, "Details": roleRegistryData, "registry.data.strings": roleRegistryData,
	"src_ip": roleSourceIP, "SourceIp": roleSourceIP, "c-ip": roleSourceIP, "IpAddress": roleSourceIP, "source.ip": roleSourceIP, "client.ip": roleSourceIP,
	"sourceIPAddress": roleSourceIP, "ClientIP": roleSourceIP, "ipAddress": roleSourceIP,
	"dst_ip": roleTargetIP, "DestinationIp": roleTargetIP, "s-ip": roleTargetIP, "destination.ip": roleTargetIP, "server.ip": roleTargetIP,
	"src_port": roleSourcePort, "SourcePort": roleSourcePort, "source.port": roleSourcePort,
	"dst_port": roleTargetPort, "DestinationPort": roleTargetPort, "destination.port": roleTargetPort,
	"Protocol": roleProtocol, "network.transport": roleProtocol,
	"SourceHostname": roleSourceName, "source.domain": roleSourceName,
	"DestinationHostname": roleTargetName, "destination.domain": roleTargetName, "server_name": roleTargetName, "tls.sni": roleTargetName,
	"tls.client.server_name": roleTargetName, "QueryName": roleQuery, "query": roleQuery, "dns.question.name": roleQuery,
	"QueryResults": roleAnswer, "answer": roleAnswer, "dns.answers.data": roleAnswer, "dns.resolved_ip": roleAnswer,
	"c-uri": roleURL, "cs-uri": roleURL, "url.full": roleURL, "url.original": roleURL, "cs-host": roleHost, "url.domain": roleHost,
	"cs-method": roleMethod, "http.request.method": roleMethod, "c-useragent": roleAgent, "cs-user-agent": roleAgent, "user_agent.original": roleAgent,
	"email.from.address": roleMailFrom, "email.sender.address": roleMailFrom, "mailfrom": roleMailFrom, "SenderAddress": roleMailFrom, "P2Sender": roleMailFrom,
	"email.to.address": roleMailTo, "rcptto": roleMailTo, "RecipientAddress": roleMailTo, "Recipients": roleMailTo,
	"email.subject": roleSubject, "Subject": roleSubject, "subject": roleSubject, "src_mac": roleMAC, "dst_mac": roleMAC, "source.mac": roleMAC, "destination.mac": roleMAC,
	"certificate.serial": roleSerial, "tls.serial": roleSerial, "certificate.issuer": roleIssuer, "tls.issuerdn": roleIssuer,
	"certificate.subject": roleCertSubject, "tls.subject": roleCertSubject, "tls.fingerprint": roleFingerprint, "tls.server.hash.sha1": roleFingerprint,
}

// fact is what a field says.
type fact struct {
	role  role
	field event.Name
	text  string
}

// Bounds of what is taken from one event.
const (
	maxFacts    = 256
	maxFactText = 64 << 10
)

// factReader takes the facts out of events. It is for one goroutine.
type factReader struct {
	known map[*event.Mapping][]role // by the name of a field, 1 + its role
	facts []fact
	by    [roles][]int // of a role, its facts
	buf   []byte
}

func newFactReader() *factReader { return &factReader{known: map[*event.Mapping][]role{}} }

// read takes the facts of an event; they hold until the next call.
func (r *factReader) read(ev *event.Event) {
	clear(r.facts)
	r.facts = r.facts[:0]
	for i := range r.by {
		r.by[i] = r.by[i][:0]
	}
	known := r.known[ev.Mapping]
	for i := range ev.Fields {
		f := &ev.Fields[i]
		n := int(f.Name)
		if n >= len(known) || known[n] == 0 {
			known = r.learn(ev.Mapping, known, f.Name)
		}
		role := known[n] - 1
		if role == noRole || f.Kind == event.Null || len(f.Value) == 0 || len(f.Value) > maxFactText || len(r.facts) == maxFacts {
			continue
		}
		value := f.Text(r.buf[:0])
		if f.Escaped {
			r.buf = value
		}
		text := string(value)
		if text == "-" {
			continue // how many logs write nothing
		}
		r.by[role] = append(r.by[role], len(r.facts))
		r.facts = append(r.facts, fact{role, f.Name, text})
	}
}

// learn finds the role of a field that is met for the first time.
func (r *factReader) learn(m *event.Mapping, known []role, n event.Name) []role {
	for len(known) <= int(n) {
		known = append(known, 0)
	}
	known[n] = noRole + 1
	if n != event.Other {
		for _, name := range m.Names(n.String()) {
			if role := roleNames[name]; role != noRole {
				known[n] = role + 1
				break
			}
		}
	}
	r.known[m] = known
	return known
}

// first is the text of the first fact of a role, "" when there is none.
func (r *factReader) first(of role) string {
	if list := r.by[of]; len(list) > 0 {
		return r.facts[list[0]].text
	}
	return ""
}

// each calls do for the texts of a role.
func (r *factReader) each(of role, do func(text string)) {
	for _, i := range r.by[of] {
		do(r.facts[i].text)
	}
}

// CyberObserver turns events into observations of cyber-observable objects: processes, files, connections, names,
// addresses, URLs, accounts, registry keys, mails, certificates. It is for one goroutine.
type CyberObserver struct {
	wants    func(objectType string) bool
	facts    *factReader
	observed pattern.Observed
	objects  []*pattern.Object
	used     int
}

// NewCyberObserver makes an observer that makes the types of objects that are wanted; all of them when wants is nil.
func NewCyberObserver(wants func(objectType string) bool) *CyberObserver {
	if wants == nil {
		wants = func(string) bool { return true }
	}
	return &CyberObserver{wants: wants, facts: newFactReader()}
}

// Observe is what an event shows, at the event's time. It holds until the next call.
func (c *CyberObserver) Observe(ev *event.Event) *pattern.Observed {
	c.observed.Reset()
	c.used = 0
	c.facts.read(ev)
	if len(c.facts.facts) > 0 {
		c.build()
	}
	if t := ev.Time(); !t.IsZero() {
		c.observed.First, c.observed.Last = t, t
	}
	return &c.observed
}

// add is a new object among those observed, nil when its type is not wanted.
func (c *CyberObserver) add(objectType string) *pattern.Object {
	if !c.wants(objectType) {
		return nil
	}
	if c.used == len(c.objects) {
		c.objects = append(c.objects, new(pattern.Object))
	}
	x := c.objects[c.used]
	c.used++
	x.Reset(objectType)
	c.observed.Add(x)
	return x
}

// Evidence names the fields of the event last observed that a value found in it came from.
func (c *CyberObserver) Evidence(values []pattern.Value) []Evidence {
	var all []Evidence
	for _, v := range values {
		if f := c.facts.source(v.Value); f != nil {
			all = append(all, Evidence{Field: f.field.String(), Value: f.text})
		} else {
			all = append(all, Evidence{Field: v.ObjectType + ":" + v.Path, Value: v.Value})
		}
	}
	return all
}
