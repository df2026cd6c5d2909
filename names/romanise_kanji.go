package names

import "strings"

// Japanese names in Kanji are read by habit, not by rule: these are the commonest surnames and given names, in the forms
// of Japan (and of old, where they differ), with their usual reading in Hepburn without long vowels.
const (
	kanjiSurnameLines = "佐藤 sato 鈴木 suzuki 高橋 takahashi 髙橋 takahashi 田中 tanaka 伊藤 ito 渡辺 watanabe 渡邊 watanabe 渡邉 watanabe 山本 yamamoto 中村 nakamura 小林 kobayashi " +
		"加藤 kato 吉田 yoshida 山田 yamada 佐々木 sasaki 山口 yamaguchi 松本 matsumoto 井上 inoue 木村 kimura 清水 shimizu 山崎 yamazaki 池田 ikeda 阿部 abe 橋本 hashimoto " +
		"山下 yamashita 石川 ishikawa 中島 nakajima 前田 maeda 藤田 fujita 小川 ogawa 後藤 goto 岡田 okada 長谷川 hasegawa 村上 murakami 近藤 kondo 石井 ishii 斎藤 saito 斉藤 saito 齋藤 saito " +
		"坂本 sakamoto 遠藤 endo 青木 aoki 藤井 fujii 西村 nishimura 福田 fukuda 太田 ota 三浦 miura 岡本 okamoto 藤原 fujiwara 松田 matsuda 中川 nakagawa 中野 nakano 原田 harada 小野 ono " +
		"田村 tamura 竹内 takeuchi 金子 kaneko 和田 wada 中山 nakayama 石田 ishida 上田 ueda 森田 morita 柴田 shibata 酒井 sakai 工藤 kudo 横山 yokoyama 宮崎 miyazaki 宮本 miyamoto 内田 uchida " +
		"高木 takagi 安藤 ando 谷口 taniguchi 大野 ono 丸山 maruyama 今井 imai 高田 takada 藤本 fujimoto 武田 takeda 村田 murata 上野 ueno 杉山 sugiyama 増田 masuda 平野 hirano 大塚 otsuka " +
		"千葉 chiba 久保 kubo 松井 matsui 岩崎 iwasaki 桜井 sakurai 櫻井 sakurai 木下 kinoshita 野口 noguchi 松尾 matsuo 菊地 kikuchi 菊池 kikuchi 野村 nomura 新井 arai 佐野 sano 杉本 sugimoto 古川 furukawa " +
		"島田 shimada 水野 mizuno 小島 kojima 市川 ichikawa 西田 nishida 北村 kitamura 大西 onishi 菅原 sugawara 渡部 watabe 安田 yasuda 吉川 yoshikawa 岸田 kishida 安倍 abe 小泉 koizumi 石破 ishiba 黒田 kuroda 豊田 toyoda 本田 honda 三木 miki " +
		"川上 kawakami 川口 kawaguchi 川崎 kawasaki 永井 nagai 東 higashi 荒木 araki 大島 oshima 平田 hirata 辻 tsuji 星野 hoshino 馬場 baba 秋山 akiyama 浅野 asano 川村 kawamura 矢野 yano 浜田 hamada 濱田 hamada 福島 fukushima 山中 yamanaka 服部 hattori 樋口 higuchi 飯田 iida 五十嵐 igarashi"
	kanjiGivenLines = "太郎 taro 一郎 ichiro 次郎 jiro 二郎 jiro 三郎 saburo 花子 hanako 健二 kenji 健一 kenichi 賢治 kenji 浩 hiroshi 博 hiroshi 弘 hiroshi 誠 makoto 隆 takashi 孝 takashi 聡 satoshi 哲也 tetsuya 和夫 kazuo 一男 kazuo 幸雄 yukio " +
		"茂 shigeru 清 kiyoshi 正 tadashi 勝 masaru 実 minoru 進 susumu 明 akira 昭 akira 義雄 yoshio 直樹 naoki 直人 naoto 英樹 hideki 秀樹 hideki 和也 kazuya 達也 tatsuya 拓也 takuya 大輔 daisuke 健太 kenta 翔太 shota 翔 sho 蓮 ren 大樹 daiki 陽斗 haruto 悠斗 yuto 海斗 kaito 亮 ryo 亮太 ryota 剛 tsuyoshi 学 manabu 修 osamu 勇 isamu 浩二 koji 浩一 koichi 雅人 masato 正人 masato 裕二 yuji 雄一 yuichi 俊介 shunsuke 晋三 shinzo 純一郎 junichiro 文雄 fumio 太一 taichi 智也 tomoya 洋介 yosuke " +
		"恵子 keiko 洋子 yoko 陽子 yoko 幸子 sachiko 和子 kazuko 裕子 yuko 優子 yuko 久美子 kumiko 由美子 yumiko 真理子 mariko 明美 akemi 直美 naomi 真由美 mayumi 智子 tomoko 京子 kyoko 恭子 kyoko 順子 junko 典子 noriko 紀子 noriko 美穂 miho 美咲 misaki 葵 aoi 陽菜 hina 結衣 yui 愛 ai 桜 sakura 恵美 emi 千恵子 chieko 美智子 michiko 節子 setsuko 文子 fumiko 礼子 reiko 玲子 reiko 由紀 yuki 雪 yuki 美紀 miki 香織 kaori 麻衣 mai 彩 aya 綾 aya 愛子 aiko 雅子 masako 佳子 yoshiko 良子 yoshiko"
)

var (
	kanjiSurnames = kanjiTable(kanjiSurnameLines)
	kanjiGiven    = kanjiTable(kanjiGivenLines)
)

// kanjiTable reads pairs of a name and its reading.
func kanjiTable(lines string) map[string]string {
	f := strings.Fields(lines)
	all := make(map[string]string, len(f)/2)
	for i := 0; i+1 < len(f); i += 2 {
		all[f[i]] = f[i+1]
	}
	return all
}

// kanji adds the Japanese reading of a surname, of a given name, or of one after the other.
func (r *reader) kanji(word []rune) {
	text := string(word)
	r.add(kanjiSurnames[text])
	r.add(kanjiGiven[text])
	for n := 1; n <= 3 && n < len(word); n++ {
		if surname, given := kanjiSurnames[string(word[:n])], kanjiGiven[string(word[n:])]; surname != "" && given != "" {
			r.add(surname + given)
		}
	}
}

// kanjiSurname is how many characters of a person's whole name are a Japanese surname: when the rest is a known given
// name too, or the whole is longer than a Chinese name; else 0.
func kanjiSurname(word []rune) int {
	for n := min(3, len(word)-1); n >= 1; n-- {
		if _, ok := kanjiSurnames[string(word[:n])]; !ok {
			continue
		}
		if _, known := kanjiGiven[string(word[n:])]; known || n > 1 && len(word) == 4 {
			return n
		}
	}
	return 0
}
