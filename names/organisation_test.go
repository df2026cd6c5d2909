package names

import "testing"

func TestOrganisationsMeetAsAWhole(t *testing.T) {
	for _, c := range []struct {
		a, b  string
		least float64
		most  float64
		why   string
	}{
		{"台积电", "Taiwan Semiconductor Manufacturing Company Ltd", 0.9, 1, "a brand in Han and the name in English"},
		{"CXMT", "ChangXin Memory Technologies, Inc.", 0.9, 1, "an abbreviation of more than three letters"},
		{"长江存储科技", "Yangtze Memory Technologies Corp", 0.9, 1, "a name that says another thing in each language"},
		{"UMC", "United Microelectronics Corporation", 0, 0.9, "three letters are the short name of many"},
		{"台积电", "Yangtze Memory Technologies Corp", 0, 0.3, "two organisations"},
		{"CXMT Ivanov", "ChangXin Memory Technologies", 0, 0.9, "what stands beside it counts"},
	} {
		for _, swap := range []bool{false, true} {
			a, b := c.a, c.b
			if swap {
				a, b = b, a
			}
			if got := Compare(Parse(a, Any), Parse(b, Any)).Score; got < c.least || got > c.most {
				t.Errorf("%q and %q: %.3f, want %.2f to %.2f: %s", a, b, got, c.least, c.most, c.why)
			}
		}
	}
	x := indexOf("Yangtze Memory Technologies Corp", "Taiwan Semiconductor Manufacturing Company Ltd", "ChangXin Memory Technologies, Inc.")
	if found := x.Search(Parse("长江存储", Any), 0.8, 5); len(found) != 1 || x.Name(found[0]).Text != "Yangtze Memory Technologies Corp" {
		t.Errorf("found %q, want Yangtze Memory alone", texts(x, found))
	}
	if n := Parse("长江存储", Person); len(n.orgs) > 0 {
		t.Error("a person is read as an organisation")
	}
}
