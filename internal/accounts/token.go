package accounts

import (
	"context"
	"crypto/subtle"
	"encoding/binary"
	"hash/crc32"
	"net/netip"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// Token is what is known of a token; the token itself is known to nobody but who was given it.
type Token struct {
	ID      polder.TokenID
	Org     polder.OrgID
	Role    polder.Role
	Name    string
	Scope   []polder.CommunityID // empty: every community of the organisation
	Expires time.Time            // zero: never
	Revoked time.Time            // zero: not
	Used    time.Time            // to the minute; zero: never
	Created time.Time
	Maker   polder.PersonID // who made it; empty: the administrator at the machine, or another token
}

// NewToken is what a token is made from. Org and Role are needed.
type NewToken struct {
	Org     polder.OrgID
	Role    polder.Role
	Name    string               // what it is for
	Scope   []polder.CommunityID // limits it to these; empty: no limit
	Expires time.Time            // zero: never
}

// This is the text of a token: polder_ID_SECRETSUM. ID is public, twelve characters; SECRET is 160 bits in 32 characters;
// SUM is a checksum of the rest in seven, so that a scanner of leaked secrets, and we, tell a token from noise unasked.
const (
	tokenPrefix = "polder_"
	tokenIDLen  = 12 // of base32: 60 bits
	secretLen   = 32
	sumLen      = 7
)

// tokenSum is the checksum of what stands before it.
func tokenSum(text string) string {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], crc32.ChecksumIEEE([]byte(text)))
	return base32Lower.EncodeToString(b[:])
}

// parseToken answers the id within the text of a token, if it is one.
func parseToken(text string) (polder.TokenID, bool) {
	if len(text) != len(tokenPrefix)+tokenIDLen+1+secretLen+sumLen || !strings.HasPrefix(text, tokenPrefix) {
		return "", false
	}
	id := text[len(tokenPrefix) : len(tokenPrefix)+tokenIDLen]
	body, sum := text[:len(text)-sumLen], text[len(text)-sumLen:]
	if text[len(tokenPrefix)+tokenIDLen] != '_' || tokenSum(body) != sum {
		return "", false
	}
	return polder.TokenID(id), true
}

func (r randomness) token() (id polder.TokenID, text string, err error) {
	a, err := r.word(8)
	if err != nil {
		return "", "", err
	}
	b, err := r.word(20)
	if err != nil {
		return "", "", err
	}
	a = a[:tokenIDLen]
	text = tokenPrefix + a + "_" + b
	return polder.TokenID(a), text + tokenSum(text), nil
}

// tokenLives tells whether a token works at a time.
func tokenLives(expires, revoked, now int64) bool {
	return revoked == 0 && (expires == 0 || now < expires)
}

// CreateToken makes a token of an organisation and answers its text, which is stored nowhere. Anybody makes tokens for
// the own organisation up to the own role; an administrator for any. A token that is limited to some communities makes
// none. A token ends with who made it.
func (s *Service) CreateToken(ctx context.Context, by polder.Actor, n NewToken) (Token, string, error) {
	n, err := n.clean()
	if err != nil {
		return Token{}, "", err
	}
	var t Token
	var text string
	err = s.change(ctx, by, func(c *change) error {
		t, text, err = c.createToken(n)
		return err
	})
	if err != nil {
		return Token{}, "", err
	}
	return t, text, nil
}

func (n NewToken) clean() (NewToken, error) {
	if n.Role < polder.RoleReader || n.Role > polder.RoleAdmin {
		return n, polder.Errorf(polder.Invalid, "a token needs a role: reader, contributor, steward or admin")
	}
	if n.Role == polder.RoleAdmin && len(n.Scope) > 0 {
		return n, polder.Errorf(polder.Invalid, "an admin token manages the node and cannot be limited to communities")
	}
	name, err := cleanLine("name of the token", n.Name, MaxName)
	n.Name = name
	return n, err
}

func (c *change) createToken(n NewToken) (Token, string, error) {
	if err := c.mayGrant(n.Org, n.Role); err != nil {
		return Token{}, "", err
	}
	o, err := readOrg(c.tx, n.Org)
	if err != nil {
		return Token{}, "", err
	}
	if err := acts(c.tx, o); err != nil {
		return Token{}, "", err
	}
	expires := c.deadline(n.Expires)
	if expires != 0 && expires <= c.now {
		return Token{}, "", polder.Errorf(polder.Invalid, "the token would expire before it exists; give a later time")
	}
	id, text, err := c.s.ids.token()
	if err != nil {
		return Token{}, "", err
	}
	t := Token{ID: id, Org: n.Org, Role: n.Role, Name: n.Name, Scope: n.Scope, Expires: when(expires), Created: when(c.now), Maker: c.by.Person}
	if err := insertToken(c.tx, t, c.by.Token, digest(text), expires, c.now); err != nil {
		return Token{}, "", err
	}
	for _, community := range n.Scope {
		if err := insertScope(c.tx, id, n.Org, community); err != nil {
			return Token{}, "", err
		}
	}
	return t, text, c.log("token.create", "", string(id), "org", string(n.Org), "role", n.Role.String())
}

// RevokeToken ends a token, and those it made, at once. Who made it may, a steward of its organisation who holds its
// role, and an administrator. A revoked token is revoked again without complaint.
func (s *Service) RevokeToken(ctx context.Context, by polder.Actor, id polder.TokenID) error {
	return s.change(ctx, by, func(c *change) error {
		t, err := readToken(c.tx, id)
		if err != nil {
			return err
		}
		own := c.by.Person != "" && c.by.Person == t.Maker || c.by.Token == t.ID
		if !own {
			if c.by.Role != polder.RoleAdmin && c.by.Org != t.Org {
				return polder.Errorf(polder.NotFound, "no token %.80s", id)
			}
			if err := c.mayManagePeople(t.Org, t.Role); err != nil {
				return err
			}
		}
		if err := revokeToken(c.tx, id, c.now); err != nil {
			return err
		}
		return c.log("token.revoke", "", string(id), "org", string(t.Org))
	})
}

// revokeTokensOf revokes the tokens that a person made, and those these made.
func (c *change) revokeTokensOf(p polder.PersonID) error {
	ids, err := tokensMadeBy(c.tx, p)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := revokeToken(c.tx, id, c.now); err != nil {
			return err
		}
		if err := c.log("token.revoke", "", string(id), "maker", string(p)); err != nil {
			return err
		}
	}
	return nil
}

// lowerTokensOf lowers the tokens that a person made, and those these made, to a role.
func (c *change) lowerTokensOf(p polder.PersonID, most polder.Role) error {
	ids, err := tokensMadeBy(c.tx, p)
	if err != nil {
		return err
	}
	for _, id := range ids {
		t, err := readToken(c.tx, id)
		if err != nil {
			return err
		}
		if t.Role <= most {
			continue
		}
		if _, err := c.tx.Exec(`UPDATE accounts_token SET role = ? WHERE id = ?`, most.String(), id); err != nil {
			return err
		}
		if err := c.log("token.role", "", string(id), "org", string(t.Org), "from", t.Role.String(), "role", most.String()); err != nil {
			return err
		}
	}
	return nil
}

// Tokens are the tokens of an organisation, newest first; with org empty, of all. A steward of the organisation sees
// them and an administrator; others see those they made.
func (s *Service) Tokens(ctx context.Context, by polder.Actor, org polder.OrgID) ([]Token, error) {
	q := s.read(ctx)
	by, scoped, err := s.readActorNow(q, by)
	if err != nil {
		return nil, err
	}
	if by.Role != polder.RoleAdmin && (by.Org != org || scoped) {
		return nil, polder.Errorf(polder.NotFound, "no organisation %.80s", org)
	}
	all, err := listTokens(q, org)
	if err != nil || by.Role >= polder.RoleSteward {
		return all, err
	}
	var own []Token
	for _, t := range all {
		if t.Maker != "" && t.Maker == by.Person {
			own = append(own, t)
		}
	}
	return own, nil
}

// Token is a token of this node by its id, for who names what it did; the id opens nothing.
func (s *Service) Token(ctx context.Context, id polder.TokenID) (Token, error) {
	return readToken(s.read(ctx), id)
}

// WrongTokenLimits bound how often unknown tokens are tried. They never hold up a token that is right.
type WrongTokenLimits struct {
	Network Allowance // of one address
	Node    Allowance // of all
}

// DefaultWrongTokenLimits let a script with a stale token try once every two seconds.
var DefaultWrongTokenLimits = WrongTokenLimits{
	Network: Allowance{Burst: 30, Every: 2 * time.Second},
	Node:    Allowance{Burst: 1000, Every: 20 * time.Millisecond},
}

func (l *WrongTokenLimits) defaults() {
	l.Network = l.Network.or(DefaultWrongTokenLimits.Network)
	l.Node = l.Node.or(DefaultWrongTokenLimits.Node)
}

var errToken = polder.Errorf(polder.Unauthorised, "the token is unknown, revoked or expired")

// Authenticate answers who holds a token. Unauthorised when nobody does; Limited, with a [TooOften] as its cause, when
// from has sent too many wrong ones. A right token is never held up.
func (s *Service) Authenticate(ctx context.Context, secret string, from netip.Addr) (polder.Actor, error) {
	id, ok := parseToken(secret)
	if !ok {
		return polder.Actor{}, s.wrongToken(from)
	}
	t, err := readSecret(s.read(ctx), id)
	if err != nil {
		return polder.Actor{}, err
	}
	if subtle.ConstantTimeCompare(t.hash, digest(secret)) != 1 {
		return polder.Actor{}, s.wrongToken(from)
	}
	at := s.instant(t.high, t.running)
	switch {
	case !tokenLives(t.expires, t.revoked, at.now):
		if t.revoked == 0 && t.high < t.expires { // it has just expired: store that this time was seen, so it stays expired
			s.touch(ctx, nil)
		}
		return polder.Actor{}, s.wrongToken(from)
	case at.now-t.used >= minute:
		s.touch(ctx, func(tx *db.Tx, now int64) error { return useToken(tx, id, now) })
	}
	return t.actor, nil
}

func (s *Service) wrongToken(from netip.Addr) error {
	if wait, ok := s.wrongFrom.Take(network(from)); !ok {
		return tooOften("wrong tokens", wait)
	}
	if wait, ok := s.wrongAll.Take(""); !ok {
		return tooOften("wrong tokens", wait)
	}
	return errToken
}
