package detect

import "strings"

// holding is what the value of a field holds.
type holding uint8

const (
	holdUnknown holding = iota // not met yet
	holdGuess                  // no name that is known: by the form of the value
	holdNone                   // certainly nothing to look up, whatever its form
	holdAddress                // an address, with a port or not, or several
	holdHost                   // a name or an address
	holdAnswers                // what the DNS answered: names and addresses
	holdURL
	holdPath   // of a file
	holdHashes // SHA1=…,MD5=…,IMPHASH=…
	holdHash   // one, told by its length
	holdImphash
	holdJA3
	holdJA3S
	holdSerial
	holdCertificate
	holdMail
	holdAgent
	holdMutex
	holdRegistry
	holdText // a command, a script, a message: URLs in it
)

// holdingNames are the names of fields by what they hold, in Sigma's taxonomy, ECS, OCSF, and those of Zeek, Suricata,
// Microsoft 365, Entra and firewalls where they differ. Case does not matter, nor whether words are parted by _ or dots.
var holdingNames = map[holding]string{
	holdAddress: `SourceIp DestinationIp src_ip dst_ip source.ip destination.ip client.ip server.ip host.ip related.ip source.address
		destination.address client.address server.address source.nat.ip destination.nat.ip src_endpoint.ip dst_endpoint.ip device.ip c-ip s-ip cs-ip
		ClientIP ClientIPAddress ActorIpAddress IpAddress callerIpAddress ipAddress sourceIPAddress SourceAddress DestAddress DestinationAddress
		id.orig_h id.resp_h id_orig_h id_resp_h tx_hosts rx_hosts src dst srcip dstip src_addr dst_addr source_ip dest_ip destip laddr raddr addr
		flow.src_ip flow.dest_ip network.forwarded_ip x-forwarded-for x_forwarded_for remote_addr RemoteIP RemoteAddress LocalAddress peer_ip
		ClientAddress WorkstationIP answers.ip dns.resolved_ip assigned_ip requested_ip host_ip remote_ip local_ip nat_ip xlate_src xlate_dst`,
	holdHost: `DestinationHostname SourceHostname destination.domain source.domain url.domain dst_endpoint.hostname src_endpoint.hostname
		cs-host r-dns http.hostname http.host http.http_host host_header server_name tls.sni tls.client.server_name tls.server_name QueryName query
		dns.question.name dns.question.registered_domain dns.rrname dns.query.rrname dns.queries.rrname rrname query.hostname dns_query fqdn domain
		domain_name hostname_dst dest_host dst_host dhost shost DestinationHostName RemoteHost RemoteName sni server_hostname dns.name`,
	holdAnswers: `QueryResults answers answers.rdata dns.answers.data dns.answers.rdata dns.answers.name dns.grouped.A dns.grouped.AAAA dns.grouped.CNAME
		dns.grouped.MX dns.grouped.NS rdata dns.rdata record`,
	holdURL: `url url.full url.original url.url_string http_request.url.url_string c-uri cs-uri request request_url requesturl RemoteUrl uri uri_full
		http.url http.request.referrer referrer referer cs-referrer cs-referer http_refer http.http_refer http_request.referrer DownloadUrl SourceUrl FileUrl
		email.urls link href HostUrl ReferrerUrl`,
	holdPath: `Image ParentImage TargetImage SourceImage ImageLoaded TargetFilename SourceFilename OriginalFileName Filename FileName FilePath
		process.executable process.name process.file.path process.file.name process.parent.executable process.parent_process.file.path actor.process.file.path
		file.path file.name file.original_path dll.path dll.name module.file.path driver.file.path process.pe.original_file_name file.pe.original_file_name
		NewProcessName ParentProcessName ProcessName Application ServiceFileName ImagePath ServiceName.path exe comm fname filename fileinfo.filename
		files.filename smb.filename SourceFileName DestinationFileName ObjectName.path attachment attachments.file.name email.attachments.file.name
		SourceRelativeUrl RelativeTargetName name_path old_file_name CallerProcessName ScriptPath path_file ModuleName Destination.path`,
	holdHashes: `Hashes Hash file.hash process.hash dll.hash ConfigurationFileHash`,
	holdHash: `md5 sha1 sha256 sha512 file.hash.md5 file.hash.sha1 file.hash.sha256 file.hash.sha512 process.hash.md5 process.hash.sha1 process.hash.sha256
		dll.hash.md5 dll.hash.sha1 dll.hash.sha256 related.hash fileinfo.md5 fileinfo.sha1 fileinfo.sha256 file.hashes.value process.file.hashes.value
		fileHash file_hash hash_md5 hash_sha1 hash_sha256 FileHash FileSha256 MD5Hash SHA256Hash InitiatingProcessSHA256 InitiatingProcessMD5 InitiatingProcessSHA1`,
	holdImphash:     `imphash process.pe.imphash file.pe.imphash dll.pe.imphash pe.imphash`,
	holdJA3:         `ja3 tls.client.ja3 tls.ja3.hash tls.ja3_hash ja3.hash tls.ja3_hash_list`,
	holdJA3S:        `ja3s tls.server.ja3s tls.ja3s.hash ja3s.hash`,
	holdSerial:      `tls.serial certificate.serial tls.server.x509.serial_number tls.client.x509.serial_number x509.serial_number file.x509.serial_number certificate_serial tls.certificate.serial_number CertSerialNumber`,
	holdCertificate: `tls.fingerprint tls.server.hash.sha1 tls.server.hash.sha256 tls.server.hash.md5 resp_certificate_sha1 cert_hash fingerprint tls.certificate.fingerprints.value certificate_fingerprint CertThumbprint Thumbprint server_cert_sha1`,
	holdMail: `email.from.address email.to.address email.sender.address email.reply_to.address email.cc.address email.bcc.address email.from email.to
		email.reply_to mailfrom rcptto from to cc reply_to sender recipient smtp.mail_from smtp.rcpt_to SenderAddress RecipientAddress SenderFromAddress
		RecipientEmailAddress SenderMailFromAddress P1Sender P2Sender ForwardTo RedirectTo ForwardingSmtpAddress DeliverToMailboxAndForward From To Recipients`,
	holdAgent:    `user_agent UserAgent user_agent.original http_request.user_agent c-useragent cs-user-agent http.http_user_agent http.user_agent userAgent`,
	holdMutex:    `mutex MutexName MutantName kernel.name`,
	holdRegistry: `TargetObject registry.path registry.key reg_key.path win.reg_key.path reg_value.path RegistryKey`,
	holdText: `CommandLine ParentCommandLine process.command_line process.cmd_line process.parent.command_line process.parent_process.cmd_line
		actor.process.cmd_line ScriptBlockText powershell.file.script_block_text script.script_content.value Payload ContextInfo HostApplication message
		msg proctitle Details registry.data.strings reg_value.data TaskContent ServiceFileName.text process.args body email.subject Contents`,
	holdNone: `ts timestamp @timestamp UtcTime SystemTime EventRecordID record_id RecordNumber ProcessGuid ParentProcessGuid LogonGuid uid fuid conn_uids
		Provider_Guid Correlation_ActivityID ActivityID version Version FileVersion ProductVersion agent.version ecs.version client_version
		server_version product_version os.version host.os.version event.created event.ingested`,
}

// holdingByName is holdingNames the other way round, folded.
var holdingByName = func() map[string]holding {
	out := map[string]holding{}
	for r, names := range holdingNames {
		for name := range strings.FieldsSeq(names) {
			out[foldField(name)] = r
		}
	}
	return out
}()

// foldField makes names of fields comparable.
func foldField(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r == '_' || r == '-' || r == ' ':
			return '.'
		}
		return r
	}, name)
}

// holdOf is the holding of a field that has these names: that of the first name that is known, else of the last part of the
// first, else of its whole but what stands first.
func holdingOf(names []string) holding {
	for _, n := range names {
		if r, ok := holdingByName[foldField(n)]; ok {
			return r
		}
	}
	if len(names) == 0 {
		return holdGuess
	}
	folded := foldField(names[0])
	for rest, more := folded, true; more; {
		if _, rest, more = strings.Cut(rest, "."); more {
			if r, ok := holdingByName[rest]; ok {
				return r
			}
		}
	}
	return holdGuess
}
