package cases

import (
	"net/http"

	"github.com/polder-exchange/polder/internal/web"
)

func (a *API) orphanedCases(w http.ResponseWriter, r *http.Request) error {
	all, err := a.OrphanedCases(r.Context(), web.ActorOf(r))
	if err == nil {
		web.WriteJSON(w, http.StatusOK, CaseOrphanList{all})
	}
	return err
}

func (a *API) handOverCase(w http.ResponseWriter, r *http.Request) error {
	var in CaseOrphanLead
	if err := web.ReadJSON(r, &in); err != nil {
		return err
	}
	err := a.HandOver(r.Context(), web.ActorOf(r), in)
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
	}
	return err
}
