package release

import "strings"

// ended are the endings of inflected names, which go with them.
var ended = map[string]bool{"s": true, "es": true, "se": true, "e": true, "en": true, "er": true, "ers": true, "ian": true, "ians": true, "je": true, "jes": true, "tje": true}

// compounds are words with which Dutch, German and English compound a firm's name; they stay. In the singular.
var compounds = map[string]bool{}

func init() {
	for _, w := range strings.Fields(`account admin app backup beheer beheerder bestand bestuur cloud cluster concern crew customer data database dienst directie domain domein employee
		fabriek factory file firewall folder gebouw gebruiker groep group helpdesk hoofdkantoor host intern intranet it ict kantoor klant laptop leverancier locatie login mail mailbox
		mailserver medewerker mitarbeiter map netwerk network netz office partner personeel platform plant portaal portal pc project rapport router server shop site software staff standort
		store support supplier switch systeem system team tenant terrein user vestiging vpn web webmail webshop website wiki wifi`) {
		compounds[w], compounds[w+"s"] = true, true
		compounds[w+"en"], compounds["s"+w] = true, true
	}
}

// longestEnding bounds what is read behind a name.
const longestEnding = 20

// last is the letter with which a term that ends at letter j ends with its inflection; -1 when a word goes on there.
func (k *known) last(letters []letter, j int) int {
	if j+1 == len(letters) {
		return j
	}
	if letters[j+1].before != joined {
		if k.edge(letters, j+1) {
			return j
		}
		return -1
	}
	if k.inflect == none || letters[j].code {
		return -1
	}
	var b strings.Builder
	at := j + 1
	for ; at < len(letters) && letters[at].before == joined; at++ {
		if b.WriteRune(letters[at].rune); b.Len() > longestEnding {
			return -1
		}
	}
	if at < len(letters) && letters[at].before == soft {
		return -1
	}
	switch tail := b.String(); {
	case tail == "s" && (k.length >= 4 || k.length == 3 && k.acronym):
		return at - 1
	case k.inflect == genitive || k.length < 6:
		return -1
	case ended[tail], rune(tail[0]) == letters[j].rune && ended[tail[1:]] && len(tail) > 2: // a consonant is doubled before an ending
		return at - 1
	case compounds[tail]:
		return j
	}
	return -1
}
