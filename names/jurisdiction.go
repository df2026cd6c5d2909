package names

import "strings"

// formAreas are the legal forms that one country, or a few neighbours of one law, have alone: the area and the forms,
// romanised and without dots and spaces. Forms that many countries have (Ltd, LLC, SA, AS) tell no area.
var formAreas = func() map[string]string {
	areas := map[string]string{}
	for area, forms := range map[string]string{
		"German":     "gmbh ag kg ohg ug gesmbh gmbhcokg ggmbh mbh aktiengesellschaft",
		"Dutch":      "bv nv vof beslotenvennootschap bvba cvba",
		"French":     "sarl sas sasu eurl sci",
		"Spanish":    "sadecv srldecv sapidecv slu sau",
		"Italian":    "srls snc sapa",
		"Polish":     "spzoo spj spk",
		"Czech":      "sro spolsro vos",
		"Hungarian":  "kft zrt nyrt bt",
		"Russian":    "ooo oao zao pao ao nao aoo fgup gup",
		"Ukrainian":  "tov pat prat tzov",
		"Baltic":     "uab sia ou osauhing",
		"South Slav": "doo dooel eood ood ead",
		"Finnish":    "oy oyj",
		"Nordic":     "ab aps ehf asa",
		"Turkish":    "limitedsirketi anonimsirketi ltdsti",
		"Gulf":       "fze fzco fzc fzllc dmcc wll",
		"Malay":      "sdnbhd bhd",
		"Indian":     "pvtltd pvtlimited privatelimited",
		"Singapore":  "pteltd ptelimited pte",
		"Australian": "ptyltd ptylimited proprietarylimited pty",
		"Japanese":   "kk kabushikikaisha godokaisha yugenkaisha",
		"American":   "inc incorporated lllp",
		"British":    "plc llp",
	} {
		for _, form := range strings.Fields(forms) {
			areas[form] = area
		}
	}
	return areas
}()

// otherArea says whether two legal forms are known to be of different countries.
func otherArea(a, b *Word) bool {
	x, y := formAreas[a.Latin], formAreas[b.Latin]
	return x != "" && y != "" && x != y
}

// countries are the countries among the concepts of places, between semicolons.
const countries = ";Afghanistan;Albania;Algeria;Angola;Argentina;Armenia;Australia;Austria;Azerbaijan;Bahrain;Bangladesh;Belarus;" +
	"Belgium;Belize;Bolivia;Bosnia;Brazil;Britain;Bulgaria;Cambodia;Cameroon;Canada;Cayman;Chile;China;Colombia;Congo;Costa Rica;" +
	"Croatia;Cuba;Cyprus;Czechia;Denmark;Egypt;England;Estonia;Ethiopia;Finland;France;Georgia;Germany;Ghana;Gibraltar;Greece;" +
	"Guinea;Hong Kong;Hungary;Iceland;India;Indonesia;Iran;Iraq;Ireland;Israel;Italy;Japan;Jordan;Kazakhstan;Kenya;Korea;" +
	"Kuwait;Kyrgyzstan;Laos;Latvia;Lebanon;Liberia;Libya;Liechtenstein;Lithuania;Luxembourg;Macau;Macedonia;Malaysia;Malta;" +
	"Marshall Islands;Mauritius;Mexico;Moldova;Monaco;Mongolia;Montenegro;Morocco;Myanmar;Netherlands;New Zealand;Nigeria;" +
	"North Korea;Norway;Oman;Pakistan;Palestine;Panama;Paraguay;Peru;Philippines;Poland;Portugal;Qatar;Romania;Russia;" +
	"Saudi Arabia;Scotland;Senegal;Serbia;Seychelles;Singapore;Slovakia;Slovenia;Somalia;South Africa;Spain;Sri Lanka;Sudan;" +
	"Sweden;Switzerland;Syria;Taiwan;Tajikistan;Tanzania;Thailand;Tunisia;Turkey;Turkmenistan;Uganda;Ukraine;" +
	"United Arab Emirates;Uruguay;Uzbekistan;Venezuela;Vietnam;Virgin Islands;Wales;Yemen;Zimbabwe;"

// isCountry says whether a word names a country.
func isCountry(w *Word) bool {
	return w.Kind == Place && w.Concept != 0 && strings.Contains(countries, ";"+w.Concept.String()+";")
}
