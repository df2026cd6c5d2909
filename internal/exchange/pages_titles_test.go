package exchange

import (
	"strings"
	"testing"

	"github.com/polder-exchange/polder/stix"
)

// TestTitles: what has no name of its own is called by what it says, in the list and in the picture of what it is about.
func TestTitles(t *testing.T) {
	c := newConsole(t)
	c.story()
	about := `"object_refs":["` + sid("indicator", 1) + `"]`
	seen := `"first_observed":"2026-11-18T08:00:00Z","last_observed":"2026-11-18T08:00:00Z","number_observed":3,"object_refs":["ipv4-addr--7413ddce-a9e8-55d7-b915-129c50abc215"`
	c.share(c.who["csirt"].Actor, Request{Named: true, Objects: one(
		[]byte(`{"type":"ipv4-addr","spec_version":"2.1","id":"ipv4-addr--7413ddce-a9e8-55d7-b915-129c50abc215","value":"203.0.113.77","object_marking_refs":["`+stix.Amber.ID()+`"]}`),
		thing("observed-data", 20, 0, stix.Amber, seen+`]`),
		thing("observed-data", 21, 0, stix.Amber, strings.ReplaceAll(seen, "7413ddce", "00000000")+`]`),
		thing("note", 22, 0, stix.Amber, `"abstract":"MISP text","content":"Ask the supplier first.\nThen the rest.",`+about),
		thing("attack-pattern", 23, 0, stix.Amber, `"name":"Lure","kill_chain_phases":[{"kill_chain_name":"lockheed-martin-cyber-kill-chain","phase_name":"delivery"}],"external_references":[{"source_name":"mitre-attack","external_id":"T1566","url":"https://attack.example/T1566"}]`))})
	for _, want := range []struct{ path, text, why string }{
		{"/objects?type=observed-data", ">203[.]0[.]113[.]77<", "the values that were observed are the title"},
		{"/objects?type=observed-data", ">3 observations<", "without them, how often"},
		{"/objects?type=observed-data&lang=nl", ">3 waarnemingen<", "in Dutch"},
		{"/objects?type=note", ">Ask the supplier first.<", "an abstract that says only “MISP text” gives way to what the note says"},
		{"/objects?type=note", ">Same lure text as in March<", "an abstract that somebody wrote stays"},
		{"/objects/" + sid("indicator", 1), "Opinion · National CSIRT</text>", "the node of an opinion says whose it is"},
		{"/objects/" + sid("indicator", 1), ">Agrees</text>", "and what it says"},
		{"/objects/" + sid("indicator", 1), ">Seen 2 times</text>", "the node of a sighting says how often"},
		{"/objects/" + sid("attack-pattern", 23), "lockheed-martin-cyber-kill-chain · delivery", "phases are read, not decoded"},
		{"/objects/" + sid("attack-pattern", 23), "mitre-attack · T1566 · https://attack.example/T1566", "and so are references"},
	} {
		if page := c.get("optics", want.path); !strings.Contains(page, want.text) {
			t.Errorf("%s lacks %q: %s", want.path, want.text, want.why)
		}
	}
	if page := c.get("optics", "/objects/"+sid("attack-pattern", 23)); strings.Contains(page, `href="https://attack`) {
		t.Error("a reference became a link")
	}
}

// TestBlindHistory (X20): who shared without a name reads so in the history; nobody else reads whose it is.
func TestBlindHistory(t *testing.T) {
	c := newConsole(t)
	c.story()
	const said = "You, without your name"
	if page := c.get("valve", "/objects/"+sid("indicator", 1)); strings.Count(page, said) != 2 {
		t.Errorf("the own two versions are not told: %d", strings.Count(page, said))
	}
	for _, who := range []string{"optics", "csirt", "maker"} {
		if strings.Contains(c.get(who, "/objects/"+sid("indicator", 1)), said) {
			t.Errorf("%s reads that it was the blind sharer", who)
		}
	}
}

// TestBackstage: what makes other objects work is listed for whoever chooses its type, and not counted otherwise.
func TestBackstage(t *testing.T) {
	c := newConsole(t)
	c.story()
	for path, hidden := range map[string]bool{"/objects": true, "/objects?q=member": true, "/objects?type=indicator": true, "/objects?type=identity": false} {
		if listed := strings.Contains(c.get("optics", path), ">A member of "); listed == hidden {
			t.Errorf("%s lists the identity of “a member”: %v", path, listed)
		}
	}
}
