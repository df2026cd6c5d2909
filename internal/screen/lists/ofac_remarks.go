package lists

import (
	"regexp"
	"strings"
)

// remarks is what the remarks of an OFAC entry say, taken apart.
type remarks struct {
	births      []string
	aliases     []Alias
	identifiers []Identifier
	countries   []string // of registration
	rest        []string // what stays as a remark, in the list's words
}

var (
	remarkAlias  = regexp.MustCompile(`^(a|f|n|d)\.[kb]\.a\.,? ['"“‘](.+)['"”’]$`)
	remarkPlain  = regexp.MustCompile(`^(a|f|n|d)\.[kb]\.a\.,? (.+)$`)
	remarkNumber = regexp.MustCompile(`^([\pL][\pL .,'’/()&-]*?)(?: (?:No\.?|Number|Numbers|Num\.?|#|:))+:? *(\S.*)$`)
	remarkValue  = regexp.MustCompile(`^([\pL][\pL .'’/()-]*?) ([A-Z0-9][A-Z0-9./-]*\d[A-Za-z0-9./ -]*|[A-Z0-9]{8}|[A-Z0-9]{11})( \(.*| issued .*| expires .*)?$`)
	remarkIssuer = regexp.MustCompile(`^(.*?)\s*\(([^()]+)\)`)
	remarkDates  = regexp.MustCompile(`\s+(?:issued|expires|expired|effective|valid)\b.*$`)
	remarkBorn   = regexp.MustCompile(`^(?:POB|nationality|citizen|Gender|Ethnicity|Religion)\b`)
	remarkLabels = regexp.MustCompile(`^(?:Passport|Diplomatic Passport|British National Overseas Passport|Stateless Person Passport|Seafarer's Identification Document|Vessel Registration Identification|MMSI|SWIFT/BIC|LEI|R\.F\.C\.|C\.U\.R\.P\.|C\.U\.I\.P\.|C\.U\.I\.T\.|C\.U\.I\.|D\.N\.I\.|I\.F\.E\.|N\.I\.E\.|SSN|RTN|NIT|RUC|RIF|RFC|CNP|INN|Registration ID|Company ID|BIK \(RU\)|Aircraft Tail Number|Aircraft Manufacturer's Serial Number \(MSN\)|Aircraft Mode S Transponder Code|Aircraft Construction Number \(also called L/N or S/N or F/N\)|Personal ID Card|Driver's License|Residency Number|Legal Entity Number|Cedula|Tarjeta de Identidad|Cartilla de Servicio Militar Nacional|Folio Mercantil|Matricula Mercantil|Pasaporte|Unified Social Credit Code \(USCC\)|Electoral Registry|D-U-N-S|VisaNumberID) (?:No\.? |# |Number |IMO )?`)
)

// notNumbers are remarks that look like a number and are none that stands for the party.
var notNumbers = []string{"DOB", "Executive Order", "alt. Executive Order", "Aircraft Model", "Aircraft Manufacture Date", "Aircraft Manufacturer", "Aircraft Operator", "Aircraft Type", "Organization Established", "Organization Type", "Telephone", "Fax", "Phone", "Email", "Website", "Listing Date", "Effective Date", "Secondary sanctions", "Additional Sanctions", "Transactions Prohibited", "Transactions prohibited", "Linked To", "Target Type", "CAATSA", "For more information", "Member of", "Vessel Year", "Former Vessel", "Vessel Type", "Digital Currency Address", "PEESA", "IFCA"}

// parseRemarks takes the remarks of an OFAC entry apart. Place of birth, nationality, citizenship and gender stay behind.
func parseRemarks(s string) remarks {
	var out remarks
	for piece := range strings.SplitSeq(s, "; ") {
		piece = clean(piece)
		if strings.HasSuffix(piece, ".") && !strings.HasSuffix(piece, ".'") {
			piece = strings.TrimSuffix(piece, ".")
		}
		piece = strings.TrimSpace(strings.TrimPrefix(piece, "alt. "))
		if piece != "" && piece != "-0-" {
			out.piece(piece)
		}
	}
	return out
}

func (r *remarks) piece(p string) {
	switch {
	case strings.HasPrefix(p, "Nationality of Registration "):
		r.countries = append(r.countries, strings.TrimPrefix(p, "Nationality of Registration "))
		return
	case remarkBorn.MatchString(p):
		return
	case strings.HasPrefix(p, "DOB "):
		if d := birth(strings.TrimPrefix(p, "DOB "), monthFirst); d != "" {
			r.births = append(r.births, d)
			return
		}
	case strings.HasPrefix(p, "a.k.a."), strings.HasPrefix(p, "f.k.a."), strings.HasPrefix(p, "n.k.a."), strings.HasPrefix(p, "d.b.a."):
		if r.alias(p) {
			return
		}
	}
	if d, ok := remarkIdentifier(p); ok {
		r.identifiers = append(r.identifiers, d)
		return
	}
	r.rest = append(r.rest, p)
}

// alias reads an alias among the remarks. OFAC puts its weak aliases there, in quotes.
func (r *remarks) alias(p string) bool {
	m, weak := remarkAlias.FindStringSubmatch(p), true
	if m == nil {
		if m, weak = remarkPlain.FindStringSubmatch(p), false; m == nil {
			return false
		}
	}
	kind := ""
	switch m[1] {
	case "f":
		kind = "former"
	case "n":
		kind = "now"
	}
	if m[1] == "d" {
		kind, weak = "doing business as", false
	}
	r.aliases = append(r.aliases, Alias{Name: m[2], Weak: weak, Kind: kind})
	return true
}

// remarkIdentifier reads a number that stands for the party: a label, the number, and in brackets who gave it.
func remarkIdentifier(p string) (Identifier, bool) {
	for _, n := range notNumbers {
		if strings.HasPrefix(p, n) {
			return Identifier{}, false
		}
	}
	label, value := "", ""
	if m := remarkLabels.FindString(p); m != "" {
		label, value = m, p[len(m):]
	} else if m := remarkNumber.FindStringSubmatch(p); m != nil {
		label, value = m[1]+" number", m[2]
	} else if m := remarkValue.FindStringSubmatch(p); m != nil {
		label, value = m[1], m[2]+m[3]
	}
	if label == "" || len(label) > 100 {
		return Identifier{}, false
	}
	if rest, ok := strings.CutPrefix(value, "IMO "); ok {
		label, value = "IMO", rest
	}
	country := ""
	if m := remarkIssuer.FindStringSubmatch(value); m != nil {
		value, country = m[1], m[2]
	}
	value = strings.TrimSpace(remarkDates.ReplaceAllString(value, ""))
	if !numberLike(label, value) || len(value) > 60 {
		return Identifier{}, false
	}
	return identifier(label, value, country), true
}

// numberLike tells whether a value can be the number that a label announces: all but bank codes and the marks on
// aircraft have digits.
func numberLike(label, value string) bool {
	kind := identifierKind(label)
	return strings.ContainsAny(value, "0123456789") || kind == IDBIC || kind == IDAircraft && len(value) <= 10
}
