package release

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/stix"
)

// Bounds of a profile.
const (
	MaxFacts      = 10_000 // values of all kinds together
	MaxFact       = 200    // bytes of one
	MaxForbidden  = 100    // rules
	MaxWords      = 500    // forbidden words of all rules together
	MaxExpression = 500    // bytes of a regular expression
	MaxKeep       = 200
)

// Profile is what an organisation set about what leaves it. The zero value takes nothing out and has no walls.
type Profile struct {
	Minimise     Minimise     `json:"minimise"`
	Warninglists Lists        `json:"warninglists"`
	Blind        Blind        `json:"blind"`
	Mark         stix.Marking `json:"mark"`    // of own objects that carry no level, when the share says none
	Highest      stix.Marking `json:"highest"` // nothing stricter leaves; none lets every level out
	Forbidden    []Forbidden  `json:"forbidden"`
	Facts        Facts        `json:"facts"`
	Keep         []string     `json:"keep"` // custom properties and ids of extensions that leave
}

// Minimise says which facts are taken out.
type Minimise struct {
	Names     bool `json:"names"`     // of the organisation
	Staff     bool `json:"staff"`     // of its people
	Addresses bool `json:"addresses"` // postal addresses, phone numbers
	Networks  bool `json:"networks"`  // its IP addresses
	Hosts     bool `json:"hosts"`     // its domains, mail addresses in them, hosts, inner suffixes
	Words     bool `json:"words"`     // projects, products
	Custom    bool `json:"custom"`    // custom properties and unknown extensions that are not on the list to keep
}

// Any tells whether anything is taken out.
func (m Minimise) Any() bool { return m != Minimise{} }

// Lists says what happens to a value that must never become a block.
type Lists string

const (
	ListsTell Lists = "tell" // the sharer is told
	ListsStop Lists = "stop" // it stops, until a person gives a reason
)

// Blind says whose name stands as the creator of what leaves.
type Blind string

const (
	BlindMade  Blind = "made"  // what Polder makes bears the community's blind identity, unless the share says otherwise
	BlindAll   Blind = "all"   // so does a finished object that names the organisation
	BlindNever Blind = "never" // what Polder makes names the organisation
)

// Forbidden is a wall: an object that holds one of its words, or matches its expression, does not leave. People are told
// the label alone.
type Forbidden struct {
	Label      string   `json:"label"`
	Words      []string `json:"words,omitempty"`
	Expression string   `json:"expression,omitempty"` // RE2, in any case
}

// Facts tell who an organisation is.
type Facts struct {
	Names     []string `json:"names"`     // legal, trade and short names
	Staff     []Person `json:"staff"`     // in words, and by mail
	Domains   []string `json:"domains"`   // of mail and web
	Addresses []string `json:"addresses"` // postal
	Phones    []string `json:"phones"`    // with + and country code
	Networks  []string `json:"networks"`  // addresses and blocks
	Hosts     []string `json:"hosts"`
	Suffixes  []string `json:"suffixes"` // of inner names, such as .klepwerk.local
	Words     []string `json:"words"`    // projects, products
}

// Person is one of an organisation's people.
type Person struct {
	Name string `json:"name"`
	Mail string `json:"mail,omitempty"`
}

// And is f with more facts; what stands in both stands once. People beyond [MaxFacts] are left out.
func (f Facts) And(more Facts) Facts {
	both := func(a, b []string) []string {
		out := slices.Clone(a)
		for _, s := range b {
			if !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
		return out
	}
	out := Facts{Names: both(f.Names, more.Names), Domains: both(f.Domains, more.Domains), Addresses: both(f.Addresses, more.Addresses), Phones: both(f.Phones, more.Phones),
		Networks: both(f.Networks, more.Networks), Hosts: both(f.Hosts, more.Hosts), Suffixes: both(f.Suffixes, more.Suffixes), Words: both(f.Words, more.Words), Staff: slices.Clone(f.Staff)}
	have := map[Person]bool{}
	for _, p := range f.Staff {
		have[p] = true
	}
	room := MaxFacts - out.others()
	for _, p := range more.Staff {
		if !have[p] && len(out.Staff) < room {
			out.Staff = append(out.Staff, p)
		}
	}
	return out
}

// others is how many facts are no people.
func (f Facts) others() int {
	return len(f.Names) + len(f.Domains) + len(f.Addresses) + len(f.Phones) + len(f.Networks) + len(f.Hosts) + len(f.Suffixes) + len(f.Words)
}

// Default is the profile of an organisation that set none.
func Default() Profile {
	return Profile{Warninglists: ListsTell, Blind: BlindMade}
}

// Check says what is wrong with a profile, by the name of the field.
func (p *Profile) Check() error {
	if p.Warninglists == "" {
		p.Warninglists = ListsTell
	}
	if p.Blind == "" {
		p.Blind = BlindMade
	}
	switch {
	case p.Warninglists != ListsTell && p.Warninglists != ListsStop:
		return fmt.Errorf("warninglists: %q is unknown; use tell or stop", clip(string(p.Warninglists)))
	case p.Blind != BlindMade && p.Blind != BlindAll && p.Blind != BlindNever:
		return fmt.Errorf("blind: %q is unknown; use made, all or never", clip(string(p.Blind)))
	case len(p.Keep) > MaxKeep:
		return fmt.Errorf("keep: %d properties; at most %d", len(p.Keep), MaxKeep)
	case p.Highest != stix.None && p.Mark > p.Highest:
		return fmt.Errorf("mark: %s is stricter than the highest level, %s", p.Mark.Label(), p.Highest.Label())
	}
	for i, k := range p.Keep {
		if k == "" || len(k) > 250 || strings.ContainsAny(k, " \t\n") {
			return fmt.Errorf("keep[%d]: %q is no property and no extension; write names such as x_risk or extension-definition--…", i, clip(k))
		}
	}
	if err := p.Facts.Check(); err != nil {
		return err
	}
	return checkForbidden(p.Forbidden)
}

func clip(s string) string {
	if len(s) <= 60 {
		return s
	}
	n := 60
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// Check says what is wrong with facts, by the name of the field.
func (f Facts) Check() error {
	for _, list := range []struct {
		name   string
		values []string
		check  func(string) error
	}{
		{"names", f.Names, atLeast(2)}, {"domains", f.Domains, checkDomain}, {"addresses", f.Addresses, atLeast(4)}, {"phones", f.Phones, checkPhone},
		{"networks", f.Networks, checkNetwork}, {"hosts", f.Hosts, atLeast(2)}, {"suffixes", f.Suffixes, checkSuffix}, {"words", f.Words, atLeast(2)},
	} {
		for i, v := range list.values {
			if err := bounded(v, list.check); err != nil {
				return fmt.Errorf("facts.%s[%d]: %w", list.name, i, err)
			}
		}
	}
	for i, p := range f.Staff {
		if err := bounded(p.Name, atLeast(2)); err != nil {
			return fmt.Errorf("facts.staff[%d].name: %w", i, err)
		}
		if _, err := indicator.Normalise(indicator.Email, p.Mail); p.Mail != "" && err != nil {
			return fmt.Errorf("facts.staff[%d].mail: %w", i, err)
		}
	}
	if n := len(f.Staff) + f.others(); n > MaxFacts {
		return fmt.Errorf("facts: %d values; at most %d are looked for", n, MaxFacts)
	}
	return nil
}

func bounded(v string, check func(string) error) error {
	if len(v) > MaxFact || !utf8.ValidString(v) {
		return fmt.Errorf("%q is longer than %d bytes, or no text", clip(v), MaxFact)
	}
	return check(v)
}

// atLeast asks for some letters, and for more than a word that stands in for facts.
func atLeast(letters int) func(string) error {
	return func(v string) error {
		w := words(v)
		if utf8.RuneCountInString(strings.ReplaceAll(w, " ", "")) < letters {
			return fmt.Errorf("%q is too short to be found without finding everything; give at least %d letters or digits", clip(v), letters)
		}
		if slices.Contains(neutral, "["+w+"]") {
			return fmt.Errorf("%q is a word that stands in for what is taken out; leave it out", clip(v))
		}
		return nil
	}
}

func checkDomain(v string) error {
	_, err := indicator.Normalise(indicator.Domain, v)
	return err
}

func checkSuffix(v string) error {
	if _, err := indicator.Normalise(indicator.Domain, "host."+strings.TrimPrefix(v, ".")); err != nil {
		return fmt.Errorf("%q is not the end of a host's name; write one such as .klepwerk.local", clip(v))
	}
	return nil
}

func checkPhone(v string) error {
	if digits := digitsOf(v); !strings.HasPrefix(strings.TrimSpace(v), "+") || len(digits) < 7 || len(digits) > 15 {
		return fmt.Errorf("%q is not a phone number with its country; write one such as +31 40 123 45 67", clip(v))
	}
	return nil
}

func checkNetwork(v string) error {
	if _, err := readNetwork(v); err != nil {
		return fmt.Errorf("%q is no address and no block; write one such as 198.51.100.0/24 or 2001:db8::/32", clip(v))
	}
	return nil
}

func readNetwork(v string) (netip.Prefix, error) {
	v = strings.TrimSpace(v)
	if a, err := netip.ParseAddr(v); err == nil {
		a = a.Unmap().WithZone("")
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(v)
	return p.Masked(), err
}

func checkForbidden(list []Forbidden) error {
	if len(list) > MaxForbidden {
		return fmt.Errorf("forbidden: %d rules; at most %d", len(list), MaxForbidden)
	}
	n := 0
	labels := map[string]bool{}
	for i, f := range list {
		n += len(f.Words)
		if err := f.check(); err != nil {
			return fmt.Errorf("forbidden[%d]: %w", i, err)
		}
		if labels[f.Label] {
			return fmt.Errorf("forbidden[%d]: label %q is used twice; give each rule its own", i, clip(f.Label))
		}
		labels[f.Label] = true
	}
	if n > MaxWords {
		return fmt.Errorf("forbidden: %d words; at most %d", n, MaxWords)
	}
	return nil
}

// check holds a label to tell nothing of what it forbids. Its errors never repeat a word.
func (f Forbidden) check() error {
	switch {
	case strings.TrimSpace(f.Label) == "" || len(f.Label) > 100:
		return fmt.Errorf("label: is empty or longer than 100 bytes; say in a few words what the rule protects")
	case len(f.Words) == 0 && f.Expression == "":
		return fmt.Errorf("gives neither words nor an expression")
	case len(f.Expression) > MaxExpression:
		return fmt.Errorf("expression: is longer than %d bytes", MaxExpression)
	}
	for j, w := range f.Words {
		if len(w) > MaxFact || atLeast(2)(w) != nil {
			return fmt.Errorf("words[%d]: has fewer than 2 letters or more than %d bytes, or is a word that stands in for what is taken out", j, MaxFact)
		}
	}
	if f.Expression != "" {
		re, err := regexp.Compile("(?i:" + f.Expression + ")")
		if err != nil || re.NumSubexp() > 50 {
			return fmt.Errorf("expression: is not a regular expression of RE2")
		}
		if re.MatchString("") {
			return fmt.Errorf("expression: matches the empty text, so that nothing would leave")
		}
		if re.MatchString(f.Label) {
			return fmt.Errorf("label: tells what the rule forbids; name what it protects instead")
		}
	}
	if len(forbiddenFinder([]Forbidden{f}).find(f.Label)) > 0 {
		return fmt.Errorf("label: tells what the rule forbids; name what it protects instead")
	}
	return nil
}
