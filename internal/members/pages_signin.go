package members

import (
	"net/http"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/web"
)

// passkeyScript asks the browser's authenticator.
const passkeyScript = "passkey.js"

// ways is the data of the fragment "ways": how to log in but by password.
type ways struct {
	Passkey   bool
	Providers []web.Link
	Next      string
}

// passkeys is the data of the fragment "passkeys": those one has, and a form for one more.
type passkeys struct {
	Table table
	Form  form
}

// identities is the data of the fragment "identities": accounts at providers that are linked, and the links to more.
type identities struct {
	Table     table
	Providers []web.Link
}

// passkeysAt tells whether browsers offer passkeys where this reader reaches the node.
func (p *Pages) passkeysAt(r *http.Request) bool {
	if p.o.Passkeys == nil {
		return false
	}
	scheme := "http"
	if p.o.Secure {
		scheme = "https"
	}
	return p.o.Passkeys.Origin() == scheme+"://"+r.Host
}

func (p *Pages) providerNames() []string {
	if p.o.OIDC == nil {
		return nil
	}
	return p.o.OIDC.Names()
}

// otherWays are the ways to log in that this node offers beside the password, below the form; and the script that they
// need.
func (p *Pages) otherWays(r *http.Request, next string) (blocks []web.Block, scripts []string) {
	words := web.WordsOf(r)
	w := ways{Passkey: p.passkeysAt(r), Next: next}
	for _, name := range p.providerNames() {
		at := path("login", "with", name)
		if next != "/" {
			at += "?" + query("next", next)
		}
		w.Providers = append(w.Providers, web.Link{Text: words.T("members.login.with", "name", name), Href: at})
	}
	if w.Passkey {
		scripts = []string{passkeyScript}
	}
	if w.Passkey || len(w.Providers) > 0 {
		blocks = []web.Block{block(words.T("members.login.or"), "", "ways", w)}
	}
	return blocks, scripts
}

// proofFields ask who sends a form to prove that it is still the one.
func proofFields(words web.Words, a answers) []web.Field {
	return []web.Field{a.field(web.Field{Name: "password", Label: words.T("members.password.old"), Help: words.T("members.proof.help"), Type: "password", Autocomplete: "current-password", Max: accounts.MaxPassword})}
}

// proofBy is how the forms of me can be confirmed: see [form].Prove.
func (p *Pages) proofBy(r *http.Request, me polder.PersonID) (string, error) {
	if !p.passkeysAt(r) {
		return "password", nil
	}
	keys, err := p.o.Passkeys.Of(r.Context(), me)
	for _, k := range keys {
		if k.Cloned.IsZero() {
			return "passkey", err
		}
	}
	return "password", err
}

// signInBlocks show on the account page how one logs in beside the password.
func (p *Pages) signInBlocks(r *http.Request, me accounts.Person) (blocks []web.Block, err error) {
	words := web.WordsOf(r)
	if p.passkeysAt(r) {
		b, err := p.passkeyBlock(r, me)
		if err != nil {
			return nil, err
		}
		blocks = append(blocks, b)
	}
	linked, err := p.accounts.Identities(r.Context(), me.ID)
	if err != nil || len(linked) == 0 && len(p.providerNames()) == 0 {
		return blocks, err
	}
	show := identities{Table: identityTable(words, linked, p.issuerNames())}
	for _, name := range p.providerNames() {
		show.Providers = append(show.Providers, web.Link{Text: words.T("members.identities.link", "name", name), Href: path("account", "providers", name)})
	}
	return append(blocks, block(words.T("members.identities"), words.T("members.identities.note"), "identities", show)), nil
}

func (p *Pages) passkeyBlock(r *http.Request, me accounts.Person) (web.Block, error) {
	words := web.WordsOf(r)
	keys, err := p.o.Passkeys.Of(r.Context(), me.ID)
	if err != nil {
		return web.Block{}, err
	}
	by, err := p.proofBy(r, me.ID)
	if err != nil {
		return web.Block{}, err
	}
	add := form{Action: "/account/passkeys", Passkey: "add", Prove: by, Beside: true, Submit: words.T("members.passkeys.add"), Fields: append([]web.Field{
		{Name: "name", Label: words.T("members.passkeys.name"), Help: words.T("members.passkeys.name-help"), Max: 60},
	}, proofFields(words, answers{})...)}
	return block(words.T("members.passkeys"), words.T("members.passkeys.note"), "passkeys", passkeys{passkeyTable(words, keys), add}), nil
}

func passkeyTable(words web.Words, keys []accounts.Passkey) table {
	t := table{Label: words.T("members.passkeys"), Empty: web.Empty{Icon: "key", Title: words.T("members.passkeys.none"), Text: words.T("members.passkeys.none-text")},
		Heads: plainHeads(words.T("members.name"), words.T("members.passkeys.used"), words.T("members.passkeys.added"), words.T("members.state"))}
	for _, k := range keys {
		state := cell{Tag: &tag{"ok", "check", words.T("members.passkeys.works")}}
		if !k.Cloned.IsZero() {
			state = cell{Tag: &tag{"bad", "alert", words.T("members.passkeys.copied")}}
		}
		t.Rows = append(t.Rows, row{{Text: k.Name, Href: path("account", "passkeys", string(k.ID))}, usedCell(words, k.Used.IsZero(), cell{At: k.Used}), {At: k.Created}, state})
	}
	return t
}

func usedCell(words web.Words, never bool, c cell) cell {
	if never {
		return cell{Text: words.T("members.never")}
	}
	return c
}

func identityTable(words web.Words, linked []accounts.Identity, names map[string]string) table {
	t := table{Label: words.T("members.identities"), Empty: web.Empty{Icon: "people", Title: words.T("members.identities.none"), Text: words.T("members.identities.none-text")},
		Heads: plainHeads(words.T("members.identities.provider"), words.T("members.passkeys.used"), words.T("members.passkeys.added"))}
	for _, i := range linked {
		t.Rows = append(t.Rows, row{{Text: providerOf(i, names), Href: path("account", "identities", i.ID())}, usedCell(words, i.Used.IsZero(), cell{At: i.Used}), {At: i.Linked}})
	}
	return t
}

// issuerNames are the providers' names by issuer.
func (p *Pages) issuerNames() map[string]string {
	names := map[string]string{}
	if p.o.OIDC != nil {
		for name, issuer := range p.o.OIDC.Issuers() {
			names[issuer] = name
		}
	}
	return names
}

// providerOf is the name of an identity's provider: its issuer, when it is configured no longer.
func providerOf(i accounts.Identity, names map[string]string) string {
	if name := names[i.Issuer]; name != "" {
		return name
	}
	return i.Issuer
}
