package node

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/cases"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
)

// forCases is the exchange as cases need it.
type forCases struct{ node *Node }

// Known is what [cases.Exchange] asks for.
func (x forCases) Known(ctx context.Context, by polder.Actor, value string, limit int) (out []cases.KnownObject, err error) {
	known, err := x.node.Exchange.Value(ctx, by, value)
	if errors.Is(err, polder.ErrInvalid) {
		return nil, nil // a value of which nothing can be known is one of which nothing is known
	}
	if err != nil {
		return nil, err
	}
	places, err := x.node.Accounts.MembershipsOf(ctx, by)
	if err != nil {
		return nil, err
	}
	all := knownInOrder(known)
	for _, d := range all[:min(len(all), max(limit, 0))] {
		k := cases.KnownObject{ID: d.ID, Type: d.Type(), Title: d.ID, Href: "/objects/" + d.ID, Level: d.Level, Seen: d.Seq.Time()}
		if o, err := stix.Parse(d.Raw); err == nil {
			k.Title = knownTitle(o, known.Value)
		}
		for _, m := range places {
			if m.Community.ID == d.Community {
				k.Community, k.CommunityName = m.Alias, m.Name
			}
		}
		out = append(out, k)
	}
	return out, nil
}

// knownInOrder are the objects that say something of a value: indicators first, since they say what it is, and of each kind
// the latest first.
func knownInOrder(known exchange.Known) (all []journal.Delivery) {
	latest := func(list []journal.Delivery) {
		list = slices.Clone(list)
		slices.SortFunc(list, func(a, b journal.Delivery) int { return cmp.Compare(b.Seq, a.Seq) })
		all = append(all, list...)
	}
	var indicators []journal.Delivery
	for _, i := range known.Indicators {
		indicators = append(indicators, i.Delivery)
	}
	latest(indicators)
	latest(slices.Concat(known.Objects, known.Sightings, known.Remarks))
	return all
}

// knownTitle is what a person calls an object that names value, or that is about what does.
func knownTitle(o stix.Object, value string) string {
	text := func(name string) (s string) {
		_ = json.Unmarshal(o.Property(name), &s) // none, or no text: it is called otherwise
		s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
		return s
	}
	switch o.Type {
	case "sighting":
		return "Sighting of " + value
	case "opinion":
		return "Opinion on " + value + ": " + strings.ReplaceAll(text("opinion"), "-", " ")
	case "note":
		return firstOf(text("abstract"), text("content"))
	case "observed-data":
		return "Observation of " + value
	}
	return firstOf(o.Name, o.Value, o.Pattern, strings.ReplaceAll(strings.TrimPrefix(o.Type, "x-"), "-", " ")+" with "+value)
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// Places is what [cases.Exchange] asks for.
func (x forCases) Places(ctx context.Context, by polder.Actor) (out []cases.Place, levels []stix.Marking, err error) {
	ms, err := x.node.Accounts.MembershipsOf(ctx, by)
	if err != nil {
		return nil, nil, err
	}
	for _, m := range ms {
		if m.Right(by) < polder.RoleContributor {
			continue
		}
		place := cases.Place{Alias: m.Alias, Name: m.Name}
		members, err := x.node.Accounts.Members(ctx, m.Community.ID)
		if err != nil {
			return nil, nil, err
		}
		for _, other := range members {
			org, err := x.node.Accounts.Org(ctx, other.Org)
			if err != nil {
				return nil, nil, err
			}
			place.Members = append(place.Members, cases.PlaceMember{Org: org.ID, Name: org.Name, Country: org.Country})
		}
		slices.SortFunc(place.Members, func(a, b cases.PlaceMember) int { return strings.Compare(a.Name, b.Name) })
		out = append(out, place)
	}
	slices.SortFunc(out, func(a, b cases.Place) int { return strings.Compare(a.Name, b.Name) })
	levels, err = x.node.Exchange.Levels(ctx, by.Org)
	return out, levels, err
}

// Release is what [cases.Exchange] asks for.
func (x forCases) Release(ctx context.Context, by polder.Actor, r cases.Release) (out cases.Released, err error) {
	request := exchange.Request{Community: r.Community, To: r.To, Level: r.Level, Named: r.Named, Confirmed: r.Confirmed, Preview: r.Preview}
	for _, raw := range r.Objects {
		request.Objects = append(request.Objects, exchange.Incoming{Raw: raw, Made: true})
	}
	got, err := x.node.Exchange.Share(ctx, by, request)
	if err != nil {
		return out, err
	}
	return x.released(ctx, by, got.Items, got.Warnings, got.Refused)
}

// Keep is what [cases.Keeper] asks for.
func (x forCases) Keep(ctx context.Context, by polder.Actor, k cases.Kept) (cases.Released, error) {
	set := exchange.Set{
		Community: k.Community, Name: k.Name, Type: k.Type, Definition: k.Definition, In: k.In, Level: k.Level, To: k.To, Named: k.Named, Confirmed: k.Confirmed, Preview: k.Preview,
	}
	for _, p := range k.Parts {
		set.Parts = append(set.Parts, exchange.SetPart{Key: p.Key, Level: p.Level, Set: p.Set})
	}
	got, err := x.node.Exchange.ShareSet(ctx, by, set)
	if err != nil {
		return cases.Released{}, err
	}
	out, err := x.released(ctx, by, got.Items, got.Warnings, got.Refused)
	out.Withdrawn = got.Withdrawn
	return out, err
}

// released is what left, or would leave. What was refused is an error that names the first.
func (x forCases) released(ctx context.Context, by polder.Actor, items []exchange.Item, warnings []exchange.Warning, refused []exchange.Refusal) (out cases.Released, err error) {
	if len(refused) > 0 {
		return out, polder.Errorf(polder.Forbidden, "%s: %s", refused[0].ID, refused[0].Error)
	}
	readers := map[polder.OrgID]bool{}
	for _, i := range items {
		out.IDs, out.Raw = append(out.IDs, i.ID), append(out.Raw, i.Raw)
		for _, o := range i.Readers {
			if o != by.Org {
				readers[o] = true
			}
		}
	}
	for o := range readers {
		org, err := x.node.Accounts.Org(ctx, o)
		if err != nil {
			return out, err
		}
		out.Readers = append(out.Readers, org.Name)
	}
	slices.Sort(out.Readers)
	for _, w := range warnings {
		out.Warnings = append(out.Warnings, firstOf(w.Value, w.ID)+": "+w.Reason)
		out.Held = out.Held || w.Held
	}
	return out, nil
}

// maxCaseValues is how many values of one object are looked for among cases.
const maxCaseValues = 20

// Values is what [cases.Objects] asks for.
func (x forCases) Values(ctx context.Context, by polder.Actor, object string) ([]string, error) {
	return x.node.Exchange.ValuesIn(ctx, by, object, maxCaseValues)
}
