package stix_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/polder-exchange/polder/stix"
)

func sha(s string) [32]byte { return sha256.Sum256([]byte(s)) }

// The ids of TLP 1.0, as STIX 2.1 prints them.
const (
	oldWhite = "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"
	oldGreen = "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"
	oldAmber = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"
	oldRed   = "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"
	someMark = "marking-definition--00000000-0000-4000-8000-00000000000a"
)

func TestMarkingNames(t *testing.T) {
	for m, name := range map[stix.Marking]string{
		stix.Clear: "clear", stix.Green: "green", stix.Amber: "amber", stix.AmberStrict: "amber+strict", stix.Red: "red",
	} {
		if m.String() != name || m.Label() != "TLP:"+strings.ToUpper(name) {
			t.Errorf("%v is %q, %q", name, m.String(), m.Label())
		}
		for _, s := range []string{name, m.Label(), strings.ToUpper(name), "tlp:" + name, " " + name + "\n"} {
			if got, err := stix.ParseMarking(s); got != m || err != nil {
				t.Errorf("%q is %v, %v", s, got, err)
			}
		}
		if stix.MarkingOf(m.ID()) != m || stix.MarkingOf(strings.ToUpper(m.ID())) != m || !stix.ValidID(m.ID()) {
			t.Errorf("%s has the id %s", name, m.ID())
		}
	}
	if m, err := stix.ParseMarking("TLP:WHITE"); m != stix.Clear || err != nil {
		t.Errorf("white is %v, %v", m, err)
	}
	for _, s := range []string{"", "tlp:", "amber strict", "purple", "TLP:TLP:RED"} {
		if m, err := stix.ParseMarking(s); m != stix.None || err == nil {
			t.Errorf("%q is %v", s, m)
		}
	}
	if stix.None.String()+stix.None.Label()+stix.None.ID()+stix.Marking(9).String()+stix.Marking(9).ID() != "" || stix.Definition(stix.None) != nil {
		t.Error("no level has a name")
	}
	if !stix.Green.Wider(stix.Amber) || stix.Red.Wider(stix.Red) || stix.Red.Wider(stix.Clear) || stix.None.Wider(stix.Red) {
		t.Error("the order is wrong")
	}
}

func TestPAPNames(t *testing.T) {
	for p, name := range map[stix.PAP]string{stix.PAPClear: "clear", stix.PAPGreen: "green", stix.PAPAmber: "amber", stix.PAPRed: "red"} {
		if p.String() != name || p.Label() != "PAP:"+strings.ToUpper(name) || stix.PAPOf(p.ID()) != p {
			t.Errorf("%s is %q, %q, %s", name, p.String(), p.Label(), p.ID())
		}
		if got, err := stix.ParsePAP(p.Label()); got != p || err != nil {
			t.Errorf("%q is %v, %v", p.Label(), got, err)
		}
	}
	if p, err := stix.ParsePAP("pap:white"); p != stix.PAPClear || err != nil {
		t.Errorf("white is %v, %v", p, err)
	}
	if p, err := stix.ParsePAP("amber+strict"); p != stix.PAPNone || err == nil || stix.PAPNone.Label()+stix.PAPNone.ID() != "" {
		t.Errorf("amber+strict is %v", p)
	}
}

// marked is a campaign with these marks on the whole, and those on its name.
func marked(whole []string, parts ...string) []byte {
	more := ""
	if len(whole) > 0 {
		more = fmt.Sprintf(`,"object_marking_refs":["%s"]`, strings.Join(whole, `","`))
	}
	if len(parts) > 0 {
		var all []string
		for _, p := range parts {
			all = append(all, fmt.Sprintf(`{"selectors":["name"],"marking_ref":"%s"}`, p))
		}
		more += `,"granular_markings":[` + strings.Join(all, ",") + "]"
	}
	return []byte(campaign(more))
}

// TestLevel is rule X1, and S11 of the threat notes.
func TestLevel(t *testing.T) {
	clear, green, amber, strict, red := stix.Clear.ID(), stix.Green.ID(), stix.Amber.ID(), stix.AmberStrict.ID(), stix.Red.ID()
	for _, v := range []struct {
		name  string
		whole []string
		parts []string
		want  stix.Marking
		err   string
	}{
		{name: "unmarked", want: stix.None},
		{name: "other marks carry no level", whole: []string{someMark}, want: stix.None},
		{name: "other marks stand beside", whole: []string{someMark, amber}, want: stix.Amber},
		{name: "TLP 2.0", whole: []string{strict}, want: stix.AmberStrict},
		{name: "TLP 1.0 white", whole: []string{oldWhite}, want: stix.Clear},
		{name: "TLP 1.0 green", whole: []string{oldGreen}, want: stix.Green},
		{name: "TLP 1.0 amber", whole: []string{oldAmber}, want: stix.Amber},
		{name: "TLP 1.0 red", whole: []string{oldRed}, want: stix.Red},
		{name: "in capitals", whole: []string{strings.ToUpper(red[20:])}, want: stix.Red},
		{name: "the same twice", whole: []string{green, green}, want: stix.Green},
		{name: "two levels", whole: []string{green, red}, err: "two TLP marks, TLP:GREEN and TLP:RED"},
		{name: "TLP 1 and 2 together", whole: []string{oldAmber, amber}, err: "TLP:AMBER of TLP 1.0 and TLP:AMBER"},
		{name: "white and clear", whole: []string{clear, oldWhite}, err: "TLP:CLEAR and TLP:WHITE of TLP 1.0"},
		{name: "a stricter part raises", whole: []string{green}, parts: []string{clear, red, amber}, want: stix.Red},
		{name: "a wider part does not lower", whole: []string{amber}, parts: []string{clear}, want: stix.Amber},
		{name: "a part under another mark", whole: []string{amber}, parts: []string{someMark}, want: stix.Amber},
		{name: "a part alone leaves the rest without a level", parts: []string{green}, err: "mark the whole object, as TLP:GREEN or narrower"},
	} {
		for i, id := range v.whole {
			if !strings.Contains(id, "--") {
				v.whole[i] = "marking-definition--" + id
			}
		}
		got, err := parse(t, marked(v.whole, v.parts...)).Level()
		if got != v.want || (err == nil) != (v.err == "") || err != nil && !strings.Contains(err.Error(), v.err) {
			t.Errorf("%s: got %v, %v; want %v, %q", v.name, got, err, v.want, v.err)
		}
	}
}

// TestPAP is rule X5.
func TestPAP(t *testing.T) {
	for _, v := range []struct {
		whole, parts []string
		want         stix.PAP
	}{
		{nil, nil, stix.PAPNone},
		{[]string{stix.Red.ID()}, nil, stix.PAPNone},
		{[]string{stix.PAPAmber.ID(), stix.Red.ID()}, nil, stix.PAPAmber},
		{[]string{"marking-definition--a3bea94c-b469-41dc-9cfe-d6e7daba7730"}, nil, stix.PAPClear},
		{[]string{stix.PAPGreen.ID()}, []string{stix.PAPRed.ID()}, stix.PAPRed},
	} {
		if got := parse(t, marked(v.whole, v.parts...)).PAP(); got != v.want {
			t.Errorf("%v, %v: got %v, want %v", v.whole, v.parts, got, v.want)
		}
	}
}

// old is the definition of a level of TLP 1.0 as STIX 2.1 prints it.
func old(id, word string) string {
	return fmt.Sprintf(`{"type":"marking-definition","spec_version":"2.1","id":"%s","created":"2017-01-20T00:00:00.000Z",`+
		`"definition_type":"tlp","name":"TLP:%s","definition":{"tlp":"%s"}}`, id, strings.ToUpper(word), word)
}

// TestMarkingDefinitions is S11: a TLP or PAP definition is the standard's, byte for meaning, or refused.
func TestMarkingDefinitions(t *testing.T) {
	for m := stix.Clear; m <= stix.Red; m++ {
		o := parse(t, stix.Definition(m))
		if o.ID != m.ID() || o.Name != m.Label() || !o.IsMarkingFree() {
			t.Errorf("the definition of %v is %s", m, o.Raw())
		}
	}
	amber, other := string(stix.Definition(stix.Amber)), `marking-definition--00000000-0000-4000-8000-00000000000a`
	pap := strings.NewReplacer(stix.Amber.ID(), stix.PAPRed.ID(), "TLP:AMBER", "PAP:RED", "60a3c5c5-0d10-413e-aab3-9e08dde9e88d",
		"f8d78575-edfd-406e-8e84-6162a8450f5b", "tlp_2_0", "pap", `"amber"`, `"red"`, "2022-10-01", "2022-10-06").Replace(amber)
	statement := string(sample(t, "marking-definition", nil))
	edit := func(s, from, to string) string {
		if !strings.Contains(s, from) {
			t.Fatalf("%s lacks %s", s, from)
		}
		return strings.Replace(s, from, to, 1)
	}
	for _, v := range []struct{ name, raw, property, text string }{
		{"PAP", pap, "", ""},
		{"TLP 1.0 white", old(oldWhite, "white"), "", ""},
		{"TLP 1.0 green", old(oldGreen, "green"), "", ""},
		{"TLP 1.0 amber", old(oldAmber, "amber"), "", ""},
		{"TLP 1.0 red", old(oldRed, "red"), "", ""},
		{"TLP 1.0 without name", edit(old(oldRed, "red"), `"name":"TLP:RED",`, ""), "", ""},
		{"TLP 2.0 to the second", edit(amber, "00.000Z", "00Z"), "", ""},
		{"a statement that speaks of TLP", edit(statement, "Members only", "As TLP:RED"), "", ""},
		{"TLP 2.0 under another id", edit(amber, stix.Amber.ID(), other), "id", "use " + stix.Amber.ID()},
		{"TLP 1.0 under another id", old(other, "green"), "id", "is not the id of TLP:GREEN"},
		{"TLP 1.0 of another word under another id", old(other, "purple"), "id", "is not the id of TLP:PURPLE"},
		{"PAP under another id", edit(pap, stix.PAPRed.ID(), other), "id", "use " + stix.PAPRed.ID()},
		{"a statement that is called a TLP", edit(statement, "Members only", "tlp:red"), "id", "claims to be"},
		{"PAP by its type", edit(edit(old(other, "amber"), `"tlp","name":"TLP:AMBER"`, `"PAP","name":"x"`), `"tlp"`, `"pap"`), "id", "is not the id of PAP:AMBER"},
		{"amber that says green", edit(amber, `"tlp_2_0":"amber"`, `"tlp_2_0":"green"`), "extensions", "differs from the standard's definition of TLP:AMBER"},
		{"amber that says more", edit(amber, `"tlp_2_0":"amber"`, `"tlp_2_0":"amber","except":"us"`), "extensions", "differs"},
		{"amber with another extension", edit(amber, `"extensions":{`, `"extensions":{"`+extID+`":{"extension_type":"property-extension"},`), "extensions", "differs"},
		{"amber that is called red", edit(amber, "TLP:AMBER", "TLP:RED"), "name", "differs"},
		{"amber of another day", edit(amber, "2022-10-01", "2022-10-02"), "created", "differs"},
		{"amber with a statement", edit(amber, `"name"`, `"definition_type":"statement","definition":{"statement":"x"},"name"`), "definition_type", "is not in the standard's definition"},
		{"amber with an exception", edit(amber, `"name"`, `"x_except":"us","name"`), "x_except", "is not in the standard's definition"},
		{"a statement under amber's id", edit(statement, "marking-definition--00000000-0000-4000-8000-000000000001", stix.Amber.ID()), "extensions", ""},
		{"white under red's id of TLP 1.0", old(oldRed, "white"), "name", "differs"},
		{"red of TLP 1.0 as TLP 2.0", edit(amber, stix.Amber.ID(), oldRed), "definition", "is required"},
		{"PAP red that says green", edit(pap, `"pap":"red"`, `"pap":"green"`), "extensions", "differs"},
		{"amber in capitals under its id in capitals", edit(edit(amber, stix.Amber.ID(), "marking-definition--"+strings.ToUpper(stix.Amber.ID()[20:])), `"tlp_2_0":"amber"`, `"tlp_2_0":"green"`), "extensions", "differs"},
	} {
		if v.name == "a statement under amber's id" {
			if _, err := stix.Parse([]byte(v.raw)); err == nil {
				t.Errorf("%s: taken", v.name)
			}
			continue
		}
		wants(t, v.name, []byte(v.raw), v.property, v.text)
	}
}

// TestMarkingRefsAsText is the last of S11: the references are a list.
func TestMarkingRefsAsText(t *testing.T) {
	wants(t, "a string", []byte(campaign(`,"object_marking_refs":"`+stix.Red.ID()+`"`)), "object_marking_refs", "must be a list")
	wants(t, "a campaign", []byte(campaign(`,"object_marking_refs":["campaign--00000000-0000-4000-8000-000000000001"]`)), "object_marking_refs[0]", "must refer to marking-definition")
}

func TestSelectors(t *testing.T) {
	for selector, why := range map[string]string{
		"name": "", "labels": "", "labels.[1]": "", "external_references.[0].url": "", "x_own.a-B.[1].deep": "", "granular_markings": "",
		"nowhere": "selects nothing", "labels.[2]": "selects nothing", "labels.1": "selects nothing", "labels.[-1]": "selects nothing", "labels.[1": "selects nothing",
		"labels.[x]": "selects nothing", "name.x": "selects nothing", "external_references.url": "selects nothing", "external_references.[00000000001].url": "selects nothing",
		"labels.[99999999999999999999]": "selects nothing", "": "is not a selector", "name.": "is not a selector", ".name": "is not a selector", "na me": "is not a selector",
		"$.name": "is not a selector", "labels[0]": "is not a selector", "Name": "selects nothing",
	} {
		raw := campaign(fmt.Sprintf(`,"labels":["a","b"],"external_references":[{"source_name":"x","url":"https://example.com"}],"x_own":{"a-B":[1,{"deep":true}]},`+
			`"granular_markings":[{"selectors":["name",%q],"marking_ref":"%s"}]`, selector, someMark))
		if why == "" {
			wants(t, selector, []byte(raw), "", "")
		} else {
			wants(t, selector, []byte(raw), "granular_markings[0].selectors[1]", why)
		}
	}
	for _, v := range []struct{ name, marks, property, text string }{
		{"mark and language", `[{"selectors":["name"],"lang":"nl","marking_ref":"` + someMark + `"}]`, "granular_markings[0].lang", "must not be given beside marking_ref"},
		{"neither", `[{"selectors":["name"]}]`, "granular_markings[0]", "neither marking_ref nor lang"},
		{"no selectors", `[{"lang":"nl"}]`, "granular_markings[0].selectors", "is required"},
		{"an empty list of selectors", `[{"lang":"nl","selectors":[]}]`, "granular_markings[0].selectors", "empty list"},
		{"language", `[{"selectors":["name"],"lang":"nl"}]`, "", ""},
	} {
		wants(t, v.name, []byte(campaign(`,"granular_markings":`+v.marks)), v.property, v.text)
	}
}

func TestWithMarking(t *testing.T) {
	for _, v := range []struct{ name, raw, want string }{
		{"beside two others", campaign(`,"object_marking_refs":["` + someMark + `","` + stix.PAPRed.ID() + `"]`),
			campaign(`,"object_marking_refs":["` + someMark + `","` + stix.PAPRed.ID() + `","` + stix.Amber.ID() + `"]`)},
		{"unmarked", campaign(""), campaign(`,"object_marking_refs":["` + stix.Amber.ID() + `"]`)},
		{"white space stays", "{ " + campaign("\n")[1:] + "\n", "{ " + strings.Replace(campaign(`,"object_marking_refs":["`+stix.Amber.ID()+`"]`), "]}", "]\n}\n", 1)[1:]},
		{"beside another mark", campaign(`,"object_marking_refs":[ "` + someMark + `" ],"x_own":1`), campaign(`,"object_marking_refs":[ "` + someMark + `","` + stix.Amber.ID() + `" ],"x_own":1`)},
		{"marked so already", campaign(`,"object_marking_refs":["` + stix.Amber.ID() + `"]`), campaign(`,"object_marking_refs":["` + stix.Amber.ID() + `"]`)},
		{"marked so already by TLP 1.0", campaign(`,"object_marking_refs":["` + oldAmber + `"]`), campaign(`,"object_marking_refs":["` + oldAmber + `"]`)},
	} {
		o, err := parse(t, []byte(v.raw)).WithMarking(stix.Amber)
		if err != nil || string(o.Raw()) != v.want {
			t.Errorf("%s: got %s, %v; want %s", v.name, o.Raw(), err, v.want)
		}
		if level, err := o.Level(); level != stix.Amber || err != nil {
			t.Errorf("%s: level %v, %v", v.name, level, err)
		}
		if plain := parse(t, []byte(v.raw)); bare(t, o) != bare(t, plain) {
			t.Errorf("%s: the level changes the digest without level", v.name)
		}
	}
	for name, f := range map[string]func() (stix.Object, error){
		"another level": func() (stix.Object, error) { return parse(t, marked([]string{oldRed})).WithMarking(stix.Amber) },
		"two already": func() (stix.Object, error) {
			return parse(t, marked([]string{oldRed, stix.Amber.ID()})).WithMarking(stix.Amber)
		},
		"no level":       func() (stix.Object, error) { return parse(t, marked(nil)).WithMarking(stix.None) },
		"no object":      func() (stix.Object, error) { return stix.Object{}.WithMarking(stix.Amber) },
		"TLP on its own": func() (stix.Object, error) { return parse(t, stix.Definition(stix.Red)).WithMarking(stix.Red) },
	} {
		if o, err := f(); err == nil || o.ID != "" {
			t.Errorf("%s: got %s", name, o.Raw())
		}
	}
}

func TestWithCreator(t *testing.T) {
	const me = "identity--00000000-0000-4000-8000-00000000000e"
	for _, v := range []struct{ raw, want string }{
		{campaign(""), campaign(`,"created_by_ref":"` + me + `"`)},
		{campaign(`,"created_by_ref": "identity--00000000-0000-4000-8000-00000000feed","x_own":1`), campaign(`,"created_by_ref": "` + me + `","x_own":1`)},
	} {
		o, err := parse(t, []byte(v.raw)).WithCreator(me)
		if err != nil || string(o.Raw()) != v.want || o.CreatedByRef != me {
			t.Errorf("got %s, %v; want %s", o.Raw(), err, v.want)
		}
	}
	o := parse(t, []byte(campaign("")))
	for _, id := range []string{"", "x", "campaign--00000000-0000-4000-8000-000000000001"} {
		if _, err := o.WithCreator(id); err == nil {
			t.Errorf("took %q for an identity", id)
		}
	}
	if _, err := parse(t, sample(t, "url", nil)).WithCreator(me); err == nil {
		t.Error("gave an observable a creator")
	}
	if _, err := (stix.Object{}).WithCreator(me); err == nil {
		t.Error("gave nothing a creator")
	}
}

func TestWithCreated(t *testing.T) {
	o, err := parse(t, []byte(campaign(""))).WithCreated("2024-01-01T00:00:00Z")
	if want := strings.Replace(campaign(""), "2024-03-05T06:07:08.123Z", "2024-01-01T00:00:00Z", 1); err != nil || string(o.Raw()) != want {
		t.Errorf("got %s, %v; want %s", o.Raw(), err, want)
	}
	for _, bad := range []string{"2025-01-01T00:00:00Z", "yesterday"} {
		if _, err := o.WithCreated(bad); err == nil {
			t.Errorf("took %s", bad)
		}
	}
	if _, err := (stix.Object{}).WithCreated("2024-01-01T00:00:00Z"); err == nil {
		t.Error("gave nothing a time")
	}
}

// TestMarkingLaws: a level that is added changes the digest, and not the one without level; nothing else changes.
func TestMarkingLaws(t *testing.T) {
	all := samples(t)
	rapid.Check(t, func(t *rapid.T) {
		var v map[string]any
		if err := json.Unmarshal(rapid.SampledFrom(all).Draw(t, "sample"), &v); err != nil {
			t.Fatal(err)
		}
		delete(v, "object_marking_refs")
		delete(v, "granular_markings")
		if rapid.Bool().Draw(t, "another mark") {
			v["object_marking_refs"] = []any{someMark}
		}
		plain, err := stix.Parse(shuffled(t, v))
		if err != nil {
			t.Fatal(err)
		}
		m := stix.Marking(rapid.IntRange(1, 5).Draw(t, "level"))
		o, err := plain.WithMarking(m)
		if err != nil {
			t.Fatal(err)
		}
		if level, err := o.Level(); level != m || err != nil {
			t.Fatalf("level %v, %v", level, err)
		}
		if bare(t, o) != digest(t, plain) || bare(t, plain) != digest(t, plain) || digest(t, o) == digest(t, plain) {
			t.Fatalf("%s\n%s", plain.Raw(), o.Raw())
		}
	})
}
