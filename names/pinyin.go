package names

import (
	"strings"

	"github.com/mozillazg/go-pinyin"
)

// han reads a run of Han: pinyin with its syllables joined, a surname first where the run can be a person's name; then
// other readings of single characters, the spellings of Hong Kong and Taiwan, and those of Korea and Japan for names.
func (r *reader) han(word []rune) {
	word = hanOnly(word)
	if len(word) == 0 {
		return
	}
	syllables := make([]string, len(word))
	for i, c := range word {
		syllables[i] = pinyinOf(c)
	}
	first := pinyinPhrases(word, syllables)
	if n := hanSurname(word); n > 0 {
		copy(syllables, strings.Fields(hanSurnameReading(word[:n], syllables)))
	}
	main := strings.Join(syllables, "")
	r.add(main)
	if strings.Contains(main, "lv") || strings.Contains(main, "nv") {
		r.add(strings.NewReplacer("lve", "lue", "nve", "nue", "lv", "lu", "nv", "nu").Replace(main))
		r.add(strings.NewReplacer("lv", "lyu", "nv", "nyu").Replace(main))
	}
	r.kanji(word)
	r.hanNames(word)
	if joined := strings.Join(first, ""); joined != main {
		r.add(joined)
	}
	for i, c := range word {
		for _, other := range pinyinOthers(c) {
			if other != syllables[i] {
				r.add(strings.Join(syllables[:i], "") + other + strings.Join(syllables[i+1:], ""))
			}
		}
	}
	r.add(wadeGiles(syllables))
}

// hanOnly drops what is not Han, kana included, from word.
func hanOnly(word []rune) []rune {
	out := make([]rune, 0, len(word))
	for _, c := range word {
		if s := ScriptOf(c); s == Han || s == Digits {
			out = append(out, c)
		}
	}
	return out
}

// pinyinPhrases are syllables with those put right that a phrase around them decides.
func pinyinPhrases(word []rune, syllables []string) []string {
	text := string(word)
	for phrase, reading := range hanPhrases {
		at := strings.Index(text, phrase)
		if at < 0 {
			continue
		}
		from := len([]rune(text[:at]))
		copy(syllables[from:], strings.Fields(reading))
	}
	return append([]string(nil), syllables...)
}

// hanPhrases are words in which a character is not read in its first way.
var hanPhrases = map[string]string{
	"重庆": "chong qing", "重慶": "chong qing", "银行": "yin hang", "銀行": "yin hang", "西藏": "xi zang", "厦门": "xia men", "廈門": "xia men",
	"音乐": "yin yue", "音樂": "yin yue", "会计": "kuai ji", "會計": "kuai ji", "行业": "hang ye", "朝阳": "chao yang", "朝陽": "chao yang", "长江": "chang jiang",
	"长春": "chang chun", "长沙": "chang sha", "长城": "chang cheng", "调度": "diao du", "蚌埠": "beng bu", "六安": "lu an", "番禺": "pan yu", "东莞": "dong guan", "東莞": "dong guan",
	"重工": "zhong gong", "大厦": "da sha", "台州": "tai zhou", "乐山": "le shan", "乐清": "yue qing", "都匀": "du yun", "成都": "cheng du", "什邡": "shi fang",
}

// pinyinOf is the first reading of a character, without its tone, ü written v; "" when it has none.
func pinyinOf(c rune) string {
	if '0' <= c && c <= '9' {
		return string(c)
	}
	reading, _, _ := strings.Cut(pinyin.PinyinDict[int(c)], ",")
	return toneless(reading)
}

// pinyinOthers are up to two further readings of a character that names are read in; most characters have none.
func pinyinOthers(c rune) []string {
	if !strings.ContainsRune(hanManyReadings, c) {
		return nil
	}
	var out []string
	for i, reading := range strings.Split(pinyin.PinyinDict[int(c)], ",") {
		if i > 0 && len(out) < 2 {
			out = append(out, toneless(reading))
		}
	}
	return out
}

// hanManyReadings are the characters of names that are commonly read in more than one way.
const hanManyReadings = "乐樂重长長朝行曾翟盛单單解仇查区區任华華尉缪繆覃宁寧盖蓋折种召葛纪紀瞿晟佴黑都洗冼员員车車祭朴卜石什调調传傳参參藏降量率省会會和给給大若茄奇其贾賈万俟尧強强柏泊邑洋铅見见适適隽雋鲜鮮哈祺祎祎瑒圳汤湯阿殷柴秘冯馮洗莘峙峒堡"

// toneless is a reading without tone marks, ü written v.
func toneless(reading string) string {
	var b strings.Builder
	b.Grow(len(reading))
	for _, c := range reading {
		if c < 0x80 {
			b.WriteRune(c)
			continue
		}
		b.WriteString(pinyinTones[c])
	}
	return b.String()
}

// pinyinTones takes the tone off a vowel.
var pinyinTones = func() map[rune]string {
	all := map[rune]string{}
	for plain, toned := range map[string]string{"a": "āáǎà", "e": "ēéěèê", "i": "īíǐì", "o": "ōóǒò", "u": "ūúǔù", "v": "ǖǘǚǜü", "n": "ńňǹ", "m": "ḿ"} {
		for _, c := range toned {
			all[c] = plain
		}
	}
	return all
}()

// wadeGiles writes pinyin syllables in the older English way, as many names of Taiwan and of history are.
func wadeGiles(syllables []string) string {
	var b strings.Builder
	for _, s := range syllables {
		b.WriteString(wadeGilesOne(s))
	}
	return b.String()
}

// wadeGilesOne writes one syllable.
func wadeGilesOne(s string) string {
	initial, final := pinyinParts(s)
	switch {
	case final == "i" && (initial == "zh" || initial == "ch" || initial == "sh"):
		return strings.Replace(initial, "z", "c", 1) + "ih"
	case s == "ri":
		return "jih"
	case final == "i" && (initial == "z" || initial == "c"):
		return "tzu"
	case s == "si":
		return "szu"
	case s == "you":
		return "yu"
	case s == "yan":
		return "yen"
	case s == "ye":
		return "yeh"
	case s == "er":
		return "erh"
	}
	switch hard := strings.Contains("gkh", initial); {
	case final == "e" && hard:
		final = "o"
	case final == "uo" && !(hard && initial != "") && initial != "sh":
		final = "o"
	}
	if to, ok := wadeInitials[initial]; ok {
		initial = to
	}
	if to, ok := wadeFinals[final]; ok {
		final = to
	}
	return initial + final
}

// pinyinParts parts a syllable into its initial and its final.
func pinyinParts(s string) (initial, final string) {
	for _, p := range [...]string{"zh", "ch", "sh"} {
		if strings.HasPrefix(s, p) {
			return p, s[2:]
		}
	}
	if s != "" && strings.IndexByte("bpmfdtnlgkhjqxrzcsyw", s[0]) >= 0 {
		return s[:1], s[1:]
	}
	return "", s
}

var (
	wadeInitials = map[string]string{"b": "p", "p": "p", "d": "t", "g": "k", "zh": "ch", "j": "ch", "q": "ch", "x": "hs", "z": "ts", "c": "ts", "r": "j"}
	wadeFinals   = map[string]string{"ian": "ien", "ie": "ieh", "ong": "ung", "iong": "iung", "ve": "ueh", "ue": "ueh", "v": "u"}
)

// hanSurname is how many characters of word are a surname, when word can be a person's whole name or a surname; else 0.
func hanSurname(word []rune) int {
	if len(word) > 4 || len(word) == 0 {
		return 0
	}
	if len(word) >= 2 {
		if _, ok := hanCompound[string(word[:2])]; ok {
			return 2
		}
	}
	if _, ok := hanSurnames[word[0]]; ok {
		return 1
	}
	return 0
}

// hanSurnameReading is how a surname is read, its syllables apart.
func hanSurnameReading(surname []rune, syllables []string) string {
	if len(surname) == 2 {
		return hanCompound[string(surname)]
	}
	if reading := hanSurnames[surname[0]].pinyin; reading != "" {
		return reading
	}
	return syllables[0]
}

// surnameLength is how many characters at the beginning of a run of Han or Hangul are a surname, when the run can be a
// person's whole name: a surname and a given name of one or two characters. 0 when it cannot.
func surnameLength(run string, s Script) int {
	word := cutRunes(run, 8)
	n := 0
	switch s {
	case Han:
		if n = kanjiSurname(word); n > 0 {
			return n
		}
		n = hanSurname(word)
	case Hangul:
		n = hangulSurname(word)
	}
	if given := len(word) - n; given < 1 || given > 2 {
		return 0
	}
	return n
}
