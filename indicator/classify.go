package indicator

import (
	"net/netip"
	"strings"
)

// classify tells of what kind a whole plain value is, "" if it is none that can be told. Defanged says that somebody
// took care not to make it a link, which decides doubtful cases.
func classify(v string, defanged bool) (Kind, string) {
	if kind, value := classifyNumber(v); kind != "" {
		return kind, value
	}
	if strings.Contains(v, "://") {
		if u, err := normaliseURL(v); err == nil && urlHostCounts(u) {
			return URL, u
		}
		return "", ""
	}
	if strings.Contains(v, "@") {
		if mail, err := normaliseEmail(v); err == nil && hasKnownTLD(mail[strings.LastIndexByte(mail, '@')+1:]) &&
			strings.Contains(mail[strings.LastIndexByte(mail, '@'):], ".") {
			return Email, mail
		}
		return "", ""
	}
	if name, err := normaliseDomain(v); err == nil {
		if kind, value := classifyName(name, v, defanged); kind != "" {
			return kind, value
		}
	}
	if isFilename(v) {
		return Filename, v
	}
	return "", ""
}

// classifyNumber tells addresses, hashes, CVE ids and AS numbers.
func classifyNumber(v string) (Kind, string) {
	if isHash(v) {
		return map[int]Kind{32: MD5, 40: SHA1, 64: SHA256, 128: SHA512}[len(v)], strings.ToLower(v)
	}
	if len(v) > 12 && strings.EqualFold(v[:4], "cve-") {
		if id, err := Normalise(CVE, v); err == nil {
			return CVE, id
		}
	}
	if len(v) > 2 && v[:2] == "AS" && isDigits(v[2:]) || len(v) > 3 && v[:3] == "ASN" && isDigits(v[3:]) {
		if n, err := Normalise(ASN, v); err == nil {
			return ASN, n
		}
	}
	if a, err := netip.ParseAddr(v); err == nil && a.Zone() == "" {
		if a.Is4() {
			return IPv4, a.String()
		}
		return IPv6, a.String()
	}
	if p, err := netip.ParsePrefix(v); err == nil {
		return CIDR, p.Masked().String()
	}
	return "", ""
}

// isHash asks for the length of a hash, hex digits only, and at least one letter.
func isHash(v string) bool {
	switch len(v) {
	case 32, 40, 64, 128:
		return isHex(v) && !isDigits(v)
	}
	return false
}

func isDigits(v string) bool { return strings.Trim(v, "0123456789") == "" }

// Endings that are top-level domains and files. Names that end so are told apart as [Find] says.
var (
	fileEndings      = map[string]bool{"zip": true, "mov": true, "cab": true}
	shortFileEndings = map[string]bool{"app": true, "sh": true, "py": true, "pl": true, "rs": true, "md": true, "ps": true, "so": true, "pm": true}
	productNames     = map[string]bool{"asp.net": true, "vb.net": true, "ado.net": true}
)

// classifyName tells domains from files: name is normalised, written is how it stood in the text.
func classifyName(name, written string, defanged bool) (Kind, string) {
	labels := strings.Split(name, ".")
	last := labels[len(labels)-1]
	if len(labels) < 2 || !hasKnownTLD(name) || strings.Contains(labels[len(labels)-2]+last, "_") {
		return "", ""
	}
	if defanged {
		return Domain, name
	}
	switch {
	case fileEndings[last], shortFileEndings[last] && len(labels) == 2, productNames[name], isTitleEnding(written):
		return "", ""
	case isPublicSuffix(name) && isICANN(name):
		return "", ""
	}
	return Domain, name
}

// isTitleEnding finds sentences that go on without a space: done.It, year.In.
func isTitleEnding(written string) bool {
	end := written[strings.LastIndexByte(written, '.')+1:]
	return len(end) == 2 && end[0] >= 'A' && end[0] <= 'Z' && end[1] >= 'a' && end[1] <= 'z'
}

// attackEndings are the endings of files in which attacks travel.
var attackEndings = func() map[string]bool {
	endings := map[string]bool{}
	for _, e := range strings.Fields(`exe dll sys scr cpl ocx drv bat cmd ps1 psm1 vbs vbe js jse wsf wsh hta lnk url iso img vhd vhdx msi msix
		msp jar apk ipa dmg pkg deb rpm elf so sh py pl php jsp jspx aspx asp ashx chm cab zip rar 7z gz tgz bz2 xz ace arj tar doc docx docm
		dot dotm xls xlsx xlsm xlsb xlam ppt pptx pptm ppsm one rtf pdf swf bin dat tmp class app reg inf sct xll appx gadget`) {
		endings[e] = true
	}
	return endings
}()

// isFilename says whether a value is the name of a file in which attacks travel, without its folder.
func isFilename(v string) bool {
	dot := strings.LastIndexByte(v, '.')
	return dot > 0 && len(v) <= 255 && attackEndings[strings.ToLower(v[dot+1:])] && !strings.ContainsAny(v, "/\\:\n\r\t")
}
