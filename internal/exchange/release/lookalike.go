package release

import "unicode"

// lookalikes are letters of other scripts that are drawn like Latin ones, in lower case, in pairs: what is written, and
// what it looks like. A capital counts as its small letter, so that case never matters.
const lookalikes = "аaвbсcԁdеeғfɡgнhіiїiјjкkӏlмmпnоoрpԛqѕsтtуyѵvԝwхxүyһhґrёeѡw" +
	"αaβbεeζzηhιiκkμmνnοoρpτtυyχxϲcϳjωw" +
	"օoսuոnհhցgզqոnօo" +
	"ɑaɩiıiʟlᴀaʙbᴄcᴅdᴇeꜰfɢgʜhɪiᴊjᴋkʟlᴍmɴnᴏoᴘpʀrꜱsᴛtᴜuᴠvᴡwʏyᴢz"

// looks tells what a letter looks like.
var looks = func() map[rune]rune {
	out := map[rune]rune{}
	pairs := []rune(lookalikes)
	for i := 0; i+1 < len(pairs); i += 2 {
		out[pairs[i]] = pairs[i+1]
	}
	return out
}()

// latin is the Latin letter that a small letter looks like, or the digit that one of another script is; else itself.
func latin(r rune) rune {
	if l, ok := looks[r]; ok {
		return l
	}
	if r < unicode.MaxLatin1 || !unicode.IsDigit(r) {
		return r
	}
	n := rune(0)
	for n < 9 && unicode.IsDigit(r-n-1) {
		n++
	}
	return '0' + n
}
