package cases

import (
	"net/http"

	"github.com/polder-exchange/polder/internal/seal"
	"github.com/polder-exchange/polder/internal/web"
)

// deskRoutes are those of desks, readers and keys, for the organisation of a desk.
func (a *API) deskRoutes() []web.Route {
	desk := func(method, pattern, exit string, need web.Need, h reportServe, doc web.Doc) web.Route {
		return web.Route{Method: method, Pattern: "/api/v1/desks" + pattern, Need: need, Exit: "cases.api.desk" + exit, Handler: h.serve, Doc: &doc}
	}
	key := func(method, pattern, exit string, h reportServe, doc web.Doc) web.Route {
		return web.Route{Method: method, Pattern: "/api/v1/reports/keys" + pattern, Need: web.Reader, Exit: "cases.api.key" + exit, Handler: h.serve, Doc: &doc}
	}
	return []web.Route{
		desk("GET", "", "s", web.Reader, a.ownDesks, web.Doc{Summary: "Desks of your organisation, with who reads and who waits to", Answer: reportOwnDesks{}}),
		desk("POST", "", ".open", web.Steward, a.openDesk, web.Doc{Summary: "Open a desk", Body: DeskSettings{}, Answer: DeskDetail{}}),
		desk("GET", "/{alias}", "", web.Reader, a.ownDesk, web.Doc{Summary: "One desk of your organisation", Answer: DeskDetail{}}),
		desk("PUT", "/{alias}", ".change", web.Steward, a.setDesk, web.Doc{Summary: "Change what is said of a desk", Body: DeskSettings{}, Answer: DeskDetail{}}),
		desk("DELETE", "/{alias}", ".close", web.Steward, a.closeDeskRoute, web.Doc{Summary: "Have a desk take no more reports"}),
		desk("POST", "/{alias}/readers", ".reader", web.Steward, a.addReaderRoute, web.Doc{Summary: "Name a reader: the first reads at once, others when a reader has confirmed them", Body: DeskReaderPost{}, Answer: DeskDetail{}}),
		desk("POST", "/{alias}/readers/{key}/confirm", ".confirm", web.Reader, a.confirmReaderRoute, web.Doc{Summary: "Confirm, as a reader, one who waits to read", Answer: DeskDetail{}}),
		desk("DELETE", "/{alias}/readers/{key}", ".unread", web.Reader, a.removeReaderRoute, web.Doc{Summary: "Remove a reader, with all that the reader's keys open in the desk's reports", Answer: DeskDetail{}}),
		key("GET", "", "s", a.ownKeys, web.Doc{Summary: "Your own keys, locked by your passphrase", Answer: reportKeyList{}}),
		key("POST", "", ".put", a.putKey, web.Doc{Summary: "Keep a new key of yours, locked by a passphrase that the node does not have", Body: seal.LockedKey{}, Answer: OwnKey{}}),
		key("GET", "/{id}/challenge", ".challenge", a.keyChallenge, web.Doc{Summary: "A box that only who can open a key of yours reads, to change its lock", Answer: ReportKeyChallenge{}}),
		key("PUT", "/{id}", ".relock", a.relockKey, web.Doc{Summary: "Change the lock of a key of yours: the same key under another passphrase", Body: ReportKeyRelock{}, Answer: OwnKey{}}),
	}
}

// reportOwnDesks are the desks of an organisation.
type reportOwnDesks struct {
	Desks []DeskDetail `json:"desks"`
}

// reportKeyList are the keys of a person.
type reportKeyList struct {
	Keys []OwnKey `json:"keys"`
}

func deskAnswer(w http.ResponseWriter, status int, d DeskDetail, err error) error {
	if err == nil {
		web.WriteJSON(w, status, d)
	}
	return err
}

func (a *API) ownDesks(w http.ResponseWriter, r *http.Request) error {
	all, err := a.OwnDesks(r.Context(), web.ActorOf(r))
	if err == nil {
		web.WriteJSON(w, http.StatusOK, reportOwnDesks{all})
	}
	return err
}

func (a *API) ownDesk(w http.ResponseWriter, r *http.Request) error {
	d, err := a.OwnDesk(r.Context(), web.ActorOf(r), r.PathValue("alias"))
	return deskAnswer(w, http.StatusOK, d, err)
}

func (a *API) openDesk(w http.ResponseWriter, r *http.Request) error {
	var in DeskSettings
	if err := web.ReadJSON(r, &in); err != nil {
		return err
	}
	d, err := a.OpenDesk(r.Context(), web.ActorOf(r), in)
	return deskAnswer(w, http.StatusCreated, d, err)
}

func (a *API) setDesk(w http.ResponseWriter, r *http.Request) error {
	var in DeskSettings
	if err := web.ReadJSON(r, &in); err != nil {
		return err
	}
	d, err := a.SetDesk(r.Context(), web.ActorOf(r), r.PathValue("alias"), in)
	return deskAnswer(w, http.StatusOK, d, err)
}

func (a *API) closeDeskRoute(w http.ResponseWriter, r *http.Request) error {
	err := a.CloseDesk(r.Context(), web.ActorOf(r), r.PathValue("alias"))
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
	}
	return err
}

func (a *API) addReaderRoute(w http.ResponseWriter, r *http.Request) error {
	var in DeskReaderPost
	if err := web.ReadJSON(r, &in); err != nil {
		return err
	}
	d, err := a.AddReader(r.Context(), web.ActorOf(r), r.PathValue("alias"), in)
	return deskAnswer(w, http.StatusCreated, d, err)
}

func (a *API) confirmReaderRoute(w http.ResponseWriter, r *http.Request) error {
	d, err := a.ConfirmReader(r.Context(), web.ActorOf(r), r.PathValue("alias"), seal.KeyID(r.PathValue("key")))
	return deskAnswer(w, http.StatusOK, d, err)
}

func (a *API) removeReaderRoute(w http.ResponseWriter, r *http.Request) error {
	d, err := a.RemoveReader(r.Context(), web.ActorOf(r), r.PathValue("alias"), seal.KeyID(r.PathValue("key")))
	return deskAnswer(w, http.StatusOK, d, err)
}

func (a *API) ownKeys(w http.ResponseWriter, r *http.Request) error {
	all, err := a.OwnKeys(r.Context(), web.ActorOf(r))
	if err == nil {
		w.Header().Set("Cache-Control", "no-store")
		web.WriteJSON(w, http.StatusOK, reportKeyList{all})
	}
	return err
}

func (a *API) putKey(w http.ResponseWriter, r *http.Request) error {
	var in seal.LockedKey
	if err := web.ReadJSON(r, &in); err != nil {
		return err
	}
	k, err := a.PutKey(r.Context(), web.ActorOf(r), in)
	if err == nil {
		web.WriteJSON(w, http.StatusCreated, k)
	}
	return err
}

func (a *API) keyChallenge(w http.ResponseWriter, r *http.Request) error {
	c, err := a.KeyChallenge(r.Context(), web.ActorOf(r), seal.KeyID(r.PathValue("id")))
	if err == nil {
		w.Header().Set("Cache-Control", "no-store")
		web.WriteJSON(w, http.StatusOK, c)
	}
	return err
}

func (a *API) relockKey(w http.ResponseWriter, r *http.Request) error {
	var in ReportKeyRelock
	if err := web.ReadJSON(r, &in); err != nil {
		return err
	}
	k, err := a.RelockKey(r.Context(), web.ActorOf(r), seal.KeyID(r.PathValue("id")), in)
	if err == nil {
		w.Header().Set("Cache-Control", "no-store")
		web.WriteJSON(w, http.StatusOK, k)
	}
	return err
}
