package sigma

import (
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
)

// Bounds of what is remembered of the texts that a regular expression needs.
const (
	maxChoices = 24 // texts of one choice
	maxNeed    = 48 // bytes of one text
)

// needs is what is known of the texts that a match of a regular expression holds, in folded form.
type needs struct {
	exact []string // every text that can match; nil when they are too many
	some  []string // one of these is part of every match; nil when there is no such choice
}

// best is the better choice of texts of which every match has one: the exact ones, or those of a part.
func (n needs) best() []string {
	if n.exact != nil && rarer(n.exact, n.some) {
		return n.exact
	}
	return n.some
}

// needed is a choice of texts of which every match of the expression has one; nil when there is none.
func needed(tree *syntax.Regexp) []string { return textsOf(tree, 0).best() }

func textsOf(x *syntax.Regexp, depth int) needs {
	if depth > 200 {
		return needs{}
	}
	switch x.Op {
	case syntax.OpLiteral:
		if slices.Contains(x.Rune, unicode.ReplacementChar) {
			return needs{} // stands for bytes that are not UTF-8, too
		}
		s := foldText(string(x.Rune))
		if len(s) > maxNeed {
			return needs{some: []string{clip(s)}}
		}
		return needs{exact: []string{s}}
	case syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText,
		syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return needs{exact: []string{""}}
	case syntax.OpCharClass:
		return needs{exact: classTexts(x.Rune)}
	case syntax.OpCapture:
		return textsOf(x.Sub[0], depth+1)
	case syntax.OpQuest:
		n := textsOf(x.Sub[0], depth+1)
		if n.exact != nil && len(n.exact) < maxChoices {
			return needs{exact: union(n.exact, []string{""})}
		}
	case syntax.OpPlus:
		return needs{some: textsOf(x.Sub[0], depth+1).best()}
	case syntax.OpRepeat:
		if x.Min > 0 {
			return needs{some: textsOf(x.Sub[0], depth+1).best()}
		}
	case syntax.OpConcat:
		return concatTexts(x.Sub, depth)
	case syntax.OpAlternate:
		return alternateTexts(x.Sub, depth)
	}
	return needs{}
}

// clip shortens a text, at the end of a character.
func clip(s string) string {
	return strings.ToValidUTF8(s[:maxNeed], "")
}

// classTexts are the characters of a small class.
func classTexts(ranges []rune) []string {
	count := 0
	for i := 0; i < len(ranges); i += 2 {
		if count += int(ranges[i+1]-ranges[i]) + 1; count > 2*maxChoices {
			return nil
		}
	}
	var out []string
	for i := 0; i < len(ranges); i += 2 {
		for r := ranges[i]; r <= ranges[i+1]; r++ {
			if r >= 0xD800 && r <= 0xDFFF || r == unicode.ReplacementChar {
				return nil // what stands for bytes that are not UTF-8
			}
			out = union(out, []string{foldText(string(r))})
		}
	}
	if len(out) > maxChoices {
		return nil
	}
	return out
}

// concatTexts joins the exact texts of neighbours as long as they stay few, and keeps the best choice on the way.
func concatTexts(subs []*syntax.Regexp, depth int) needs {
	run, all := []string{""}, true
	var best []string
	keep := func(choice []string) {
		if rarer(choice, best) {
			best = choice
		}
	}
	for _, s := range flat(nil, subs) {
		n := textsOf(s, depth+1)
		if n.exact == nil {
			keep(run)
			keep(n.some)
			run, all = []string{""}, false
			continue
		}
		next, fits := product(run, n.exact)
		if !fits {
			keep(run)
			all = false
			next = n.exact
		}
		run = next
	}
	if all {
		return needs{exact: run}
	}
	keep(run)
	return needs{some: best}
}

// flat is a sequence with the sequences in it spelled out.
func flat(out, subs []*syntax.Regexp) []*syntax.Regexp {
	for _, s := range subs {
		for s.Op == syntax.OpCapture {
			s = s.Sub[0]
		}
		if s.Op == syntax.OpConcat {
			out = flat(out, s.Sub)
		} else {
			out = append(out, s)
		}
	}
	return out
}

// product is each text of a followed by each of b, if they are few and short.
func product(a, b []string) (out []string, ok bool) {
	if len(a)*len(b) > maxChoices {
		return nil, false
	}
	for _, x := range a {
		for _, y := range b {
			if len(x)+len(y) > maxNeed {
				return nil, false
			}
			out = append(out, x+y)
		}
	}
	return union(nil, out), true
}

func alternateTexts(subs []*syntax.Regexp, depth int) needs {
	exact, some := []string{}, []string{}
	for _, s := range subs {
		n := textsOf(s, depth+1)
		if n.exact == nil {
			exact = nil
		} else if exact != nil {
			exact = union(exact, n.exact)
		}
		if b := n.best(); b == nil {
			some = nil
		} else if some != nil {
			some = union(some, b)
		}
	}
	if len(exact) > maxChoices {
		exact = nil
	}
	if len(some) > 4*maxChoices {
		some = nil
	}
	return needs{exact: exact, some: some}
}

// union is the texts of both, each once.
func union(a, b []string) []string {
	seen := make(map[string]bool, len(a)+len(b))
	out := make([]string, 0, len(a)+len(b))
	for _, list := range [2][]string{a, b} {
		for _, s := range list {
			if !seen[s] {
				seen[s] = true
				out = append(out, s)
			}
		}
	}
	return out
}

// rarer says whether values hold one of the texts a more seldom than one of b. Nothing, and an empty text, is in every
// value.
func rarer(a, b []string) bool { return chance(a) < chance(b) }

// chance is a guess at how often a value holds one of these texts.
func chance(texts []string) float64 {
	if len(texts) == 0 {
		return 1
	}
	sum := 0.0
	for _, t := range texts {
		sum += textChance(t, false, false)
	}
	return min(sum, 1)
}

// everyday are texts that many values of logs hold, and so their parts.
var everyday = strings.Join([]string{
	`c:\windows\system32\svchost.exe`, `c:\windows\system32\windowspowershell\v1.0\powershell.exe`, `c:\windows\system32\cmd.exe`,
	`c:\windows\syswow64\`, `c:\windows\explorer.exe`, `c:\windows\microsoft.net\framework64\v4.0.30319\`, `c:\windows\system32\services.exe`,
	`c:\program files (x86)\`, `c:\program files\windows defender\`, `c:\users\administrator\appdata\local\temp\`, `appdata\roaming\microsoft\windows\`,
	`c:\windows\system32\wbem\wmiprvse.exe`, `c:\windows\system32\drivers\etc\`, `c:\windows\temp\`, `c:\windows\system32\lsass.exe`, `c:\windows\system32\rundll32.exe`,
	`hklm\software\microsoft\windows\currentversion\policies\`, `hklm\system\currentcontrolset\services\tcpip\parameters\interfaces`, `hkcu\software\classes\`, `hkey_local_machine\`, `hku\s-1-5-21-`,
	`nt authority\system`, `nt authority\network service`, `s-1-5-18`, `https://www.`, `http://`, `function`, `$env:`, `param(`, `return`, `string`, `write-`, `new-object system.`, `get-`, `set-`, `invoke-`,
	`-command`, ` -s `, ` /c `, `.exe`, `.dll`, `.ps1`, `true`, `false`, `valid`, `signed`, `(`, `)`, `{`, `}`, "`", `"`, `'`, `;`, `|`, `$`, `=`, `,`, `user`, `name`, `local`, `.com`, `dword (0x00000000)`, `dword (0x00000001)`, `dword (0x00000002)`, `microsoft corporation`, `c:\windows\system32\ntdll.dll+`, `kernelbase.dll+`, `unknown(`,
	`0x1010`, `0x1410`, `0x1fffff`, `-`,
}, "\n")

// textChance is a guess at how often a value holds a text, or begins or ends with it.
func textChance(s string, begin, end bool) float64 {
	p := 1.6
	for i := 0; i < len(s) && i < 24; i++ {
		if c := s[i]; c >= 'a' && c <= 'z' || c == '\\' || c == ' ' || c == '.' {
			p *= 0.62
		} else {
			p *= 0.4
		}
	}
	if strings.Contains(everyday, s) {
		switch {
		case len(s) < 2:
			p = 0.9
		case len(s) < 4:
			p = max(p, 0.5)
		default:
			p = max(p, 0.25)
		}
	}
	p = min(p, 0.95)
	if begin && end {
		switch {
		case len(s) > 1 && strings.Contains(everyday, s): // true, a whole path
			return 0.3
		case strings.Trim(s, "0123456789") == "":
			return 0.1
		}
		p *= 0.2
	} else if begin || end {
		p *= 0.5
	}
	return p
}
