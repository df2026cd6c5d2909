package names

import (
	"encoding/csv"
	"io"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/polder-exchange/polder/internal/testdata"
)

// A table that contradicts itself would make the first use of the package panic.
func TestLexiconCompiles(t *testing.T) {
	l, err := compileLexicon()
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[Kind]int{}
	for k := range l.ids {
		if !k.org {
			kinds[k.kind]++
		} else {
			kinds[Proper]++
		}
	}
	t.Logf("concepts %v, runs of words %d, nodes of Han %d, groups of given names %d, common words %d",
		kinds, len(l.words.nodes), len(l.han.nodes), len(l.groups), len(l.common))
	for k, least := range map[Kind]int{LegalForm: 15, Trade: 250, Place: 400, Title: 20, Proper: 250} {
		if kinds[k] < least {
			t.Errorf("%d concepts of kind %v, want at least %d", kinds[k], k, least)
		}
	}
	if len(l.groups) < 350 {
		t.Errorf("%d groups of given names, want at least 350", len(l.groups))
	}
}

// The quick way to fold a form must say what folding says.
func TestLexiconFoldsForms(t *testing.T) {
	for _, table := range wordTables {
		rows, err := lexiconTable(table.file)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			for _, form := range strings.Split(r.fields[1], "|") {
				form = strings.TrimRight(form, "?~^")
				if a, b := withoutMarks(foldForm(form), " "), withoutMarks(fold(form), " "); a != b {
					t.Errorf("%s: %q folds to %q, quickly to %q", r.at, form, b, a)
				}
			}
		}
	}
}

// Nobody's names weigh less for where they come from: each tradition has as many common words in each class.
func TestLexiconCommonInEqualMeasure(t *testing.T) {
	rows, err := lexiconTable("common.tsv")
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]map[string]int{}
	total := 0
	for _, r := range rows {
		words := strings.Fields(r.fields[2])
		if count[r.fields[0]] == nil {
			count[r.fields[0]] = map[string]int{}
		}
		count[r.fields[0]][r.fields[1]] += len(words)
		total += len(words)
		for _, w := range words {
			if w != fold(w) || !isASCII(w) {
				t.Errorf("%s: %q is not folded", r.at, w)
			}
		}
	}
	for name, classes := range count {
		for class, n := range count["Arabic"] {
			if classes[class] != n {
				t.Errorf("%s has %d words of class %s, others %d", name, classes[class], class, n)
			}
		}
	}
	if total < 1500 || len(count) < 16 {
		t.Errorf("%d words of %d traditions, want 1500 of 16", total, len(count))
	}
}

func TestLexiconLookup(t *testing.T) {
	for _, c := range []struct {
		words   string
		t       Type
		n       int
		kind    Kind
		concept string
		why     string
	}{
		{"ltd", Company, 1, LegalForm, "limited", "the plainest legal form"},
		{"gmbh", Any, 1, LegalForm, "limited", "means what Ltd means"},
		{"gmbh co kg", Company, 3, LegalForm, "limited partnership", "the longest run counts, the mark & is left out"},
		{"s a de c v", Company, 5, LegalForm, "joint-stock", "letter by letter"},
		{"sa de cv", Company, 3, LegalForm, "joint-stock", "with its dots taken out"},
		{"ооо", Company, 1, LegalForm, "limited", "Cyrillic"},
		{"общество с ограниченной ответственностью", Company, 4, LegalForm, "limited", "long form"},
		{"obshchestvo s ogranichennoy otvetstvennostyu", Company, 4, LegalForm, "limited", "long form, romanised"},
		{"акционерное общество", Company, 2, LegalForm, "joint-stock", "another form than limited"},
		{"有限公司", Company, 1, LegalForm, "limited", "Han"},
		{"股份有限公司", Company, 1, LegalForm, "joint-stock", "Han, another form"},
		{"株式會社", Company, 1, LegalForm, "joint-stock", "traditional letters of a Japanese form"},
		{"technologies", Company, 1, Trade, "technology", "English"},
		{"технологии", Company, 1, Trade, "technology", "Russian"},
		{"技术", Company, 1, Trade, "technology", "Han"},
		{"技術", Company, 1, Trade, "technology", "Han, traditional"},
		{"jishu", Company, 1, Trade, "technology", "pinyin is made from Han"},
		{"ke ji", Company, 2, Trade, "science", "pinyin by syllables, the first of two concepts"},
		{"научная", Company, 1, Trade, "scientific", "an adjective in any ending"},
		{"دانشگاه", Company, 1, Trade, "university", "Persian"},
		{"daneshgah", Company, 1, Trade, "university", "Persian, romanised"},
		{"جامعة", Company, 1, Trade, "university", "Arabic"},
		{"sanaye", Company, 1, Trade, "industry", "Persian, romanised"},
		{"traders", Company, 1, Trade, "trader", "not the same as trading"},
		{"products", Company, 1, Trade, "product", "not the same as production"},
		{"exports", Company, 1, Trade, "export", "not the same as imports"},
		{"general", Person, 1, Title, "general", "in the name of a person an officer"},
		{"general", Company, 1, Trade, "general", "in the name of a firm a word of the trade"},
		{"bank", Person, 0, Proper, "", "people are called Bank: no word of the trade in a person's name"},
		{"london", Person, 0, Proper, "", "nor a place"},
		{"ltd", Person, 1, LegalForm, "limited", "but nobody is called Ltd, whatever the type says"},
		{"haji", Person, 1, Title, "haji", "a title"},
		{"bin", Person, 1, Particle, "son of", "a particle"},
		{"hong kong", Any, 2, Place, "Hong Kong", "two words"},
		{"шанхай", Any, 1, Place, "Shanghai", "an exonym"},
		{"harbin", Company, 1, Place, "Harbin", "not the pinyin of its letters"},
		{"haerbin", Company, 1, Place, "Harbin", "the pinyin too"},
		{"московский", Company, 1, Place, "Moscow", "an adjective"},
		{"zyxw", Any, 0, Proper, "", "not a word"},
	} {
		m := lookup(strings.Fields(fold(c.words)), c.t)
		got := ""
		if m.n > 0 {
			got = m.concepts[0].String()
		}
		if m.n != c.n || m.n > 0 && (m.kind != c.kind || got != c.concept) {
			t.Errorf("lookup(%q, %v) = %d %v %q, want %d %v %q (%s)", c.words, c.t, m.n, m.kind, got, c.n, c.kind, c.concept, c.why)
		}
	}
	if m := lookup(nil, Any); m.n != 0 {
		t.Error("no words have a meaning")
	}
}

// Words that firms keep apart must not be one concept.
func TestLexiconKeepsApart(t *testing.T) {
	for _, pair := range [][2]string{
		{"traders", "products"}, {"import", "export"}, {"sons", "daughters"}, {"tubes", "wires"}, {"steel", "iron"},
		{"north", "south"}, {"oil", "gas"}, {"bank", "insurance"}, {"science", "technology"}, {"university", "institute"},
		{"ltd", "plc"}, {"army", "navy"}, {"farm", "garden"}, {"store", "market"}, {"brothers", "sons"},
		{"audit", "tax"}, {"радио", "телевидение"}, {"东北", "西北"}, {"shirts", "shoes"}, {"first", "second"},
	} {
		a, b := lookup(pair[:1], Company), lookup(pair[1:], Company)
		if a.n > 0 && b.n > 0 && a.concepts[0] == b.concepts[0] {
			t.Errorf("%s and %s are both %q", pair[0], pair[1], a.concepts[0])
		}
	}
}

func TestSegmentHan(t *testing.T) {
	for _, c := range []struct {
		run, want, why string
		t              Type
	}{
		{"国防科技大学", "国防 科技大学", "words of the trade alone", Company},
		{"福建晋华集成电路有限公司", "福建 晋华 集成电路 有限公司", "what is not known stays whole", Company},
		{"福建省晉華集成電路有限公司", "福建省 晉華 集成電路 有限公司", "traditional letters", Company},
		{"中芯国际集成电路制造有限公司", "中芯 国际 集成电路 制造 有限公司", "a brand comes apart where a word of the lexicon stands in it", Company},
		{"青岛芯恩", "青岛 芯恩", "a place, and the rest", Any},
		{"哈尔滨工程大学", "哈尔滨 工程 大学", "an organisation's own words say more than the whole", Company},
		{"王海洋", "王海洋", "three letters may be a person, even with a word in them", Any},
		{"欧阳国际", "欧阳国际", "the name of a person is not cut up", Person},
		{"大学", "大学", "one word", Any},
		{"三菱重工業株式会社", "三菱 重工業 株式会社", "Japanese: a brand that the table of organisations knows", Company},
		{"", "", "nothing", Any},
	} {
		if got := strings.Join(segmentHan(c.run, c.t), " "); got != c.want {
			t.Errorf("segmentHan(%q) = %q, want %q (%s)", c.run, got, c.want, c.why)
		}
	}
}

func TestOrganisation(t *testing.T) {
	one := func(text string) (int, Concept) {
		var words []string
		for _, w := range strings.Fields(fold(text)) {
			if r, _ := utf8.DecodeRuneInString(w); isHan(r) {
				words = append(words, segmentHan(w, Company)...)
			} else {
				words = append(words, w)
			}
		}
		return organisation(words)
	}
	for _, c := range []struct{ a, b, why string }{
		{"北航", "Beihang University", "an abbreviation in Han"},
		{"北京航空航天大学", "BUAA", "the full name in Han, cut up, and an abbreviation"},
		{"中芯國際", "Semiconductor Manufacturing International", "traditional letters"},
		{"长江存储", "YMTC", "an exonym"},
		{"سپاه پاسداران", "IRGC", "Persian"},
		{"Роскосмос", "Roscosmos", "Cyrillic"},
		{"University Science Technology China", "中国科学技术大学", "small words are passed over"},
		{"阿斯麦", "ASML", "how a firm is called in Chinese"},
	} {
		_, a := one(c.a)
		if _, b := one(c.b); a == 0 || a != b {
			t.Errorf("%q is %q and %q is %q (%s)", c.a, a, c.b, b, c.why)
		}
	}
	if n, _ := one("Beihang University Press"); n != 2 {
		t.Errorf("the name of the university covers %d words of three", n)
	}
	if n, _ := one("Nobody Knows"); n != 0 {
		t.Errorf("an unknown name covers %d words", n)
	}
}

func TestSameGivenName(t *testing.T) {
	for _, c := range []struct {
		a, b       string
		least, top float64
		why        string
	}{
		{"mohammed", "muhammad", 0.9, 1, "romanisations"},
		{"محمد", "mohamed", 0.9, 1, "native letters and a romanisation"},
		{"aleksandr", "alexandre", 0.9, 1, "languages"},
		{"sasha", "alexander", 0.7, 0.9, "a nickname"},
		{"ivan", "john", 0.3, 0.6, "relatives that few take for one name"},
		{"yusuf", "joseph", 0.3, 0.6, "relatives"},
		{"fatima", "fatma", 0.9, 1, "languages"},
		{"ivan", "peter", 0, 0, "two names"},
		{"zyxw", "zyxw", 0, 0, "not a given name that the table has"},
	} {
		ab, ba := sameGivenName(c.a, c.b), sameGivenName(c.b, c.a)
		if ab != ba || ab < c.least || ab > c.top {
			t.Errorf("%s and %s: %v and %v, want %v to %v (%s)", c.a, c.b, ab, ba, c.least, c.top, c.why)
		}
	}
	if got := givenReadings(fold("محمد")); !slices.Contains(got, "mohammed") || got[0] != "muhammad" {
		t.Errorf("readings of محمد are %v", got)
	}
}

func TestCommonness(t *testing.T) {
	if commonness("muhammad") != 1 || commonness("mohamed") != 1 {
		t.Error("all forms of a given name are as common as its most common one")
	}
	if commonness("zyxw") != 0 {
		t.Error("a word that no table has is rare")
	}
	if a, b := commonness("garcia"), commonness("avila"); a <= b {
		t.Errorf("garcia %v is more common than avila %v", a, b)
	}
}

// The tables are held against the code list of legal forms that GLEIF keeps and against another collection.
func TestLexiconLegalFormsAreCovered(t *testing.T) {
	f, err := os.Open(testdata.File(t, "names", "elf-codes-1.4.1.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.Seek(3, io.SeekStart) // a byte order mark
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := slices.IndexFunc(rows[0], func(s string) bool { return strings.Contains(s, "Abbreviations Local") })
	if column < 0 {
		t.Fatalf("no column of abbreviations in %q", rows[0])
	}
	var forms []string
	for _, r := range rows[1:] {
		forms = append(forms, strings.Split(r[column], ";")...)
	}
	share(t, "abbreviations of the list of GLEIF", forms, 0.62)
	text, err := os.ReadFile(testdata.File(t, "names", "org_types.yml"))
	if err != nil {
		t.Fatal(err)
	}
	forms = nil
	for _, m := range regexp.MustCompile(`(?m)^\s+- (?:display: )?([^:#]{1,14})$`).FindAllSubmatch(text, -1) {
		forms = append(forms, strings.Trim(string(m[1]), `"' `))
	}
	share(t, "short forms of the other collection", forms, 0.85)
}

// share logs how many of the Latin forms are known, and fails below the floor.
func share(t *testing.T, what string, forms []string, floor float64) {
	t.Helper()
	seen := map[string]bool{}
	known := 0
	var missing []string
	for _, f := range forms {
		f = strings.TrimSpace(f)
		if f == "" || seen[f] || strings.ContainsFunc(f, func(r rune) bool { return unicode.IsLetter(r) && !unicode.Is(unicode.Latin, r) }) {
			continue
		}
		seen[f] = true
		if slices.ContainsFunc(spellings(f), allLegal) {
			known++
		} else {
			missing = append(missing, f)
		}
	}
	got := float64(known) / float64(len(seen))
	t.Logf("%s: %d of %d known (%.1f %%); not, among others: %q", what, known, len(seen), 100*got, missing[:min(len(missing), 60)])
	if got < floor {
		t.Errorf("%s: %.3f known, want %.3f", what, got, floor)
	}
}

// allLegal says whether words are legal forms, one after the other.
func allLegal(words []string) bool {
	for len(words) > 0 {
		m := lookup(words, Company)
		if m.n == 0 {
			return false
		}
		words = words[m.n:]
	}
	return true
}

// The tables are ready quickly and stay small.
func TestLexiconCost(t *testing.T) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := time.Now()
	l, err := compileLexicon()
	took := time.Since(start)
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	held := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	t.Logf("compiled in %v, holds %.1f MB", took, float64(held)/1e6)
	if held > 15e6 {
		t.Errorf("holds %d bytes, want at most 15 MB", held)
	}
	runtime.KeepAlive(l)
}

func BenchmarkLexiconLookup(b *testing.B) {
	words := [][]string{{"limited"}, {"technology", "limited"}, {"zyxw"}, {"集成电路"}, {"университет"}, {"hong", "kong"}}
	tables()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		lookup(words[i%len(words)], Company)
	}
}

func BenchmarkSameGivenName(b *testing.B) {
	tables()
	b.ReportAllocs()
	for b.Loop() {
		sameGivenName("mohammed", "muhamad")
	}
}

func BenchmarkCompileLexicon(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := compileLexicon(); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzSegmentHan(f *testing.F) {
	for _, s := range []string{"国防科技大学", "中芯国际集成电路制造有限公司", "a国\xff", "株式会社トヨタ", ""} {
		f.Add(s, uint8(Company))
	}
	f.Fuzz(func(t *testing.T, run string, kind uint8) {
		pieces := segmentHan(run, Type(kind%4))
		if strings.Join(pieces, "") != run {
			t.Fatalf("pieces %q of %q", pieces, run)
		}
	})
}

func FuzzLexiconLookup(f *testing.F) {
	for _, s := range []string{"gmbh co kg", "общество с ограниченной", "有限公司", "s a de c v", ""} {
		f.Add(s, uint8(Any))
	}
	f.Fuzz(func(t *testing.T, text string, kind uint8) {
		words := strings.Split(text, " ")
		m := lookup(words, Type(kind%4))
		if m.n < 0 || m.n > len(words) || m.n > 0 && len(m.concepts) == 0 {
			t.Fatalf("lookup(%q) = %+v", words, m)
		}
		if n, _ := organisation(words); n < 0 || n > len(words) {
			t.Fatalf("organisation(%q) covers %d", words, n)
		}
		sameGivenName(text, words[0])
	})
}
