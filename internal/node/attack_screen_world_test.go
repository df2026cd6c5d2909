package node

import (
	"bytes"
	"compress/zlib"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/stix"
)

// secret is who may read a word: the people of one organisation, or the members of a community that a level lets.
type secret struct {
	owner     string // key of orgs
	community string // "" for what stays with its owner
	level     stix.Marking
	what      string
}

// screened is a place where organisations screen parties, each with words that stand nowhere else.
type screened struct {
	*place
	secrets map[string]secret
	ids     map[string]map[string]string // of organisation: what to its id
	lists   []string                     // names of all lists that anybody sees, shared ones with their alias
}

var canaryWord = regexp.MustCompile(`^(?i)zq[a-z]{9}qz`)

// canaryWords finds the words of a screened place in any text.
func canaryWords(text string) (words []string) {
	for i := 0; i+1 < len(text); i++ {
		if text[i]|0x20 != 'z' || text[i+1]|0x20 != 'q' {
			continue
		}
		if w := canaryWord.FindString(text[i:min(i+64, len(text))]); w != "" {
			words = append(words, w)
			i += len(w) - 1
		}
	}
	return words
}

// word makes one that belongs to nobody else. They are unlike each other, so that no name meets another by chance.
func (x *screened) word(s secret) string {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d %s %s %s", len(x.secrets), s.owner, s.community, s.what)
	n, letters := h.Sum64(), make([]byte, 9)
	for i := range letters {
		letters[i] = "bcdfghklmnprstvw"[n&15]
		if i%2 == 1 {
			letters[i] = "aeiouyao"[n&7]
		}
		n >>= 4
	}
	w := "zq" + string(letters) + "qz"
	x.secrets[w] = s
	return w
}

// may is rule X6 for lists, and that what an organisation asked and knows is its own alone.
func (x *screened) may(reader string, s secret) bool {
	o := strings.TrimSuffix(org(reader), " steward")
	if o == s.owner {
		return true
	}
	members := map[string][]string{x.ring.Alias: {"sharer", "named", "plain", "stew"}, x.other.Alias: {"sharer", "foreign"}}
	return s.community != "" && s.level != stix.Red && slices.Contains(members[s.community], o)
}

// must asks over the API and demands a status.
func (x *screened) must(t *testing.T, as, method, path, kind, body string, status int, into any) {
	t.Helper()
	a := x.ask(ask{as: as, method: method, path: path, kind: kind, body: body})
	if a.status != status {
		t.Fatalf("%s %s as %s: %d %s, want %d", method, path, as, a.status, a.body, status)
	}
	if into != nil {
		if err := json.Unmarshal([]byte(a.body), into); err != nil {
			t.Fatalf("%s %s as %s: %v: %s", method, path, as, err, a.body)
		}
	}
}

const octets = "application/octet-stream"

// entity is a listing in FollowTheMoney, which has a place for every text.
func entity(id, name, alias, note, link string) string {
	b, err := json.Marshal(map[string]any{"id": id, "schema": "Company", "caption": name, "properties": map[string][]string{
		"name": {name}, "alias": {alias}, "notes": {note}, "sourceUrl": {link}, "address": {note + " street"}}})
	return string(must(b, err)) + "\n"
}

func newScreened(t *testing.T) *screened {
	t.Helper()
	x := &screened{place: newPlace(t), secrets: map[string]secret{}, ids: map[string]map[string]string{}}
	for _, o := range []string{"plain", "foreign", "sharer"} {
		x.token(t, x.Accounts, o+" steward", o, polder.RoleSteward, time.Time{})
	}
	for _, o := range []string{"plain", "foreign"} {
		x.keep(t, o)
	}
	x.work(t)
	for _, o := range []string{"plain", "foreign"} {
		x.decide(t, o)
	}
	for _, alias := range []string{x.ring.Alias, x.other.Alias} {
		for _, level := range []stix.Marking{stix.Clear, stix.Green, stix.Amber, stix.AmberStrict, stix.Red} {
			x.shareList(t, alias, level)
		}
	}
	if all, _ := x.screens(t, "left", "Acme"); len(all.Lists) == 0 {
		t.Fatal("who is a member still has no shared list to ask")
	}
	x.leave(t, "left", x.ring)
	return x
}

// work does what the node does by itself while it serves.
func (x *screened) work(t *testing.T) {
	t.Helper()
	ok(t, x.screening.service.Work(t.Context()))
}

// keep gives an organisation a list of its own, a group, a party that is on that list, an answer on record and a batch.
func (x *screened) keep(t *testing.T, o string) {
	t.Helper()
	w := func(what string) string { return x.word(secret{owner: o, what: what}) }
	list, name := w("name of a list"), w("name of a party")
	head := fmt.Sprintf("/api/v1/screen/lists?name=%s&file=own.jsonl&title=%s&source=%s&licence=%s", list, w("title of a list"), w("source of a list"), w("licence of a list"))
	mine := entity("own-1", name+" Handelshuis", w("alias"), w("note of a listing"), "https://"+w("link of a listing")+".example/")
	x.must(t, o+" steward", "POST", head, octets, mine+entity("own-2", w("other listing")+" Drukkerij", "", "", ""), http.StatusCreated, nil)
	x.must(t, o+" steward", "POST", head, octets, mine+entity("own-3", w("listing that came")+" Vervoer", "", "", ""), http.StatusCreated, nil) // two versions differ
	group := "g" + w("name of a group")
	x.must(t, o+" steward", "POST", "/api/v1/screen/groups", jsonKind, fmt.Sprintf(`{"name":%q,"title":%q}`, group, w("title of a group")), http.StatusNoContent, nil)
	ids := map[string]string{"list": list, "group": group}
	x.ids[o] = ids
	x.lists = append(x.lists, list)
	var party struct{ ID string }
	x.must(t, o, "POST", "/api/v1/screen/parties", jsonKind, fmt.Sprintf(`{"group":%q,"query":{"name":"%s Handelshuis","ref":%q,"type":"company"}}`, group, name, w("reference")), http.StatusCreated, &party)
	x.must(t, o, "POST", "/api/v1/screen/parties", jsonKind, fmt.Sprintf(`{"group":"visitors","query":{"name":%q}}`, w("visitor")), http.StatusCreated, nil)
	var kept struct{ Records []struct{ ID string } }
	x.must(t, o, "POST", "/api/v1/screen/records", jsonKind, fmt.Sprintf(`{"queries":[{"name":%q}],"note":%q}`, w("name asked about"), w("note of an answer")), http.StatusCreated, &kept)
	var batch struct{ ID string }
	x.must(t, o, "POST", "/api/v1/screen/batches?name="+w("name of a batch"), octets, "name,ref\n"+w("row of a batch")+","+w("reference in a batch")+"\n"+name+" Handelshuis,\n", http.StatusAccepted, &batch)
	ids["party"], ids["record"], ids["batch"] = party.ID, kept.Records[0].ID, batch.ID
}

// decide says something of what waits.
func (x *screened) decide(t *testing.T, o string) {
	t.Helper()
	var queue struct {
		Reviews []struct {
			ID, Party string
			Version   int
		}
	}
	x.must(t, o, "GET", "/api/v1/screen/reviews", "", "", http.StatusOK, &queue)
	if len(queue.Reviews) != 2 {
		t.Fatalf("%s has %+v to decide, want what the party met and what the batch met", o, queue.Reviews)
	}
	for _, r := range queue.Reviews {
		if r.Party == "" {
			continue
		}
		x.ids[o]["review"] = r.ID
		reason := x.word(secret{owner: o, what: "reason"})
		x.must(t, o, "POST", "/api/v1/screen/reviews/"+r.ID+"/decision", jsonKind, fmt.Sprintf(`{"verdict":"more","reason":"Ask %s in Delft","version":%d}`, reason, r.Version), http.StatusOK, nil)
	}
}

// shareList shares a list of sharer, which names nobody, with a community.
func (x *screened) shareList(t *testing.T, alias string, level stix.Marking) {
	t.Helper()
	w := func(what string) string {
		return x.word(secret{owner: "sharer", community: alias, level: level, what: what})
	}
	list := w("name of a list")
	mine := entity("s-1", w("shared name")+" Scheepsbouw", w("shared alias"), w("shared note"), "https://"+w("shared link")+".example/")
	x.must(t, "sharer steward", "POST", fmt.Sprintf("/api/v1/screen/lists?name=%s&file=s.jsonl&title=%s", list, w("title of a list")), octets, mine, http.StatusCreated, nil)
	tlp := strings.ToLower(strings.TrimPrefix(level.Label(), "TLP:"))
	x.must(t, "sharer", "POST", "/api/v1/screen/lists/"+list+"/share", jsonKind, fmt.Sprintf(`{"community":%q,"tlp":%q,"confirm":true}`, alias, tlp), http.StatusOK, nil)
	x.lists = append(x.lists, alias+"/"+list)
}

// addresses are those that a route of screening is asked at: with the ids of every organisation that has some.
func (x *screened) addresses(pattern string) (out []string) {
	kinds := map[string]string{"/reviews/": "review", "/parties/": "party", "/records/": "record", "/record/": "record", "/batches/": "batch"}
	switch {
	case strings.Contains(pattern, "/lists/{name}"):
		for _, l := range x.lists {
			path := strings.Replace(pattern, "{name}", url.PathEscape(l), 1)
			out = append(out, strings.Replace(path, "{id}", "own-1", 1))
		}
		return out
	case strings.Contains(pattern, "/groups/{name}"):
		for _, o := range []string{"plain", "foreign"} {
			out = append(out, strings.Replace(pattern, "{name}", x.ids[o]["group"], 1))
		}
		return out
	case !strings.Contains(pattern, "{id}"):
		return []string{pattern}
	}
	for at, kind := range kinds {
		if strings.Contains(pattern, at+"{id}") {
			for _, o := range []string{"plain", "foreign"} {
				out = append(out, strings.Replace(pattern, "{id}", x.ids[o][kind], 1))
			}
		}
	}
	return out
}

// plainText is an answer as its reader sees it: with its headers, and what a PDF holds compressed.
func plainText(a answer) string {
	text := a.body
	for k, v := range a.head {
		text += "\n" + k + ": " + strings.Join(v, " ")
	}
	if strings.HasPrefix(a.body, "%PDF") {
		text += pdfText(a.body)
	}
	if decoded, err := url.QueryUnescape(text); err == nil {
		text += decoded
	}
	return text
}

// pdfText is what the streams of a PDF hold, without the zero bytes of its wide letters.
func pdfText(pdf string) string {
	var out strings.Builder
	for _, part := range strings.Split(pdf, "stream")[1:] {
		in, err := zlib.NewReader(strings.NewReader(strings.TrimLeft(part, "\r\n")))
		if err != nil {
			continue
		}
		b, _ := io.ReadAll(in) // what can be read of it
		out.Write(bytes.ReplaceAll(b, []byte{0}, nil))
	}
	return out.String()
}
