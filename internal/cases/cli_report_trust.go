package cases

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/internal/fail"
	"github.com/polder-exchange/polder/internal/seal"
)

// What a client believes of a desk: the list of its keys must hold together, every reader must stand in it, and who has
// the fingerprints from elsewhere holds the readers to them. Nothing is sealed before.

// reportDesks asks a node for its desks.
type reportDesks struct{ node *cli.Node }

// all are the desks that the node lists.
func (d reportDesks) all(ctx context.Context) ([]DeskView, error) {
	var list reportDeskList
	err := d.node.Do(ctx, http.MethodGet, reportPath("desks"), nil, &list)
	return list.Desks, err
}

// named is a desk, listed or not.
func (d reportDesks) named(ctx context.Context, alias string) (v DeskView, err error) {
	err = d.node.Do(ctx, http.MethodGet, reportPath("desks", alias), nil, &v)
	return v, err
}

// choose is the desk of an alias, the only one there is, or that which person chooses.
func (d reportDesks) choose(ctx context.Context, alias string, person *reportPerson, lang string) (DeskView, error) {
	if alias != "" {
		return d.named(ctx, alias)
	}
	all, err := d.all(ctx)
	if err != nil {
		return DeskView{}, err
	}
	if len(all) == 1 {
		return all[0], nil
	}
	var aliases, names []string
	for _, v := range all {
		aliases = append(aliases, v.Alias)
		names = append(names, v.Name+" · "+v.Organisation)
	}
	switch {
	case len(all) == 0:
		return DeskView{}, cli.Usagef("no desk of %[1]s is listed. Ask your organisation for the alias of its desk, and give it with --to. "+
			"Where there is none yet, a steward opens one with two commands: polder report key --node %[1]s, then polder report desk open NAME --node %[1]s", d.node.URL)
	case person == nil:
		return DeskView{}, cli.Usagef("there are several desks; give --to with one of %s", strings.Join(aliases, ", "))
	}
	i, err := person.choose(mailCatalogue(lang)["choose.title"], names)
	if err != nil {
		return DeskView{}, err
	}
	return all[i], nil
}

// reportTrustDesk refuses a desk whose readers are not those of its list of keys.
func reportTrustDesk(d DeskView) error {
	if err := reportTrust(d.Name, d.Readers, d.Log); err != nil {
		return err
	}
	if d.Team != nil {
		return reportTrust(d.Team.Name, d.Team.Readers, d.Team.Log)
	}
	return nil
}

// reportTrust refuses readers of a desk that do not stand in its list of keys as they are shown.
func reportTrust(desk string, readers []Reader, log []seal.LogEntry) error {
	refuse := func(why string, args ...any) error {
		return polder.Errorf(polder.Conflict, "%s: "+why+", so nothing was sealed; call the desk, or report another way", append([]any{desk}, args...)...)
	}
	if err := seal.VerifyLog(log); err != nil {
		return refuse("its list of keys does not hold together (%w)", err)
	}
	names := map[seal.KeyID]string{}
	for _, e := range log {
		names[e.Key.ID()] = e.Name
	}
	inForce := seal.InForce(log)
	shown := map[seal.KeyID]bool{}
	for _, r := range readers {
		switch id := r.Public.ID(); {
		case id != r.Key || r.Fingerprint != r.Public.Fingerprint():
			return refuse("%s is shown with the fingerprint of another key", r.Name)
		case !slices.Contains(inForce, id) && !fail.Bug("unlogged-key"):
			return refuse("%s is shown as a reader, and the key (%s) does not stand in its list of keys", r.Name, r.Public.Fingerprint())
		case names[id] != r.Name && !fail.Bug("unlogged-key"):
			return refuse("a reader is shown as %s, and stands in its list of keys as %s", r.Name, names[id])
		default:
			shown[id] = true
		}
	}
	if len(shown) != len(inForce) && !fail.Bug("unlogged-key") {
		return refuse("%s stand in its list of keys, and %s are shown", strconv.Itoa(len(inForce)), strconv.Itoa(len(shown)))
	}
	return nil
}

// reportReaders are those that a report to a verified desk is sealed to.
func reportReaders(d DeskView, also string) ([]Reader, error) {
	if also != "" && d.Team == nil {
		return nil, polder.Errorf(polder.Invalid, "may_know: team: %s has no response team that could read too; write desk", d.Name)
	}
	return readersOf(d, also)
}

// reportCompare holds readers to fingerprints that somebody has from elsewhere: each must belong to a reader, and each
// reader must have one. Without fingerprints there is nothing to hold.
func reportCompare(readers []Reader, prints []string) error {
	if len(prints) == 0 {
		return nil
	}
	for _, p := range prints {
		if !slices.ContainsFunc(readers, func(r Reader) bool { return r.Public.Matches(p) }) {
			return polder.Errorf(polder.Conflict, "--fingerprint %q: is that of no reader, so nothing was sealed; compare it with the poster once more, and call the desk if it stands there so", p)
		}
	}
	for _, r := range readers {
		if !slices.ContainsFunc(prints, r.Public.Matches) {
			return polder.Errorf(polder.Conflict, "%s reads too, with the fingerprint %s, which you did not give, so nothing was sealed; compare it with the poster, and give it with --fingerprint", r.Name, r.Public.Fingerprint())
		}
	}
	return nil
}

// reportNext is a desk as a node shows it after it was shown otherwise: verified, and with a list of keys that goes on
// where the former one ended.
func reportNext(before, now DeskView) (DeskView, error) {
	if err := reportTrustDesk(now); err != nil {
		return DeskView{}, err
	}
	same := func(a, b seal.LogEntry) bool { return a.Hash == b.Hash }
	if len(now.Log) < len(before.Log) || !slices.EqualFunc(before.Log, now.Log[:len(before.Log)], same) {
		return DeskView{}, polder.Errorf(polder.Conflict, "%s: its list of keys was another one a moment ago, so nothing was sealed; call the desk, or report another way", now.Name)
	}
	return now, nil
}
