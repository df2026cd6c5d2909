package members

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/web"
)

// What the script of passkeys sends and is answered. Key stands for what was begun; question and answer are what the
// browser's authenticator is asked and says, in the form of WebAuthn's own JSON.
type (
	passkeyBegun struct {
		Key      string          `json:"key"`
		Question json.RawMessage `json:"question"`
	}
	passkeyAnswer struct {
		Key    string          `json:"key"`
		Answer json.RawMessage `json:"answer"`
		Next   string          `json:"next"` // where to go on to, of a log-in
		Name   string          `json:"name"` // of a passkey that is added
	}
	passkeyProof struct {
		Password string `json:"password"`
		Ticket   string `json:"ticket"`
	}
	passkeyTicket struct {
		Ticket string `json:"ticket"`
	}
	passkeyDone struct {
		To string `json:"to"`
	}
)

var errNoPasskeys = polder.Errorf(polder.NotFound, "no passkeys here; they need https and a name, or http://localhost")

// passkeysOf are the passkeys of this node, for a request from where they work.
func (p *Pages) passkeysOf(r *http.Request) (*accounts.Passkeys, error) {
	if !p.passkeysAt(r) {
		return nil, errNoPasskeys
	}
	return p.o.Passkeys, nil
}

func (p *Pages) begun(w http.ResponseWriter, key string, question []byte, err error) error {
	if err != nil {
		return later(err)
	}
	web.WriteJSON(w, http.StatusOK, passkeyBegun{key, question})
	return nil
}

func (p *Pages) beginPasskeyLogIn(w http.ResponseWriter, r *http.Request) error {
	keys, err := p.passkeysOf(r)
	if err != nil {
		return err
	}
	key, question, err := keys.BeginLogIn(p.o.From(r))
	return p.begun(w, key, question, err)
}

// passkeyLogIn begins a session by a passkey.
func (p *Pages) passkeyLogIn(w http.ResponseWriter, r *http.Request) error {
	keys, err := p.passkeysOf(r)
	if err != nil {
		return err
	}
	var in passkeyAnswer
	if err := web.ReadJSON(r, &in); err != nil {
		return err
	}
	cookie, ses, err := keys.LogIn(r.Context(), in.Key, in.Answer, p.o.From(r), r.UserAgent())
	if err != nil {
		return later(err)
	}
	if err := p.start(w, r, cookie, ses); err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, passkeyDone{web.LocalPath(in.Next)})
	return nil
}

// mine is what every request about one's own passkeys begins with.
func (p *Pages) mine(r *http.Request) (*accounts.Passkeys, accounts.Person, accounts.SessionID, error) {
	keys, err := p.passkeysOf(r)
	if err != nil {
		return nil, accounts.Person{}, "", err
	}
	me, err := p.me(r)
	if err != nil {
		return nil, me, "", err
	}
	here, err := p.here(r)
	return keys, me, here.ID, err
}

func (p *Pages) beginProof(w http.ResponseWriter, r *http.Request) error {
	keys, _, here, err := p.mine(r)
	if err != nil {
		return err
	}
	key, question, err := keys.BeginProof(r.Context(), web.ActorOf(r), here, p.o.From(r))
	return p.begun(w, key, question, err)
}

func (p *Pages) takeProof(w http.ResponseWriter, r *http.Request) error {
	keys, _, here, err := p.mine(r)
	if err != nil {
		return err
	}
	var in passkeyAnswer
	if err := web.ReadJSON(r, &in); err != nil {
		return err
	}
	t, err := keys.Prove(r.Context(), web.ActorOf(r), in.Key, in.Answer, here, p.o.From(r))
	if err != nil {
		return later(err)
	}
	web.WriteJSON(w, http.StatusOK, passkeyTicket{t})
	return nil
}

func (p *Pages) beginPasskey(w http.ResponseWriter, r *http.Request) error {
	keys, _, here, err := p.mine(r)
	if err != nil {
		return err
	}
	var in passkeyProof
	if err := web.ReadJSON(r, &in); err != nil {
		return err
	}
	key, question, err := keys.BeginAdd(r.Context(), web.ActorOf(r), accounts.Proof{Password: in.Password, Ticket: in.Ticket, Session: here}, p.o.From(r))
	if errors.Is(err, accounts.ErrProof) {
		err = polder.Errorf(polder.Forbidden, "%s", web.WordsOf(r).T("members.proof.wrong"))
	}
	return p.begun(w, key, question, err)
}

func (p *Pages) addPasskey(w http.ResponseWriter, r *http.Request) error {
	keys, _, here, err := p.mine(r)
	if err != nil {
		return err
	}
	var in passkeyAnswer
	if err := web.ReadJSON(r, &in); err != nil {
		return err
	}
	if _, err := keys.Add(r.Context(), web.ActorOf(r), in.Key, in.Name, in.Answer, here); err != nil {
		return err
	}
	p.site.Toast(w, "", "members.passkeys.done")
	web.WriteJSON(w, http.StatusOK, passkeyDone{"/account"})
	return nil
}

// passkey is the passkey {id} of the address, of whoever asks.
func (p *Pages) passkey(r *http.Request) (accounts.Person, accounts.Passkey, error) {
	me, err := p.me(r)
	if err != nil {
		return me, accounts.Passkey{}, err
	}
	if p.o.Passkeys == nil {
		return me, accounts.Passkey{}, errNoPasskeys
	}
	keys, err := p.o.Passkeys.Of(r.Context(), me.ID)
	if err != nil {
		return me, accounts.Passkey{}, err
	}
	for _, k := range keys {
		if string(k.ID) == r.PathValue("id") {
			return me, k, nil
		}
	}
	return me, accounts.Passkey{}, polder.Errorf(polder.NotFound, "you have no such passkey")
}

func (p *Pages) passkeyPage(w http.ResponseWriter, r *http.Request) error {
	return p.renderPasskey(w, r, answers{})
}

func (p *Pages) renderPasskey(w http.ResponseWriter, r *http.Request, a answers) error {
	me, k, err := p.passkey(r)
	if err != nil {
		return err
	}
	words := web.WordsOf(r)
	rename := block(words.T("members.passkeys.rename"), "", "form", form{Action: path("account", "passkeys", string(k.ID)), Submit: words.T("members.save"), Beside: true,
		Fields: []web.Field{a.field(web.Field{Name: "name", Label: words.T("members.passkeys.name"), Value: k.Name, Required: true, Max: 60})}})
	f := form{Action: path("account", "passkeys", string(k.ID), "remove"), Submit: words.T("members.passkeys.remove"), Back: "/account", Fields: proofFields(words, a)}
	page := web.Page{Title: k.Name, Lede: words.T("members.passkeys.lede", "date", words.Date(k.Created))}
	if !k.Cloned.IsZero() {
		page.Lede = words.T("members.passkeys.copied-lede")
	}
	return p.renderProof(w, r, me.ID, f, page, a, rename)
}

func (p *Pages) renamePasskey(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	_, k, err := p.passkey(r)
	if err != nil {
		return err
	}
	err = p.o.Passkeys.Rename(r.Context(), web.ActorOf(r), k.ID, values.Get("name"))
	if polder.KindOf(err) == polder.Invalid && err != nil {
		return p.renderPasskey(w, r, answers{values: values, wrong: map[string]string{"name": web.Sentence(err.Error())}})
	}
	if err != nil {
		return err
	}
	return p.done(w, r, "/account", "members.saved")
}

func (p *Pages) removePasskey(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	_, k, err := p.passkey(r)
	if err != nil {
		return err
	}
	proof, err := p.proof(r, values)
	if err != nil {
		return err
	}
	if err := p.o.Passkeys.Remove(r.Context(), web.ActorOf(r), k.ID, proof); err != nil {
		a, err := unproven(web.WordsOf(r), answers{values: values, wrong: map[string]string{}}, err)
		if err != nil {
			return err
		}
		return p.renderPasskey(w, r, a)
	}
	return p.done(w, r, "/account", "members.passkeys.removed")
}
