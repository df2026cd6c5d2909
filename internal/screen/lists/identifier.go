package lists

import (
	"regexp"
	"strings"
)

// kindWords are the words by which publishers call numbers, and the kinds that these are. The first that stands in a
// label decides, so the particular come before the general.
var kindWords = []struct{ word, kind string }{
	{"legal entity identifier", IDLEI}, {"lei", IDLEI},
	{"mmsi", IDMMSI}, {"maritime mobile", IDMMSI},
	{"imo", IDIMO}, {"vessel registration identification", IDIMO},
	{"swift", IDBIC}, {"bic", IDBIC},
	{"tail number", IDAircraft}, {"aircraft registration", IDAircraft}, {"aircraft", IDOther},
	{"passport", IDPassport}, {"travel document", IDPassport}, {"laissez-passer", IDPassport},
	{"alien", IDNational}, {"electoral", IDNational}, {"voter", IDNational}, {"birth certificate", IDOther}, {"driver", IDOther}, {"driving", IDOther}, {"residency", IDOther}, {"residence", IDOther}, {"visa", IDOther},
	{"tax", IDTax}, {"fiscal", IDTax}, {"v.a.t", IDTax}, {"vat", IDTax}, {"r.f.c", IDTax}, {"rfc", IDTax}, {"nit", IDTax}, {"ruc", IDTax}, {"rif", IDTax}, {"rtn", IDTax}, {"c.u.i.t", IDTax}, {"inn", IDTax}, {"cnpj", IDTax}, {"tin", IDTax},
	{"registration", IDRegistration}, {"registry", IDRegistration}, {"register", IDRegistration}, {"registered", IDRegistration}, {"company number", IDRegistration}, {"company id", IDRegistration}, {"business number", IDRegistration}, {"business code", IDRegistration}, {"trade license", IDRegistration}, {"trade licence", IDRegistration}, {"commercial", IDRegistration}, {"chamber of commerce", IDRegistration}, {"matricula mercantil", IDRegistration}, {"folio mercantil", IDRegistration}, {"c.r. no", IDRegistration}, {"unified social credit", IDRegistration}, {"uscc", IDRegistration}, {"ogrn", IDRegistration}, {"legal entity number", IDRegistration}, {"enterprise number", IDRegistration}, {"organization code", IDRegistration}, {"kvk", IDRegistration},
	{"national id", IDNational}, {"national no", IDNational}, {"national foreign id", IDNational}, {"identity", IDNational}, {"cedula", IDNational}, {"c.u.r.p", IDNational}, {"curp", IDNational}, {"d.n.i", IDNational}, {"c.u.i", IDNational}, {"i.f.e", IDNational}, {"personal id", IDNational}, {"personal no", IDNational}, {"personal number", IDNational}, {"citizen", IDNational}, {"ssn", IDNational}, {"social security", IDNational}, {"nie ", IDNational}, {"cnp", IDNational}, {"numero de identidad", IDNational}, {"tarjeta", IDNational}, {"cpf", IDNational}, {"identification number", IDNational}, {"identification card", IDNational}, {"id card", IDNational},
}

// identifierKind is the kind of number that a label names; [IDOther] when it is none that two lists would share.
func identifierKind(label string) string {
	l := " " + strings.ToLower(clean(label)) + " "
	for _, k := range kindWords {
		at := strings.Index(l, k.word)
		for ; at >= 0 && !wordAt(l, at, len(k.word)); at = next(l, k.word, at) {
		}
		if at >= 0 {
			return k.kind
		}
	}
	return IDOther
}

// wordAt tells whether the text at a place begins a word, and, when it is short, ends one.
func wordAt(l string, at, n int) bool {
	letter := func(i int) bool { return i >= 0 && i < len(l) && l[i] >= 'a' && l[i] <= 'z' }
	return !letter(at-1) && (n > 4 || !letter(at+n))
}

func next(l, word string, at int) int {
	if i := strings.Index(l[at+1:], word); i >= 0 {
		return at + 1 + i
	}
	return -1
}

var (
	imoNumber = regexp.MustCompile(`(?:^|\D)(\d{7})(?:\D|$)`)
	leiNumber = regexp.MustCompile(`^[A-Z0-9]{18}\d{2}$`)
)

// identifier makes an identifier of a label and a value as publishers give them: an IMO number is its seven digits, a
// LEI its twenty characters; what claims to be one and is not becomes [IDOther].
func identifier(label, value, country string) Identifier {
	kind := identifierKind(label)
	if (kind == IDRegistration || kind == IDOther) && leiNumber.MatchString(value) && letters(value) > 0 {
		kind = IDLEI // some call it a legal entity number
	}
	return identifierOf(kind, value, country)
}

func identifierOf(kind, value, country string) Identifier {
	value = strings.TrimRight(clean(value), ".,;")
	switch kind {
	case IDIMO:
		if m := imoNumber.FindStringSubmatch(value); m != nil {
			value = m[1]
		} else {
			kind = IDOther
		}
	case IDLEI:
		value = strings.ToUpper(strings.ReplaceAll(value, " ", ""))
		if !leiNumber.MatchString(value) {
			kind = IDOther
		}
	}
	return Identifier{Kind: kind, Value: value, Country: country}
}
