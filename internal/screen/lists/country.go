package lists

import (
	"slices"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// countryTable holds, a line a country: its ISO 3166-1 alpha-2 and alpha-3 codes and its names in English, official,
// usual and former, parted by |. Word order, accents, "the", "of" and "and" do not matter. Places that have a code of their own in use (XK) are there too.
const countryTable = `
AD AND Andorra|Principality of Andorra
AE ARE United Arab Emirates|UAE|U.A.E.|Emirates|Dubai|Abu Dhabi
AF AFG Afghanistan|Islamic Republic of Afghanistan|Islamic Emirate of Afghanistan
AG ATG Antigua and Barbuda|Antigua
AI AIA Anguilla
AL ALB Albania|Republic of Albania
AM ARM Armenia|Republic of Armenia
AN ANT Netherlands Antilles
AO AGO Angola|Republic of Angola
AQ ATA Antarctica
AR ARG Argentina|Argentine Republic
AS ASM American Samoa
AT AUT Austria|Republic of Austria
AU AUS Australia|Commonwealth of Australia
AW ABW Aruba
AX ALA Åland Islands|Aland
AZ AZE Azerbaijan|Republic of Azerbaijan
BA BIH Bosnia and Herzegovina|Bosnia|Bosnia-Herzegovina|Bosnia Hercegovina
BB BRB Barbados
BD BGD Bangladesh|People's Republic of Bangladesh
BE BEL Belgium|Kingdom of Belgium
BF BFA Burkina Faso|Upper Volta
BG BGR Bulgaria|Republic of Bulgaria
BH BHR Bahrain|Kingdom of Bahrain
BI BDI Burundi|Republic of Burundi
BJ BEN Benin|Republic of Benin|Dahomey
BL BLM Saint Barthélemy|St. Barthelemy
BM BMU Bermuda
BN BRN Brunei|Brunei Darussalam
BO BOL Bolivia|Plurinational State of Bolivia|Bolivia (Plurinational State of)
BQ BES Bonaire, Sint Eustatius and Saba|Bonaire|Caribbean Netherlands
BR BRA Brazil|Federative Republic of Brazil|Brasil
BS BHS Bahamas|Commonwealth of the Bahamas
BT BTN Bhutan|Kingdom of Bhutan
BV BVT Bouvet Island
BW BWA Botswana|Republic of Botswana
BY BLR Belarus|Republic of Belarus|Byelorussia
BZ BLZ Belize
CA CAN Canada
CC CCK Cocos (Keeling) Islands|Cocos Islands
CD COD Democratic Republic of the Congo|DRC|DR Congo|D.R. Congo|Congo (Kinshasa)|Congo Dem Rep|Zaire
CF CAF Central African Republic|CAR
CG COG Congo|Republic of the Congo|Congo (Brazzaville)|Congo Rep
CH CHE Switzerland|Swiss Confederation
CI CIV Côte d'Ivoire|Cote d Ivoire|Ivory Coast|Republic of Côte d'Ivoire
CK COK Cook Islands
CL CHL Chile|Republic of Chile
CM CMR Cameroon|Republic of Cameroon
CN CHN China|People's Republic of China|PRC|P.R. China|PR China|P.R.C.|Mainland China|Peoples R China
CO COL Colombia|Republic of Colombia
CR CRI Costa Rica|Republic of Costa Rica
CU CUB Cuba|Republic of Cuba
CV CPV Cape Verde|Cabo Verde|Republic of Cabo Verde
CW CUW Curaçao|Curacao
CX CXR Christmas Island
CY CYP Cyprus|Republic of Cyprus
CZ CZE Czech Republic|Czechia
DE DEU Germany|Federal Republic of Germany|Deutschland
DJ DJI Djibouti|Republic of Djibouti
DK DNK Denmark|Kingdom of Denmark
DM DMA Dominica|Commonwealth of Dominica
DO DOM Dominican Republic
DZ DZA Algeria|People's Democratic Republic of Algeria
EC ECU Ecuador|Republic of Ecuador
EE EST Estonia|Republic of Estonia
EG EGY Egypt|Arab Republic of Egypt
EH ESH Western Sahara
ER ERI Eritrea|State of Eritrea
ES ESP Spain|Kingdom of Spain
ET ETH Ethiopia|Federal Democratic Republic of Ethiopia
FI FIN Finland|Republic of Finland
FJ FJI Fiji|Republic of Fiji
FK FLK Falkland Islands|Falkland Islands (Malvinas)
FM FSM Micronesia|Federated States of Micronesia
FO FRO Faroe Islands|Faeroe Islands
FR FRA France|French Republic
GA GAB Gabon|Gabonese Republic
GB GBR United Kingdom|UK|U.K.|Great Britain|Britain|England|Scotland|Wales|Northern Ireland|United Kingdom of Great Britain and Northern Ireland
GD GRD Grenada
GE GEO Georgia|Republic of Georgia
GF GUF French Guiana
GG GGY Guernsey|Bailiwick of Guernsey
GH GHA Ghana|Republic of Ghana
GI GIB Gibraltar
GL GRL Greenland
GM GMB Gambia|Republic of the Gambia
GN GIN Guinea|Republic of Guinea|Guinea Conakry
GP GLP Guadeloupe
GQ GNQ Equatorial Guinea|Republic of Equatorial Guinea
GR GRC Greece|Hellenic Republic
GS SGS South Georgia and the South Sandwich Islands
GT GTM Guatemala|Republic of Guatemala
GU GUM Guam
GW GNB Guinea-Bissau|Republic of Guinea-Bissau
GY GUY Guyana|Co-operative Republic of Guyana
HK HKG Hong Kong|Hong Kong SAR|Hong Kong, China|China, Hong Kong|Hongkong|Hong Kong Special Administrative Region|China, Hong Kong Special Administrative Region
HM HMD Heard Island and McDonald Islands
HN HND Honduras|Republic of Honduras
HR HRV Croatia|Republic of Croatia
HT HTI Haiti|Republic of Haiti
HU HUN Hungary
ID IDN Indonesia|Republic of Indonesia
IE IRL Ireland|Republic of Ireland|Eire
IL ISR Israel|State of Israel
IM IMN Isle of Man|Man, Isle of
IN IND India|Republic of India
IO IOT British Indian Ocean Territory
IQ IRQ Iraq|Republic of Iraq
IR IRN Iran|Islamic Republic of Iran|Iran (Islamic Republic of)
IS ISL Iceland|Republic of Iceland
IT ITA Italy|Italian Republic
JE JEY Jersey|Bailiwick of Jersey
JM JAM Jamaica
JO JOR Jordan|Hashemite Kingdom of Jordan
JP JPN Japan
KE KEN Kenya|Republic of Kenya
KG KGZ Kyrgyzstan|Kyrgyz Republic
KH KHM Cambodia|Kingdom of Cambodia|Kampuchea
KI KIR Kiribati
KM COM Comoros|Union of the Comoros
KN KNA Saint Kitts and Nevis|St. Kitts and Nevis|St Kitts
KP PRK North Korea|Democratic People's Republic of Korea|DPRK|D.P.R.K.|Korea DPR|Korea (Democratic People's Republic of)
KR KOR South Korea|Republic of Korea|ROK|Korea|Korea Rep
KW KWT Kuwait|State of Kuwait
KY CYM Cayman Islands|Caymans
KZ KAZ Kazakhstan|Republic of Kazakhstan
LA LAO Laos|Lao People's Democratic Republic|Lao PDR
LB LBN Lebanon|Lebanese Republic
LC LCA Saint Lucia|St. Lucia
LI LIE Liechtenstein|Principality of Liechtenstein
LK LKA Sri Lanka|Ceylon
LR LBR Liberia|Republic of Liberia
LS LSO Lesotho|Kingdom of Lesotho
LT LTU Lithuania|Republic of Lithuania
LU LUX Luxembourg|Grand Duchy of Luxembourg|Luxemburg
LV LVA Latvia|Republic of Latvia
LY LBY Libya|State of Libya|Libyan Arab Jamahiriya|Libya Arab Jamahiriya
MA MAR Morocco|Kingdom of Morocco
MC MCO Monaco|Principality of Monaco
MD MDA Moldova|Republic of Moldova|Moldova, Republic of
ME MNE Montenegro
MF MAF Saint Martin (French part)|St. Martin
MG MDG Madagascar|Republic of Madagascar
MH MHL Marshall Islands|Republic of the Marshall Islands
MK MKD North Macedonia|Republic of North Macedonia|Macedonia|Former Yugoslav Republic of Macedonia|FYROM
ML MLI Mali|Republic of Mali
MM MMR Myanmar|Burma|Republic of the Union of Myanmar|Union of Myanmar|Myanmar (Burma)|Burma (Myanmar)
MN MNG Mongolia
MO MAC Macao|Macau|Macao SAR|Macau SAR|China, Macao|Macau, China|China, Macao Special Administrative Region
MP MNP Northern Mariana Islands
MQ MTQ Martinique
MR MRT Mauritania|Islamic Republic of Mauritania
MS MSR Montserrat
MT MLT Malta|Republic of Malta
MU MUS Mauritius|Republic of Mauritius
MV MDV Maldives|Republic of Maldives
MW MWI Malawi|Republic of Malawi
MX MEX Mexico|United Mexican States
MY MYS Malaysia
MZ MOZ Mozambique|Republic of Mozambique
NA NAM Namibia|Republic of Namibia
NC NCL New Caledonia
NE NER Niger|Republic of the Niger
NF NFK Norfolk Island
NG NGA Nigeria|Federal Republic of Nigeria
NI NIC Nicaragua|Republic of Nicaragua
NL NLD Netherlands|The Netherlands|Holland|Kingdom of the Netherlands|Netherlands (Kingdom of the)
NO NOR Norway|Kingdom of Norway
NP NPL Nepal|Federal Democratic Republic of Nepal
NR NRU Nauru
NU NIU Niue
NZ NZL New Zealand
OM OMN Oman|Sultanate of Oman
PA PAN Panama|Republic of Panama
PE PER Peru|Republic of Peru
PF PYF French Polynesia
PG PNG Papua New Guinea
PH PHL Philippines|Republic of the Philippines
PK PAK Pakistan|Islamic Republic of Pakistan
PL POL Poland|Republic of Poland
PM SPM Saint Pierre and Miquelon
PN PCN Pitcairn|Pitcairn Islands
PR PRI Puerto Rico
PS PSE Palestine|State of Palestine|Palestinian|Palestinian Territories|Occupied Palestinian Territory|Occupied Palestinian Territories|Palestinian Territory Occupied|West Bank|Gaza|Gaza Strip|Northern Gaza|North Gaza|West Bank and Gaza
PT PRT Portugal|Portuguese Republic
PW PLW Palau|Republic of Palau
PY PRY Paraguay|Republic of Paraguay
QA QAT Qatar|State of Qatar
RE REU Réunion|Reunion
RO ROU Romania
RS SRB Serbia|Republic of Serbia
RU RUS Russia|Russian Federation|The Russian Federation
RW RWA Rwanda|Republic of Rwanda
SA SAU Saudi Arabia|Kingdom of Saudi Arabia|KSA
SB SLB Solomon Islands
SC SYC Seychelles|Republic of Seychelles
SD SDN Sudan|Republic of the Sudan|The Sudan
SE SWE Sweden|Kingdom of Sweden
SG SGP Singapore|Republic of Singapore
SH SHN Saint Helena, Ascension and Tristan da Cunha|Saint Helena|St. Helena
SI SVN Slovenia|Republic of Slovenia
SJ SJM Svalbard and Jan Mayen
SK SVK Slovakia|Slovak Republic
SL SLE Sierra Leone|Republic of Sierra Leone
SM SMR San Marino|Republic of San Marino
SN SEN Senegal|Republic of Senegal
SO SOM Somalia|Federal Republic of Somalia
SR SUR Suriname|Surinam
SS SSD South Sudan|Republic of South Sudan
ST STP Sao Tome and Principe|São Tomé and Príncipe
SV SLV El Salvador|Republic of El Salvador
SX SXM Sint Maarten|Sint Maarten (Dutch part)
SY SYR Syria|Syrian Arab Republic
SZ SWZ Eswatini|Swaziland|Kingdom of Eswatini
TC TCA Turks and Caicos Islands|Turks and Caicos
TD TCD Chad|Republic of Chad
TF ATF French Southern Territories
TG TGO Togo|Togolese Republic
TH THA Thailand|Kingdom of Thailand
TJ TJK Tajikistan|Republic of Tajikistan
TK TKL Tokelau
TL TLS Timor-Leste|East Timor
TM TKM Turkmenistan
TN TUN Tunisia|Republic of Tunisia
TO TON Tonga|Kingdom of Tonga
TR TUR Turkey|Türkiye|Turkiye|Republic of Türkiye|Republic of Turkey
TT TTO Trinidad and Tobago|Trinidad
TV TUV Tuvalu
TW TWN Taiwan|Taiwan, Province of China|Republic of China|ROC|Chinese Taipei|Taiwan, China|China, Taiwan
TZ TZA Tanzania|United Republic of Tanzania|Tanzania, United Republic of
UA UKR Ukraine
UG UGA Uganda|Republic of Uganda
UM UMI United States Minor Outlying Islands
US USA United States|United States of America|U.S.|U.S.A.|America
UY URY Uruguay|Oriental Republic of Uruguay|Eastern Republic of Uruguay
UZ UZB Uzbekistan|Republic of Uzbekistan
VA VAT Holy See|Vatican|Vatican City|Vatican City State|Holy See (Vatican City State)
VC VCT Saint Vincent and the Grenadines|St. Vincent and the Grenadines|St Vincent
VE VEN Venezuela|Bolivarian Republic of Venezuela|Venezuela (Bolivarian Republic of)
VG VGB British Virgin Islands|Virgin Islands, British|BVI|Virgin Islands (UK)
VI VIR Virgin Islands, U.S.|US Virgin Islands|United States Virgin Islands
VN VNM Vietnam|Viet Nam|Socialist Republic of Vietnam|Socialist Republic of Viet Nam
VU VUT Vanuatu|Republic of Vanuatu
WF WLF Wallis and Futuna
WS WSM Samoa|Independent State of Samoa|Western Samoa
XK XKX Kosovo|Republic of Kosovo
YE YEM Yemen|Republic of Yemen
YT MYT Mayotte
ZA ZAF South Africa|Republic of South Africa|RSA
ZM ZMB Zambia|Republic of Zambia
ZW ZWE Zimbabwe|Republic of Zimbabwe|Rhodesia
`

// countries finds the alpha-2 code of a code or a folded name.
var countries = sync.OnceValue(func() map[string]string {
	out := map[string]string{"EL": "GR", "UK": "GB"}
	for line := range strings.Lines(strings.TrimSpace(countryTable)) {
		line = strings.TrimSpace(line)
		code := line[:2]
		out[code], out[line[3:6]] = code, code
		for name := range strings.SplitSeq(line[7:], "|") {
			out[countryKey(name)] = code
		}
	}
	return out
})

// Country is the ISO 3166-1 alpha-2 code of a country that is given by its code or by a name in English, in any word
// order and with any accents; a text that names none is returned as it is, and a word for "not known" as "".
func Country(s string) string {
	s = clean(s)
	known := countries()
	if len(s) <= 3 {
		if code, ok := known[strings.ToUpper(s)]; ok {
			return code
		}
	}
	if code, ok := known[countryKey(s)]; ok {
		return code
	}
	lower := strings.ToLower(s)
	switch lower {
	case "", "-", "--", "n/a", "none", "null", "unknown", "none identified", "undetermined", "not known", "unspecified", "zz", "xx", "00":
		return ""
	}
	if rest, ok := strings.CutPrefix(lower, "region: "); ok {
		if code, ok := known[countryKey(rest)]; ok {
			return code
		}
	}
	return s
}

// countryKey is a country's name without accents, marks, small words and order.
func countryKey(s string) string {
	var out strings.Builder
	for _, r := range norm.NFD.String(strings.ToLower(s)) {
		switch {
		case unicode.Is(unicode.Mn, r) || r == '\'' || r == '’' || r == '‘' || r == '`' || r == '.':
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			out.WriteRune(r)
		default:
			out.WriteByte(' ')
		}
	}
	words := strings.Fields(out.String())
	words = slices.DeleteFunc(words, func(w string) bool { return w == "the" || w == "of" || w == "and" })
	for i, w := range words {
		if w == "st" {
			words[i] = "saint"
		}
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}
