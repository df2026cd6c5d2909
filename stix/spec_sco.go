package stix

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// The observables of STIX 2.1, part 6. Their predefined extensions are in spec_ext.go.

var observableTypes = []string{
	"artifact", "autonomous-system", "directory", "domain-name", "email-addr", "email-message", "file", "ipv4-addr", "ipv6-addr",
	"mac-addr", "mutex", "network-traffic", "process", "software", "url", "user-account", "windows-registry-key", "x509-certificate",
}

var observables = map[string]*spec{
	"artifact": sco("", "hashes payload_bin", props{
		"mime_type": mediaType, "payload_bin": binary, "url": text, "hashes": hashes,
		"encryption_algorithm": enum("AES-256-GCM", "ChaCha20-Poly1305", "mime-type-indicated"), "decryption_key": text,
	}, exactlyOne("payload_bin", "url"), needs("url", "hashes"), needs("decryption_key", "encryption_algorithm"), whenPlain("url", web)),
	"autonomous-system": sco("number", "number", props{
		"number": between(0, 1<<32-1), "name": text, "rir": text,
	}),
	"directory": sco("path", "path", props{
		"path": text, "path_enc": charset, "ctime": timestamp, "mtime": timestamp, "atime": timestamp,
		"contains_refs": list(identifier("file", "directory")),
	}),
	"domain-name": sco("value", "value", props{
		"value": text, "resolves_to_refs": list(identifier("ipv4-addr", "ipv6-addr", "domain-name")),
	}, whenPlain("value", textWith(wrongDomain))),
	"email-addr": sco("value", "value", props{
		"value": text, "display_name": text, "belongs_to_ref": identifier("user-account"),
	}, whenPlain("value", textWith(wrongEmail))),
	"email-message": sco("is_multipart", "from_ref subject body", props{
		"is_multipart": boolean, "date": timestamp, "content_type": text, "from_ref": identifier("email-addr"),
		"sender_ref": identifier("email-addr"), "to_refs": list(identifier("email-addr")), "cc_refs": list(identifier("email-addr")),
		"bcc_refs": list(identifier("email-addr")), "message_id": text, "subject": text, "received_lines": texts,
		"additional_header_fields": dictionary(textOr(texts)), "body": text, "body_multipart": list(object(mimePart)),
		"raw_email_ref": identifier("artifact"),
	}, emailBody),
	"file": sco("", "hashes name extensions parent_directory_ref", props{
		"extensions": extensions(fileExtensions), "hashes": hashes, "size": between(0, maxInteger), "name": text, "name_enc": charset,
		"magic_number_hex": hexadecimal, "mime_type": text, "ctime": timestamp, "mtime": timestamp, "atime": timestamp,
		"parent_directory_ref": identifier("directory"), "contains_refs": list(observableRef), "content_ref": identifier("artifact"),
	}, atLeastOne("hashes", "name"), needs("name_enc", "name")),
	"ipv4-addr": sco("value", "value", props{
		"value": text, "resolves_to_refs": list(identifier("mac-addr")), "belongs_to_refs": list(identifier("autonomous-system")),
	}, whenPlain("value", textWith(wrongIPv4))),
	"ipv6-addr": sco("value", "value", props{
		"value": text, "resolves_to_refs": list(identifier("mac-addr")), "belongs_to_refs": list(identifier("autonomous-system")),
	}, whenPlain("value", textWith(wrongIPv6))),
	"mac-addr": sco("value", "value", props{
		"value": text,
	}, whenPlain("value", textWith(wrongMAC))),
	"mutex": sco("name", "name", props{
		"name": text,
	}),
	"network-traffic": sco("protocols", "start end src_ref dst_ref src_port dst_port protocols extensions", props{
		"extensions": extensions(trafficExtensions), "start": timestamp, "end": timestamp, "is_active": boolean,
		"src_ref": endpoint, "dst_ref": endpoint, "src_port": between(0, 65535), "dst_port": between(0, 65535), "protocols": texts,
		"src_byte_count": between(0, maxInteger), "dst_byte_count": between(0, maxInteger), "src_packets": between(0, maxInteger),
		"dst_packets": between(0, maxInteger), "ipfix": dictionary(textOr(integer)), "src_payload_ref": identifier("artifact"),
		"dst_payload_ref": identifier("artifact"), "encapsulates_refs": list(identifier("network-traffic")),
		"encapsulated_by_ref": identifier("network-traffic"),
	}, atLeastOne("src_ref", "dst_ref"), notBefore("start", "end"), endedIsOver),
	"process": sco("", "", processProps, anyOwn(processProps)),
	"software": sco("name", "name cpe swid vendor version", props{
		"name": text, "cpe": textWith(wrongCPE), "swid": text, "languages": list(language), "vendor": text, "version": text,
	}),
	"url": sco("value", "value", props{
		"value": text,
	}, whenPlain("value", web)),
	"user-account":         sco("", "account_type user_id account_login", accountProps, anyOwn(accountProps)),
	"windows-registry-key": sco("", "key values", registryProps, anyOwn(registryProps)),
	"x509-certificate":     sco("", "hashes serial_number", certificateProps, anyOwn(certificateProps)),
}

var endpoint = identifier("ipv4-addr", "ipv6-addr", "mac-addr", "domain-name")

var processProps = props{
	"extensions": extensions(processExtensions), "is_hidden": boolean, "pid": integer, "created_time": timestamp, "cwd": text,
	"command_line": text, "environment_variables": dictionary(text), "opened_connection_refs": list(identifier("network-traffic")),
	"creator_user_ref": identifier("user-account"), "image_ref": identifier("file"), "parent_ref": identifier("process"),
	"child_refs": list(identifier("process")),
}

var accountProps = props{
	"extensions": extensions(accountExtensions), "user_id": text, "credential": text, "account_login": text,
	"account_type": open(accountTypes), "display_name": text, "is_service_account": boolean, "is_privileged": boolean,
	"can_escalate_privs": boolean, "is_disabled": boolean, "account_created": timestamp, "account_expires": timestamp,
	"credential_last_changed": timestamp, "account_first_login": timestamp, "account_last_login": timestamp,
}

var registryProps = props{
	"key": textWith(wrongRegistryKey), "values": list(object(registryValue)), "modified_time": timestamp,
	"creator_user_ref": identifier("user-account"), "number_of_subkeys": between(0, maxInteger),
}

var registryValue = shape{
	props: props{"name": text, "data": text, "data_type": enum(
		"REG_NONE", "REG_SZ", "REG_EXPAND_SZ", "REG_BINARY", "REG_DWORD", "REG_DWORD_BIG_ENDIAN", "REG_DWORD_LITTLE_ENDIAN",
		"REG_LINK", "REG_MULTI_SZ", "REG_RESOURCE_LIST", "REG_FULL_RESOURCE_DESCRIPTION", "REG_RESOURCE_REQUIREMENTS_LIST",
		"REG_QWORD", "REG_INVALID_TYPE")},
	rules: []rule{atLeastOne("name", "data", "data_type")},
}

var certificateProps = props{
	"is_self_signed": boolean, "hashes": hashes, "version": text, "serial_number": text, "signature_algorithm": text, "issuer": text,
	"validity_not_before": timestamp, "validity_not_after": timestamp, "subject": text, "subject_public_key_algorithm": text,
	"subject_public_key_modulus": text, "subject_public_key_exponent": integer, "x509_v3_extensions": anyOf(certificateExtensions),
}

var certificateExtensions = props{
	"basic_constraints": text, "name_constraints": text, "policy_constraints": text, "key_usage": text, "extended_key_usage": text,
	"subject_key_identifier": text, "authority_key_identifier": text, "subject_alternative_name": text,
	"issuer_alternative_name": text, "subject_directory_attributes": text, "crl_distribution_points": text,
	"inhibit_any_policy": text, "private_key_usage_period_not_before": timestamp, "private_key_usage_period_not_after": timestamp,
	"certificate_policies": text, "policy_mappings": text,
}

var mimePart = shape{
	props: props{
		"body": text, "body_raw_ref": identifier("artifact", "file"), "content_type": text, "content_disposition": text,
	},
	rules: []rule{atLeastOne("body", "body_raw_ref")},
}

// anyOwn asks for at least one of these properties.
func anyOwn(own props) rule {
	return func(c *checker, n int32) {
		for name := range c.d.members(n) {
			if own[name] != nil {
				return
			}
		}
		if c.nested && c.d.nodes[n].next > n+3 {
			return // more than a type, by names of STIX 2.0
		}
		c.fail(n, "says nothing; give at least one of "+strings.Join(slices.Sorted(maps.Keys(own)), ", "))
	}
}

// emailBody asks for body or body_multipart, as is_multipart says.
func emailBody(c *checker, n int32) {
	if c.d.isTrue(n, "is_multipart") {
		if c.d.has(n, "body") {
			c.failAt(n, "body", "must not be given where is_multipart is true; use body_multipart")
		}
	} else if c.d.has(n, "body_multipart") {
		c.failAt(n, "body_multipart", "must not be given where is_multipart is false; use body")
	}
}

func endedIsOver(c *checker, n int32) {
	if c.d.has(n, "end") && c.d.isTrue(n, "is_active") {
		c.failAt(n, "is_active", "is true, while the traffic has an end; leave out one of the two")
	}
}

func wrongIPv4(s string) string {
	if p, err := netip.ParsePrefix(s); err == nil && p.Addr().Is4() {
		return ""
	}
	if a, err := netip.ParseAddr(s); err == nil && a.Is4() {
		return ""
	}
	return "is not an IPv4 address or network (" + quoted(s) + "); write one such as 192.0.2.1 or 192.0.2.0/24"
}

func wrongIPv6(s string) string {
	if p, err := netip.ParsePrefix(s); err == nil && p.Addr().Is6() {
		return ""
	}
	if a, err := netip.ParseAddr(s); err == nil && a.Is6() {
		return ""
	}
	return "is not an IPv6 address or network (" + quoted(s) + "); write one such as 2001:db8::1 or 2001:db8::/32"
}

func wrongMAC(s string) string {
	ok := len(s) == len("00:00:00:00:00:00") && s == strings.ToLower(s)
	for i := 0; ok && i < len(s); i++ {
		ok = s[i] == ':' == (i%3 == 2) && (s[i] == ':' || allHex(s[i:i+1]))
	}
	if !ok {
		return "is not a MAC address (" + quoted(s) + "); write six pairs of hexadecimal digits in lower case with colons between"
	}
	return ""
}

// wrongDomain takes names in ASCII or in their own script, with the underscores that services use.
func wrongDomain(s string) string {
	name := strings.TrimSuffix(s, ".")
	ok := name != "" && len(name) <= 4*253 && (len(name) <= 253 || !isASCII(name))
	for label := range strings.SplitSeq(name, ".") {
		ok = ok && label != "" && (len(label) <= 63 || !isASCII(label)) && !strings.ContainsFunc(label, func(r rune) bool {
			return r < 0x80 && !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
		})
	}
	if !ok {
		return "is not a domain name (" + quoted(s) + "); write one such as example.com"
	}
	return ""
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

func wrongEmail(s string) string {
	at := strings.LastIndexByte(s, '@')
	bad := func(r rune) bool {
		return r < ' ' || r == 0x7f || r == ' ' || r == '<' || r == '>' || r == ',' || r == ';'
	}
	quotedLocal := at > 1 && s[0] == '"' && s[at-1] == '"'
	literal := at > 0 && strings.HasPrefix(s[at+1:], "[") && strings.HasSuffix(s, "]")
	if at < 1 || !quotedLocal && (strings.ContainsFunc(s[:at], bad) || strings.Contains(s[:at], "@")) ||
		!literal && wrongDomain(s[at+1:]) != "" {
		return "is not an e-mail address (" + quoted(s) + "); write one such as ann@example.com, and the name in display_name"
	}
	return ""
}

func wrongCPE(s string) string {
	if !strings.HasPrefix(s, "cpe:2.3:") || strings.Count(strings.ReplaceAll(s, `\:`, ""), ":") != 12 {
		return "is not a CPE (" + quoted(s) + "); write version 2.3 with its eleven parts, cpe:2.3:a:vendor:product:…"
	}
	return ""
}

func wrongRegistryKey(s string) string {
	hive, _, _ := strings.Cut(s, `\`)
	switch strings.ToUpper(hive) {
	case "HKLM", "HKCC", "HKCR", "HKCU", "HKU":
		return "begins with " + quoted(hive) + "; write the hive in full, such as HKEY_LOCAL_MACHINE"
	}
	return ""
}
