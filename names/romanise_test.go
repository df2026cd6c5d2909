package names

import (
	"slices"
	"strings"
	"testing"
)

// readingCases say which spellings a word must be met by; the first is its usual romanisation.
var readingCases = []struct{ word, want, why string }{
	// Cyrillic
	{"Владимирович", "vladimirovich vladimirovitch wladimirowitsch", "Russian in English, French and German"},
	{"Евгений", "yevgeniy evgeny evgenii evgeni", "е at the beginning and ий at the end"},
	{"Хрущев", "khrushchev khrushchov", "shch, and е for ё"},
	{"Ковалев", "kovalev kovalyov kovalev", "е for ё"},
	{"Соловьев", "solovyev solovyov", "е after a soft sign"},
	{"Чайковский", "chaykovskiy chaykovsky tchaikovski tschaikowski", "ch, tch and tsch"},
	{"Александр", "aleksandr alexandr", "ks and x"},
	{"Карпов", "karpov karpoff karpow", "the endings of surnames"},
	{"Юлия", "yuliya iuliia julija", "yu, iu and ju"},
	{"Жуков", "zhukov joukoff schukow", "zh, j and sch"},
	{"Щербаков", "shcherbakov scherbakov", "shch and sch"},
	{"Захарова", "zakharova zaharova", "kh and h"},
	{"Зеленський", "zelenskyy zelensky zelenskyi", "Ukrainian и and й"},
	{"Григорій", "hryhoriy hryhorii grigoriy", "Ukrainian г"},
	{"Гончар", "gonchar honchar", "г of a word that Ukrainian can write too"},
	{"Київ", "kyyiv kyiv", "Ukrainian ї"},
	{"Лукашэнка", "lukashenka", "Belarusian"},
	{"Быкаў", "bykau bykaw", "Belarusian ў"},
	{"Ђоковић", "djokovic djokovich", "Serbian"},
	{"Вучић", "vucic vuchich", "Serbian"},
	{"Ѓорѓиев", "gjorgjiev", "Macedonian"},
	{"Първанов", "parvanov purvanov", "Bulgarian ъ"},
	{"Қасым", "qasym kasim", "Kazakh"},
	{"ТАНК", "tank tahk", "a word of look-alikes is read both ways"},
	// Arabic and Persian
	{"قاسم", "qasim ghasem", "a long a"},
	{"محمود", "mahmud mohmoud", "a long u"},
	{"حسن", "hasan", "three consonants"},
	{"عمر", "amar umar omar", "ayn is not heard"},
	{"محسن", "mahsan muhsin", "four consonants"},
	{"إبراهيم", "ibrahim", "an alef with its hamza below"},
	{"الأسد", "alasad asad", "the article"},
	{"عبدالله", "abdullah", "Abd joins"},
	{"فاطمة", "fatima fateme", "ta marbuta"},
	{"زاده", "zada zadeh", "he at the end"},
	{"فخری", "fakhri", "Persian ye"},
	{"خامنئي", "khamini", "hamza on ya"},
	{"یوسف", "yusif yousef", "ya at the beginning"},
	{"گلستان", "galsatan golsatan", "Persian gaf"},
	// Greek and Hebrew
	{"Παπαδόπουλος", "papadopoulos", "Greek"},
	{"Μπάμπης", "bampis babis", "μπ at the beginning and inside"},
	{"Ευάγγελος", "evangelos", "ευ and γγ"},
	{"Χρήστος", "christos hristos khrestos", "χ"},
	{"Αυτοκίνητο", "aftokinito", "αυ before a hard consonant"},
	{"דוד", "dod dud david", "vav is a vowel or v"},
	{"כהן", "kahan kohen cohen", "kaf and a missing vowel"},
	{"לוי", "lavi levi", "vav as a consonant"},
	{"שרון", "sharon", "shin"},
	// Kana and Hangul
	{"トヨタ", "toyota", "Katakana"},
	{"たろう", "taro tarou taroh", "a long o"},
	{"しんじ", "shinji sinzi", "Hepburn and the official way"},
	{"はっとり", "hattori", "small tsu"},
	{"きょうこ", "kyoko kyouko", "small yo"},
	{"ファナック", "fanakku", "small a"},
	{"しゃちょう", "shacho", "sha and cho"},
	{"ホンダ", "honda", "n before d"},
	{"김정은", "kimjeongeun kimjongun", "a person's whole name"},
	{"박", "park bak pak", "a surname"},
	{"이", "lee yi rhee", "a surname"},
	{"정은", "jeongeun jongun jungeun", "a given name that begins like a surname"},
	{"山田", "shantian yamada", "a Japanese surname"},
	{"山田太郎", "shantiantailang yamadataro", "a Japanese whole name"},
	{"최민호", "choiminho choeminho", "a person's whole name"},
	{"삼성전자주식회사", "samseongjeonjajusikhoesa", "a firm"},
	// Han
	{"单", "shan", "a surname with a reading of its own"},
	{"曾庆红", "zengqinghong", "a surname with a reading of its own"},
	{"查良镛", "zhaliangyong", "a surname with a reading of its own"},
	{"仇和", "qiuhe", "a surname with a reading of its own"},
	{"解放军", "xiefangjun jiefangjun", "not a person: the dictionary's reading is there too"},
	{"欧阳", "ouyang auyeung", "a surname of two characters"},
	{"諸葛亮", "zhugeliang", "a surname of two characters, traditional"},
	{"吕", "lv lu lyu lui", "ü"},
	{"王", "wang wong", "Hong Kong"},
	{"陈", "chen chan tan", "Hong Kong and Singapore"},
	{"張", "zhang cheung chang", "Hong Kong and Taiwan"},
	{"重庆银行", "chongqingyinhang", "phrases decide"},
	{"蔣經國", "jiangjingguo chiangchingkuo", "Wade-Giles"},
	{"毛泽东", "maozedong maotsetung", "Wade-Giles"},
	// Latin
	{"Müller", "muller mueller", "umlaut"},
	{"mueller", "mueller muller", "an umlaut in two letters"},
	{"Sørensen", "sorensen soerensen", "ø"},
	{"Åse", "ase aase", "å"},
	{"Erdoğan", "erdogan", "ğ"},
	{"smith", "smith", "itself"},
	{"R2D2", "r2d2", "digits"},
}

func TestReadings(t *testing.T) {
	t.Parallel()
	for _, c := range readingCases {
		got := readings(c.word, scriptOfWord(normal(c.word)))
		want := strings.Fields(c.want)
		if got[0] != want[0] {
			t.Errorf("readings(%s) begins with %q, want %q (%s)", c.word, got[0], want[0], c.why)
		}
		for _, w := range want[1:] {
			if !slices.Contains(got, w) {
				t.Errorf("readings(%s) = %q lacks %q (%s)", c.word, got, w, c.why)
			}
		}
	}
}

// checkReadings holds what readings promises for any word in any script.
func checkReadings(t interface{ Fatalf(string, ...any) }, word string) {
	for s := OtherScript; s <= Digits; s++ {
		got := readings(word, s)
		if len(got) == 0 || len(got) > maxReadings {
			t.Fatalf("readings(%q, %v) are %d", word, s, len(got))
		}
		for i, r := range got {
			if !asciiWord(r) || len(r) > maxReadingSize {
				t.Fatalf("readings(%q, %v) has %q", word, s, r)
			}
			if slices.Contains(got[:i], r) {
				t.Fatalf("readings(%q, %v) has %q twice", word, s, r)
			}
			if k := sound(r); len(k) > 2*maxSoundBytes {
				t.Fatalf("sound(%q) has %d bytes", r, len(k))
			}
		}
	}
}

func FuzzReadings(f *testing.F) {
	for _, c := range readingCases {
		f.Add(c.word)
	}
	f.Add("ーっゃ\xff")
	f.Add("وووييييیااا")
	f.Fuzz(func(t *testing.T, word string) { checkReadings(t, word) })
}

func TestReadingsOfLongWordsAreBounded(t *testing.T) {
	t.Parallel()
	for _, c := range []string{"я", "ع", "龍", "a", "ö", "김", "カ", "ω", "ש", "7"} {
		checkReadings(t, strings.Repeat(c, 100_000))
	}
}

func TestSurnameLength(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		run  string
		s    Script
		want int
		why  string
	}{
		{"王小明", Han, 1, "one character"},
		{"欧阳修", Han, 2, "two characters"},
		{"金正恩", Han, 1, "a Korean surname"},
		{"김정은", Hangul, 1, "one syllable"},
		{"남궁민", Hangul, 2, "two syllables"},
		{"王", Han, 0, "nothing but a surname"},
		{"寒武纪", Han, 0, "no surname"},
		{"山田太郎", Han, 2, "a Japanese surname and given name"},
		{"高橋一郎", Han, 2, "a Japanese surname that begins like a Chinese one"},
		{"林心如", Han, 1, "a Chinese name"},
		{"中芯国际集成电路", Han, 0, "too long for a person"},
	} {
		if got := surnameLength(c.run, c.s); got != c.want {
			t.Errorf("surnameLength(%s) = %d, want %d (%s)", c.run, got, c.want, c.why)
		}
	}
}

func BenchmarkReadings(b *testing.B) {
	for _, word := range []string{"shanghai", "müller", "владимирович", "محمود", "北京航空航天大学", "김정은", "παπαδόπουλος"} {
		s := scriptOfWord(word)
		b.Run(word, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				readings(word, s)
			}
		})
	}
}

func BenchmarkSound(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		sound("khrushchev")
	}
}

func TestReadingsOfGivenNamesAbroad(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ word, want, why string }{
		{"家超", "jiachao kachiu", "Hong Kong"}, {"正恩", "zhengen jongun", "Korea"}, {"李家超", "lijiachao leekachiu", "a whole name"},
		{"耀宗", "yaozong yiuchung", "Hong Kong"}, {"金日成", "jinricheng kimilsong", "a whole Korean name"},
	} {
		got := readings(c.word, Han)
		for _, w := range strings.Fields(c.want) {
			if !slices.Contains(got, w) {
				t.Errorf("readings(%s) = %q lacks %q (%s)", c.word, got, w, c.why)
			}
		}
	}
}
