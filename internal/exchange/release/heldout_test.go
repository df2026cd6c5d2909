package release

import "testing"

// gelderhaven and torridge are the invented organisations of the texts that were written after the rules.
func gelderhaven() Profile {
	return Profile{
		Minimise: Minimise{Names: true, Staff: true, Addresses: true, Networks: true, Hosts: true, Words: true, Custom: true},
		Facts: Facts{
			Names:    []string{"Gelderhaven Scheepsmotoren N.V.", "Gelderhaven", "GSM Service"},
			Staff:    []Person{{"Bram Hoekstra", "b.hoekstra@gelderhaven.example"}, {"Marijke Aalbers", ""}, {"Wiesje van Oosterhout", "w.vanoosterhout@gelderhaven.example"}, {"Chloë Bouazza", ""}},
			Domains:  []string{"gelderhaven.example"},
			Phones:   []string{"+31 315 550187"},
			Networks: []string{"192.0.2.128/25", "10.88.0.0/16"},
			Hosts:    []string{"gh-scada2", "gh-vpn1", "gh-file03"},
			Suffixes: []string{".gelderhaven.intra"},
			Words:    []string{"Stille Diesel", "Project IJsvogel"},
		},
	}
}

func torridge() Profile {
	return Profile{
		Minimise: Minimise{Names: true, Staff: true, Addresses: true, Networks: true, Hosts: true, Words: true, Custom: true},
		Facts: Facts{
			Names:     []string{"Torridge Valve Works Limited", "TVW"},
			Staff:     []Person{{"Rosalind Achterberg", ""}, {"Ngozi Okonkwo-Hale", ""}, {"Daniel Frost", "daniel.frost@torridgevalve.example"}},
			Domains:   []string{"torridgevalve.example"},
			Addresses: []string{"Unit 5, Saltworks Road, Bideford EX39 2ZZ"},
			Phones:    []string{"+44 1632 960733"},
			Networks:  []string{"2001:db8:7700::/48"},
			Hosts:     []string{"tvw-eng07"},
			Words:     []string{"Operation Greywing"},
		},
	}
}

// TestHeldOut scores the rules on texts that they were not made for. The figures are what they reached at once, and the
// floor: two marks that reach a word further than the fact ("Dr.", "'s"), and an address that imitates one of the staff.
func TestHeldOut(t *testing.T) {
	s := scored(t, readCorpus(t, "testdata/heldout.txt"), map[string]Profile{"gel": gelderhaven(), "tor": torridge()})
	t.Log(s)
	for _, m := range s.misses {
		t.Log(m)
	}
	if s.go_ != 64 || s.gone < 62 || s.stayed < 32 || s.asked < 2 || s.right < s.cuts-2 {
		t.Errorf("worse than it was: %s", s)
	}
}
