package screen

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/polder-exchange/polder/names"
)

// mostWords is how many words a firm's name has at most.
const mostWords = 12

// joiners are small words that may stand within the name of a firm.
var joiners = setOf("of, and, &, de, du, des, la, le, les, van, der, den, het, 't, voor, für, for, und, et, y, e, di, del, della, do, da, en, i, и, the, do, z, w, na, im, in")

// leading are words that begin a sentence or a clause, and no name.
var leading = setOf("the, this, these, that, our, we, i, you, your, between, and, or, by, to, from, dear, with, for, of, at, on, in, if, when, as, per, re, both, via, buyer, seller, supplier, customer, client, consignee, " +
	"consignor, shipper, purchaser, vendor, contractor, party, parties, firm, manufacturer, distributor, agent, hereby, order, invoice, contract, agreement, also, please, after, before, under, while, since, " +
	"de, het, een, deze, tussen, en, of, door, aan, bij, met, namens, voor, koper, verkoper, leverancier, klant, afnemer, opdrachtgever, geachte, wij, ons, onze, partij, bestelling, factuur, " +
	"der, die, das, zwischen, und, von, an, bei, mit, für, käufer, verkäufer, le, la, les, entre, et, par, pour, el, y, por, между, и, от, для")

// firms finds firms by a legal form behind or before their names, and by words of the trade.
func (f *finder) firms() {
	for i := 0; i < len(f.words) && !f.full(); i++ {
		end, ok := f.formAt(i)
		if !ok {
			if organisation[strings.ToLower(f.words[i].text)] && f.words[i].capital {
				f.tradeRun(i)
			}
			continue
		}
		form := strings.Join(strings.Fields(f.text[f.words[i].start:f.words[end-1].end]), " ")
		if start := f.leftOf(i); start < i && strings.ContainsFunc(f.text[f.words[start].start:f.words[i-1].end], unicode.IsLetter) {
			f.add(f.words[start].start, f.whole(f.words[start].start, f.words[end-1].end), names.Company, sureForm, "it bears a legal form: "+form)
		} else if last := f.rightOf(end); last > end && (i == 0 || !digitsOnly(f.words[i-1].text)) { // not a post code
			f.add(f.words[i].start, f.whole(f.words[i].start, f.words[last-1].end), names.Company, sureForm, "it bears a legal form: "+form)
			end = last
		}
		i = end - 1
	}
}

// whole is where a name ends: behind a full stop that stands there, or a quote that was opened in it.
func (f *finder) whole(start, end int) int {
	r, n := utf8.DecodeRuneInString(f.text[end:])
	if r == '.' || strings.ContainsRune("»”", r) && strings.ContainsAny(f.text[start:end], "«“") {
		return end + n
	}
	return end
}

// formAt tells whether a legal form begins at a word, and where it ends, with those that follow it: Co., Ltd.
func (f *finder) formAt(i int) (end int, ok bool) {
	end, ok = f.oneForm(i)
	for ok && end < len(f.words) && end < i+8 && formGap(f.words[end].gap) {
		next, more := f.oneForm(end)
		if !more && f.words[end].text == "&" && end+1 < len(f.words) { // GmbH & Co. KG
			next, more = f.oneForm(end + 1)
		}
		if !more {
			break
		}
		end = next
	}
	return end, ok
}

// oneForm is the longest legal form that begins at a word.
func (f *finder) oneForm(i int) (end int, ok bool) {
	for n := 4; n >= 1; n-- {
		if i+n > len(f.words) || !f.written(i, n) {
			continue
		}
		if text := f.text[f.words[i].start:f.words[i+n-1].end]; len(text) <= 60 && f.form(text) {
			return i + n, true
		}
	}
	return i, false
}

func formGap(gap string) bool {
	return gap == " " || gap == ", " || gap == ". " || gap == "., " || gap == ","
}

// written tells whether n words from i on are written as a legal form is: short ones in capitals or with full stops, so
// that "as", "sa" and "co" within a sentence are none.
func (f *finder) written(i, n int) bool {
	for k := i; k < i+n; k++ {
		w := f.words[k]
		if k > i && w.gap != " " && w.gap != ". " {
			return false
		}
		if k == i && !w.capital && !strings.Contains(w.text, ".") {
			return false
		}
		if n == 1 && len(w.text) <= 2 && !w.upper && w.text != "Co" && w.text != "Oy" {
			return false
		}
	}
	return true
}

// leftOf is where the name begins that stands before word i.
func (f *finder) leftOf(i int) int {
	start := i
	for k := i - 1; k >= 0 && i-k <= mostWords; k-- {
		gap := f.words[k+1].gap
		if !nameGap(f.words[k].text, gap) || k+1 < i && strings.ContainsAny(gap, "\"”»") {
			break
		}
		w := f.words[k]
		if _, form := f.formAt(k); form && k < i-1 && !strings.ContainsAny(f.words[k+1].gap, "\"“”«»„") {
			break
		}
		if !w.capital {
			if joiners[strings.ToLower(w.text)] {
				continue
			}
			break
		}
		start = k
	}
	for start < i && leading[strings.ToLower(f.words[start].text)] && !f.onlyCapitals(start, i) {
		start++
	}
	for start < i && !f.words[start].capital {
		start++
	}
	return start
}

// onlyCapitals tells whether a leading word is the whole name: "THE LTD".
func (f *finder) onlyCapitals(start, i int) bool { return start == i-1 }

// rightOf is where the name ends that stands behind word i-1: ООО «Ромашка», PT Maju Jaya.
func (f *finder) rightOf(i int) int {
	end := i
	quoted := false
	for k := i; k < len(f.words) && k-i < mostWords; k++ {
		w := f.words[k]
		gap := w.gap
		if strings.ContainsAny(gap, "\"“«„") && k == i {
			quoted = true
		} else if quoted && strings.ContainsAny(gap, "\"”»“") {
			break
		}
		if k == i && gap != " " && !quoted || k > i && !nameGap(f.words[k-1].text, gap) {
			break
		}
		if !w.capital && !quoted {
			if joiners[strings.ToLower(w.text)] {
				continue
			}
			break
		}
		end = k + 1
	}
	return end
}

// nameGap tells whether what stands between two words can stand within a name.
func nameGap(before, gap string) bool {
	switch {
	case len(gap) > 4 || strings.ContainsAny(gap, "\n\t;:!?|•"):
		return false
	case strings.HasPrefix(gap, ". "):
		return len(before) <= 3 || strings.Contains(before, ".")
	case gap == ", ":
		return false
	}
	for _, r := range gap {
		if !unicode.IsSpace(r) && !strings.ContainsRune(".,()\"“”«»„'’/+-–&", r) {
			return false
		}
	}
	return !strings.Contains(gap, ",")
}

// organisation are words that make a run of capitalised words a body rather than a person.
var organisation = setOf("university, institute, academy, bank, technologies, technology, industries, group, holding, holdings, trading, shipping, logistics, electronics, systems, solutions, laboratories, laboratory, labs, " +
	"enterprise, enterprises, foundation, college, ministry, agency, authority, factory, bureau, consortium, association, semiconductor, semiconductors, photonics, optics, microelectronics, " +
	"universiteit, hogeschool, instituut, stichting, ministerie, groep, vereniging, universität, hochschule, institut, werke, gesellschaft, université, banque, universidad, universidade, università, banco, banca, " +
	"институт, университет, академия, завод, бюро, технологии, группа, банк, предприятие, министерство")

// tradeRun takes a run of capitalised words around a word of the trade.
func (f *finder) tradeRun(i int) {
	start, end := f.leftOf(i), i+1
	for k := end; k < len(f.words) && k-start < mostWords; k++ {
		w := f.words[k]
		if !nameGap(f.words[k-1].text, w.gap) || leading[strings.ToLower(w.text)] && !joiners[strings.ToLower(w.text)] {
			break
		}
		if w.capital {
			end = k + 1
		} else if !joiners[strings.ToLower(w.text)] {
			break
		}
	}
	if end-start < 2 {
		return
	}
	f.add(f.words[start].start, f.words[end-1].end, names.Company, sureTrade, "“"+f.words[i].text+"” is a word of firms and institutions")
}

// hanFirm is a run of Han that ends as the names of firms and institutions do.
var hanFirm = regexp.MustCompile(`[\p{Han}（）()A-Za-z0-9·]{2,40}?(?:有限责任公司|股份有限公司|有限公司|公司|株式会社|研究院|研究所|大学|大學|学院|銀行|银行|集团|集團)(?:[（(]\p{Han}{1,6}[）)])?(?:股份有限公司|有限责任公司|有限公司|公司)?`)

// hanBefore are words that stand before a name in a sentence.
var hanBefore = regexp.MustCompile(`^.*(?:甲方|乙方|买方|卖方|与|和|由|向|在|的|是|为|及|给|同|代表)`)

// hanFirms finds firms and institutions in Chinese and Japanese.
func (f *finder) hanFirms() {
	for _, at := range hanFirm.FindAllStringIndex(f.text, 4*MaxMentions) {
		start := at[0]
		body := f.text[start:at[1]]
		if cut := hanBefore.FindString(body); cut != "" && utf8.RuneCountInString(body[len(cut):]) >= 4 {
			start += len(cut)
		}
		f.add(start, at[1], names.Company, sureForm, "it ends as the names of firms and institutions do")
	}
}

// arabicFirm is a word for a firm or an institution in Arabic or Persian, and up to five words behind it.
var arabicFirm = regexp.MustCompile(`(?:^|[\s:،.(«"])((?:شركة|الشركة|شرکت|مؤسسة|موسسه|مجموعة|جامعة|دانشگاه|بنك|بانک|مصنع)(?:[ \x{00a0}]+[\p{Arabic}\x{200c}]+){1,5})`)

// arabicEnds are words that end a name in a sentence.
var arabicEnds = setOf("في, من, إلى, على, عن, مع, بين, التي, الذي, هي, هو, در, از, به, با, که, است, را")

// arabicFirms finds firms and institutions in Arabic and Persian.
func (f *finder) arabicFirms() {
	for _, at := range arabicFirm.FindAllStringSubmatchIndex(f.text, 4*MaxMentions) {
		start, end := at[2], at[2]
		for w := range strings.SplitAfterSeq(f.text[at[2]:at[3]], " ") {
			if arabicEnds[strings.TrimSpace(w)] {
				break
			}
			end += len(w)
		}
		f.add(start, end, names.Company, sureForm, "it begins as the names of firms and institutions do")
	}
}
