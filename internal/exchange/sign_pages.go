package exchange

import (
	"net/http"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/web"
)

// signRoutes are the REST face of signatures.
func (s *Service) signRoutes() []web.Route {
	return []web.Route{{
		Method: "GET", Pattern: "/api/v1/objects/{id}/signature", Need: web.Reader, Exit: "api.signature", Handler: web.Handler(s.apiSignature).Serve,
		Doc: &web.Doc{Summary: "Who signed the last version of an object in each of your communities, and what that is worth", Answer: signatureAnswer{}},
	}}
}

type signatureAnswer struct {
	Signatures []signatureOf `json:"signatures"`
}

type signatureOf struct {
	Community string         `json:"community"` // alias
	Version   string         `json:"version,omitempty"`
	State     SignatureState `json:"state"`
	Signer    string         `json:"signer,omitempty"`
	Key       string         `json:"key,omitempty"`
	Reason    string         `json:"reason,omitempty"`
}

func (s *Service) apiSignature(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	sight, err := s.Sight(ctx, web.ActorOf(r))
	if err != nil {
		return err
	}
	page, err := s.journal.Page(ctx, sight, journal.Query{IDs: []string{strings.ToLower(r.PathValue("id"))}, Limit: maxVersions})
	if err != nil {
		return err
	}
	aliases, err := s.aliases(ctx)
	if err != nil {
		return err
	}
	out := signatureAnswer{Signatures: []signatureOf{}}
	for _, d := range page.Deliveries {
		found, ok, err := s.SignatureOf(ctx, d)
		if err != nil {
			return err
		}
		if ok {
			out.Signatures = append(out.Signatures, signatureOf{aliases[d.Community], d.VersionText(), found.State, found.Signer, found.Key, found.Reason})
		}
	}
	if len(page.Deliveries) == 0 {
		return polder.Errorf(polder.NotFound, "no such object, or none that you may see")
	}
	web.WriteJSON(w, http.StatusOK, out)
	return nil
}

// signaturePairs say on an object's page who signed what is read there.
func (p *Pages) signaturePairs(sh *sheet) ([]web.Pair, error) {
	words := sh.rd.words
	found, ok, err := p.SignatureOf(sh.rd.ctx, sh.now.Delivery)
	if err != nil || !ok {
		return nil, err
	}
	out := []web.Pair{{Term: words.T("exchange.signature.state"), Text: words.T("exchange.signature." + string(found.State))}}
	if found.Signer == "" {
		return out, nil
	}
	if name := sh.rd.orgs[polder.OrgID(found.Signer)]; name != "" {
		out = append(out, web.Pair{Term: words.T("exchange.signature.signer"), Text: name, Href: "/keys"})
	} else {
		out = append(out, web.Pair{Term: words.T("exchange.signature.signer"), Text: found.Signer, Code: true})
	}
	return append(out, web.Pair{Term: words.T("exchange.signature.key"), Text: found.Key, Code: true}), nil
}
