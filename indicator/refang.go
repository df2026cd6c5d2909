package indicator

import (
	"sort"
	"strings"
)

// cut is a place where cleaning has changed the length of the text.
type cut struct {
	at    int // offset in the clean text, after what was put in
	shift int // what to add to a clean offset from here on to get the original one
}

// cleaned is a text with the defanged signs made plain, and the way back to the original offsets.
type cleaned struct {
	text string
	cuts []cut
}

// origin is the offset in the original text of an offset in the clean one.
func (c cleaned) origin(at int) int {
	i := sort.Search(len(c.cuts), func(i int) bool { return c.cuts[i].at > at })
	if i == 0 {
		return at
	}
	return at + c.cuts[i-1].shift
}

// changed says whether a sign between two clean offsets was defanged.
func (c cleaned) changed(from, to int) bool {
	i := sort.Search(len(c.cuts), func(i int) bool { return c.cuts[i].at > from })
	return i < len(c.cuts) && c.cuts[i].at <= to
}

// signs are the words between brackets that stand for a sign. Those that are words may have a space on each side.
var signs = map[string]string{".": ".", "@": "@", ":": ":", "://": "://", "/": "/", "dot": ".", "punt": ".", "at": "@"}

// clean makes [.] (.) {.} [dot] [at] [@] [:] [://] [/] plain. Schemes such as hxxp are left to the reader of URLs.
func clean(text string) cleaned {
	if !strings.ContainsAny(text, "[({") {
		return cleaned{text: text}
	}
	var b strings.Builder
	var c cleaned
	last := 0
	for i := 0; i < len(text); i++ {
		sign, from, to := signAt(text, i)
		if sign == "" || from < last {
			continue
		}
		b.WriteString(text[last:from])
		b.WriteString(sign)
		c.cuts = append(c.cuts, cut{at: b.Len(), shift: to - b.Len()})
		last, i = to, to-1
	}
	b.WriteString(text[last:])
	c.text = b.String()
	return c
}

// signAt reads a bracketed sign at an offset: the sign and the stretch of text that it stands for.
func signAt(text string, i int) (sign string, from, to int) {
	var closing byte
	switch text[i] {
	case '[':
		closing = ']'
	case '(':
		closing = ')'
	case '{':
		closing = '}'
	default:
		return "", 0, 0
	}
	window := text[i+1 : min(i+1+8, len(text))]
	end := strings.IndexByte(window, closing)
	if end < 0 {
		return "", 0, 0
	}
	word := strings.ToLower(strings.Trim(window[:end], " "))
	sign = signs[word]
	from, to = i, i+1+end+1
	if len(word) >= 2 && word[0] >= 'a' { // a word, not a sign
		if from > 0 && text[from-1] == ' ' && to < len(text) && text[to] == ' ' {
			from, to = from-1, to+1
		}
	}
	return sign, from, to
}

// schemes are the schemes of URLs that are looked for, and the defanged spellings of them.
var schemes = map[string]string{
	"http": "http", "https": "https", "ftp": "ftp", "ftps": "ftps", "sftp": "sftp", "ws": "ws", "wss": "wss", "tcp": "tcp", "udp": "udp",
	"hxxp": "http", "hxxps": "https", "htxp": "http", "htxps": "https", "hxtp": "http", "hxtps": "https", "h**p": "http",
	"h**ps": "https", "h__p": "http", "h__ps": "https", "meow": "http", "meows": "https", "fxp": "ftp", "fxps": "ftps",
}

// schemeBefore is the scheme that ends where "://" starts: its normal form and its length in the text, "" if there is
// none that is looked for.
func schemeBefore(text string, end int) (scheme string, length int) {
	start := end
	for start > 0 && end-start < 6 && isSchemeByte(text[start-1]) {
		start--
	}
	for ; start < end; start++ {
		if s, ok := schemes[strings.ToLower(text[start:end])]; ok {
			return s, end - start
		}
	}
	return "", 0
}

func isSchemeByte(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '*' || c == '_'
}

// Refang makes a defanged text plain: hxxps[:]//evil[.]example becomes https://evil.example. Text without defanged
// signs stays as it is.
func Refang(text string) string {
	s := clean(text).text
	if !strings.Contains(s, "://") {
		return s
	}
	var b strings.Builder
	for {
		i := strings.Index(s, "://")
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		scheme, length := schemeBefore(s, i)
		if scheme == "" || strings.EqualFold(scheme, s[i-length:i]) {
			b.WriteString(s[:i])
		} else {
			b.WriteString(s[:i-length] + scheme)
		}
		b.WriteString("://")
		s = s[i+3:]
	}
}

// Defang writes a value so that no screen, mail reader or chat makes it a link. Kinds that nobody can click stay as
// they are.
func Defang(kind Kind, value string) string {
	dots := strings.NewReplacer(".", "[.]", "@", "[@]")
	switch kind {
	case IPv4, Domain, Email:
		return dots.Replace(value)
	case IPv6:
		return strings.ReplaceAll(dots.Replace(value), ":", "[:]")
	case CIDR:
		address, bits, _ := strings.Cut(value, "/")
		return Defang(IPv6, address) + "/" + bits
	case URL:
		return defangURL(value)
	}
	return value
}

func defangURL(value string) string {
	scheme, after, ok := strings.Cut(value, "://")
	if !ok {
		return value
	}
	end := strings.IndexAny(after, "/?#\\")
	if end < 0 {
		end = len(after)
	}
	switch strings.ToLower(scheme) {
	case "http", "https":
		scheme = strings.NewReplacer("tt", "xx", "TT", "XX").Replace(scheme)
	case "ftp", "ftps":
		scheme = "fxp" + scheme[3:]
	default:
		return scheme + "[://]" + Defang(Domain, after[:end]) + after[end:]
	}
	return scheme + "://" + Defang(Domain, after[:end]) + after[end:]
}
