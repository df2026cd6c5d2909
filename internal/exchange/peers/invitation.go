package peers

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/seal"
)

// Invitation lets one organisation of another node join one community of this one, once. It travels as one line.
type Invitation struct {
	URL           string             `json:"url"` // of the home
	Node          polder.OrgID       `json:"node"`
	Key           []byte             `json:"key"` // of the home
	Community     polder.CommunityID `json:"community"`
	CommunityName string             `json:"name"`
	Org           polder.OrgID       `json:"org,omitempty"` // the only organisation that it is for
	Role          string             `json:"role"`
	Secret        string             `json:"secret"`
	Expires       int64              `json:"expires"` // seconds since 1970, by the home's clock
}

const (
	invitationPrefix = "polder-invite-1:"
	maxInvitation    = 4096 // bytes of the line
	invitationLife   = 7 * 24 * time.Hour
	longestLife      = 90 * 24 * time.Hour
)

// String is the invitation as one line. Whoever has it can use it: it belongs into a message to one person.
func (i Invitation) String() string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(i) // strings, bytes and numbers always encode
	return invitationPrefix + base64.RawURLEncoding.EncodeToString(bytes.TrimSpace(b.Bytes()))
}

// ParseInvitation reads what [Invitation.String] wrote; blanks and line breaks, which mail programs add, are left out.
func ParseInvitation(line string) (Invitation, error) {
	bad := func(what string) (Invitation, error) {
		return Invitation{}, polder.Errorf(polder.Invalid, "invitation: %s; copy the whole line, which begins with %s", what, invitationPrefix)
	}
	if len(line) > maxInvitation {
		return bad("is longer than any invitation")
	}
	text, ok := strings.CutPrefix(strings.Join(strings.Fields(line), ""), invitationPrefix)
	if !ok {
		return bad("does not begin as one")
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		return bad("is damaged")
	}
	var i Invitation
	dec := json.NewDecoder(bytes.NewReader(raw))
	if err := dec.Decode(&i); err != nil || dec.More() {
		return bad("is damaged")
	}
	if what := i.wrong(); what != "" {
		return bad(what)
	}
	return i, nil
}

var (
	nodeForm      = regexp.MustCompile(`^identity--[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	communityForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	secretForm    = regexp.MustCompile(`^[a-z2-7]{26}$`) // 130 bits
)

// wrong says what is wrong with an invitation; "" is nothing.
func (i Invitation) wrong() string {
	role, err := polder.ParseRole(i.Role)
	switch {
	case !nodeForm.MatchString(string(i.Node)):
		return "names no node"
	case len(i.Key) != ed25519.PublicKeySize:
		return "holds no key of a node"
	case !communityForm.MatchString(string(i.Community)):
		return "names no community"
	case i.CommunityName == "" || len(i.CommunityName) > maxName || !utf8.ValidString(i.CommunityName):
		return "names no community"
	case i.Org != "" && !nodeForm.MatchString(string(i.Org)):
		return "is for an organisation that has no id"
	case err != nil || role < polder.RoleReader || role > polder.RoleSteward:
		return "gives no role of a member"
	case !secretForm.MatchString(i.Secret):
		return "holds no secret"
	}
	if _, err := address(i.URL); err != nil {
		return err.Error()
	}
	return ""
}

// Fingerprint is that of the home's key, as people compare it.
func (i Invitation) Fingerprint() string { return fingerprint(i.Key) }

// fingerprint is what people compare of a node's key.
func fingerprint(key []byte) string {
	if len(key) != ed25519.PublicKeySize {
		return ""
	}
	return seal.PublicKey(key).Fingerprint()
}

const (
	maxName = 200  // bytes of a name from elsewhere
	maxURL  = 1000 // bytes of a node's address
)

// address reads the address of a node: https, or http where the network is trusted, with nothing behind the path.
func address(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || len(s) > maxURL || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "" {
		return "", polder.Errorf(polder.Invalid, "%.100q is not the address of a node; it looks like https://hub.example", s)
	}
	return strings.TrimRight(u.String(), "/"), nil
}

// reach says from where a node's address can be dialled.
type reach int

const (
	reachable  reach = iota // as far as can be told
	fromHere                // a loopback address: from this machine alone
	fromInside              // http: only by nodes that trust the network between (allow_networks)
)

// reachOf is the reach of an address of [address]; an address on which a node listens, and that names no machine, is
// refused.
func reachOf(s string) (reach, error) {
	u, err := url.Parse(s)
	if err != nil {
		return reachable, polder.Errorf(polder.Invalid, "%.100q is not the address of a node; it looks like https://hub.example", s)
	}
	host := u.Hostname()
	at, err := netip.ParseAddr(host)
	at = at.Unmap()
	switch {
	case err == nil && at.IsUnspecified():
		return reachable, polder.Errorf(polder.Invalid, "url: %s is where this node listens, and no machine has that address; give the one under which the other node reaches this one, with --url or as public_url in polder.yaml", s)
	case err == nil && at.IsLoopback(), host == "localhost", strings.HasSuffix(host, ".localhost"):
		return fromHere, nil
	case u.Scheme == "http":
		return fromInside, nil
	}
	return reachable, nil
}

// clip is at most n bytes of s, cut between characters, without what would break a line.
func clip(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
