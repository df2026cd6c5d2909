package names

import "strings"

// hanGivenLines are characters that given names are made of, one group a line: simplified and traditional form, the
// usual spelling in Hong Kong, and in Korea; '-' where it is not usual there.
const hanGivenLines = `
家 ka ga
超 chiu cho
正 ching jong
恩 yan un
日 yat il
成 shing song
国國 kwok guk
文 man mun
明 ming myong
志 chi ji
伟偉 wai wi
强強 keung kang
华華 wah hwa
德 tak dok
荣榮 wing yong
永 wing yong
耀 yiu yo
辉輝 fai hwi
俊 chun jun
杰傑 kit gol
健 kin gon
建 kin gon
平 ping pyong
安 on an
生 sang saeng
子 tsz ja
美 mei mi
丽麗 lai ryo
玲 ling ryong
芳 fong bang
英 ying yong
珍 chun jin
慧 wai hye
敏 man min
静靜 ching jong
婷 ting jong
雅 nga a
欣 yan hun
怡 yee i
佳 kai ga
嘉 ka ga
宝寶 po bo
金 kam geum
玉 yuk ok
兰蘭 lan ran
梅 mui mae
雪 suet sol
红紅 hung hong
凤鳳 fung bong
莲蓮 lin ryon
秀 sau su
淑 suk suk
贞貞 ching jong
娟 kuen yon
琴 kam geum
霞 ha ha
云雲 wan un
月 yuet wol
仪儀 yee ui
燕 yin yon
琳 lam rim
颖穎 wing yong
诗詩 sze si
思 sze sa
晓曉 hiu hyo
天 tin chon
宇 yu u
浩 ho ho
轩軒 hin hon
泽澤 chak taek
东東 tung dong
海 hoi hae
江 kong gang
山 shan san
林 lam rim
森 sum sam
峰 fung bong
龙龍 lung ryong
虎 fu ho
飞飛 fei bi
鹏鵬 pang bung
光 kwong gwang
亮 leung ryang
军軍 kwan gun
武 mo mu
勇 yung yong
刚剛 kong gang
力 lik ryok
民 man min
中 chung jung
大 tai dae
小 siu so
新 sun sin
世 sai se
义義 yee ui
仁 yan in
礼禮 lai ye
智 chi ji
信 shun sin
忠 chung chung
孝 hau hyo
贤賢 yin hyon
良 leung ryang
善 sin son
福 fuk bok
寿壽 sau su
喜 hei hui
庆慶 hing gyong
祥 cheung sang
瑞 sui so
吉 kut gil
利 lei ri
发發 fat bal
达達 tat dal
富 fu bu
贵貴 kwai gwi
兴興 hing hung
旺 wong wang
昌 cheung chang
盛 shing song
进進 chun jin
升 sing sung
高 ko go
远遠 yuen won
立 lap rip
学學 hok hak
书書 shu so
章 cheung jang
先 sin son
哲 chit chol
启啟 kai gye
宏 wang hong
鸿鴻 hung hong
洪 hung hong
博 pok bak
广廣 kwong gwang
宗 chung jong
祖 cho jo
元 yuen won
松 chung song
柏 pak baek
春 chun chun
秋 chau chu
冬 tung dong
景 king gyong
清 ching chong
波 po pa
涛濤 to do
源 yuen won
泉 chuen chon
汉漢 hon han
长長 cheung jang
万萬 man man
千 chin chon
一 yat il
三 sam sam
五 ng o
少 siu so
若 yeuk yak
如 yu yo
心 sum sim
爱愛 oi ae
乐樂 lok rak
凯凱 hoi gae
柱 chu ju
哲喆 chit chol
赫 hak hyok
熙 hei hui
准 chun jun
浚 chun jun
贤玹 yin hyon
镇鎮 chun jin
振 chun jin
铁鐵 tit chol
钟鍾鐘 chung jong
泰 tai tae
炳 ping byong
秉 ping byong
相 seung sang
尚 sheung sang
承 shing sung
胜勝 shing sung
圣聖 shing song
星 sing song
诚誠 shing song
植 chik sik
植 chik sik
镐鎬 ho ho
勋勳 fan hun
燮 sit sop
旭 yuk uk
焕煥 wun hwan
桓 wun hwan
权權 kuen gwon
范範 fan bom
甲 kap gap
男 nam nam
顺順 shun sun
姬 hei hui
妍 yin yon
娥 ngo a
京 king gyong
镜鏡 keng gyong
永咏詠 wing yong
与與 yu yo
雄 hung ung
维維 wai yu
业業 yip op
基 kei gi
伯 pak baek
叔 suk suk
仲 chung jung
孟 mang maeng
灿燦 chan chan
汝 yu yo
锦錦 kam geum
鉴鑑 kam gam
权 kuen gwon
培 pui bae
树樹 shu su
根 kan geun
炎 yim yom
焜 kwan gon
坤 kwan gon
乾 kin gon
宪憲 hin hon
芬 fan bun
莹瑩 ying yong
娜 na na
君 kwan gun
倩 sin chon
薇 mei mi
彩 choi chae
翠 chui chwi
碧 pik byok
珠 chu ju
珊 shan san
婉 yuen wan
巧 hau gyo
好 ho ho
妙 miu myo
香 heung hyang
桂 kwai gye
菊 kuk guk
桃 to do
荷 ho ha
`

// hanGiven is how a character of a given name is spelt: in Hong Kong, and in Korea.
var hanGiven = func() map[rune][2]string {
	all := map[rune][2]string{}
	for _, line := range strings.Split(strings.TrimSpace(hanGivenLines), "\n") {
		f := strings.Fields(line)
		for _, c := range f[0] {
			all[c] = [2]string{f[1], f[2]}
		}
	}
	return all
}()

// hanGivenSpelling is a given name as it is spelt in Hong Kong (0) or in Korea (1); "" when one of its characters is not
// usual there.
func hanGivenSpelling(given []rune, where int) string {
	var b strings.Builder
	for _, c := range given {
		s, ok := hanGiven[c]
		if !ok || s[where] == "-" {
			return ""
		}
		b.WriteString(s[where])
	}
	return b.String()
}

// hanNames adds the spellings that a person's name has outside the mainland: of a surname alone, of a given name alone,
// or of both.
func (r *reader) hanNames(word []rune) {
	n := hanSurname(word)
	if n == 0 || len(word) <= 2 && n < len(word) {
		if len(word) <= 2 {
			r.add(hanGivenSpelling(word, 0))
			r.add(hanGivenSpelling(word, 1))
		}
		if n == 0 {
			return
		}
	}
	spellings := hanCompoundOthers[string(word[:n])]
	if n == 1 {
		spellings = hanSurnames[word[0]].others
	}
	if len(word) == n {
		for _, s := range spellings {
			r.add(s)
		}
		return
	}
	for where := range 2 {
		given := hanGivenSpelling(word[n:], where)
		if given == "" || len(spellings) == 0 {
			continue
		}
		surname := spellings[0]
		if where == 1 {
			surname = spellings[len(spellings)-1]
		}
		r.add(surname + given)
	}
}
