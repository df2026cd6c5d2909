package history

import (
	"strconv"

	"github.com/polder-exchange/polder/event"
)

// column is a column of a segment that is filled from a field of the event.
type column uint8

const (
	none column = iota
	hostname
	userName
	srcIP
	srcPort
	srcHost
	dstIP
	dstPort
	dstHost
	procPath
	procCmd
	procParent
	fileName
	filePath
	fileMD5
	fileSHA1
	fileSHA256
	dnsName
	urlString
	columnCount
)

// columnNames are the names under which a field of a log may be known, in the words of OCSF, ECS and Sigma, and the column it
// fills. Of several fields for one column the first in the event counts.
var columnNames = map[string]column{
	"device.hostname": hostname, "host.name": hostname, "host.hostname": hostname, "Computer": hostname, "computer_name": hostname,
	"ComputerName": hostname, "Hostname": hostname, "hostname": hostname, "winlog.computer_name": hostname,
	"actor.user.name": userName, "user.name": userName, "User": userName, "TargetUserName": userName, "UserId": userName,
	"userPrincipalName": userName, "user": userName,
	"src_endpoint.ip": srcIP, "source.ip": srcIP, "SourceIp": srcIP, "src_ip": srcIP, "id.orig_h": srcIP, "IpAddress": srcIP,
	"sourceIPAddress": srcIP, "ClientIP": srcIP, "ipAddress": srcIP, "src": srcIP, "SourceAddress": srcIP,
	"src_endpoint.port": srcPort, "source.port": srcPort, "SourcePort": srcPort, "src_port": srcPort, "id.orig_p": srcPort,
	"spt": srcPort, "IpPort": srcPort,
	"src_endpoint.hostname": srcHost, "source.domain": srcHost, "SourceHostname": srcHost, "shost": srcHost, "WorkstationName": srcHost,
	"dst_endpoint.ip": dstIP, "destination.ip": dstIP, "DestinationIp": dstIP, "dest_ip": dstIP, "dst_ip": dstIP, "id.resp_h": dstIP,
	"dst": dstIP, "DestAddress": dstIP,
	"dst_endpoint.port": dstPort, "destination.port": dstPort, "DestinationPort": dstPort, "dest_port": dstPort, "dst_port": dstPort,
	"id.resp_p": dstPort, "dpt": dstPort,
	"dst_endpoint.hostname": dstHost, "destination.domain": dstHost, "DestinationHostname": dstHost, "dhost": dstHost,
	"tls.sni": dstHost, "server_name": dstHost, "http.hostname": dstHost,
	"process.file.path": procPath, "process.executable": procPath, "Image": procPath, "NewProcessName": procPath, "exe": procPath,
	"process.cmd_line": procCmd, "process.command_line": procCmd, "CommandLine": procCmd, "ProcessCommandLine": procCmd,
	"process.parent_process.file.path": procParent, "process.parent.executable": procParent, "ParentImage": procParent,
	"ParentProcessName": procParent,
	"file.name":         fileName, "fname": fileName, "filename": fileName, "fileinfo.filename": fileName, "SourceFileName": fileName,
	"file.path": filePath, "TargetFilename": filePath, "ObjectName": filePath, "ImageLoaded": filePath, "filePath": filePath,
	"file.hash.md5": fileMD5, "process.hash.md5": fileMD5, "md5": fileMD5, "fileinfo.md5": fileMD5,
	"file.hash.sha1": fileSHA1, "process.hash.sha1": fileSHA1, "sha1": fileSHA1, "fileinfo.sha1": fileSHA1,
	"file.hash.sha256": fileSHA256, "process.hash.sha256": fileSHA256, "sha256": fileSHA256, "fileinfo.sha256": fileSHA256,
	"query.hostname": dnsName, "dns.question.name": dnsName, "QueryName": dnsName, "query": dnsName, "dns.rrname": dnsName,
	"dns.query.rrname": dnsName,
	"url.url_string":   urlString, "url.full": urlString, "url.original": urlString, "c-uri": urlString, "http.url": urlString,
	"uri": urlString, "url": urlString, "request": urlString, "http_request.url.url_string": urlString,
}

// maxColumn is the longest text in a column; the record itself is kept whole.
const maxColumn = 4096

// slots finds the column of a field, asking for its names once. It is for one goroutine.
type slots struct {
	of   map[*event.Mapping][]column // by Name; columnCount says not asked yet
	last *event.Mapping
	cur  []column
}

func (s *slots) column(m *event.Mapping, n event.Name) column {
	if m != s.last {
		if s.of == nil {
			s.of = map[*event.Mapping][]column{}
		}
		s.last, s.cur = m, s.of[m]
	}
	if int(n) >= len(s.cur) {
		more := make([]column, int(n)+64-len(s.cur))
		for i := range more {
			more[i] = columnCount
		}
		s.cur = append(s.cur, more...)
		s.of[m] = s.cur
	}
	c := s.cur[n]
	if c == columnCount {
		c = none
		for _, name := range m.Names(n.String()) {
			if c = columnNames[name]; c != none {
				break
			}
		}
		s.cur[n] = c
	}
	return c
}

// set puts a text into a column that is still empty.
func (r *row) set(c column, text string) {
	if c == srcPort || c == dstPort {
		at := &r.Src.Port
		if c == dstPort {
			at = &r.Dst.Port
		}
		if n, err := strconv.ParseUint(text, 10, 16); err == nil && *at == 0 {
			*at = int32(n)
		}
		return
	}
	if at := r.text(c); at != nil && *at == "" {
		*at = text
	}
}

// text is the place of a column that holds text.
func (r *row) text(c column) *string {
	return [columnCount]*string{
		hostname: &r.Device.Hostname, userName: &r.User.Name, srcIP: &r.Src.IP, srcHost: &r.Src.Hostname, dstIP: &r.Dst.IP,
		dstHost: &r.Dst.Hostname, procPath: &r.Process.Path, procCmd: &r.Process.CmdLine, procParent: &r.Process.Parent,
		fileName: &r.File.Name, filePath: &r.File.Path, fileMD5: &r.File.MD5, fileSHA1: &r.File.SHA1, fileSHA256: &r.File.SHA256,
		dnsName: &r.Query.Hostname, urlString: &r.URL.Text,
	}[c]
}

// class is an event class of OCSF.
type class struct {
	uid  int32
	name string
}

// classes are the event classes of OCSF for the categories of Sigma.
var classes = map[string]class{
	"process_creation": {1007, "Process Activity"}, "process_termination": {1007, "Process Activity"}, "process_access": {1007, "Process Activity"},
	"create_remote_thread": {1007, "Process Activity"}, "process_tampering": {1007, "Process Activity"}, "ps_script": {1007, "Process Activity"},
	"file_event": {1001, "File System Activity"}, "file_access": {1001, "File System Activity"}, "file_change": {1001, "File System Activity"},
	"file_delete": {1001, "File System Activity"}, "file_rename": {1001, "File System Activity"}, "create_stream_hash": {1001, "File System Activity"},
	"raw_access_thread": {1001, "File System Activity"}, "driver_load": {1002, "Kernel Extension Activity"}, "image_load": {1005, "Module Activity"},
	"registry_add": {201001, "Registry Key Activity"}, "registry_delete": {201001, "Registry Key Activity"}, "registry_event": {201002, "Registry Value Activity"},
	"registry_set": {201002, "Registry Value Activity"}, "network_connection": {4001, "Network Activity"}, "firewall": {4001, "Network Activity"},
	"dns_query": {4003, "DNS Activity"}, "dns": {4003, "DNS Activity"}, "proxy": {4002, "HTTP Activity"}, "webserver": {4002, "HTTP Activity"},
	"antivirus": {2004, "Detection Finding"}, "authentication": {3002, "Authentication"},
}

// classOf is the class of an event; the base event of OCSF when its log does not tell.
func classOf(s *event.Source) class {
	for _, name := range s.Categories {
		if c, ok := classes[name]; ok {
			return c
		}
	}
	return class{0, "Base Event"}
}
