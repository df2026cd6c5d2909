package exchange

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/stix"
)

// proposeFlags are what `polder propose` is asked.
type proposeFlags struct {
	community, reason, tlp string
	set, unset             []string
	named, confirm         bool
	override               string
}

func proposeCommand() *cobra.Command {
	var f proposeFlags
	c := &cobra.Command{
		Use:   "propose --set NAME=VALUE --reason TEXT ID",
		Short: "Propose a change to another's object",
		Long: "Propose a change to an object whose custodian is another member. Nothing changes by it: the custodian accepts it, which makes\n" +
			"a new version, or declines it with a reason. The proposal reaches those whom the object reached; about an object that was\n" +
			"for some it reaches the custodian alone. You are not named unless you say --named.\n\n" +
			"Properties: " + strings.Join(Proposable, ", ") + ".\n" +
			"Lists are written with commas between, or as JSON; kill_chain_phases and external_references as JSON.",
		Example: "  polder propose --node http://127.0.0.1:8080 --set name='Beacon of Tidepipe' --reason 'It is the same loader.' indicator--01234567-89ab-4cde-8f01-23456789abcd\n" +
			"  polder propose --community chips --unset valid_until --set confidence=40 --reason 'Seen once only.' indicator--…",
		Args: cobra.ExactArgs(1),
	}
	node := cli.NodeFlags(c)
	fl := c.Flags()
	fl.StringVar(&f.community, "community", "", "the community's `alias`, where the object is in several")
	fl.StringArrayVar(&f.set, "set", nil, "give a property this value, as `name=value`; repeatable")
	fl.StringArrayVar(&f.unset, "unset", nil, "take this `property` out; repeatable")
	fl.StringVar(&f.reason, "reason", "", "`why`; the custodian reads it")
	fl.StringVar(&f.tlp, "tlp", "", "the proposal's `level`, if stricter than the object's")
	fl.BoolVar(&f.named, "named", false, "name your organisation")
	fl.BoolVar(&f.confirm, "confirm", false, "go on although a warning asks to look twice")
	fl.StringVar(&f.override, "override", "", "go on although a value in it stops it, for this `reason`")
	_ = c.MarkFlagRequired("reason")
	cli.JSONFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		patch, err := f.patch()
		if err != nil {
			return cli.Usage(err)
		}
		n, err := node()
		if err != nil {
			return err
		}
		if f.community == "" {
			if f.community, err = onlyPlace(cmd, n, args[0]); err != nil {
				return err
			}
		}
		var out madeAnswer
		body := proposeBody{aboutBody: aboutBody{TLP: f.tlp, Named: f.named, Confirm: f.confirm, Override: f.override}, Patch: patch, Reason: f.reason}
		path := "/api/v1/communities/" + url.PathEscape(f.community) + "/objects/" + url.PathEscape(args[0]) + "/proposals"
		if err := n.Do(cmd.Context(), http.MethodPost, path, body, &out); err != nil {
			return err
		}
		return printMade(cmd, out, "proposed as "+out.ID+"; the custodian decides")
	}
	return c
}

func printMade(cmd *cobra.Command, out madeAnswer, said string) error {
	p := cli.Out(cmd)
	if p.AsJSON() {
		return p.JSON(out)
	}
	p.Printf("%s\n", said)
	return nil
}

// patch is the JSON merge patch that the flags ask for.
func (f proposeFlags) patch() (map[string]json.RawMessage, error) {
	patch := map[string]json.RawMessage{}
	for _, s := range f.set {
		name, value, ok := strings.Cut(s, "=")
		if !ok {
			return nil, fmt.Errorf("--set %q: write name=value", s)
		}
		raw, err := proposalValue(name, value)
		if err != nil {
			return nil, fmt.Errorf("--set %s: %w", name, err)
		}
		patch[name] = raw
	}
	for _, name := range f.unset {
		patch[name] = json.RawMessage("null")
	}
	return patch, proposalCheck(patch)
}

// proposalValue reads the value of a property as people write it.
func proposalValue(name, value string) (json.RawMessage, error) {
	switch name {
	case "confidence":
		n, err := strconv.Atoi(strings.TrimSpace(value))
		if err != nil || n < 0 || n > 100 {
			return nil, fmt.Errorf("%q is not a number from 0 to 100", clip(value, 20))
		}
		return json.Marshal(n)
	case "revoked":
		b, err := strconv.ParseBool(strings.TrimSpace(value))
		if err != nil {
			return nil, fmt.Errorf("%q is neither true nor false", clip(value, 20))
		}
		return json.Marshal(b)
	case "valid_until":
		for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
			if t, err := time.Parse(layout, strings.TrimSpace(value)); err == nil {
				return json.Marshal(stix.FormatTime(t))
			}
		}
		return nil, fmt.Errorf("%q is no time, such as 2026-11-24 or 2026-11-24T09:12:00Z", clip(value, 40))
	case "labels", "indicator_types":
		if strings.HasPrefix(strings.TrimSpace(value), "[") {
			return proposalJSON(value)
		}
		list := strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == '\n' })
		for i := range list {
			list[i] = strings.TrimSpace(list[i])
		}
		return json.Marshal(slices.DeleteFunc(list, func(s string) bool { return s == "" }))
	case "kill_chain_phases", "external_references":
		return proposalJSON(value)
	}
	return json.Marshal(value)
}

func proposalJSON(value string) (json.RawMessage, error) {
	if !json.Valid([]byte(value)) {
		return nil, fmt.Errorf("is no JSON list")
	}
	return json.RawMessage(value), nil
}

// onlyPlace is the one community in which the reader sees an object.
func onlyPlace(cmd *cobra.Command, n *cli.Node, id string) (string, error) {
	var page struct {
		Objects []struct {
			Community string `json:"community"`
		} `json:"objects"`
	}
	if err := n.Do(cmd.Context(), http.MethodGet, "/api/v1/objects/"+url.PathEscape(id), nil, &page); err != nil {
		return "", err
	}
	var places []string
	for _, o := range page.Objects {
		if !slices.Contains(places, o.Community) {
			places = append(places, o.Community)
		}
	}
	if len(places) != 1 {
		return "", polder.Errorf(polder.Invalid, "--community: the object is in %s; say in which", strings.Join(places, " and "))
	}
	return places[0], nil
}

func proposalsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "proposals",
		Short:   "List what others propose to change, and decide",
		Example: "  polder proposals list --node http://127.0.0.1:8080\n  polder proposals accept --community chips note--01234567-89ab-4cde-8f01-23456789abcd",
	}
	c.AddCommand(proposalsListCommand(), decideProposalCommand("accept"), decideProposalCommand("decline"))
	return c
}

func proposalsListCommand() *cobra.Command {
	var community, state string
	c := &cobra.Command{
		Use:     "list",
		Short:   "List the proposals that you may see, with what they would change",
		Example: "  polder proposals list --node http://127.0.0.1:8080 --state open",
		Args:    cobra.NoArgs,
	}
	node := cli.NodeFlags(c)
	c.Flags().StringVar(&community, "community", "", "only this community's `alias`")
	c.Flags().StringVar(&state, "state", "", "only this `state`: open, accepted, declined, superseded, ended")
	cli.JSONFlag(c)
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		n, err := node()
		if err != nil {
			return err
		}
		q := url.Values{}
		if community != "" {
			q.Set("community", community)
		}
		if state != "" {
			q.Set("state", state)
		}
		var out proposalList
		if err := n.Do(cmd.Context(), http.MethodGet, "/api/v1/proposals?"+q.Encode(), nil, &out); err != nil {
			return err
		}
		return printProposals(cmd, out.Proposals)
	}
	return c
}

func printProposals(cmd *cobra.Command, all []proposalItem) error {
	p := cli.Out(cmd)
	for _, item := range all {
		if p.AsJSON() {
			if err := p.JSON(item); err != nil {
				return err
			}
			continue
		}
		whose := "of others"
		switch {
		case item.ForMe:
			whose = "for you to decide"
		case item.Mine:
			whose = "yours"
		}
		p.Printf("%s  %s, %s, %s\n  %s  %s\n  why: %s\n", item.ID, item.State, whose, item.Community, item.Target, item.Title, item.Reason)
		for _, change := range item.Changes {
			for _, l := range change.Lines {
				p.Printf("  %s %s: %s\n", l.Sign, change.Property, l.Text)
			}
		}
		if item.Answer != "" {
			p.Printf("  answer: %s\n", item.Answer)
		}
	}
	return nil
}

func decideProposalCommand(verb string) *cobra.Command {
	var community, reason string
	var confirm bool
	does := map[string]string{"accept": "Accept a proposal: the object's next version is made and shared", "decline": "Decline a proposal, with a reason"}
	c := &cobra.Command{
		Use:     verb + " --community ALIAS ID",
		Short:   does[verb],
		Example: "  polder proposals " + verb + " --community chips note--01234567-89ab-4cde-8f01-23456789abcd",
		Args:    cobra.ExactArgs(1),
	}
	node := cli.NodeFlags(c)
	c.Flags().StringVar(&community, "community", "", "the community's `alias`")
	_ = c.MarkFlagRequired("community")
	if verb == "accept" {
		c.Flags().BoolVar(&confirm, "confirm", false, "go on although a warning asks to look twice")
	} else {
		c.Example += " --reason 'We saw it ourselves.'"
		c.Flags().StringVar(&reason, "reason", "", "`why` not; whoever proposed it reads this")
		_ = c.MarkFlagRequired("reason")
	}
	cli.JSONFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		n, err := node()
		if err != nil {
			return err
		}
		var body any = acceptProposalBody{confirm}
		said := "accepted; the next version is shared"
		if verb == "decline" {
			body, said = declineProposalBody{reason}, "declined"
		}
		var out madeAnswer
		path := "/api/v1/communities/" + url.PathEscape(community) + "/proposals/" + url.PathEscape(args[0]) + "/" + verb
		if err := n.Do(cmd.Context(), http.MethodPost, path, body, &out); err != nil {
			return err
		}
		return printMade(cmd, out, said)
	}
	return c
}
