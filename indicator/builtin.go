package indicator

import "strings"

// Names of the built-in lists, for callers that treat one of them differently.
const (
	ListSpecialNetworks = "special-use networks"
	ListDocumentation   = "networks and names for documentation"
	ListResolvers       = "public resolvers and root name servers"
	ListSpecialNames    = "special-use names"
	ListUpdates         = "update, time and certificate servers"
	ListEmptyFiles      = "hashes of empty files"
	ListSystemFiles     = "programs of the operating system"
)

// NewWarnings has the built-in lists: what holds for everybody, whatever an organisation loads beside it.
func NewWarnings() *Warnings {
	w := &Warnings{}
	for _, l := range builtin {
		if err := w.Add(l); err != nil {
			panic("a built-in list is wrong: " + err.Error())
		}
	}
	return w
}

var addresses = []Kind{IPv4, IPv6, CIDR, URL}
var hosts = []Kind{Domain, URL}

var builtin = []List{
	{Name: ListSpecialNetworks, Matching: MatchCIDR, Kinds: addresses,
		Reason: "the address is private, local or reserved (IANA special-purpose registries)", Entries: strings.Fields(`
		0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.31.196.0/24 192.52.193.0/24
		192.88.99.0/24 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 224.0.0.0/4 240.0.0.0/4 255.255.255.255/32
		::/128 ::1/128 ::ffff:0:0/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 100:0:0:1::/64 2001::/23 2002::/16 2620:4f:8000::/48
		5f00::/16 fc00::/7 fe80::/10 fec0::/10 ff00::/8`)},
	{Name: ListDocumentation, Matching: MatchCIDR, Kinds: addresses,
		Reason: "the address is for examples and belongs to nobody", Entries: strings.Fields(`
		192.0.2.0/24 198.51.100.0/24 203.0.113.0/24 2001:db8::/32 3fff::/20`)},
	{Name: ListDocumentation, Matching: MatchHostname, Kinds: hosts,
		Reason: "the name is for examples and belongs to nobody", Entries: strings.Fields(`
		example test invalid example.com example.net example.org`)},
	{Name: ListSpecialNames, Matching: MatchHostname, Kinds: hosts,
		Reason: "the name has a meaning of its own in every network", Entries: strings.Fields(`
		localhost local localdomain internal home.arpa lan home corp intranet private arpa wpad`)},
	{Name: ListResolvers, Matching: MatchCIDR, Kinds: addresses,
		Reason: "a service that everybody's name resolution depends on", Entries: strings.Fields(`
		1.1.1.1 1.0.0.1 1.1.1.2 1.0.0.2 1.1.1.3 1.0.0.3 8.8.8.8 8.8.4.4 9.9.9.9 149.112.112.112 9.9.9.10 149.112.112.10 9.9.9.11
		149.112.112.11 208.67.222.222 208.67.220.220 208.67.222.123 208.67.220.123 94.140.14.14 94.140.15.15 4.2.2.1 4.2.2.2
		4.2.2.3 4.2.2.4 64.6.64.6 64.6.65.6 76.76.2.0 76.76.10.0 185.228.168.9 185.228.169.9 193.110.81.0 185.253.5.0
		86.54.11.1 86.54.11.201 77.88.8.8 77.88.8.1 114.114.114.114 114.114.115.115 223.5.5.5 223.6.6.6 119.29.29.29 168.126.63.1
		2606:4700:4700::1111 2606:4700:4700::1001 2001:4860:4860::8888 2001:4860:4860::8844 2620:fe::fe 2620:fe::9 2620:119:35::35
		2620:119:53::53 2a10:50c0::ad1:ff 2a10:50c0::ad2:ff
		198.41.0.4 170.247.170.2 192.33.4.12 199.7.91.13 192.203.230.10 192.5.5.241 192.112.36.4 198.97.190.53 192.36.148.17
		192.58.128.30 193.0.14.129 199.7.83.42 202.12.27.33 2001:503:ba3e::2:30 2801:1b8:10::b 2001:500:2::c 2001:500:2d::d
		2001:500:a8::e 2001:500:2f::f 2001:500:12::d0d 2001:500:1::53 2001:7fe::53 2001:503:c27::2:30 2001:7fd::1 2001:500:9f::42
		2001:dc3::35`)},
	{Name: ListResolvers, Matching: MatchHostname, Kinds: hosts,
		Reason: "a service that everybody's name resolution depends on", Entries: strings.Fields(`
		dns.google one.one.one.one cloudflare-dns.com dns.quad9.net doh.opendns.com dns.adguard-dns.com doh.cleanbrowsing.org
		root-servers.net gtld-servers.net`)},
	{Name: ListUpdates, Matching: MatchHostname, Kinds: hosts,
		Reason: "machines get their updates, their time or the validity of certificates there", Entries: strings.Fields(`
		windowsupdate.com update.microsoft.com windowsupdate.microsoft.com download.microsoft.com delivery.mp.microsoft.com
		dl.delivery.mp.microsoft.com ctldl.windowsupdate.com packages.microsoft.com officecdn.microsoft.com wdcp.microsoft.com
		definitionupdates.microsoft.com login.microsoftonline.com msftconnecttest.com time.windows.com
		swcdn.apple.com swscan.apple.com swdist.apple.com mesu.apple.com gdmf.apple.com updates.cdn-apple.com ocsp.apple.com time.apple.com
		update.googleapis.com dl.google.com clients2.google.com time.google.com connectivitycheck.gstatic.com
		archive.ubuntu.com security.ubuntu.com ntp.ubuntu.com deb.debian.org security.debian.org ftp.debian.org mirrors.fedoraproject.org
		cdn.redhat.com subscription.rhn.redhat.com download.opensuse.org dl-cdn.alpinelinux.org geo.mirror.pkgbuild.com
		pypi.org files.pythonhosted.org registry.npmjs.org proxy.golang.org sum.golang.org repo.maven.apache.org registry-1.docker.io
		aus5.mozilla.org detectportal.firefox.com download.mozilla.org ftp.mozilla.org ardownload.adobe.com
		pool.ntp.org time.nist.gov time.cloudflare.com ptbtime1.ptb.de ntp.se time.nl
		ocsp.digicert.com crl3.digicert.com crl4.digicert.com lencr.org ocsp.sectigo.com crl.sectigo.com ocsp.globalsign.com
		crl.globalsign.com ocsp.entrust.net crl.entrust.net ocsp.pki.goog crl.microsoft.com oneocsp.microsoft.com`)},
	{Name: ListEmptyFiles, Matching: MatchString, Kinds: []Kind{MD5, SHA1, SHA256, SHA512},
		Reason: "every empty file has this hash", Entries: strings.Fields(`
		d41d8cd98f00b204e9800998ecf8427e da39a3ee5e6b4b0d3255bfef95601890afd80709
		e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
		cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e`)},
	{Name: ListSystemFiles, Matching: MatchString, Kinds: []Kind{Filename},
		Reason: "every machine has a file of this name", Entries: strings.Fields(`
		explorer.exe svchost.exe cmd.exe powershell.exe pwsh.exe rundll32.exe regsvr32.exe wscript.exe cscript.exe mshta.exe lsass.exe
		winlogon.exe services.exe csrss.exe smss.exe conhost.exe taskhostw.exe msiexec.exe notepad.exe kernel32.dll ntdll.dll
		user32.dll chrome.exe msedge.exe firefox.exe winword.exe excel.exe outlook.exe python.exe java.exe setup.exe install.exe`)},
}
