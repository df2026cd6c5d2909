package screen

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/screen/lists"
	"github.com/polder-exchange/polder/names"
)

// column is what a column of a file of parties holds.
type column uint8

const (
	noColumn column = iota
	columnName
	columnGiven  // a given name, to be put before the family name
	columnFamily // a family name
	columnType
	columnCountry
	columnBirth
	columnRef
	columnLEI
	columnRegistration
	columnIMO
	columnTax
	columnName1 // of a pair
	columnName2
)

// headings are the words by which columns are known, in the languages of Polder's users and of their partners.
var headings = map[column]string{
	columnName: "name, names, full name, party, party name, entity, entity name, company, company name, firm, organisation, organization, organisation name, organization name, " +
		"legal name, legal entity name, business name, trade name, account name, customer, customer name, client, client name, supplier, supplier name, vendor, vendor name, buyer, seller, " +
		"consignee, consignee name, end user, end user name, counterparty, partner, partner name, visitor, visitor name, vessel, vessel name, ship name, beneficiary, query, " +
		"naam, volledige naam, bedrijf, bedrijfsnaam, onderneming, organisatie, organisatienaam, handelsnaam, statutaire naam, klant, klantnaam, leverancier, relatie, relatienaam, afnemer, " +
		"koper, verkoper, eindgebruiker, ontvanger, partij, bezoeker, schip, scheepsnaam, " +
		"firma, firmenname, unternehmen, kunde, kundenname, lieferant, vollständiger name, käufer, empfänger, " +
		"nom, nom complet, raison sociale, société, entreprise, dénomination sociale, fournisseur, destinataire, " +
		"nombre, nombre completo, empresa, razón social, cliente, proveedor, sociedad, " +
		"nome, nome completo, ragione sociale, azienda, società, fornitore, fornecedor, razão social, " +
		"nazwa, nazwa firmy, namn, företag, navn, nimi, yritys, név, cégnév, jméno, název, " +
		"название, наименование, имя, фио, компания, организация, фирма, клиент, поставщик, контрагент, назва, найменування, " +
		"名称, 名稱, 姓名, 公司, 公司名称, 公司名稱, 企业名称, 单位名称, 客户, 客户名称, 供应商, 供应商名称, 会社名, 氏名, 企業名, 取引先, 이름, 회사, 회사명, 성명, 업체명, " +
		"الاسم, اسم, اسم الشركة, الشركة, نام, نام شرکت, שם, שם החברה, όνομα, επωνυμία",
	columnGiven: "first name, firstname, given name, given names, forename, voornaam, voornamen, vorname, prénom, prenom, nombre de pila, nome proprio, imię, имя собственное, förnamn, fornavn",
	columnFamily: "last name, lastname, family name, surname, achternaam, familienaam, nachname, familienname, nom de famille, apellido, apellidos, cognome, sobrenome, nazwisko, фамилия, efternamn, etternavn, " +
		"姓氏",
	columnType: "type, party type, entity type, schema, kind, soort, typ, art, tipo, тип, 类型, 類型, 種類, 유형, النوع",
	columnCountry: "country, country code, country of registration, country of address, country of residence, registered country, jurisdiction, flag, address country, land, landcode, land van vestiging, vestigingsland, " +
		"vlag, pays, país, pais, paese, kraj, страна, 国家, 國家, 国, 국가, البلد, کشور",
	columnBirth: "birth, birth date, birthdate, date of birth, dob, birthday, year of birth, geboortedatum, geboortejaar, geburtsdatum, date de naissance, fecha de nacimiento, data di nascita, data de nascimento, data urodzenia, " +
		"дата рождения, 出生日期, 生年月日, 생년월일, تاريخ الميلاد",
	columnRef: "ref, reference, id, number, no, nr, party id, customer id, customer number, customer no, client id, supplier id, vendor id, account, account number, record id, row id, uid, " +
		"referentie, kenmerk, nummer, klantnummer, klant nr, debiteurnummer, leveranciersnummer, kundennummer, lieferantennummer, référence, numéro, referencia, riferimento, номер, код, 编号, 編號, 番号",
	columnLEI: "lei, lei code, legal entity identifier",
	columnRegistration: "registration, registration number, registration no, company number, company no, registered number, trade register number, register number, kvk, kvk nummer, kvknummer, kvk number, handelsregisternummer, " +
		"ondernemingsnummer, siren, siret, crn, ogrn, огрн, uscc, unified social credit code, 统一社会信用代码, krs, hrb, numéro d immatriculation",
	columnIMO:   "imo, imo number, imo no, imo nummer",
	columnTax:   "tax, tax number, tax no, tax id, vat, vat number, vat no, vat id, tin, ein, btw, btw nummer, btwnummer, ust id, ust idnr, steuernummer, nif, cif, nip, inn, инн, partita iva, tva",
	columnName1: "name1, name 1, name a, namea, first, left, a, naam1, naam 1",
	columnName2: "name2, name 2, name b, nameb, second, right, b, naam2, naam 2",
}

// byHeading turns headings round: the first column that claims a word has it.
var byHeading = func() map[string]column {
	out := map[string]column{}
	for c := columnName; c <= columnName2; c++ {
		for word := range strings.SplitSeq(headings[c], ", ") {
			if key := plainHeading(word); out[key] == noColumn {
				out[key] = c
			}
		}
	}
	return out
}()

// plainHeading is a heading without case, marks and signs: "Company_Name:" is "company name".
func plainHeading(text string) string {
	var b strings.Builder
	space := false
	for _, r := range norm.NFKD.String(strings.ToLower(clip(text, 100))) {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			if space && b.Len() > 0 {
				b.WriteByte(' ')
			}
			b.WriteRune(r)
			space = false
		case !unicode.Is(unicode.Mn, r):
			space = true
		}
	}
	return b.String()
}

// heading says where the columns of a table are; -1 where there is none.
type heading struct {
	at    [columnName2 + 1]int
	known int // how many columns are known
}

// readHeading recognises the columns of a first row.
func readHeading(cells []string) heading {
	var h heading
	for i := range h.at {
		h.at[i] = -1
	}
	for i, cell := range cells {
		c := byHeading[plainHeading(cell)]
		if c == noColumn {
			continue
		}
		h.known++
		if h.at[c] < 0 {
			h.at[c] = i
		}
	}
	return h
}

// named tells whether a column of names is known.
func (h *heading) named() bool { return h.at[columnName] >= 0 || h.at[columnFamily] >= 0 }

// choose sets the column of names to what was asked for: a heading, or a number from 1.
func (h *heading) choose(file string, cells []string, want string) error {
	for i, cell := range cells {
		if strings.TrimSpace(cell) == want || plainHeading(cell) == plainHeading(want) && plainHeading(want) != "" {
			h.at[columnName] = i
			return nil
		}
	}
	if n, err := strconv.Atoi(want); err == nil && 1 <= n && n <= len(cells) {
		h.at[columnName] = n - 1
		return nil
	}
	return polder.Errorf(polder.Invalid, "%s:1: there is no column %q; there are: %s", file, clip(want, 60), columnsOf(cells))
}

func columnsOf(cells []string) string {
	var out []string
	for _, c := range cells[:min(len(cells), 40)] {
		out = append(out, clip(strings.TrimSpace(c), 40))
	}
	return strings.Join(out, ", ")
}

// noNames is the error of a table of which no column is known to hold names.
func noNames(file string, cells []string) error {
	return polder.Errorf(polder.Invalid, "%s:1: no column is known to hold names; say which with --column, one of: %s", file, columnsOf(cells))
}

// query makes a query of a row.
func (h *heading) query(cells []string) Query {
	cell := func(c column) string {
		if i := h.at[c]; i >= 0 && i < len(cells) {
			return strings.TrimSpace(cells[i])
		}
		return ""
	}
	q := Query{Name: cell(columnName), Ref: clip(cell(columnRef), 200)}
	given, family := cell(columnGiven), cell(columnFamily)
	switch {
	case q.Name == "":
		q.Name = strings.TrimSpace(given + " " + family)
	case family == "" && given != "" && !strings.Contains(q.Name, given): // the column "name" holds the family name
		q.Name = given + " " + q.Name
	}
	q.Type = statedType(cell(columnType))
	q.Country = statedCountry(cell(columnCountry))
	q.Birth = statedBirth(cell(columnBirth))
	for _, id := range []struct {
		c    column
		kind string
	}{{columnLEI, lists.IDLEI}, {columnRegistration, lists.IDRegistration}, {columnIMO, lists.IDIMO}, {columnTax, lists.IDTax}} {
		if value := cell(id.c); plainID(id.kind, value) != "" {
			i := lists.Identifier{Kind: id.kind, Value: value}
			if !idKinds[id.kind].unique {
				i.Country = q.Country
			}
			q.Identifiers = append(q.Identifiers, i)
		}
	}
	return q
}

// statedTypes are words by which files say what a party is. Other words say nothing, and so filter nothing.
var statedTypes = map[names.Type]string{
	names.Person: "person, individual, natural person, natuurlijk persoon, persoon, particulier, privatperson, natürliche person, personne, personne physique, persona, persona física, физическое лицо, физлицо, 个人, 自然人, p, ind",
	names.Company: "company, organisation, organization, business, firm, legal person, legal entity, legalentity, corporate, corporation, bedrijf, organisatie, rechtspersoon, onderneming, firma, unternehmen, juristische person, société, " +
		"entreprise, empresa, persona jurídica, azienda, университет, юридическое лицо, юрлицо, компания, 公司, 企业, 法人, university, authority, c, org",
	names.Vessel: "vessel, ship, aircraft, airplane, schip, vaartuig, vliegtuig, schiff, flugzeug, navire, aéronef, buque, судно, 船舶, v",
}

var byStatedType = func() map[string]names.Type {
	out := map[string]names.Type{}
	for t, words := range statedTypes {
		for w := range strings.SplitSeq(words, ", ") {
			out[plainHeading(w)] = t
		}
	}
	return out
}()

func statedType(text string) names.Type { return byStatedType[plainHeading(text)] }

// statedCountry is the code of a country that a file names; "" when it is not known.
func statedCountry(text string) string { return countryCode(text) }

// statedBirth is a date of birth as files write it. One that cannot be read stays as it is written, so that whoever asks
// about it can be told; it is compared with nothing, since a wrong date would lower a true hit. "" is one that is not known.
func statedBirth(text string) string {
	text = strings.TrimSpace(text)
	if _, ok := parseBirth(text); ok && realDay(text) {
		return text
	}
	if strings.Trim(text, "0/.- ") == "" || !strings.ContainsAny(text, "0123456789") {
		return ""
	}
	day, _, _ := strings.Cut(text, "T")
	day, _, _ = strings.Cut(day, " ")
	if _, ok := parseBirth(day); ok && len(day) == len(time.DateOnly) && realDay(day) {
		return day
	}
	for _, form := range []string{"20060102", "2 Jan 2006", "2-Jan-2006", "2 January 2006", "January 2, 2006", "Jan 2, 2006"} {
		if t, err := time.Parse(form, text); err == nil && t.Year() >= 1000 {
			return t.Format(time.DateOnly)
		}
	}
	if out := birthOfParts(text); out != "" {
		return out
	}
	return clip(text, 64)
}

// realDay tells whether a text is not a day that no calendar has.
func realDay(text string) bool {
	if len(text) != len(time.DateOnly) {
		return true
	}
	_, err := time.Parse(time.DateOnly, text)
	return err == nil
}

// birthOfParts reads a date of three numbers in the order of some country; "" when it is none.
func birthOfParts(text string) string {
	parts := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("/.-年月日 ", r) })
	if len(parts) != 3 {
		return ""
	}
	a, b, c := digits(parts[0]), digits(parts[1]), digits(parts[2])
	if len(parts[0]) == 4 {
		a, c = c, a
	}
	switch {
	case a < 1 || b < 1 || c < 1000:
		return ""
	case b > 12 && a <= 12: // month first
		a, b = b, a
	case a <= 12 && b <= 12 && a != b && len(parts[0]) != 4 && strings.Contains(text, "/"):
		return strconv.Itoa(c) // which is the day is not known
	}
	out := fmt.Sprintf("%04d-%02d-%02d", c, b, a)
	if _, ok := parseBirth(out); !ok || !realDay(out) {
		return ""
	}
	return out
}

// digits is a number of digits alone; -1 for anything else.
func digits(text string) int {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil || n > math.MaxInt32 {
		return -1
	}
	return int(n)
}

// guarded are the cells of a row that a spreadsheet opens safely.
func guarded(cells ...string) []string {
	for i := range cells {
		cells[i] = guardCell(cells[i])
	}
	return cells
}
