package release

import (
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder/stix"
)

// BenchmarkApply is what an object of ordinary size costs, with a profile of 200 people.
func BenchmarkApply(b *testing.B) {
	p := optics()
	for i := range 200 {
		p.Facts.Staff = append(p.Facts.Staff, Person{Name: "Persoon" + string(rune('a'+i%26)) + " van Naam" + string(rune('a'+i/26)) + "dijk"})
	}
	r := rulesOfProfile(b, p)
	for name, text := range map[string]string{
		"clean": strings.Repeat("A loader that hides in update checks of a valve maker, and calls home over DNS. ", 12),
		"dirty": strings.Repeat("Bij Klepwerk zag Wil van Dijk verkeer van 10.41.3.7 naar portal.klepwerk.nl toe. ", 12),
	} {
		o := parsed(b, sdo("report", `,"name":"R","description":"`+text+`","published":"2026-01-01T00:00:00Z","object_refs":["indicator--00000000-0000-4000-8000-000000000001"]`))
		b.Run(name+"/parse", func(b *testing.B) {
			for b.Loop() {
				if _, err := stix.Parse(o.Raw()); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(o.Raw())))
			b.ReportAllocs()
			for b.Loop() {
				r.Apply(o)
			}
		})
	}
}

// TestLinear: ten times the text takes no more than some forty times as long, for texts that are made to be hard.
func TestLinear(t *testing.T) {
	p := optics()
	p.Facts.Suffixes = append(p.Facts.Suffixes, ".a.a")
	p.Facts.Words = append(p.Facts.Words, strings.Repeat("a ", 90)+"b")
	r := rulesOfProfile(t, p)
	took := func(text string) time.Duration {
		best := time.Hour
		for range 4 { // the machine may be busy with something else
			began := time.Now()
			r.Text(text)
			best = min(best, time.Since(began))
		}
		return best
	}
	for _, hard := range []string{"a.", "a ", "::", "1.", "klepwerk ", "local.", "[.]", "%61", "x@", "0:", "(", "1:2:3:4:5:6:7:8:", "=41", "<b>", "&#97;", " dot a", `\u0061`, "S2xlcHdlcms", "J. ", "Bakker ", "-\na", "k\u200b", "%2561"} {
		small, large := took(strings.Repeat(hard, 2_000)), took(strings.Repeat(hard, 20_000))
		if large > 40*small+200*time.Millisecond {
			t.Errorf("%q: %s, then %s", hard, small, large)
		}
	}
}
