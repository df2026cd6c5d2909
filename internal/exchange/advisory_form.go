package exchange

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// writeForm is the data of "write-form".
type writeForm struct {
	Action          string
	Files           bool // sends files
	Hidden          []web.Hidden
	Fields          []web.Field
	Note            string
	Submit          string
	Primary, Danger bool
}

// writeList is the data of "write-list".
type writeList struct {
	Rows  []writeRow
	Empty web.Empty
}

type writeRow struct {
	Title, Href, Sub string
	TLP              stix.Marking
	State            tag
	At               time.Time
	Buttons          []writeButton
}

// writeButton is a form of one button.
type writeButton struct{ Action, Label string }

// mendable tells whether an error is one that its reader can mend in the form that is shown again.
func mendable(err error) bool {
	return slices.Contains([]polder.Kind{polder.Invalid, polder.Conflict, polder.Forbidden, polder.TooLarge}, polder.KindOf(err))
}

// refusal says in the page why something was not done; nil for nothing.
func refusal(words web.Words, err error) []web.Alert {
	if err == nil {
		return nil
	}
	return []web.Alert{{Class: "bad", Title: words.T("exchange.not-done"), Text: web.Sentence(err.Error())}}
}

// outcome is what the result of a share says of itself: nil when it is stored.
func outcome(res Result, err error) error {
	switch {
	case err != nil:
		return err
	case len(res.Refused) > 0:
		return polder.Errorf(polder.Invalid, "%s", res.Refused[0].Error)
	case res.Stopped():
		return polder.Errorf(polder.Conflict, "nothing is shared yet: %s", stopsOf(res))
	case res.Waits():
		return polder.Errorf(polder.Conflict, "nothing is shared yet: %s; choose to share it nevertheless if it is right", res.Warnings[0].Reason)
	}
	return nil
}

// statusOf is the status of a page that says why something was not done.
func statusOf(err error) int {
	if err == nil {
		return http.StatusOK
	}
	return web.Status(err)
}

// placeField chooses among the communities in which the reader may share.
func (rd *reader) placeField(chosen string) web.Field {
	f := web.Field{Name: "community", Label: rd.words.T("exchange.community"), Required: true}
	for _, m := range rd.places {
		if m.Right(rd.by) >= polder.RoleContributor {
			f.Options = append(f.Options, web.Option{Value: m.Alias, Label: m.Name, Chosen: m.Alias == chosen || string(m.Community.ID) == chosen})
		}
	}
	return f
}

// levelField chooses among the levels that the reader's organisation may use.
func (p *Pages) levelField(rd *reader, chosen string) (web.Field, error) {
	allowed, err := p.Levels(rd.ctx, rd.by.Org)
	if err != nil {
		return web.Field{}, err
	}
	f := web.Field{Name: "tlp", Label: rd.words.T("exchange.marking"), Class: "across"}
	for _, m := range []stix.Marking{stix.Clear, stix.Green, stix.Amber, stix.AmberStrict, stix.Red} {
		f.Options = append(f.Options, web.Option{Value: m.String(), TLP: m, Label: m.Label(), Chosen: m.String() == chosen, Closed: !slices.Contains(allowed, m)})
	}
	return f, nil
}

// toField chooses recipients by name; none is the whole community.
func (rd *reader) toField(chosen []polder.OrgID) web.Field {
	f := web.Field{Name: "to", Label: rd.words.T("exchange.write.to"), Help: rd.words.T("exchange.write.to-help"), Many: true, Class: "three"}
	for id, name := range rd.orgs {
		if id != rd.by.Org {
			f.Options = append(f.Options, web.Option{Value: string(id), Label: name, Chosen: slices.Contains(chosen, id)})
		}
	}
	slices.SortFunc(f.Options, func(a, b web.Option) int { return strings.Compare(a.Label+a.Value, b.Label+b.Value) })
	return f
}

func (rd *reader) namedField(chosen bool) web.Field {
	return web.Field{Name: "named", Label: rd.words.T("exchange.write.named"), Many: true, Options: []web.Option{{Value: "yes", Label: rd.words.T("exchange.write.named-yes"), Chosen: chosen}}}
}

func (rd *reader) confirmField() web.Field {
	return web.Field{Name: "confirm", Label: rd.words.T("exchange.write.confirm"), Many: true, Options: []web.Option{{Value: "yes", Label: rd.words.T("exchange.write.confirm-yes")}}}
}

func orgsOf(values []string) (out []polder.OrgID) {
	for _, v := range values {
		out = append(out, polder.OrgID(v))
	}
	return out
}

// done sends the reader on to a page, where the text of key is said.
func (p *Pages) done(w http.ResponseWriter, r *http.Request, to, key string) error {
	p.site.Toast(w, "", key)
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}
