package lists

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/testdata"
)

// refused reads text and wants an error that names the file and says these words.
func refused(t *testing.T, file, text string, words ...string) {
	t.Helper()
	l, err := Read(file, strings.NewReader(text), ReadOptions{})
	if err == nil {
		t.Fatalf("read %d entries, want an error with %q", l.Entries, words)
	}
	if k := polder.KindOf(err); k != polder.Invalid && k != polder.TooLarge {
		t.Errorf("%v is of the kind %v", err, k)
	}
	for _, w := range append(words, file) {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q does not say %q", err, w)
		}
	}
}

// TestS40HostileXML (S40): what a lenient reader of XML lets pass is refused, with the line.
func TestS40HostileXML(t *testing.T) {
	const open, end = `<?xml version="1.0"?>` + "\n", `<INDIVIDUALS><INDIVIDUAL><DATAID>1</DATAID><FIRST_NAME>A</FIRST_NAME></INDIVIDUAL></INDIVIDUALS></CONSOLIDATED_LIST>`
	for name, c := range map[string]struct{ text, says string }{
		"DOCTYPE":                 {open + `<!DOCTYPE CONSOLIDATED_LIST [<!ENTITY x "y">]><CONSOLIDATED_LIST>` + end, "un.xml:2: a DOCTYPE"},
		"external entity":         {open + `<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><CONSOLIDATED_LIST>` + end, "DOCTYPE"},
		"entity without DOCTYPE":  {open + `<CONSOLIDATED_LIST><INDIVIDUALS><INDIVIDUAL><DATAID>1</DATAID><FIRST_NAME>&boom;</FIRST_NAME></INDIVIDUAL></INDIVIDUALS></CONSOLIDATED_LIST>`, "un.xml:2: an entity"},
		"a second root":           {open + `<CONSOLIDATED_LIST>` + end + "\n<CONSOLIDATED_LIST/>", "un.xml:3: a second root"},
		"text behind the root":    {open + `<CONSOLIDATED_LIST>` + end + "\nhello", "un.xml:3: text outside the root"},
		"text before the root":    {"<?xml version=\"1.0\"?>hello<CONSOLIDATED_LIST>" + end, "un.xml"},
		"one element twice":       {open + `<CONSOLIDATED_LIST><INDIVIDUALS><INDIVIDUAL><DATAID>1</DATAID><DATAID>2</DATAID></INDIVIDUAL></INDIVIDUALS></CONSOLIDATED_LIST>`, "a second <DATAID>"},
		"one section twice":       {open + `<CONSOLIDATED_LIST><INDIVIDUALS></INDIVIDUALS><INDIVIDUALS></INDIVIDUALS></CONSOLIDATED_LIST>`, "a second <INDIVIDUALS>"},
		"one attribute twice":     {open + `<CONSOLIDATED_LIST dateGenerated="2026-01-01" dateGenerated="2020-01-01">` + end, "the attribute dateGenerated twice"},
		"nested too deep":         {open + `<CONSOLIDATED_LIST>` + strings.Repeat("<a>", 70) + strings.Repeat("</a>", 70) + end, "nested deeper than 64"},
		"nested deep in a record": {open + `<CONSOLIDATED_LIST><INDIVIDUALS><INDIVIDUAL>` + strings.Repeat("<a>", 100_000), "nested deeper than 64"},
		"crossed tags":            {open + `<CONSOLIDATED_LIST><INDIVIDUALS></CONSOLIDATED_LIST></INDIVIDUALS>`, "closes what is not open"},
		"half a file":             {open + `<CONSOLIDATED_LIST><INDIVIDUALS><INDIVIDUAL><DATAID>1</DATAID><FIRST_NA`, "the file ends in the middle"},
		"the first half only":     {open + `<CONSOLIDATED_LIST><INDIVIDUALS><INDIVIDUAL><DATAID>1</DATAID><FIRST_NAME>A</FIRST_NAME></INDIVIDUAL>`, "cut off"},
	} {
		t.Run(name, func(t *testing.T) { refused(t, "un.xml", c.text, c.says) })
	}
}

// TestS40HostileJSON (S40): keys twice, keys in two cases, and anything behind an object are refused, with the line.
func TestS40HostileJSON(t *testing.T) {
	const good = `{"id":"1","list":"SDN","name":"A B","aliases":[],"programs":"x"}` + "\n"
	for name, c := range map[string]struct{ text, says string }{
		"a key twice":           {good + `{"id":"2","id":"3","list":"","name":"A B","aliases":[]}`, "list.jsonl:2:"},
		"a key in two cases":    {good + `{"id":"2","ID":"3","list":"","name":"A B","aliases":[]}`, "list.jsonl:2: the key ID twice"},
		"two objects on a line": {good + `{"id":"2","name":"A B"} {"id":"3","name":"C D"}`, "list.jsonl:2:"},
		"text behind":           {good + good + "hello", "list.jsonl:3:"},
		"a name that is a list": {good + `{"id":"2","name":["A","B"]}`, "list.jsonl:2:"},
		"half an object":        {good + `{"id":"2","name":"A`, "list.jsonl:2: the file ends in the middle"},
		"an object over lines":  {good + "{\"id\":\"2\",\n\"name\":\"A\"}\n", "one JSON object a line"},
		"too deep":              {good + `{"id":"2","x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, "nested deeper than 64"},
		"not UTF-8":             {good + "{\"id\":\"2\",\"name\":\"\xc3\xa9 \xff\"}", "list.jsonl:2:"},
		"array with a tail":     {`[{"statementId":"s","recordType":"entity","recordDetails":{"name":"A"},"recordId":"1"}] []`, "list.jsonl:1:"},
		"array cut off":         {"[\n" + `{"statementId":"s","recordType":"entity","recordDetails":{"name":"A"},"recordId":"1"},`, "cut off"},
		"a page of results":     {`{"total": 25921, "results": [{"id":"1","source":"Entity List (EL)","name":"A B"}]}`, "1 of 25921 parties"},
	} {
		t.Run(name, func(t *testing.T) { refused(t, "list.jsonl", c.text, c.says) })
	}
}

// sound says what is wrong with a list that was read; "" when it keeps what lists promise.
func sound(l *List) string {
	ids := map[string]bool{}
	n := 0
	for _, e := range l.Parties {
		n += 1 + len(e.Aliases)
		switch {
		case e.ID == "" || e.Name == "" || ids[e.ID]:
			return fmt.Sprintf("entry %q, name %q, id twice %v", e.ID, e.Name, ids[e.ID])
		case utf8.RuneCountInString(e.Name) > maxName || len(e.Note) > maxNote || len(e.Aliases) > maxAliases:
			return fmt.Sprintf("entry %q is larger than an entry may be", e.ID)
		case e.URL != "" && webAddress(e.URL) == "":
			return "a link that is none: " + e.URL
		}
		for _, s := range append([]string{e.ID, e.Name, e.Note, e.Means}, e.Addresses...) {
			if !utf8.ValidString(s) || strings.ContainsAny(s, "\x00\n\r\x1b") {
				return fmt.Sprintf("entry %q holds %q", e.ID, s)
			}
		}
		ids[e.ID] = true
	}
	if l.Entries != len(l.Parties) || l.Names != n || l.Entries == 0 {
		return fmt.Sprintf("%d entries and %d names, counted %d and %d", l.Entries, l.Names, len(l.Parties), n)
	}
	return ""
}

// TestS41BrokenFiles (S41): each sample, cut off at every place, with flipped bits, and spliced with another: an error
// that names the file, or a sound list that is not longer; never a panic.
func TestS41BrokenFiles(t *testing.T) {
	for _, c := range golden {
		if !strings.Contains(c.file, ".") {
			continue
		}
		whole, err := os.ReadFile(filepath.Join("testdata", "forms", filepath.FromSlash(c.file)))
		if err != nil {
			t.Fatal(err)
		}
		full, err := sample(t, c.file)
		if err != nil {
			t.Fatal(err)
		}
		try := func(how string, data []byte) {
			l, err := Read("broken", bytes.NewReader(data), ReadOptions{})
			switch {
			case err != nil && !strings.HasPrefix(err.Error(), "broken"):
				t.Errorf("%s %s: %v does not name the file", c.file, how, err)
			case err == nil && sound(l) != "":
				t.Errorf("%s %s: %s", c.file, how, sound(l))
			case err == nil && strings.HasPrefix(how, "cut") && l.Entries > full.Entries+1:
				t.Errorf("%s %s: %d entries of %d", c.file, how, l.Entries, full.Entries)
			}
		}
		step := max(1, len(whole)/100)
		for at := 0; at < len(whole); at += step {
			try(fmt.Sprintf("cut at %d", at), whole[:at])
			flipped := slices.Clone(whole)
			flipped[at] ^= 1 << (at % 8)
			try(fmt.Sprintf("bit flipped at %d", at), flipped)
			try(fmt.Sprintf("spliced at %d", at), append(slices.Clone(whole[:at]), whole[len(whole)-at:]...))
		}
	}
}

// TestS41RealFilesCut (S41): the real lists, cut off within a record, are refused with the place.
func TestS41RealFilesCut(t *testing.T) {
	for file, at := range map[string]int{"UN_consolidated.xml": 1_000_000, "us_csl.jsonl": 5_000_007} {
		data, err := os.ReadFile(testdata.File(t, "screen", file))
		if err != nil {
			t.Fatal(err)
		}
		refused(t, file, string(data[:at]), "cut off")
	}
}

// TestS41Memory (S41): what is kept of a list is at most eight times its file.
func TestS41Memory(t *testing.T) {
	for _, file := range []string{"us_csl.jsonl", "UN_consolidated.xml", "us_ofac_2023/sdn.csv"} {
		path := testdata.File(t, "screen", file)
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		l, err := ReadPath(path, ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		times := (float64(after.HeapAlloc) - float64(before.HeapAlloc)) / float64(info.Size())
		t.Logf("%s: %.1f times its file", file, times)
		if times > 8 {
			t.Errorf("%s takes %.1f times its file", file, times)
		}
		runtime.KeepAlive(l)
	}
}

// TestS42Bombs (S42): small files that unpack to much, and zip files with what no list has.
func TestS42Bombs(t *testing.T) {
	comment := "# " + strings.Repeat("nothing but a remark ", 40) + "\n"
	pack := func(n int64, c string) string {
		var out bytes.Buffer
		z, _ := gzip.NewWriterLevel(&out, gzip.DefaultCompression)
		io.CopyN(z, endless(c), n)
		z.Close()
		return out.String()
	}
	refused(t, "bomb.gz", pack(80<<20, comment), "times its size")
	refused(t, "line.gz", pack(40<<20, "a"), "a line of more than 16 MiB")
	refused(t, "cut.gz", pack(1<<20, "a")[:300], "packed file is broken")
	if _, err := Read("big", io.LimitReader(endless(comment), 3<<20), ReadOptions{MaxBytes: 1 << 20}); polder.KindOf(err) != polder.TooLarge {
		t.Errorf("a file above its limit: %v", err)
	}
	for name, c := range map[string]struct {
		make func(z *zip.Writer)
		says string
	}{
		"bomb": {func(z *zip.Writer) {
			w, _ := z.Create("sdn.csv")
			io.CopyN(w, endless(comment), 80<<20)
		}, "times its size"},
		"nested": {func(z *zip.Writer) { z.Create("inner.zip") }, "a zip file within"},
		"many files": {func(z *zip.Writer) {
			for i := range 200 {
				z.Create(fmt.Sprint(i))
			}
		}, "200 files"},
		"two of a name": {func(z *zip.Writer) { z.Create("a/sdn.csv"); z.Create("b/sdn.csv") }, "two files of the name"},
		"link": {func(z *zip.Writer) {
			h := &zip.FileHeader{Name: "sdn.csv"}
			h.SetMode(os.ModeSymlink | 0o777)
			w, _ := z.CreateHeader(h)
			io.WriteString(w, "/etc/passwd")
		}, "no regular file"},
		"encrypted": {func(z *zip.Writer) { z.CreateHeader(&zip.FileHeader{Name: "sdn.csv", Flags: 1}) }, "encrypted"},
		"empty":     {func(*zip.Writer) {}, "holds no file"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			z := zip.NewWriter(&out)
			c.make(z)
			z.Close()
			refused(t, "list.zip", out.String(), c.says)
		})
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	w, _ := z.CreateHeader(&zip.FileHeader{Name: "../../../etc/list.csv", Method: zip.Store})
	io.WriteString(w, "id,name\n1,Nordlicht Optics\n")
	z.Close()
	l, err := Read("up.zip", bytes.NewReader(out.Bytes()), ReadOptions{})
	if err != nil || l.Name != "up" || l.Entries != 1 {
		t.Errorf("a name with .. in a zip is only a name: %v", err)
	}
	damaged := bytes.Replace(out.Bytes(), []byte("Nordlicht"), []byte("Nordlixht"), 1)
	refused(t, "crc.zip", string(damaged), "broken")
}

// endless is a text that repeats itself.
type endless string

func (c endless) Read(p []byte) (int, error) {
	n := copy(p, strings.Repeat(string(c), len(p)/len(c)+1))
	return n, nil
}

// TestS42Mapping (S42): a mapping with anchors, or one that grows, is refused with its line.
func TestS42Mapping(t *testing.T) {
	for name, c := range map[string]struct{ yaml, says string }{
		"alias":        {"title: &a x\ncolumns: {name: *a}\n", "map.yaml:1: an anchor or alias"},
		"huge":         {"title: " + strings.Repeat("x", 70_000), "more than 64 KiB"},
		"unknown key":  {"columns:\n  name: Name\n  nationality: Land\n", "map.yaml:3:"},
		"no name":      {"columns:\n  id: No\n", "no column for the name"},
		"wrong kind":   {"columns:\n  name: N\n  identifiers:\n    - {column: X, kind: shoe size}\n", "map.yaml:4: an identifier of the kind"},
		"wrong type":   {"columns:\n  name: N\n  type: {column: T, values: {a: animal}}\n", "map.yaml:3: the value"},
		"wrong part":   {"columns:\n  name: {column: N, colour: red}\n", "map.yaml:2: \"colour\" says nothing"},
		"not YAML":     {"columns: [", "map.yaml"},
		"two texts":    {"title: a\n---\ntitle: b\n", "2 YAML documents"},
		"empty":        {"", "map.yaml"},
		"delimiter":    {"delimiter: xx\ncolumns: {name: N}\n", "the delimiter"},
		"a table here": {"columns:\n  name: [[a]]\n", "map.yaml:2:"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseMapping("map.yaml", []byte(c.yaml))
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
}

// TestS43Paths (S43): only regular files and folders are read; a link out of a folder is not followed.
func TestS43Paths(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "secret.csv")
	if err := os.WriteFile(outside, []byte("id,name\n1,Secret Party\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadPath(dir, ReadOptions{}); err == nil || !strings.Contains(err.Error(), "the folder is empty") {
		t.Errorf("an empty folder: %v", err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "sdn.csv")); err == nil {
		if l, err := ReadPath(dir, ReadOptions{}); err == nil {
			t.Errorf("a link out of the folder was followed: %v", l.Parties)
		}
	}
	if _, err := ReadPath(filepath.Join(dir, "none.csv"), ReadOptions{}); !errors.Is(err, polder.ErrNotFound) {
		t.Errorf("a file that is not there: %v", err)
	}
	if runtime.GOOS != "windows" {
		if _, err := ReadPath(os.DevNull, ReadOptions{}); err == nil || !strings.Contains(err.Error(), "no regular file") {
			t.Errorf("a device: %v", err)
		}
	}
}

// TestS45NotAList (S45): what a publisher's server sends when something is wrong is no list.
func TestS45NotAList(t *testing.T) {
	for name, c := range map[string]struct{ text, says string }{
		"error page":            {"<!DOCTYPE html>\n<html><body>503</body></html>", "this is a web page"},
		"page without doctype":  {"\n <html><head></head></html>", "this is a web page"},
		"page as XHTML":         {"<?xml version=\"1.0\"?><html xmlns=\"http://www.w3.org/1999/xhtml\"></html>", "this is a web page"},
		"empty":                 {"", "the file is empty"},
		"blank":                 {" \r\n\t\n", "the file is empty"},
		"only a header":         {"id,name\n", "list"},
		"empty list":            {"<CONSOLIDATED_LIST><INDIVIDUALS/></CONSOLIDATED_LIST>", "no entry in the list"},
		"empty results":         {`{"total":0,"results":[]}`, "no entry in the list"},
		"an API error":          {`{"message":"rate limit"}`, "no form of list"},
		"another XML":           {"<rss><channel/></rss>", "first element is <rss>"},
		"NUL characters":        {"id,name\n1,A B\n2,C\x00D\n", "list:3: a NUL character"},
		"binary":                {"\x7fELF\x02\x01\x01\x00\x00\x00", "NUL"},
		"a table without names": {"code,colour,size\n1,red,2\n2,blue,3\n3,green,4\n", "no form of list"},
		"names that are ids":    {"name,id\n12345,Nordlicht Optics\n12346,Orla Springwell\n12347,Harbour Crystal\n", "no letter"},
		"half a CSV":            {"Unique ID,OFSI Group ID,Name,Regime Name,Type,Designation source,Date Designated,Sanctions Imposed\nX1,1,A B,R,Entity,UK,01-01-2020,Freeze\nX2,2,C D,R,Ent", "ends within a row"},
		"a quote that stays":    {"id,name\n1,A B\n2,\"C D\n3,E F\n4,G H\n", "list:3: a quote opens"},
	} {
		t.Run(name, func(t *testing.T) { refused(t, "list", c.text, c.says) })
	}
}

// TestS45Plausible (S45): a new version that lost its parties, grew tenfold, is older, or whose columns were swapped
// does not take the place of the old one by itself.
func TestS45Plausible(t *testing.T) {
	base := func(n int, change func(i int, e *Entry)) *List {
		l := &List{Meta: Meta{Name: "own", Date: "2026-02-01", Entries: n}}
		for i := range n {
			e := Entry{ID: fmt.Sprintf("N-%d", i), Name: fmt.Sprintf("Firm of %c%c%d", 'A'+i%26, 'A'+i/26%26, i), Type: 2, Aliases: []Alias{{Name: fmt.Sprint("Alias ", i)}}}
			if change != nil {
				change(i, &e)
			}
			l.Parties = append(l.Parties, e)
			l.Names += 1 + len(e.Aliases)
		}
		return l
	}
	old := base(100, nil)
	for name, c := range map[string]struct {
		old, new *List
		says     string // "" for plausible
	}{
		"the same":            {old, base(100, nil), ""},
		"first import":        {nil, base(100, nil), ""},
		"a fifth fewer":       {old, base(80, nil), ""},
		"twice as many":       {old, base(200, nil), ""},
		"one's own short one": {base(3, nil), base(1, nil), ""},
		"empty":               {old, base(0, nil), "it is empty"},
		"empty at first":      {nil, base(0, nil), "it is empty"},
		"half a file":         {old, base(49, nil), "49 entries where the old one has 100"},
		"tenfold":             {old, base(1001, nil), "more than ten times"},
		"older":               {old, func() *List { l := base(100, nil); l.Date = "2025-12-31"; return l }(), "older than the one of 2026-02-01"},
		"aliases gone": {base(100, func(i int, e *Entry) {
			e.Aliases = append(e.Aliases, Alias{Name: "x" + e.Name}, Alias{Name: "y" + e.Name})
		}), base(100, func(_ int, e *Entry) { e.Aliases = nil }), "names an entry"},
		"names gone":      {old, base(100, func(i int, e *Entry) { e.Name = fmt.Sprint(i) }), "no letter"},
		"columns swapped": {old, base(100, func(_ int, e *Entry) { e.ID, e.Name = e.Name, e.ID }), "columns may be swapped"},
		"names shifted":   {old, base(100, func(i int, e *Entry) { e.Name = "Street of " + e.Name }), "the names are not"},
		"types gone":      {old, base(100, func(_ int, e *Entry) { e.Type = 0 }), "the types of the entries are gone"},
		"another list":    {old, base(100, func(i int, e *Entry) { e.ID, e.Name = "X"+e.ID, "Other "+e.Name }), "in common"},
	} {
		t.Run(name, func(t *testing.T) {
			err := Plausible(c.old, c.new)
			if c.says == "" {
				if err != nil {
					t.Errorf("%v", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.says) || !errors.Is(err, polder.ErrConflict) {
				t.Errorf("got %v, want %q", err, c.says)
			}
			if _, ok := errors.AsType[*Doubt](err); !ok {
				t.Errorf("%T is no doubt that a person could override", err)
			}
		})
	}
}

// TestLongNames: a name of 100,000 characters is cut, and the list says so.
func TestLongNames(t *testing.T) {
	long := strings.Repeat("é", 100_000)
	l, err := Read("long.csv", strings.NewReader("id,name\n1,"+long+"\n2,Nordlicht Optics\n"), ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if n := utf8.RuneCountInString(l.Parties[0].Name); n != maxName {
		t.Errorf("%d characters", n)
	}
	if !slices.ContainsFunc(l.Notes, func(n string) bool { return strings.Contains(n, "were cut") }) {
		t.Errorf("no note says so: %q", l.Notes)
	}
}
