package accounts

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/polder-exchange/polder"
)

// Provider is where people may log in instead of here, by OpenID Connect. What it says of somebody's rights, groups or
// e-mail address counts for nothing: it says who somebody is (issuer and subject), and no more.
type Provider struct {
	Name         string       // in addresses and on buttons
	Issuer       string       // exactly as it names itself
	ClientID     string       // as which it knows this node
	ClientSecret string       // for its token endpoint
	Client       *http.Client // by which it is reached; one that reaches no inside address unless it may
}

// OIDC logs people in by providers. It is safe for concurrent use.
type OIDC struct {
	s         *Service
	url       string
	providers []*provider
	flows     *ceremonies[flow]
	starts    *Limiter
	tickets   *ceremonies[ticket]
}

// flow is a log-in that has gone to a provider.
type flow struct {
	provider, state, nonce, verifier string
	next                             string
	link                             polder.Actor // who links the identity to the own account; zero: somebody logs in
	session                          SessionID    // of link
}

// Arrival is what came of a log-in at a provider: a session, or an identity that is now linked.
type Arrival struct {
	Cookie  string
	Session Session
	Next    string // what the page that sent to the log-in asked for; the caller holds it to this site
	Linked  bool
}

// Stranger is in the chain of the error that says: the provider knows this person, and no account here does.
type Stranger struct{ Provider, Issuer, Subject string }

// Error is what [error] asks for.
func (s *Stranger) Error() string {
	return "nobody here has linked this account of " + s.Provider
}

// ErrFlow is in the chain of the error that says: this log-in was not begun in this browser, or too long ago, or is done.
var ErrFlow = polder.Errorf(polder.Invalid, "this log-in was not begun in this browser, or too long ago; begin again")

// signatures are the algorithms that an ID token may be signed with: none by a secret, and never none.
var signatures = []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA}

const (
	maxProviderAnswer = 1 << 20          // bytes of one answer of a provider
	maxIDToken        = 64 << 10         // bytes
	mayBeAhead        = 5 * time.Minute  // of a provider's clock
	providerTime      = 20 * time.Second // for all that one log-in asks of a provider
	notAskedAgain     = 5 * time.Second  // after a provider did not answer
)

var providerName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}$`)

// OIDC makes the log-in by providers. address is how people reach the node. passkeys may prove who links an identity;
// nil when there are none.
func (s *Service) OIDC(address string, passkeys *Passkeys, all []Provider) (*OIDC, error) {
	o := &OIDC{s: s, url: strings.TrimRight(address, "/"), flows: newCeremonies[flow](s.o.Steady), starts: NewLimiter(beginnings, 10_000, s.o.Steady)}
	if passkeys != nil {
		o.tickets = passkeys.tickets
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, polder.Errorf(polder.Invalid, "log-in by a provider needs to know how people reach the node; set public_url")
	}
	seen := map[string]bool{}
	for _, p := range all {
		i, err := url.Parse(p.Issuer)
		switch {
		case !providerName.MatchString(p.Name) || seen[strings.ToLower(p.Name)]:
			return nil, polder.Errorf(polder.Invalid, "provider %.60q: a name is up to 40 letters, digits, spaces, '.', '_' and '-', and each is another", p.Name)
		case err != nil || i.Scheme != "https" || i.Host == "" || i.User != nil || i.RawQuery != "" || i.Fragment != "" || len(p.Issuer) > 512:
			return nil, polder.Errorf(polder.Invalid, "provider %s: the issuer %.200q is no https address without query and fragment", p.Name, p.Issuer)
		case p.ClientID == "" || p.ClientSecret == "" || p.Client == nil || p.Client.Transport == nil:
			return nil, polder.Errorf(polder.Invalid, "provider %s: it needs a client_id and a client_secret_file", p.Name)
		}
		seen[strings.ToLower(p.Name)] = true
		client := *p.Client
		client.Transport = bounded{client.Transport}
		p.Client = &client
		o.providers = append(o.providers, &provider{Provider: p, redirect: o.url + "/login/with/" + url.PathEscape(p.Name) + "/back", now: s.o.Now, steady: s.o.Steady})
	}
	return o, nil
}

// bounded cuts off answers that are longer than any provider's.
type bounded struct{ http.RoundTripper }

// RoundTrip is what [http.RoundTripper] asks for.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	a, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		a.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(a.Body, maxProviderAnswer), a.Body}
	}
	return a, err
}

// Names are the providers, in the order of the configuration.
func (o *OIDC) Names() []string {
	names := make([]string, len(o.providers))
	for i, p := range o.providers {
		names[i] = p.Name
	}
	return names
}

// Issuers are the providers' issuers, by name.
func (o *OIDC) Issuers() map[string]string {
	all := map[string]string{}
	for _, p := range o.providers {
		all[p.Name] = p.Issuer
	}
	return all
}

func (o *OIDC) provider(name string) (*provider, error) {
	i := slices.IndexFunc(o.providers, func(p *provider) bool { return p.Name == name })
	if i < 0 {
		return nil, polder.Errorf(polder.NotFound, "no log-in by %.60s here", name)
	}
	return o.providers[i], nil
}

// LogIn begins a log-in at a provider: to is where the browser goes, key what it keeps until it comes back.
func (o *OIDC) LogIn(ctx context.Context, name string, from netip.Addr, next string) (key, to string, err error) {
	return o.begin(ctx, name, from, flow{next: next})
}

// Link begins to link an identity at a provider to by's own account, after a proof of who asks.
func (o *OIDC) Link(ctx context.Context, by polder.Actor, name string, proof Proof, from netip.Addr) (key, to string, err error) {
	if err := o.s.prove(ctx, by, proof, o.tickets); err != nil {
		return "", "", err
	}
	return o.begin(ctx, name, from, flow{link: by, session: proof.Session})
}

func (o *OIDC) begin(ctx context.Context, name string, from netip.Addr, f flow) (key, to string, err error) {
	p, err := o.provider(name)
	if err != nil {
		return "", "", err
	}
	if wait, ok := o.starts.Take(network(from)); !ok {
		return "", "", tooOften("log-ins", wait)
	}
	at, err := p.discover(ctx)
	if err != nil {
		o.s.o.Log.Warn("a log-in provider does not answer as it should", "provider", p.Name, "reason", err)
		return "", "", polder.Errorf(polder.Unavailable, "%s does not answer as it should; log in another way, or try again later", p.Name)
	}
	f.provider = name
	for _, secret := range []*string{&key, &f.state, &f.nonce, &f.verifier} {
		if *secret, err = o.s.ids.cookie(); err != nil {
			return "", "", err
		}
	}
	if err := o.flows.begin(key, f, ceremonyLife); err != nil {
		return "", "", err
	}
	return key, at.config.AuthCodeURL(f.state, oidc.Nonce(f.nonce), oauth2.S256ChallengeOption(f.verifier)), nil
}

// Finish takes what the provider sent the browser back with. key is what the browser kept since the beginning; each is
// good for one finish, whatever comes of it. here is the session of the browser, if it has one. Unauthorised, with a
// [Stranger] as cause, when nobody has linked the identity.
func (o *OIDC) Finish(ctx context.Context, name, key string, q url.Values, here SessionID, from netip.Addr, agent string) (Arrival, error) {
	f, ok := o.flows.finish(key)
	if !ok || f.provider != name || len(q["state"]) != 1 || subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(f.state)) != 1 {
		return Arrival{}, ErrFlow
	}
	p, err := o.provider(name)
	if err != nil {
		return Arrival{}, err
	}
	id, err := p.identity(ctx, f, q)
	if err != nil {
		if polder.KindOf(err) == polder.Unavailable {
			return Arrival{}, err
		}
		o.s.o.Log.Warn("a log-in by a provider was refused", "provider", p.Name, "reason", err)
		refused := polder.Errorf(polder.Unauthorised, "%s did not say who you are in a way that can be believed; begin again, and tell the administrator if it stays so", p.Name)
		return Arrival{}, o.s.refuse(ctx, refused, ByProvider, from, Person{})
	}
	if f.link != (polder.Actor{}) {
		return Arrival{Linked: true, Next: f.next}, o.link(ctx, f, here, id)
	}
	return o.enter(ctx, p, f, id, from, agent)
}

// enter logs in whoever has linked id.
func (o *OIDC) enter(ctx context.Context, p *provider, f flow, id Identity, from netip.Addr, agent string) (Arrival, error) {
	person, err := identityOwner(o.s.read(ctx), id)
	if polder.KindOf(err) == polder.NotFound {
		return Arrival{}, o.s.refuse(ctx, strange(p, id), ByProvider, from, Person{})
	}
	if err != nil {
		return Arrival{}, err
	}
	a := Arrival{Next: f.next}
	a.Cookie, a.Session, err = o.s.enter(ctx, person, ByProvider, from, agent, func(c *change) error { return useIdentity(c.tx, id, person, c.now) })
	if polder.KindOf(err) == polder.Unauthorised || polder.KindOf(err) == polder.NotFound { // disabled, or unlinked just now
		return Arrival{}, o.s.refuse(ctx, strange(p, id), ByProvider, from, Person{ID: person})
	}
	return a, err
}

func strange(p *provider, id Identity) error {
	return polder.Errorf(polder.Unauthorised, "%w", &Stranger{p.Name, id.Issuer, id.Subject})
}

func (o *OIDC) link(ctx context.Context, f flow, here SessionID, id Identity) error {
	if here == "" || here != f.session {
		return ErrFlow
	}
	return o.s.LinkIdentity(ctx, f.link, f.link.Person, id)
}

// provider is a [Provider] and what it says of itself, once it has been asked.
type provider struct {
	Provider
	redirect string
	now      func() time.Time
	steady   func() time.Duration

	mu     sync.Mutex
	known  *discovered
	failed error
	again  time.Duration // when to ask again after failed
}

// discovered is what a provider says of itself.
type discovered struct {
	config   oauth2.Config
	verifier *oidc.IDTokenVerifier
	namesIss bool // it adds its issuer to what it sends back (RFC 9207)
}

// discover reads what the provider says of itself, the first time that it answers.
func (p *provider) discover(ctx context.Context) (*discovered, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known != nil {
		return p.known, nil
	}
	if p.failed != nil && p.steady() < p.again {
		return nil, p.failed
	}
	known, err := p.ask(ctx)
	if err != nil {
		p.failed, p.again = err, p.steady()+notAskedAgain
		return nil, err
	}
	p.known, p.failed = known, nil
	return known, nil
}

func (p *provider) ask(ctx context.Context) (*discovered, error) {
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, p.Client), providerTime)
	defer cancel()
	at, err := oidc.NewProvider(ctx, p.Issuer)
	if err != nil {
		return nil, err
	}
	var says struct {
		Methods  []string `json:"token_endpoint_auth_methods_supported"`
		NamesIss bool     `json:"authorization_response_iss_parameter_supported"`
	}
	if err := at.Claims(&says); err != nil {
		return nil, err
	}
	end := at.Endpoint()
	for what, address := range map[string]string{"authorization": end.AuthURL, "token": end.TokenURL} {
		if u, err := url.Parse(address); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
			return nil, fmt.Errorf("its %s endpoint is no https address", what)
		}
	}
	end.AuthStyle = oauth2.AuthStyleInHeader
	if len(says.Methods) > 0 && !slices.Contains(says.Methods, "client_secret_basic") {
		end.AuthStyle = oauth2.AuthStyleInParams
	}
	return &discovered{
		config:   oauth2.Config{ClientID: p.ClientID, ClientSecret: p.ClientSecret, Endpoint: end, RedirectURL: p.redirect, Scopes: []string{oidc.ScopeOpenID}},
		verifier: at.Verifier(&oidc.Config{ClientID: p.ClientID, SupportedSigningAlgs: signatures, Now: p.now}),
		namesIss: says.NamesIss,
	}, nil
}

// identity exchanges the code for an ID token and holds it to everything that OpenID Connect Core asks of one. An error
// names what was wrong and holds nothing secret.
func (p *provider) identity(ctx context.Context, f flow, q url.Values) (Identity, error) {
	at, err := p.discover(ctx)
	if err != nil {
		return Identity{}, p.silent()
	}
	switch {
	case q.Has("iss") && q.Get("iss") != p.Issuer || at.namesIss && !q.Has("iss"):
		return Identity{}, errors.New("the answer comes from another issuer")
	case q.Has("error"):
		return Identity{}, errors.New("it answered with an error of its own")
	case len(q["code"]) != 1 || q.Get("code") == "" || len(q.Get("code")) > 4096:
		return Identity{}, errors.New("there is no code")
	}
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, p.Client), providerTime)
	defer cancel()
	tokens, err := at.config.Exchange(ctx, q.Get("code"), oauth2.VerifierOption(f.verifier))
	if err != nil {
		if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok && refused.Response.StatusCode < 500 {
			return Identity{}, errors.New("it does not take the code")
		}
		return Identity{}, p.silent()
	}
	raw, _ := tokens.Extra("id_token").(string)
	if raw == "" || len(raw) > maxIDToken {
		return Identity{}, errors.New("it gave no ID token, or one that is too long")
	}
	token, err := at.verifier.Verify(ctx, raw)
	if err != nil {
		return Identity{}, errors.New("the ID token does not hold: " + reasonOf(err))
	}
	if why := p.wrong(f, token, tokens.AccessToken); why != "" {
		return Identity{}, errors.New(why)
	}
	return Identity{Issuer: token.Issuer, Subject: token.Subject}, nil
}

func (p *provider) silent() error {
	return polder.Errorf(polder.Unavailable, "%s does not answer as it should; log in another way, or try again later", p.Name)
}

// reasonOf is what a library says of a token, short and without the token's own words.
func reasonOf(err error) string {
	if _, ok := errors.AsType[*oidc.TokenExpiredError](err); ok {
		return "it has expired"
	}
	text := err.Error()
	for _, known := range []string{"issued by a different provider", "expected audience", "unsupported algorithm", "before the nbf", "signature", "malformed"} {
		if strings.Contains(text, known) {
			return known
		}
	}
	return "it cannot be read"
}

// wrong is what the verifier leaves to us: nonce, authorised party, time of issue, access token, subject.
func (p *provider) wrong(f flow, token *oidc.IDToken, access string) string {
	var more struct {
		Azp *string `json:"azp"`
	}
	if err := token.Claims(&more); err != nil {
		return "the ID token cannot be read"
	}
	switch {
	case subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(f.nonce)) != 1:
		return "the ID token is not for this log-in (nonce)"
	case more.Azp == nil && len(token.Audience) > 1, more.Azp != nil && *more.Azp != p.ClientID:
		return "the ID token is for another party (azp)"
	case token.IssuedAt.After(p.now().Add(mayBeAhead)):
		return "the ID token is of a time to come (iat)"
	case token.AccessTokenHash != "" && token.VerifyAccessToken(access) != nil:
		return "the ID token belongs to another access token (at_hash)"
	}
	if err := (Identity{p.Issuer, token.Subject, time.Time{}, time.Time{}}).check(); err != nil {
		return "the ID token names nobody (sub)"
	}
	return ""
}
