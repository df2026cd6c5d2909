package names

import "strings"

// hanSurnameSpelling is how a surname of one character is read and written.
type hanSurnameSpelling struct {
	pinyin string   // when it is not the character's first reading
	others []string // in Hong Kong, Taiwan, Singapore; in Korea; in Vietnam
}

// hanSurnameLines are the surnames, one a line: simplified and traditional form, pinyin, then other usual spellings.
const hanSurnameLines = `
王 wang wong ong heng
李 li lee lei yi
张張 zhang cheung chang teo jang
刘劉 liu lau lew low yoo
陈陳 chen chan tan chin tran jin
杨楊 yang yeung yeong yeo young
黄黃 huang wong ng ooi hwang
赵趙 zhao chiu chao teo jo cho
吴吳 wu ng goh woo oh
周 zhou chow chau chou chew joo
徐 xu tsui hsu chui seo chee
孙孫 sun suen soon son
马馬 ma mah beh
朱 zhu chu choo joo
胡 hu woo wu oh
郭 guo kwok kuo kwak quek kuok
何 he ho hoh ha
高 gao ko kao go
林 lin lam ling lim
罗羅 luo lo law loh na
郑鄭 zheng cheng cheang tay jung
梁 liang leung leong yang neo
谢謝 xie tse hsieh chia
宋 song sung soong
唐 tang tong dang
许許 xu hui hsu heo khoo koh
韩韓 han hon hahn
冯馮 feng fung fong poong
邓鄧 deng tang teng
曹 cao tso tsao cho chou
彭 peng pang phang
曾 zeng tsang tseng chan jeung
肖萧蕭 xiao siu hsiao siew so
田 tian tin tien
董 dong tung toong
袁 yuan yuen won
潘 pan poon phua ban
于 yu yue
蒋蔣 jiang cheung chiang jang
蔡 cai choi tsai chua chai chae
余 yu yue yee eu
杜 du to tu doo
叶葉 ye yip ip yeh yap
程 cheng ching chen jung
苏蘇 su so soo
魏 wei ngai wi gui
吕呂 lv lui lu yeo loo
丁 ding ting jung teng
任 ren yam jen im
沈 shen sum sham shim sim
姚 yao yiu yeow
卢盧 lu lo loo noh
姜 jiang keung chiang kang
崔 cui chui tsui choi choe
钟鐘鍾 zhong chung cheong
谭譚 tan tam tham
陆陸 lu luk loke yuk
汪 wang wong
范範 fan faan hoan
金 jin kam chin kim
石 shi shek shih seok
廖 liao liu liew
贾賈 jia ka chia
夏 xia ha hsia
韦韋 wei wai
付傅 fu foo poh
方 fang fong bang
白 bai pak pai baek
邹鄒 zou chau tsou chu
孟 meng mang maeng
熊 xiong hung hsiung woong
秦 qin chun chin jin
邱 qiu yau chiu khoo
江 jiang kong chiang kang
尹 yin wan yoon yun
薛 xue sit hsueh seol
闫闫閻阎 yan yim yen
段 duan tuen tuan
雷 lei lui looi
侯 hou hau
龙龍 long lung loong
史 shi sze shih sa
陶 tao to
黎 li lai le
贺賀 he ho ha
顾顧 gu koo ku goo
毛 mao mo mou
郝 hao kok
龚龔 gong kung kong
邵 shao siu so
万萬 wan man
钱錢 qian chin chien jeon
严嚴 yan yim yen eom
覃 qin tam chin tan
武 wu mo moo
戴 dai tai tye
莫 mo mok
孔 kong hung kung gong
向 xiang heung hsiang
汤湯 tang tong
常 chang sheung
温溫 wen wan on
康 kang hong
施 shi sze shih see
文 wen man moon
牛 niu ngau woo
樊 fan
葛 ge kot ko
邢 xing ying hsing
安 an on ahn
齐齊 qi chai chi je
易 yi yik
乔喬 qiao kiu chiao
伍 wu ng
庞龐 pang pong bang
颜顏 yan ngan yen ahn
倪 ni ngai
庄莊 zhuang chong chuang
聂聶 nie nip nieh
章 zhang cheung chang jang
鲁魯 lu lo noh
岳 yue ngok yueh ak
翟 zhai chak chai
殷 yin yan eun
申 shen san shin
欧歐 ou au
耿 geng kang keng
关關 guan kwan kuan
兰蘭 lan
焦 jiao chiu
俞 yu yue yoo
左 zuo cho tso
柳 liu lau ryu yoo
甘 gan kam
祝 zhu chuk
包 bao pao
宁寧 ning
尚 shang sheung
符 fu foo
舒 shu
阮 ruan yuen nguyen
柯 ke or ko quah
纪紀 ji kei chi
梅 mei mui
童 tong tung
凌 ling
毕畢 bi pat
单單 shan sin
季 ji kwai chi
裴 pei bae
霍 huo fok huo
涂 tu to
成 cheng shing sung seong
苗 miao miu
谷 gu kuk
盛 sheng shing
曲 qu kuk chu
翁 weng yung yeung
冉 ran yim
骆駱 luo lok
蓝藍 lan lam
路 lu lo
游 you yau yu
辛 xin san shin
靳 jin kan
管 guan koon kuan
柴 chai
蒙 meng mung
鲍鮑 bao pau pao
华華 hua wah hwa
喻 yu
祁 qi kei chi
蒲 pu
房 fang fong
滕 teng tang
屈 qu wat wut
饶饒 rao yiu
解 xie hai
牟 mou mau mu
艾 ai ngai
尤 you yau yu
阳陽 yang yeung
时時 shi
穆 mu muk
农農 nong
司 si sze
卓 zhuo cheuk cho
古 gu koo ku
吉 ji kat
缪繆 miao miu mou
简簡 jian kan chien
车車 che cha
项項 xiang hong hsiang
连連 lian lin lien
芦 lu
麦麥 mai mak
褚 chu
娄婁 lou lau
窦竇 dou tau
戚 qi chik chi
岑 cen sham tsen
景 jing king
党黨 dang
宫宮 gong kung
费費 fei fai
卜 bu pok
冷 leng lang
晏 yan an
席 xi
卫衛 wei wai
米 mi mai
柏 bai pak
宗 zong chung tsung
瞿 qu kui
桂 gui kwai
全 quan chuen jeon
佟 tong
应應 ying
臧 zang tsang
闵閔 min
苟 gou
邬鄔 wu
边邊 bian pin byun
卞 bian byun
姬 ji
师師 shi
和 he
仇 qiu chau
栾欒 luan
隋 sui
商 shang
刁 diao
沙 sha
荣榮 rong wing jung
巫 wu mo
寇 kou
桑 sang
郎 lang
甄 zhen yan
丛叢 cong
仲 zhong
虞 yu
敖 ao ngo
巩鞏 gong
明 ming
佘 she seh
池 chi ji
查 zha cha
麻 ma
苑 yuan
迟遲 chi
邝鄺 kuang kwong fong
官 guan koon
封 feng fung
谈談 tan tam
匡 kuang hong
鞠 ju kuk
惠 hui wai
荆荊 jing king
乐樂 yue lok
冀 ji
郁 yu
胥 xu
南 nan nam
班 ban
储儲 chu
原 yuan
栗 li
燕 yan yin
楚 chu cho
鄢 yan
劳勞 lao lo
谌諶 chen shen
奚 xi hai
皮 pi
粟 su
冼 xian sin
蔺藺 lin
楼樓 lou lau
盘盤 pan
满滿 man
闻聞 wen man
位 wei
厉厲 li lai
伊 yi
仝 tong
区區 ou au
郜 gao
海 hai
阚闞 kan
花 hua fa
权權 quan kuen kwon
强強 qiang keung
帅帥 shuai
屠 tu
豆 dou
朴 piao park pak bak
盖蓋 gai koi
练練 lian lin
廉 lian lim
禹 yu woo
井 jing
祖 zu cho
漆 qi
巴 ba
丰豐 feng fung
支 zhi chi
卿 qing
国國 guo kwok
狄 di tik
平 ping
计計 ji kai
索 suo
宣 xuan suen
晋晉 jin chun
相 xiang
初 chu
门門 men mun
云雲 yun wan
容 rong yung
敬 jing
来來 lai loi
扈 hu
晁 chao
芮 rui
都 du
普 pu
阙闕 que
浦 pu
戈 ge
伏 fu
鹿 lu
薄 bo
邸 di
雍 yong
辜 gu koo ku
羊 yang
阿 a
乌烏 wu
母 mu
裘 qiu
亓 qi
修 xiu
邰 tai
赫 he
杭 hang
况況 kuang
那 na
宿 su
鲜鮮 xian
印 yin
逯 lu
隆 long
茹 ru
诺 nuo
战戰 zhan
慕 mu
危 wei
玉 yu
银銀 yin
亢 kang
嵇 ji
公 gong
哈 ha
湛 zhan cham
宾賓 bin
戎 rong
勾 gou
茅 mao
利 li lei
於 yu
呼 hu
居 ju
揭 jie
干 gan
但 dan
尉 yu wei
冶 ye
斯 si
元 yuan
束 shu
檀 tan
衣 yi
信 xin
展 zhan
阴陰 yin
昝 zan
智 zhi
幸 xing
奉 feng
植 zhi
衡 heng
富 fu
尧堯 yao
闭 bi
由 you
种 chong
召 shao
`

// hanCompoundLines are the surnames of two characters with their pinyin, joined in other spellings after it.
const hanCompoundLines = `
欧阳歐陽 ou yang auyeung auyong
司马司馬 si ma sima
上官 shang guan sheungkwoon
诸葛諸葛 zhu ge chukot chuko
司徒 si tu szeto
东方東方 dong fang
独孤獨孤 du gu
南宫南宮 nan gong
慕容 mu rong
夏侯 xia hou hahau
皇甫 huang fu hwangbo
尉迟尉遲 yu chi
公孙公孫 gong sun
令狐 ling hu
宇文 yu wen
长孙長孫 zhang sun
端木 duan mu
西门西門 xi men
轩辕軒轅 xuan yuan
万俟 mo qi
淳于 chun yu
澹台澹臺 tan tai
呼延 hu yan
百里 bai li
东郭東郭 dong guo
闻人聞人 wen ren
申屠 shen tu
太史 tai shi
赫连赫連 he lian
钟离鍾離 zhong li
单于單于 chan yu
拓跋 tuo ba
`

var (
	hanSurnames = func() map[rune]hanSurnameSpelling {
		all := map[rune]hanSurnameSpelling{}
		for _, line := range strings.Split(strings.TrimSpace(hanSurnameLines), "\n") {
			f := strings.Fields(line)
			for _, c := range f[0] {
				all[c] = hanSurnameSpelling{pinyin: f[1], others: f[2:]}
			}
		}
		return all
	}()
	hanCompound, hanCompoundOthers = func() (map[string]string, map[string][]string) {
		reading, others := map[string]string{}, map[string][]string{}
		for _, line := range strings.Split(strings.TrimSpace(hanCompoundLines), "\n") {
			f := strings.Fields(line)
			forms := []rune(f[0])
			for i := 0; i+1 < len(forms); i += 2 {
				reading[string(forms[i:i+2])] = f[1] + " " + f[2]
				others[string(forms[i:i+2])] = f[3:]
			}
		}
		return reading, others
	}()
)
