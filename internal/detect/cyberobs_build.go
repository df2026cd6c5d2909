package detect

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/polder-exchange/polder/stix/pattern"
)

// Paths of the properties that are made from events.
var (
	pathValue       = steps("ipv4-addr:value")
	pathPath        = steps("directory:path")
	pathCommand     = steps("process:command_line")
	pathPID         = steps("process:pid")
	pathCwd         = steps("process:cwd")
	pathCreatorType = steps("process:creator_user_ref.type")
	pathCreator     = steps("process:creator_user_ref.account_login")
	pathCreatorID   = steps("process:creator_user_ref.user_id")
	pathParentType  = steps("process:parent_ref.type")
	pathParentLine  = steps("process:parent_ref.command_line")
	pathParentPID   = steps("process:parent_ref.pid")
	pathLogin       = steps("user-account:account_login")
	pathUserID      = steps("user-account:user_id")
	pathSourceType  = steps("network-traffic:src_ref.type")
	pathSource      = steps("network-traffic:src_ref.value")
	pathTargetType  = steps("network-traffic:dst_ref.type")
	pathTarget      = steps("network-traffic:dst_ref.value")
	pathSourcePort  = steps("network-traffic:src_port")
	pathTargetPort  = steps("network-traffic:dst_port")
	pathProtocols   = steps("network-traffic:protocols[*]")
	pathMethod      = steps("network-traffic:extensions.'http-request-ext'.request_method")
	pathRequest     = steps("network-traffic:extensions.'http-request-ext'.request_value")
	pathAgent       = steps("network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'")
	pathHostHeader  = steps("network-traffic:extensions.'http-request-ext'.request_header.Host")
	pathResolves    = steps("domain-name:resolves_to_refs")
	pathKey         = steps("windows-registry-key:key")
	pathValueName   = steps("windows-registry-key:values[0].name")
	pathValueData   = steps("windows-registry-key:values[0].data")
	pathFrom        = steps("email-message:from_ref")
	pathSender      = steps("email-message:sender_ref")
	pathTo          = steps("email-message:to_refs")
	pathSubject     = steps("email-message:subject")
	pathSerial      = steps("x509-certificate:serial_number")
	pathIssuer      = steps("x509-certificate:issuer")
	pathCertSubject = steps("x509-certificate:subject")
)

// Where a file stands: alone, as the image of a process, as that of its parent.
var (
	fileAlone   = filePathsAt(nil)
	fileImage   = filePathsAt(steps("process:image_ref"))
	fileParents = filePathsAt(steps("process:parent_ref.image_ref"))
)

// filePaths are the paths of a file's properties.
type filePaths struct {
	kind, name, folderKind, folder []pattern.Step
	hash                           map[string][]pattern.Step // by the name of the hash as Sysmon writes it
}

func filePathsAt(at []pattern.Step) filePaths {
	below := func(path string) []pattern.Step { return under(at, steps("file:"+path)...) }
	return filePaths{
		kind: below("type"), name: below("name"), folderKind: below("parent_directory_ref.type"), folder: below("parent_directory_ref.path"),
		hash: map[string][]pattern.Step{
			"MD5": below("hashes.MD5"), "SHA1": below("hashes.'SHA-1'"), "SHA256": below("hashes.'SHA-256'"),
			"IMPHASH": below("extensions.'windows-pebinary-ext'.imphash"),
		},
	}
}

// steps are the steps of a path that is written in this program.
func steps(path string) []pattern.Step {
	p, err := pattern.ParsePath(path)
	if err != nil {
		panic(path + ": " + err.Error())
	}
	return p.Steps
}

// put writes a text unless it is empty.
func put(x *pattern.Object, at []pattern.Step, text string) {
	if text != "" {
		x.Text(at, text)
	}
}

// putNumber writes the number that a text is, unless it is none. Windows writes some in hexadecimal.
func putNumber(x *pattern.Object, at []pattern.Step, text string) {
	if n, err := strconv.ParseInt(text, 0, 64); err == nil {
		x.Int(at, n)
	}
}

// under is a path that goes on below another.
func under(at []pattern.Step, more ...pattern.Step) []pattern.Step {
	return append(at[:len(at):len(at)], more...)
}

func key(name string) pattern.Step { return pattern.Step{Kind: pattern.Key, Key: name} }

func index(i int) pattern.Step { return pattern.Step{Kind: pattern.Index, Index: i} }

// build makes the objects of the facts.
func (c *CyberObserver) build() {
	c.process()
	c.files()
	c.accounts()
	c.traffic()
	c.addresses()
	c.names()
	c.urls()
	c.registry()
	c.mail()
	c.certificate()
}

func (c *CyberObserver) process() {
	f := c.facts
	if len(f.by[roleImage])+len(f.by[roleCommand])+len(f.by[rolePID]) == 0 {
		return
	}
	x := c.add("process")
	if x == nil {
		return
	}
	put(x, pathCommand, f.first(roleCommand))
	put(x, pathCwd, f.first(roleDirectory))
	putNumber(x, pathPID, f.first(rolePID))
	fileImage.put(x, f.first(roleImage))
	if c.hashed() == roleImage {
		c.hashes(x, &fileImage)
	}
	if user := f.first(roleUser); user != "" {
		x.Text(pathCreatorType, "user-account")
		x.Text(pathCreator, withoutDomain(user))
		x.Text(pathCreatorID, user)
	}
	if f.first(roleParentImage)+f.first(roleParentCommand)+f.first(roleParentPID) != "" {
		x.Text(pathParentType, "process")
		put(x, pathParentLine, f.first(roleParentCommand))
		putNumber(x, pathParentPID, f.first(roleParentPID))
		fileParents.put(x, f.first(roleParentImage))
	}
}

// put writes the file of a path.
func (p *filePaths) put(x *pattern.Object, path string) {
	if path == "" {
		return
	}
	folder, name := splitPath(path)
	x.Text(p.kind, "file")
	put(x, p.name, name)
	if folder != "" {
		x.Text(p.folderKind, "directory")
		x.Text(p.folder, folder)
	}
}

// splitPath parts a path of Windows or Unix into its folder and its name.
func splitPath(path string) (folder, name string) {
	i := strings.LastIndexAny(path, `\/`)
	if i < 0 {
		return "", path
	}
	folder = path[:i]
	if folder == "" || strings.HasSuffix(folder, ":") {
		folder = path[:i+1]
	}
	return folder, path[i+1:]
}

// hashed is which of the files in the event its hashes are of.
func (c *CyberObserver) hashed() role {
	for _, r := range []role{roleModule, roleFile, roleFileName, roleImage} {
		if len(c.facts.by[r]) > 0 {
			return r
		}
	}
	return noRole
}

// hashes writes the hashes of the event to a file.
func (c *CyberObserver) hashes(x *pattern.Object, at *filePaths) {
	f := c.facts
	f.each(roleHashes, func(list string) {
		for list != "" {
			one, rest, _ := strings.Cut(list, ",")
			list = strings.TrimSpace(rest)
			name, value, found := strings.Cut(one, "=")
			if !found {
				name, value = hashName(one), one
			}
			if to := at.hash[strings.ToUpper(name)]; to != nil {
				x.Text(to, strings.ToLower(value))
			}
		}
	})
	put(x, at.hash["MD5"], strings.ToLower(f.first(roleMD5)))
	put(x, at.hash["SHA1"], strings.ToLower(f.first(roleSHA1)))
	put(x, at.hash["SHA256"], strings.ToLower(f.first(roleSHA256)))
}

// hashName tells a hash by its length.
func hashName(hash string) string {
	switch len(hash) {
	case 32:
		return "MD5"
	case 40:
		return "SHA1"
	case 64:
		return "SHA256"
	}
	return ""
}

func (c *CyberObserver) files() {
	hashed := c.hashed()
	for _, r := range []role{roleImage, roleParentImage, roleModule, roleFile, roleFileName} {
		for n, i := range c.facts.by[r] {
			c.file(c.facts.facts[i].text, r == hashed && n == 0)
		}
	}
	f := c.facts
	if hashed == noRole && len(f.by[roleHashes])+len(f.by[roleMD5])+len(f.by[roleSHA1])+len(f.by[roleSHA256]) > 0 {
		c.file("", true)
	}
}

func (c *CyberObserver) file(path string, hashed bool) {
	folder, name := splitPath(path)
	if x := c.add("file"); x != nil {
		fileAlone.put(x, path)
		if hashed {
			c.hashes(x, &fileAlone)
		}
	}
	if folder == "" {
		return
	}
	if x := c.add("directory"); x != nil && name != "" {
		x.Text(pathPath, folder)
	}
}

// accounts gives an account its name as it is written and without its domain: the one is what a person knows, the other
// what most indicators hold.
func (c *CyberObserver) accounts() {
	c.facts.each(roleUser, func(user string) {
		for _, login := range []string{withoutDomain(user), user} {
			if x := c.add("user-account"); x != nil {
				x.Text(pathLogin, login)
				x.Text(pathUserID, login)
			}
			if login == user {
				return
			}
		}
	})
}

func withoutDomain(user string) string {
	if _, name, found := strings.Cut(user, `\`); found && name != "" {
		return name
	}
	return user
}

func (c *CyberObserver) traffic() {
	f := c.facts
	if len(f.by[roleTargetIP])+len(f.by[roleTargetName])+len(f.by[roleTargetPort])+len(f.by[roleHost]) == 0 {
		return
	}
	x := c.add("network-traffic")
	if x == nil {
		return
	}
	end := func(typeAt, valueAt []pattern.Step, address string, names ...string) {
		if kind, text := addressOf(address); kind != "" {
			x.Text(typeAt, kind)
			x.Text(valueAt, text)
			return
		}
		for _, name := range names {
			if name != "" {
				x.Text(typeAt, "domain-name")
				x.Text(valueAt, nameOf(name))
				return
			}
		}
	}
	end(pathSourceType, pathSource, f.first(roleSourceIP), f.first(roleSourceName))
	end(pathTargetType, pathTarget, f.first(roleTargetIP), f.first(roleTargetName), f.first(roleHost))
	putNumber(x, pathSourcePort, f.first(roleSourcePort))
	putNumber(x, pathTargetPort, f.first(roleTargetPort))
	put(x, pathProtocols, strings.ToLower(f.first(roleProtocol)))
	if len(f.by[roleMethod])+len(f.by[roleAgent]) > 0 {
		put(x, pathProtocols, "http")
		put(x, pathMethod, strings.ToLower(f.first(roleMethod)))
		put(x, pathRequest, f.first(roleURL))
		put(x, pathAgent, f.first(roleAgent))
		put(x, pathHostHeader, f.first(roleHost))
	}
}

// addressOf is the type of object that an address is, and its usual text; "" when it is none.
func addressOf(text string) (kind, address string) {
	a, err := netip.ParseAddr(text)
	if err != nil {
		return "", ""
	}
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return "ipv4-addr", a.String()
	}
	return "ipv6-addr", a.String()
}

// nameOf is a host name as indicators write it.
func nameOf(text string) string { return strings.ToLower(strings.TrimSuffix(text, ".")) }

// host adds the object that an address or a host name is.
func (c *CyberObserver) host(text string) {
	kind, value := addressOf(text)
	if kind == "" {
		kind, value = "domain-name", nameOf(text)
	}
	if x := c.add(kind); x != nil {
		x.Text(pathValue, value)
	}
}

func (c *CyberObserver) addresses() {
	for _, r := range []role{roleSourceIP, roleTargetIP} {
		c.facts.each(r, func(text string) {
			if kind, _ := addressOf(text); kind != "" {
				c.host(text)
			}
		})
	}
	c.facts.each(roleMAC, func(text string) {
		if x := c.add("mac-addr"); x != nil {
			x.Text(pathValue, strings.ToLower(strings.ReplaceAll(text, "-", ":")))
		}
	})
}

func (c *CyberObserver) names() {
	answers := c.answers()
	for _, r := range []role{roleSourceName, roleTargetName, roleQuery, roleHost} {
		c.facts.each(r, func(text string) {
			if r == roleHost {
				text = withoutPort(text)
			}
			if kind, _ := addressOf(text); kind != "" || r != roleQuery {
				c.host(text)
				return
			}
			x := c.add("domain-name")
			if x == nil {
				return
			}
			x.Text(pathValue, nameOf(text))
			for i, a := range answers {
				kind, value := addressOf(a)
				if kind == "" {
					kind, value = "domain-name", nameOf(a)
				}
				x.Text(under(pathResolves, index(i), key("type")), kind)
				x.Text(under(pathResolves, index(i), key("value")), value)
			}
		})
	}
	for _, a := range answers {
		c.host(a)
	}
}

// answers are the addresses and names in the answers of a name server. Sysmon writes them as one text:
// "type:  5 host.example;::ffff:192.0.2.1;".
func (c *CyberObserver) answers() (all []string) {
	c.facts.each(roleAnswer, func(text string) {
		for _, one := range strings.FieldsFunc(text, func(r rune) bool { return r == ';' || r == ',' }) {
			fields := strings.Fields(one)
			if len(fields) > 0 && len(all) < maxFacts {
				all = append(all, fields[len(fields)-1])
			}
		}
	})
	return all
}

// withoutPort is the host of a Host header.
func withoutPort(host string) string {
	if a, err := netip.ParseAddrPort(host); err == nil {
		return a.Addr().String()
	}
	if name, port, found := strings.Cut(host, ":"); found && !strings.Contains(port, ":") {
		return name
	}
	return host
}

// urls are the addresses asked for. Of a request that is written as a path the scheme is not known: both are observed.
func (c *CyberObserver) urls() {
	host := c.facts.first(roleHost)
	c.facts.each(roleURL, func(text string) {
		if !strings.HasPrefix(text, "/") {
			c.url(text)
			return
		}
		if host != "" {
			c.url("http://" + host + text)
			c.url("https://" + host + text)
		}
	})
}

func (c *CyberObserver) url(text string) {
	if x := c.add("url"); x != nil {
		x.Text(pathValue, text)
	}
}

// hives are the roots of the registry by the short names that logs write; STIX wants them whole.
var hives = []struct{ short, whole string }{
	{`HKLM\`, `HKEY_LOCAL_MACHINE\`}, {`HKU\`, `HKEY_USERS\`}, {`HKCU\`, `HKEY_CURRENT_USER\`}, {`HKCR\`, `HKEY_CLASSES_ROOT\`},
	{`HKCC\`, `HKEY_CURRENT_CONFIG\`}, {`\REGISTRY\MACHINE\`, `HKEY_LOCAL_MACHINE\`}, {`\REGISTRY\USER\`, `HKEY_USERS\`},
}

// registry gives the key as it is written, and as the key whose value it names: logs write both in one way.
func (c *CyberObserver) registry() {
	c.facts.each(roleRegistry, func(text string) {
		for _, h := range hives {
			if len(text) > len(h.short) && strings.EqualFold(text[:len(h.short)], h.short) {
				text = h.whole + text[len(h.short):]
				break
			}
		}
		if x := c.add("windows-registry-key"); x != nil {
			x.Text(pathKey, text)
		}
		i := strings.LastIndexByte(text, '\\')
		if i < 0 {
			return
		}
		if x := c.add("windows-registry-key"); x != nil {
			x.Text(pathKey, text[:i])
			x.Text(pathValueName, text[i+1:])
			put(x, pathValueData, c.facts.first(roleRegistryData))
		}
	})
}

func (c *CyberObserver) mail() {
	f := c.facts
	for _, r := range []role{roleMailFrom, roleMailTo} {
		f.each(r, func(text string) {
			if x := c.add("email-addr"); x != nil {
				x.Text(pathValue, mailAddress(text))
			}
		})
	}
	if len(f.by[roleMailFrom])+len(f.by[roleMailTo]) == 0 {
		return
	}
	x := c.add("email-message")
	if x == nil {
		return
	}
	put(x, pathSubject, f.first(roleSubject))
	if from := f.first(roleMailFrom); from != "" {
		for _, at := range [][]pattern.Step{pathFrom, pathSender} {
			x.Text(under(at, key("type")), "email-addr")
			x.Text(under(at, key("value")), mailAddress(from))
		}
	}
	for n, i := range f.by[roleMailTo] {
		x.Text(under(pathTo, index(n), key("type")), "email-addr")
		x.Text(under(pathTo, index(n), key("value")), mailAddress(f.facts[i].text))
	}
}

// mailAddress is the address in a text such as "Some One <some.one@example.org>".
func mailAddress(text string) string {
	if i, j := strings.LastIndexByte(text, '<'), strings.LastIndexByte(text, '>'); i >= 0 && j > i {
		text = text[i+1 : j]
	}
	return strings.TrimSpace(text)
}

func (c *CyberObserver) certificate() {
	f := c.facts
	if len(f.by[roleSerial])+len(f.by[roleIssuer])+len(f.by[roleCertSubject])+len(f.by[roleFingerprint]) == 0 {
		return
	}
	x := c.add("x509-certificate")
	if x == nil {
		return
	}
	put(x, pathSerial, strings.ToLower(f.first(roleSerial)))
	put(x, pathIssuer, f.first(roleIssuer))
	put(x, pathCertSubject, f.first(roleCertSubject))
	fingerprint := strings.ToLower(strings.ReplaceAll(f.first(roleFingerprint), ":", ""))
	if to := fileAlone.hash[hashName(fingerprint)]; to != nil {
		x.Text(to, fingerprint)
	}
}

// source is the fact that a value came from: one that is it, else the first that holds it in any case of letters.
func (r *factReader) source(value string) *fact {
	for i := range r.facts {
		if r.facts[i].text == value {
			return &r.facts[i]
		}
	}
	lower := strings.ToLower(value)
	for i := range r.facts {
		if value != "" && strings.Contains(strings.ToLower(r.facts[i].text), lower) {
			return &r.facts[i]
		}
	}
	return nil
}
