package screen

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/polder-exchange/polder/names"
)

// labels are words before a colon that say that a party follows.
var labelWords = map[names.Type]string{
	names.Any: "buyer, seller, purchaser, supplier, vendor, customer, client, consignee, consignor, shipper, end user, end-user, enduser, ultimate consignee, intermediate consignee, notify party, importer, exporter, " +
		"manufacturer, distributor, contractor, subcontractor, sold to, ship to, bill to, deliver to, delivered to, sold by, from, to, party a, party b, party, counterparty, applicant, beneficiary, freight forwarder, forwarder, carrier, agent, " +
		"end user name, name of end user, invoice to, payee, payer, drawee, between, " +
		"koper, verkoper, leverancier, afnemer, klant, opdrachtgever, opdrachtnemer, eindgebruiker, eindafnemer, ontvanger, geadresseerde, afzender, fabrikant, importeur, exporteur, verzender, vervoerder, afleveradres, factuuradres, " +
		"leveren aan, factuur aan, partij, tussenpersoon, begunstigde, aan, van, " +
		"käufer, verkäufer, lieferant, kunde, auftraggeber, auftragnehmer, endverwender, endnutzer, empfänger, absender, hersteller, lieferadresse, rechnungsadresse, " +
		"acheteur, vendeur, fournisseur, destinataire, utilisateur final, expéditeur, client final, comprador, vendedor, proveedor, destinatario, usuario final, acquirente, venditore, fornitore, utilizzatore finale, " +
		"покупатель, продавец, поставщик, заказчик, исполнитель, подрядчик, получатель, грузополучатель, грузоотправитель, конечный пользователь, изготовитель, отправитель, " +
		"买方, 卖方, 買方, 賣方, 甲方, 乙方, 丙方, 收货人, 收貨人, 发货人, 發貨人, 供应商, 供應商, 客户, 客戶, 最终用户, 最終用戶, 进口商, 出口商, 制造商, 委托方, 受托方, 承运人, 買主, 売主, 荷受人, 最終需要者, " +
		"المشتري, البائع, المستلم, المورد, العميل, المستخدم النهائي, المرسل إليه, المرسل, المستورد, المصدر, خریدار, فروشنده, گیرنده, فرستنده, مصرف کننده نهایی",
	names.Company: "company, company name, firm, organisation, organization, name of company, employer, university, bank, bedrijf, bedrijfsnaam, onderneming, organisatie, werkgever, firma, unternehmen, société, empresa, " +
		"компания, организация, фирма, банк, 公司, 公司名称, 企业名称, 单位, 银行, الشركة, اسم الشركة, شرکت",
	names.Person: "attn, attention, contact, contact person, represented by, signed by, signatory, director, representative, authorised representative, authorized representative, visitor, employee, ubo, beneficial owner, shareholder, " +
		"t.a.v, tav, contactpersoon, vertegenwoordigd door, ondertekend door, bestuurder, directeur, bezoeker, medewerker, ansprechpartner, z.hd, zu händen, vertreten durch, geschäftsführer, à l'attention de, représenté par, " +
		"контактное лицо, директор, генеральный директор, представитель, 联系人, 聯絡人, 法定代表人, 代表人, 代表, 姓名, مندوب, المدير, مدیر عامل",
	names.Vessel: "vessel, vessel name, name of vessel, ship, ship name, carrying vessel, schip, zeeschip, scheepsnaam, schiff, navire, buque, судно, 船名, السفينة",
}

var byLabel = func() map[string]names.Type {
	out := map[string]names.Type{}
	for t, words := range labelWords {
		for w := range strings.SplitSeq(words, ", ") {
			out[w] = t
		}
	}
	return out
}()

// labelled is a line that begins with a few words and a colon.
var labelled = regexp.MustCompile(`^(?:[-•*·–]\s*|\(?\d{1,2}[.)]\s*|\(?[a-z][.)]\s*)?(?:(?:the|de|het|der|die)\s+)?([\p{L}\p{M}][\p{L}\p{M}'’./ -]{0,38}?)(?:\s*\([^)]{0,40}\)|\s*/\s*[\p{L} ]{1,30})?\s*[:：]\s*(.*)$`)

// labels takes what stands behind the words of labelWords: on the same line or, when nothing stands there, on the next.
func (f *finder) labels() {
	for i, l := range f.lines {
		if f.full() {
			return
		}
		if l.end-l.start > 2000 {
			continue
		}
		m := labelled.FindStringSubmatchIndex(f.of(l))
		if m == nil {
			continue
		}
		label := f.text[l.start+m[2] : l.start+m[3]]
		t, ok := byLabel[strings.TrimSuffix(strings.ToLower(strings.TrimSpace(label)), ".")]
		if !ok {
			continue
		}
		start, end := l.start+m[4], l.end
		for next := i + 1; start == end && next < len(f.lines) && next <= i+2; next++ {
			start, end = f.lines[next].start, f.lines[next].end
		}
		if again := labelled.FindStringSubmatch(f.text[start:end]); again != nil && byLabelled(again[1]) { // an empty label before another
			continue
		}
		end = start + partyLength(f.text[start:end])
		if strings.Contains(f.text[start:end], "@") || !f.begins(start, end) {
			continue
		}
		if t == names.Person {
			start = f.afterTitles(start, end)
		}
		f.add(start, end, f.typeOf(start, end, t), sureLabel, "it stands behind “"+strings.TrimSpace(label)+"”")
	}
}

// afterTitles is where a person's name begins behind Mr, Dr and the like.
func (f *finder) afterTitles(start, end int) int {
	for _, w := range f.wordsIn(start, end) {
		if !personBefore[strings.ToLower(w.text)] {
			return w.start
		}
	}
	return start
}

// wordsIn are the words that begin within a stretch of the text.
func (f *finder) wordsIn(start, end int) []textWord {
	at := func(place int) int {
		i, _ := slices.BinarySearchFunc(f.words, place, func(w textWord, at int) int { return w.start - at })
		return i
	}
	return f.words[at(start):max(at(start), at(end))]
}

func byLabelled(label string) bool {
	_, ok := byLabel[strings.ToLower(strings.TrimSpace(label))]
	return ok
}

// begins tells whether a text begins as a name does: not with a small letter, unless a capital follows soon.
func (f *finder) begins(start, end int) bool {
	for i, w := range strings.Fields(f.text[start:end]) {
		r, _ := utf8.DecodeRuneInString(strings.TrimLeft(w, "\"“«„'("))
		if !unicode.IsLower(r) {
			return true
		}
		if i == 2 {
			return false
		}
	}
	return false
}

// typeOf is t, or company where a legal form stands in the name.
func (f *finder) typeOf(start, end int, t names.Type) names.Type {
	if t != names.Any {
		return t
	}
	n := names.Parse(f.text[start:end], names.Any)
	if slices.ContainsFunc(n.Words, func(w *names.Word) bool { return w.Kind == names.LegalForm }) {
		return names.Company
	}
	return t
}

// partyEnds is where a party ends in running text.
var partyEnds = regexp.MustCompile(`(?i)\t|\s{3,}|;|\||\s[-–—]\s|[,(]?\s*["“]?(?:hereinafter|hierna|hereafter|nachfolgend|ci-après)|,?\s+(?:represented by|vertegenwoordigd door|vertreten durch|représentée? par|with (?:its )?registered|` +
	`a company|a corporation|a firm|a private|a public|having its|established|incorporated|registered|organi[sz]ed under|located at|whose|gevestigd|statutair|ingeschreven|kantoorhoudende|e-?mail|tel\b|phone|` +
	`lei\b|imo\b|kvk\b|date of birth|geboren|born\b)|[（(](?:甲方|乙方|以下简称)|[，；。]|\s[(（]?(?:the )?["“](?:buyer|seller|supplier|customer|company|koper|verkoper|leverancier)`)

// partyLength is how much of a text is the party with which it begins: up to its address, its role, or the next thing.
func partyLength(text string) int {
	if at := partyEnds.FindStringIndex(text); at != nil && at[0] > 0 {
		text = text[:at[0]]
	}
	end, from := len(text), 0
	for {
		i := strings.Index(text[from:], ",")
		if i < 0 {
			return end
		}
		comma := from + i
		rest := strings.TrimSpace(text[comma+1:])
		piece, _, _ := strings.Cut(rest, ",")
		form := false
		if ws := names.Parse(piece, names.Company).Words; len(ws) > 0 && len(piece) < 30 {
			form = !slices.ContainsFunc(ws, func(w *names.Word) bool { return w.Kind != names.LegalForm })
		}
		if form {
			from = comma + 1
			continue
		}
		if inverted(text[:comma], rest) {
			return end
		}
		return comma
	}
}

// inverted tells whether "A, B" is a person's name with the family name first: one or two words each, no digits.
func inverted(a, b string) bool {
	for _, s := range []string{a, b} {
		n := len(strings.Fields(s))
		if n == 0 || n > 2 || strings.ContainsFunc(s, unicode.IsDigit) || strings.Contains(s, ",") {
			return false
		}
	}
	return countryCode(b) == "" && strings.ToUpper(a) == a
}

// between takes both parties of "between X and Y".
func (f *finder) between() {
	for i := 0; i+1 < len(f.words) && !f.full(); i++ {
		if w := strings.ToLower(f.words[i].text); w != "between" && w != "tussen" && w != "zwischen" && w != "entre" && w != "между" {
			continue
		}
		why := "it stands behind “" + f.words[i].text + "”"
		first, next := f.partyAt(i + 1)
		if next <= first {
			continue
		}
		second, end := 0, next
		for k := next; k < min(next+60, len(f.words)-1); k++ {
			if and[strings.ToLower(f.words[k].text)] {
				if second, end = f.partyAt(k + 1); end > second {
					break
				}
			}
		}
		f.add(f.words[first].start, f.whole(f.words[first].start, f.words[next-1].end), names.Any, sureTrade, why)
		if end > second && second > 0 {
			f.add(f.words[second].start, f.whole(f.words[second].start, f.words[end-1].end), names.Any, sureTrade, why)
		}
	}
}

var and = setOf("and, en, und, et, y, и")

// partyAt is the run of capitalised words at word i, which ends before a small "and".
func (f *finder) partyAt(i int) (start, end int) {
	for most := i + 5; i < most && i < len(f.words) && (leading[strings.ToLower(f.words[i].text)] || digitsOnly(f.words[i].text)) && len(f.words[i].gap) < 12; {
		i++
	}
	end = i
	for k := i; k < len(f.words) && k-i < mostWords; k++ {
		w := f.words[k]
		if k > i && !nameGap(f.words[k-1].text, w.gap) && !formGap(w.gap) || and[strings.ToLower(w.text)] && !w.upper {
			break
		}
		if _, form := f.formAt(k); k > i && !form && strings.Contains(w.gap, ",") {
			break
		}
		if w.capital {
			end = k + 1
		} else if !joiners[strings.ToLower(w.text)] {
			break
		}
	}
	return i, end
}

func digitsOnly(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsDigit(r) })
}
