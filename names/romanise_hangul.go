package names

import "strings"

// The parts of a Hangul syllable in the order of Unicode, in the Revised way and in the older, McCune-like one that most
// people still write their names in.
var (
	hangulInitials = strings.Split("g,kk,n,d,tt,r,m,b,pp,s,ss,,j,jj,ch,k,t,p,h", ",")
	hangulVowels   = strings.Split("a,ae,ya,yae,eo,e,yeo,ye,o,wa,wae,oe,yo,u,wo,we,wi,yu,eu,ui,i", ",")
	hangulFinals   = strings.Split(",k,k,k,n,n,n,t,l,k,m,l,l,l,p,l,m,p,p,t,t,ng,t,t,k,t,p,t", ",")
	olderInitials  = strings.Split("k,kk,n,t,tt,r,m,p,pp,s,ss,,ch,tch,ch,k,t,p,h", ",")
	olderVowels    = strings.Split("a,ae,ya,yae,o,e,yo,ye,o,wa,wae,oe,yo,u,wo,we,wi,yu,u,ui,i", ",")
	commonInitials = strings.Split("k,k,n,d,d,r,m,b,b,s,s,,j,j,ch,k,t,p,h", ",")
	mixedVowels    = strings.Split("a,ae,ya,yae,u,e,you,ye,o,wa,wae,oe,yo,u,wo,we,wi,yu,eu,ui,i", ",")
	commonVowels   = strings.Split("a,ae,ya,yae,u,e,you,ye,o,wa,wae,oe,yo,oo,wo,we,wi,yoo,eu,ui,i", ",")
)

// hangulSurnames are the usual spellings of surnames, the most usual first.
var hangulSurnames = map[string][]string{
	"김": {"kim", "gim"}, "이": {"lee", "yi", "rhee", "i"}, "리": {"ri", "lee", "li"}, "박": {"park", "pak", "bak"}, "최": {"choi", "choe"}, "정": {"jung", "jeong", "chung", "chong"},
	"강": {"kang", "gang"}, "조": {"cho", "jo"}, "윤": {"yoon", "yun"}, "장": {"jang", "chang"}, "임": {"lim", "im", "rim"}, "림": {"rim", "lim"}, "한": {"han"}, "오": {"oh", "o"},
	"서": {"seo", "suh", "so"}, "신": {"shin", "sin"}, "권": {"kwon", "gwon"}, "황": {"hwang"}, "안": {"ahn", "an"}, "송": {"song"}, "류": {"ryu", "yoo", "ryoo"}, "유": {"yoo", "yu", "you"},
	"홍": {"hong"}, "전": {"jeon", "chun", "chon"}, "고": {"ko", "go", "koh"}, "문": {"moon", "mun"}, "양": {"yang"}, "손": {"son", "sohn"}, "배": {"bae", "pae"}, "백": {"baek", "paek", "paik"},
	"허": {"heo", "hur", "ho"}, "노": {"noh", "roh", "no"}, "로": {"ro", "roh"}, "남": {"nam"}, "심": {"shim", "sim"}, "하": {"ha"}, "곽": {"kwak", "gwak"}, "성": {"sung", "seong", "song"}, "차": {"cha"},
	"주": {"joo", "ju", "chu"}, "우": {"woo", "u"}, "구": {"koo", "gu", "ku"}, "민": {"min"}, "진": {"jin", "chin"}, "나": {"na", "ra"}, "라": {"ra", "na"}, "지": {"ji", "chi"}, "엄": {"eom", "um", "om"}, "채": {"chae"},
	"원": {"won"}, "천": {"cheon", "chun", "chon"}, "방": {"bang", "pang"}, "공": {"kong", "gong"}, "현": {"hyun", "hyeon", "hyon"}, "함": {"ham"}, "변": {"byun", "byeon", "pyon"}, "염": {"yeom", "yum"}, "여": {"yeo", "yo"},
	"추": {"choo", "chu"}, "도": {"do", "to"}, "석": {"seok", "suk", "sok"}, "선": {"sun", "seon", "son"}, "설": {"seol", "sul", "sol"}, "마": {"ma"}, "길": {"gil", "kil"}, "연": {"yeon", "youn", "yon"}, "위": {"wi"}, "표": {"pyo"},
	"명": {"myung", "myeong", "myong"}, "기": {"ki", "gi"}, "반": {"ban", "pan"}, "왕": {"wang"}, "금": {"keum", "geum", "kum"}, "옥": {"ok"}, "육": {"yook", "yuk"}, "인": {"in"}, "맹": {"maeng"}, "제": {"je", "che"}, "모": {"mo"},
	"탁": {"tak"}, "국": {"kook", "guk", "kuk"}, "은": {"eun", "un"}, "편": {"pyun", "pyeon"}, "용": {"yong"}, "남궁": {"namgung", "namkoong"}, "황보": {"hwangbo"}, "제갈": {"jegal"}, "선우": {"sunwoo", "seonu"}, "독고": {"dokgo"}, "사공": {"sagong"},
}

// hangulParts are the initial, vowel and final of a Hangul syllable.
func hangulParts(c rune) (initial, vowel, final int, ok bool) {
	n := int(c - 0xAC00)
	if c < 0xAC00 || n >= 19*21*28 {
		return 0, 0, 0, false
	}
	return n / (21 * 28), n / 28 % 21, n % 28, true
}

// hangulWrite writes syllables with the given initials and vowels. A final that meets a vowel is said as an initial.
func hangulWrite(word []rune, initials, vowels []string, link bool) string {
	var b strings.Builder
	for i, c := range word {
		ini, v, fin, ok := hangulParts(c)
		if !ok {
			b.WriteRune(c)
			continue
		}
		b.WriteString(initials[ini])
		b.WriteString(vowels[v])
		end := hangulFinals[fin]
		if link && i+1 < len(word) {
			if next, _, _, ok := hangulParts(word[i+1]); ok && initials[next] == "" {
				end = strings.NewReplacer("k", "g", "t", "s", "p", "b", "l", "r").Replace(end)
			}
		}
		b.WriteString(end)
	}
	return b.String()
}

// hangul reads a word in Hangul: in the Revised way and in those that people use for themselves. Where it can be a
// surname or a person's whole name, with the usual spellings of the surname; two syllables are more often a given name.
func (r *reader) hangul(word []rune) {
	n := hangulSurname(word)
	surnames := hangulSurnames[string(word[:n])]
	if n > 0 && len(word) != n+1 {
		r.hangulPerson(surnames, word[n:])
	}
	r.add(hangulWrite(word, hangulInitials, hangulVowels, false))
	r.add(hangulWrite(word, commonInitials, olderVowels, false))
	r.add(hangulWrite(word, commonInitials, mixedVowels, false))
	r.add(hangulWrite(word, olderInitials, olderVowels, false))
	r.add(hangulWrite(word, commonInitials, commonVowels, false))
	r.add(hangulWrite(word, hangulInitials, hangulVowels, true))
	if n > 0 {
		r.hangulPerson(surnames, word[n:])
	}
}

// hangulPerson adds a person's whole name, or the surname when given is empty: each spelling of the surname with the
// likeliest of the given name.
func (r *reader) hangulPerson(surnames []string, given []rune) {
	revised := hangulWrite(given, hangulInitials, hangulVowels, false)
	common := hangulWrite(given, commonInitials, olderVowels, false)
	for i, surname := range surnames {
		r.add(surname + revised)
		r.add(surname + common)
		if i == 0 {
			r.add(surname + hangulWrite(given, commonInitials, mixedVowels, false))
			r.add(surname + hangulWrite(given, olderInitials, olderVowels, false))
		}
	}
}

// hangulSurname is how many syllables of word are a surname, when word can be a person's whole name or a surname; else 0.
func hangulSurname(word []rune) int {
	if len(word) >= 2 && len(word) <= 5 {
		if _, ok := hangulSurnames[string(word[:2])]; ok {
			return 2
		}
	}
	if len(word) >= 1 && len(word) <= 4 {
		if _, ok := hangulSurnames[string(word[:1])]; ok {
			return 1
		}
	}
	return 0
}
