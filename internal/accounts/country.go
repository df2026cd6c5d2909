package accounts

import (
	"strings"

	"github.com/polder-exchange/polder"
)

// countries are the assigned codes of ISO 3166-1 alpha-2, and XK, which is user-assigned but widely used.
const countries = " " +
	"AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ " +
	"CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR " +
	"GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP " +
	"KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ " +
	"NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW " +
	"SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ " +
	"UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW "

// cleanCountry checks a country code; empty is allowed and means "not said".
func cleanCountry(s string) (string, error) {
	s = strings.ToUpper(strings.TrimSpace(s))
	if s == "" {
		return "", nil
	}
	if len(s) != 2 || !strings.Contains(countries, " "+s+" ") {
		return "", polder.Errorf(polder.Invalid, "%.20q is no country code; use two letters of ISO 3166-1, such as NL", s)
	}
	return s, nil
}

// sectors are the terms of the STIX 2.1 vocabulary industry-sector-ov.
const sectors = " agriculture aerospace automotive chemical commercial communications construction defense education energy entertainment " +
	"financial-services government emergency-services government-local government-national government-public-services government-regional " +
	"healthcare hospitality-leisure infrastructure dams nuclear water insurance manufacturing mining non-profit pharmaceuticals retail " +
	"technology telecommunications transportation utilities "

// isSector tells whether s is a term of industry-sector-ov.
func isSector(s string) bool {
	return s != "" && !strings.Contains(s, " ") && strings.Contains(sectors, " "+s+" ")
}
