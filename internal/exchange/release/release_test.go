package release

import (
	"fmt"
	"strings"
	"testing"

	"github.com/polder-exchange/polder/stix"
)

// optics is a made-up firm with everything that a profile may hold.
func optics() Profile {
	return Profile{
		Minimise: Minimise{true, true, true, true, true, true, true},
		Facts: Facts{
			Names:     []string{"Meridiaan Lithografie B.V.", "Klepwerk", "Jansen & Zonen", "Société Générale Optique", "ACME", "Müller Vakuum GmbH"},
			Staff:     []Person{{"Wil van Dijk", "w.vandijk@klepwerk.nl"}, {"Jan-Peter de Vries", "jpdevries@klepwerk.nl"}, {"Zoë Çelik", "zoe@klepwerk.nl"}, {"Anna Bakker", "a.bakker@klepwerk.nl"}, {"Joke Smit", "joke@thuis-smit.example"}},
			Domains:   []string{"klepwerk.nl", "meridiaan-litho.example"},
			Addresses: []string{"De Run 6501, 5504 DR Veldhoven", "Kasteel Dussen"},
			Phones:    []string{"+31 40 123 45 67"},
			Networks:  []string{"10.41.0.0/16", "198.51.100.7", "2001:db8:77::/48"},
			Hosts:     []string{"dc01.intern.klepwerk.nl", "srv-file-02"},
			Suffixes:  []string{".fab5.klepwerk"},
			Words:     []string{"Nachtvlinder", "Project X7"},
		},
	}
}

func rulesOfProfile(t testing.TB, p Profile) *Rules {
	t.Helper()
	r, err := Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestText: what becomes of facts in running text, in Dutch and English.
func TestText(t *testing.T) {
	r := rulesOfProfile(t, optics())
	for _, c := range []struct{ text, want, why string }{
		{"Bij Klepwerk is ingebroken.", "Bij [organisation] is ingebroken.", "a short name"},
		{"KLEPWERK, klepwerk en Klepwerk's portaal", "[organisation], [organisation] en [organisation]'s portaal", "any case, and what follows an apostrophe"},
		{"Meridiaan Lithografie B.V. te Veldhoven", "[organisation] te Veldhoven", "with its legal form; a town alone tells little"},
		{"Meridiaan Lithografie bv, Meridiaan Lithografie", "[organisation], [organisation]", "its legal form in another spelling, and without"},
		{"Klepwerk B.V. en Klepwerk Holding", "[organisation] en [organisation]", "a legal form that was not given"},
		{"We met Klepwerk. Nv is no word here", "We met [organisation] is no word here", "what looks like a legal form goes too: rather too much"},
		{"the #MeridiaanLithografie account", "the #[organisation] account", "its words written as one"},
		{"meridiaan_lithografie/meridiaan-lithografie", "[organisation]/[organisation]", "with other separators"},
		{"meridiaan\n   lithografie", "[organisation]", "over the end of a line"},
		{"Jansen &amp; Zonen; Jansen en Zonen; Jansen & Zonen", "[organisation]; [organisation]; [organisation]", "an ampersand, as HTML too, and as a word"},
		{"SOCIETE GENERALE OPTIQUE / Socie\u0301te\u0301 Ge\u0301ne\u0301rale Optique", "[organisation] / [organisation]", "diacritics left out, and as marks of their own"},
		{"Mueller Vakuum, MÜLLER VAKUUM GMBH, Muller-Vakuum", "[organisation], [organisation], [organisation]", "an umlaut in three spellings"},
		{"Kl\u200bepw\u00aderk and Ｋｌｅｐｗｅｒｋ", "[organisation] and [organisation]", "signs that nobody sees, and wide letters"},
		{"K%6Cepwerk and Soci%C3%A9t%C3%A9%20G%C3%A9n%C3%A9rale%20Optique", "[organisation] and [organisation]", "percent signs, as in URLs"},
		{"Klepwerks net, klepwerkers; Klepwerknetwerk, Inklepwerk, Klepwerkveld", "[organisation] net, [organisation]; [organisation]netwerk, Inklepwerk, Klepwerkveld", "inflected, and in a compound; else whole words only"},
		{"de Bakkerij op de hoek; Bakker alone", "de Bakkerij op de hoek; Bakker alone", "no Bakkerij from Bakker, and no family name alone"},
		{"KlepwerkPortal, klepwerk01, KLEPWERKPortal, myKlepwerk", "[organisation]Portal, [organisation]01, [organisation]Portal, my[organisation]", "parts of a word that case or a digit sets apart"},
		{"9acme0aacme1bacme2cacme3dacme4eacme5f00d1", "9acme0aacme1bacme2cacme3dacme4eacme5f00d1", "a long code is no text"},
		{"Asked Wil van Dijk, wil  van dijk, W. van Dijk, W van Dijk, Van Dijk, Wil", "Asked [person], [person], [person], [person], [person]", "a person as people write it"},
		{"Dijk, W. van; dhr. Van Dijk; mevrouw Bakker; Herr de Vries", "[person]; [person]; [person]; [person]", "as lists and letters write it"},
		{"J.P. de Vries and J. de Vries and Vries, Jan-Peter de", "[person] and [person] and [person]", "initials"},
		{"Zoe Celik logged in as wvandijk, from jpdevries", "[person] logged in as [person], from [person]", "without diacritics, and by the names of mail boxes"},
		{"Zoë knows nothing; Wil je dat? Wil van ons", "Zoë knows nothing; Wil je dat? Wil van ons", "a first name is anybody's"},
		{"Wil van Dijken", "Wil van Dijken", "another name that begins so"},
		{"mail w.vandijk@klepwerk.nl or info[at]klepwerk[.]nl or x@mail.klepwerk.nl", "mail [host] or [host] or [host]", "mail boxes"},
		{"https://portal.klepwerk.nl/login?u=1 hxxps://portal[.]klepwerk[.]nl/a", "https://[host]/login?u=1 hxxps://[host]/a", "addresses on the web, defanged too"},
		{"klepwerk(.)nl klepwerk[dot]nl KLEPWERK.NL. klepwerk%2enl", "[host] [host] [host]. [host]", "a dot in any dress"},
		{"klepwerk-nl.example", "[organisation]-nl.example", "a name that imitates: it tells whom it imitates"},
		{"dc01.intern.klepwerk.nl, DC01? srv-file-02, SRV_FILE_02, srv-file-021", "[host], [host]? [host], [host], srv-file-021", "hosts, and the first label alone where it has a digit"},
		{"build7.fab5.klepwerk and pc9.lan and fab5.klepwerk", "[host] and [host] and fab5.[organisation]", "inner suffixes end a name of a host"},
		{"De Run 6501, 5504 DR Veldhoven; 5504DR Veldhoven; De Run 6501", "[address]; [address]; [address]", "a postal address, and its lines"},
		{"5504dr and 5504 DR; Kasteel Dussen; de run 650", "[address] and [address]; [address]; de run 650", "a postcode, a place without a number, another number"},
		{"+31 40 123 45 67, 040-1234567, 0031401234567, +31 (0)40 1234567, 0401234568", "+[address], [address], [address], +[address], 0401234568", "a phone number as it is dialled"},
		{"10.41.7.114 10[.]41[.]7[.]114 10.41.7[.]114 010.041.007.114 0x0a290772 170461042 0xa.0x29.0x7.0x72", strings.TrimSpace(strings.Repeat("[address] ", 7)), "an address in the forms that programs take"},
		{"10.42.7.114, 10.4.1.7, 198.51.100.70 and v10.41.7.1", "10.42.7.114, 10.4.1.7, 198.51.100.70 and v10.41.7.1", "others' addresses stay; about a version a person is asked"},
		{"10.41.0.0/16 10.41.3.0/24 10.0.0.0/8 0.0.0.0/0 198.51.100.7%2F32", "[address] [address] [address] 0.0.0.0/0 [address]", "blocks; one around everything tells nothing"},
		{"2001:db8:77::1 2001:0DB8:0077:0000:0000:0000:0000:0001 [2001:db8:77::1]:443 2001[:]db8[:]77[:][:]1 2001:db8:78::1", "[address] [address] [[address]]:443 [address] 2001:db8:78::1", "IPv6 in its forms"},
		{"::ffff:10.41.7.1 fe80::1%eth0 114.7.41.10.in-addr.arpa http://10.41.7.1:8080/x", "[address] fe80::1%eth0 [address] http://[address]:8080/x", "in other dress"},
		{"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.7.7.0.0.8.b.d.0.1.0.0.2.ip6.arpa.", "[address].", "as DNS turns it"},
		{"project x7, Project-X7, ProjectX7, Project X70, NACHTVLINDER2", "[project], [project], [project], Project X70, [project]2", "words of projects"},
		{`C:\Users\wvandijk\Klepwerk_Offerte\nachtvlinder.docx`, `C:\Users\[person]\[organisation]_Offerte\[project].docx`, "paths and files"},
		{"wij spraken Bakker. Anna kwam. En Bakker; Anna niet. Bakker, Anna", "wij spraken Bakker. Anna kwam. En Bakker; Anna niet. [person]", "a family name and the next sentence's first word are no person"},
		{"Kl\u0435pwerk, K&#108;epwerk, K%256Cepwerk, Kl\\u0065pwerk, Klep=\nwerk, Klep-\nwerk, Kl<b>ep</b>werk", strings.TrimSuffix(strings.Repeat("[organisation], ", 7), ", "), "a letter of another script, and the escapes of HTML, URLs twice, JSON and mail"},
		{"S2xlcHdlcmsgaW50ZXJu, SwBsAGUAcAB3AGUAcgBrACAAaQBuAHQAZQByAG4A and R2VoZWVsIGlldHMgYW5kZXJz", "[organisation], [organisation] and R2VoZWVsIGlldHMgYW5kZXJz", "base64 of texts in UTF-8 and UTF-16, and of another"},
		{"S2xlcHdlcms=", "S2xlcHdlcms=", "shorter than what is read"},
		{"W. v. Dijk, Wil v Dijk, Dijk, W. van; J.A. de Vries; K. de Vries; Karin de Vries", "[person], [person], [person]; [person]; K. de Vries; Karin de Vries", "infixes cut short, more initials, and others of that name"},
		{"manager Bakker, the manager bakker, A. Bakker, a Bakker, a bakker", "[person], the manager bakker, [person], a Bakker, a bakker", "a role before a capital, an initial, and an article"},
		{"0012.051.07.0162 and ::ffff:0a29:0772 64:ff9b::10.41.7.114 2002:a29:772::1 １０．４１．７．１１４", "[address] and [address] [address] [address] [address]", "octal, within IPv6, and in full width"},
		{"0a290772-1111-4111-8111-170461042000 and a170461042", "0a290772-1111-4111-8111-170461042000 and a170461042", "UUIDs and parts of words are no addresses"},
		{`C:\Users\JPDEVR~1\x and D:\users\vandijkw`, `C:\Users\[person]\x and D:\users\[person]`, "names of accounts"},
		{"w.vandijk at klepwerk dot nl; w.vandijk (at) klepwerk (dot) nl", "[host]; [host]", "words for signs"},
		{"[organisation] [person] [host]", "[organisation] [person] [host]", "what stands in stays"},
		{"joke@thuis-smit.example, joke[at]thuis-smit[.]example, <Joke@Thuis-Smit[.]example>; joke@elders.example", "[person], [person], <[person]>; joke@elders.example", "a mail address of one of its people elsewhere, whole"},
		{"", "", "nothing"},
	} {
		got, changes := r.Text(c.text)
		if got != c.want {
			t.Errorf("%q becomes\n %q, want\n %q (%s)", c.text, got, c.want, c.why)
		}
		if (len(changes) > 0) != (c.text != c.want) {
			t.Errorf("%q: %+v", c.text, changes)
		}
		if again, more := r.Text(got); again != got || len(more) > 0 {
			t.Errorf("%q: a second time gives %q", c.text, again)
		}
	}
}

func parsed(t testing.TB, raw string) stix.Object {
	t.Helper()
	o, err := stix.Parse([]byte(raw))
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return o
}

const envelope = `"spec_version":"2.1","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z"`

func sdo(typ, rest string) string {
	return fmt.Sprintf(`{"type":%q,"id":"%s--00000000-0000-4000-8000-000000000001",%s%s}`, typ, typ, envelope, rest)
}

// TestApply: what becomes of facts in the properties of objects.
func TestApply(t *testing.T) {
	p := optics()
	p.Keep = []string{"x_risk", "extension-definition--11111111-1111-4111-8111-111111111111"}
	r := rulesOfProfile(t, p)
	ext := func(id string) string {
		return `"extension-definition--` + id + `":{"extension_type":"property-extension","owner":"Klepwerk"}`
	}
	for _, c := range []struct{ raw, changed, stopped, why string }{
		{sdo("report", `,"name":"At Klepwerk","description":"Klepwerk","published":"2026-01-01T00:00:00Z","labels":["klepwerk","x"],"object_refs":["indicator--00000000-0000-4000-8000-000000000001"]`), "name description labels[0]", "", "texts of all kinds"},
		{sdo("note", `,"abstract":"Klepwerk","content":"Wil van Dijk","authors":["Wil van Dijk"],"object_refs":["indicator--00000000-0000-4000-8000-000000000001"]`), "abstract content authors[0]", "", "a note and its authors"},
		{sdo("malware", `,"is_family":false,"x_risk":"Klepwerk","x_ticket":"INC-1","aliases":["Klepwerk stealer"]`), "x_ticket x_risk aliases[0]", "", "a custom property goes unless it is kept, and what is kept is looked at"},
		{sdo("malware", `,"is_family":false,"risk":4`), "risk", "", "a property that the standard does not know is custom"},
		{sdo("malware", `,"is_family":false,"extensions":{`+ext("11111111-1111-4111-8111-111111111111")+`,`+ext("22222222-2222-4222-8222-222222222222")+`}`), "extensions.extension-definition--22222222-2222-4222-8222-222222222222 extensions.extension-definition--11111111-1111-4111-8111-111111111111.owner", "", "an extension"},
		{sdo("malware", `,"is_family":false,"external_references":[{"source_name":"wiki","url":"https://wiki.klepwerk.nl/x","x_page":7},{"source_name":"Klepwerk","description":"d"}]`), "external_references[0].url external_references[0].x_page external_references[1].source_name", "", "references: an address is taken out, and the reference stays sound"},
		{sdo("indicator", `,"name":"10.41.7.1","pattern":"[ipv4-addr:value = '10.41.7.1'] /* seen at Klepwerk */","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z"`), "name pattern", "pattern", "a comment is text, a value stops"},
		{sdo("indicator", `,"pattern":"[url:value = 'http://evil.example//klepwerk'] // Klepwerk","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z"`), "pattern", "pattern", "what looks like a comment within quotes is none"},
		{sdo("indicator", `,"pattern":"# by Wil van Dijk\nrule a { strings: $a = \"klepwerk\" condition: $a }","pattern_type":"yara","valid_from":"2026-01-01T00:00:00Z"`), "pattern", "pattern", "comments of other languages"},
		{sdo("indicator", `,"pattern":"[domain-name:value = 'evil.example']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z"`), "", "", "nothing of the firm"},
		{`{"type":"ipv4-addr","spec_version":"2.1","id":"ipv4-addr--18a2c1b7-4db9-5d2e-8ce2-0f4a5e0b8e3f","value":"198.51.100.7"}`, "", "value", "an observable"},
		{sdo("relationship", `,"relationship_type":"klepwerk-uses","source_ref":"malware--00000000-0000-4000-8000-000000000001","target_ref":"malware--00000000-0000-4000-8000-000000000002"`), "", "relationship_type", "a name that others go by"},
		{sdo("x-klepwerk-thing", `,"name":"x"`), "", "type type", "a custom type, with the name in it"},
		{sdo("report", `,"name":"N","published":"2026-01-01T00:00:00Z","object_refs":["x-klepwerk-thing--00000000-0000-4000-8000-000000000001"]`), "", "object_refs[0]", "a reference to such a type"},
		{`{"type":"marking-definition","spec_version":"2.1","id":"marking-definition--00000000-0000-4000-8000-000000000001","created":"2026-01-01T00:00:00.000Z","definition_type":"statement","definition":{"statement":"Copyright Klepwerk"}}`, "", "definition.statement", "a marking cannot be changed once it is made"},
		{sdo("malware", `,"is_family":false,"name":"Klepwerk","granular_markings":[{"marking_ref":"marking-definition--00000000-0000-4000-8000-000000000001","selectors":["x_ticket","name"]}],"x_ticket":"1"`), "x_ticket name", "", "a selector of what is gone goes too"},
		{sdo("malware", `,"is_family":false,"x_risk":{"Klepwerk":1,"a":["Klepwerk"]}`), "x_risk.Klepwerk x_risk.a[0]", "", "the name of a member tells too"},
		{sdo("location", `,"street_address":"De Run 6501","postal_code":"5504 DR","country":"NL"`), "street_address postal_code", "", "a location"},
	} {
		c.raw = withID(c.raw)
		o := parsed(t, c.raw)
		out, changes, stops := r.Apply(o)
		var changed, stopped []string
		for _, x := range changes {
			changed = append(changed, x.Path)
			if x.Rule == "" || x.Why == "" || x.Before == x.After {
				t.Errorf("%s: %+v says too little", c.raw, x)
			}
		}
		for _, x := range stops {
			stopped = append(stopped, x.Path)
		}
		if strings.Join(changed, " ") != c.changed || strings.Join(stopped, " ") != c.stopped {
			t.Errorf("%s\n changed %q, want %q\n stopped %q, want %q (%s)\n%s %+v", c.raw, changed, c.changed, stopped, c.stopped, c.why, out.Raw(), stops)
		}
		if again, more, _ := r.Apply(out); len(more) > 0 || again.Text() != out.Text() {
			t.Errorf("%s: a second time changes %+v", c.raw, more)
		}
		if _, err := stix.Parse(out.Raw()); err != nil || out.ID != o.ID || out.Version() != o.Version() {
			t.Errorf("%s became %s: %v", c.raw, out.Raw(), err)
		}
	}
}

// withID gives an observable of these tests its right id.
func withID(raw string) string {
	if !strings.Contains(raw, `"ipv4-addr"`) {
		return raw
	}
	id, err := stix.ObservableID([]byte(raw))
	if err != nil {
		panic(err)
	}
	return strings.Replace(raw, "ipv4-addr--18a2c1b7-4db9-5d2e-8ce2-0f4a5e0b8e3f", id, 1)
}
