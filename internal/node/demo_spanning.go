package node

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
)

// This file is the part of the story that spans nodes: a maker and a small firm run nodes of their own, and a fourth
// node lies.

// Who runs the nodes beside the hub, and what must not be told of them.
const (
	makerName  = "Lichtlijn Optica"
	smeName    = "Pompwerk Zuid"
	liarName   = "Grauwe Haven"
	smeHost    = "meetbank-3.pompwerk.local"
	smeProduct = "Zeeleeuw-pomp"
)

// spanning are the scenes between nodes.
func spanning() []scene {
	return []scene{
		{name: "nodes", says: "Lichtlijn and Pompwerk Zuid start nodes of their own and join the hub by one line each; both sides compare fingerprints", do: joinNodes},
		{name: "across", says: "what Lichtlijn shares on its own node stands on Pompwerk's, signed by Lichtlijn, whichever hub it went through", do: shareAcross, check: signedAcross},
		{name: "left-out", says: "Pompwerk reports an incident without a name; its own name, product and host are taken out before it leaves, line by line", do: shareWithout, check: nobodyNamed},
		{name: "private", says: "Pompwerk asks whether addresses in its log are on the hub's sealed list: one is; the hub learns how many were asked, and no more", do: askPrivately},
		{name: "logged", says: "Pompwerk proves to anybody, offline, that what it received stands in the hub's log, which Lichtlijn witnessed", do: proveLogged},
		{name: "withdrawn-everywhere", says: "Lichtlijn withdraws what it shared: it is gone on every node", do: withdrawAcross},
		{name: "liar", says: "a fourth node forges objects in Lichtlijn's name: refused, named, put aside; nobody else sees one", do: lieAndBeCaught},
	}
}

// at runs a command on the folder of an outpost, and with its token where it asks the node.
func (o *outpost) at(ctx context.Context, into any, args ...string) error {
	out, err := run(ctx, append(args, "--data", o.dir, "--json")...)
	return firstLine(out, into, err)
}

func (o *outpost) asks(ctx context.Context, into any, args ...string) error {
	out, err := run(ctx, append(args, "--node", o.url, "--token", o.token, "--json")...)
	return firstLine(out, into, err)
}

func firstLine(out string, into any, err error) error {
	if err != nil || into == nil {
		return err
	}
	line, _, _ := strings.Cut(out, "\n")
	return json.Unmarshal([]byte(line), into)
}

// joins has a new node join the community that spans nodes, and compares its fingerprint.
func (st *stage) joins(ctx context.Context, key, name, country string) (*outpost, error) {
	o, err := st.outpost(ctx, key, name, country)
	if err != nil {
		return nil, err
	}
	var invited struct{ Invitation string }
	out, err := run(ctx, "peer", "invite", "--data", st.dir, "--community", dike, "--url", st.at, "--json")
	if err := firstLine(out, &invited, err); err != nil {
		return nil, err
	}
	var joined struct {
		Own string `json:"own_fingerprint"`
	}
	if err := o.at(ctx, &joined, "peer", "accept", invited.Invitation); err != nil {
		return nil, err
	}
	link, err := st.linkOf(ctx, o)
	if err != nil {
		return nil, err
	}
	_, err = run(ctx, "peer", "confirm", "--data", st.dir, link.ID, joined.Own)
	return o, err
}

// linkSeen is a link as `polder peer list --json` prints it.
type linkSeen struct {
	ID          string       `json:"id"`
	Org         polder.OrgID `json:"org"`
	State       string       `json:"state"`
	Detail      string       `json:"detail"`
	Quarantined int          `json:"quarantined"`
}

// linkOf is the hub's link to an outpost.
func (st *stage) linkOf(ctx context.Context, o *outpost) (linkSeen, error) {
	out, err := run(ctx, "peer", "list", "--data", st.dir, "--json")
	if err != nil {
		return linkSeen{}, err
	}
	lines := bufio.NewScanner(strings.NewReader(out))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var l linkSeen
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return l, err
		}
		if l.Org == o.org.ID {
			return l, nil
		}
	}
	return linkSeen{}, fmt.Errorf("the hub knows no link to %s", o.name)
}

func joinNodes(ctx context.Context, st *stage) (polder.Seq, error) {
	if _, err := st.joins(ctx, "maker", makerName, "NL"); err != nil {
		return 0, err
	}
	_, err := st.joins(ctx, "sme", smeName, "BE")
	return 0, err
}

// object asks an outpost for an object; it is empty when the outpost sees none.
func (st *stage) object(ctx context.Context, o *outpost, id string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, o.url+"/api/v1/objects/"+id, nil)
	if err != nil {
		return "", err
	}
	r.Header.Set("Authorization", "Bearer "+o.token)
	answer, err := st.http.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	switch {
	case err != nil:
		return "", err
	case answer.StatusCode == http.StatusNotFound:
		return "", nil
	case answer.StatusCode != http.StatusOK:
		return "", &refused{answer.StatusCode, string(text)}
	}
	return string(text), nil
}

// arrives waits until an outpost sees an object.
func (st *stage) arrives(ctx context.Context, o *outpost, id string) (text string, err error) {
	_, err = soon(ctx, id+" stands at "+o.name, func() (bool, error) {
		text, err = st.object(ctx, o, id)
		return text != "", err
	})
	return text, err
}

// beacon is an indicator that an outpost's organisation makes under its own name.
func (st *stage) beacon(o *outpost, key, name, value string) []byte {
	id := stix.NewID("indicator")
	st.held[key] = id
	at := st.began.UTC().Truncate(time.Second).Format("2006-01-02T15:04:05.000Z")
	return fmt.Appendf(nil, `{"type":"indicator","spec_version":"2.1","id":%q,"created_by_ref":%q,"created":%q,"modified":%q,"name":%q,"indicator_types":["malicious-activity"],"pattern":"[domain-name:value = '%s']","pattern_type":"stix","valid_from":%q}`,
		id, o.org.ID, at, at, name, value, at)
}

// keep writes bytes where commands can read them.
func (st *stage) keep(name string, text []byte) (string, error) {
	path := filepath.Join(filepath.Dir(st.dir), name)
	return path, os.WriteFile(path, text, 0o600)
}

func shareAcross(ctx context.Context, st *stage) (polder.Seq, error) {
	maker, sme := st.outposts["maker"], st.outposts["sme"]
	path, err := st.keep("beacon.json", st.beacon(maker, "beacon", "Beacon of a tampered calibration tool", "calib-update.example"))
	if err != nil {
		return 0, err
	}
	if err := maker.asks(ctx, nil, "share", "--community", dike, "--tlp", "amber", path); err != nil {
		return 0, err
	}
	_, err = st.arrives(ctx, sme, st.held["beacon"])
	return 0, err
}

// signedAcross verifies on files, without a node, what arrived, and that a changed letter is noticed.
func signedAcross(ctx context.Context, st *stage) error {
	sme := st.outposts["sme"]
	text, err := run(ctx, "export", "--format", "stix", "--node", sme.url, "--token", sme.token)
	if err != nil {
		return err
	}
	keys, err := run(ctx, "keys", "show", "--all", "--json", "--data", sme.dir)
	if err != nil {
		return err
	}
	keyFile, err := st.keep("keys.jsonl", []byte(keys))
	if err != nil {
		return err
	}
	right, err := st.keep("received.json", []byte(text))
	if err != nil {
		return err
	}
	if out, err := run(ctx, "verify", "--keys", keyFile, right); err != nil || !strings.Contains(out, st.held["beacon"]) {
		return fmt.Errorf("verify said %q: %w", out, err)
	}
	wrong, err := st.keep("changed.json", []byte(strings.Replace(text, "calib-update.example", "calib-updatf.example", 1)))
	if err != nil {
		return err
	}
	if out, err := run(ctx, "verify", "--keys", keyFile, wrong); err == nil {
		return fmt.Errorf("a changed value passed as signed: %s", out)
	}
	return nil
}

func shareWithout(ctx context.Context, st *stage) (polder.Seq, error) {
	sme, maker := st.outposts["sme"], st.outposts["maker"]
	profile, err := st.keep("release.json", []byte(`{"minimise":{"names":true,"staff":true,"hosts":true,"words":true},"warninglists":"tell","blind":"made","forbidden":[{"label":"merger","words":["Project Waterlinie"]}],"facts":{"names":["`+smeName+`"],"suffixes":[".pompwerk.local"],"words":["`+smeProduct+`"]}}`))
	if err != nil {
		return 0, err
	}
	if err := sme.at(ctx, nil, "release", "set", "--org", string(sme.org.ID), profile); err != nil {
		return 0, err
	}
	id := stix.NewID("report")
	st.held["incident"] = id
	at := st.began.UTC().Truncate(time.Second).Format("2006-01-02T15:04:05.000Z")
	report, err := st.keep("incident.json", fmt.Appendf(nil, `{"type":"report","spec_version":"2.1","id":%q,"created":%q,"modified":%q,"name":"Files packed at night","description":"At %s somebody packed the drawings of the %s on %s and sent them out.","published":%q,"object_refs":[%q]}`,
		id, at, at, smeName, smeProduct, smeHost, at, st.held["beacon"]))
	if err != nil {
		return 0, err
	}
	if err := sme.asks(ctx, nil, "share", "--community", dike, "--tlp", "green", report); err != nil {
		return 0, err
	}
	_, err = st.arrives(ctx, maker, id)
	return 0, err
}

// nobodyNamed looks at the report on the maker's node for what its contributor keeps to itself.
func nobodyNamed(ctx context.Context, st *stage) error {
	text, err := st.object(ctx, st.outposts["maker"], st.held["incident"])
	if err != nil {
		return err
	}
	for _, word := range []string{smeName, "Pompwerk", smeProduct, "meetbank", string(st.outposts["sme"].org.ID)} {
		if strings.Contains(strings.ToLower(text), strings.ToLower(word)) {
			return fmt.Errorf("%q left with the report: %s", word, text)
		}
	}
	if !strings.Contains(text, "packed the drawings") {
		return fmt.Errorf("the report lost what it says: %s", text)
	}
	return nil
}

func askPrivately(ctx context.Context, st *stage) (polder.Seq, error) {
	sealed, err := st.keep("sealed-addresses.txt", []byte("198.51.100.77\n203.0.113.201\n192.0.2.9\n"))
	if err != nil {
		return 0, err
	}
	host, err := st.node.Accounts.Host(ctx)
	if err != nil {
		return 0, err
	}
	if _, err := run(ctx, "match-set", "publish", "--data", st.dir, "--org", string(host.ID), "--community", dike, "--name", "sealed", "--type", "ipv4", sealed); err != nil {
		return 0, err
	}
	asked, err := st.keep("seen-addresses.txt", []byte("198.51.100.12\n203.0.113.201\n198.51.100.13\n"))
	if err != nil {
		return 0, err
	}
	sme := st.outposts["sme"]
	out, err := run(ctx, "match-private", "--node", sme.url, "--token", sme.token, "--set", "sealed", "--seen", filepath.Join(filepath.Dir(st.dir), "match-seen.jsonl"), asked)
	if err == nil && strings.TrimSpace(out) != "203.0.113.201" {
		err = fmt.Errorf("the answer was %q", out)
	}
	return 0, err
}

func proveLogged(ctx context.Context, st *stage) (polder.Seq, error) {
	sme, maker := st.outposts["sme"], st.outposts["maker"]
	proof := filepath.Join(filepath.Dir(st.dir), "proof.json")
	if _, err := run(ctx, "log", "prove", "--data", sme.dir, "--out", proof, st.held["beacon"]); err != nil {
		return 0, err
	}
	keys, err := run(ctx, "keys", "show", "--all", "--json", "--data", maker.dir)
	if err != nil {
		return 0, err
	}
	keyFile, err := st.keep("maker-keys.jsonl", []byte(keys))
	if err != nil {
		return 0, err
	}
	_, err = run(ctx, "log", "verify", "--keys", keyFile, proof)
	return 0, err
}

func withdrawAcross(ctx context.Context, st *stage) (polder.Seq, error) {
	maker, sme := st.outposts["maker"], st.outposts["sme"]
	if err := maker.asks(ctx, nil, "withdraw", "--community", dike, st.held["beacon"]); err != nil {
		return 0, err
	}
	_, err := soon(ctx, "the withdrawn object is gone at "+sme.name, func() (bool, error) {
		text, err := st.object(ctx, sme, st.held["beacon"])
		return text == "", err
	})
	return 0, err
}

// lieAndBeCaught has a node whose operator writes into his own log what his program would refuse: an object that
// bears the maker's name.
func lieAndBeCaught(ctx context.Context, st *stage) (polder.Seq, error) {
	liar, err := st.joins(ctx, "liar", liarName, "")
	if err != nil {
		return 0, err
	}
	c, err := liar.node.Accounts.Community(ctx, dike)
	if err != nil {
		return 0, err
	}
	forged, err := stix.Parse(st.beacon(st.outposts["maker"], "forged", "Trust this update server", "not-from-lichtlijn.example"))
	if err != nil {
		return 0, err
	}
	if forged, err = forged.WithMarking(stix.Green); err != nil {
		return 0, err
	}
	if err := liar.forge(ctx, c.ID, forged); err != nil {
		return 0, err
	}
	if _, err := soon(ctx, "the hub put the forged object aside", func() (bool, error) {
		l, err := st.linkOf(ctx, liar)
		return l.Quarantined > 0, err
	}); err != nil {
		return 0, err
	}
	for _, key := range []string{"maker", "sme"} {
		if text, err := st.object(ctx, st.outposts[key], st.held["forged"]); err != nil || text != "" {
			return 0, errors.Join(err, fmt.Errorf("%s sees the forged object", st.outposts[key].name))
		}
	}
	return 0, nil
}

// forge writes a delivery into the node's own log, past every check, as whoever owns its disk can.
func (o *outpost) forge(ctx context.Context, c polder.CommunityID, forged stix.Object) error {
	digest, err := forged.Digest()
	if err != nil {
		return err
	}
	return o.node.DB.Write(ctx, func(tx *db.Tx) error {
		_, err := o.node.Journal.Append(tx, []journal.Delivery{{
			Community: c, ID: forged.ID, Version: strings.TrimSuffix(forged.Version(), "Z"), Sharer: o.org.ID, Custodian: o.org.ID, Level: stix.Green,
			Nominal: polder.Everyone(), Reached: polder.Everyone(), Last: polder.Everyone(), Digest: digest, Raw: forged.Raw(),
		}})
		return err
	})
}
