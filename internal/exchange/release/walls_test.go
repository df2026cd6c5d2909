package release

import "testing"

// TestWallsDress: a wall stands against its words in any dress that a fact is found in.
func TestWallsDress(t *testing.T) {
	r := rulesOfProfile(t, Profile{Forbidden: []Forbidden{{Label: "Programme", Words: []string{"Zeekomkommer"}}}})
	for _, text := range []string{
		"de Zeekomkommer", "ZEEKOMKOMMER", "Zeekomk\u043emmer", "Ｚｅｅｋｏｍｋｏｍｍｅｒ", "Zee\u200bkomkommer", "Zeekomkomm&#101;r", `Zeekomkomm\u0065r`, "Zeekomkomm%2565r", "Zeekom=\nkommer", "Zee<b>kom</b>kommer",
	} {
		if r.ForbiddenIn(text) != "Programme" {
			t.Errorf("%q passes", text)
		}
	}
	for _, text := range []string{"de zee en een komkommer", "Zeekomkommertijd", ""} {
		if label := r.ForbiddenIn(text); label != "" {
			t.Errorf("%q runs into %s", text, label)
		}
	}
}
