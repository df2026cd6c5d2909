package event

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/polder-exchange/polder/internal/testdata"
)

// scan decodes a stream without keeping its events.
func scan(t testing.TB, r io.Reader, o Options, each func(e *Event)) (*Scanner, int) {
	t.Helper()
	s, err := Open(r, o)
	if err != nil {
		t.Fatal(err)
	}
	d := s.NewDecoder()
	var e Event
	total := 0
	for {
		c, err := s.Next()
		if err == io.EOF {
			return s, total
		}
		if err != nil {
			t.Fatal(err)
		}
		total += d.Decode(c, &e, func(err *Error) bool {
			if err != nil {
				t.Fatal(err)
			}
			each(&e)
			return true
		})
	}
}

// Every event of the labs is read, with the channel's source, a time, and as many values as encoding/json finds.
func TestRealWindowsEvents(t *testing.T) {
	files := map[string]int{"windows_purplesharp_25993.jsonl.gz": 25_993}
	if !testing.Short() {
		files["windows_mix_123169.jsonl.gz"] = 123_169
	}
	for file, want := range files {
		f, err := os.Open(testdata.File(t, "detect", "events", file))
		if err != nil {
			t.Fatal(err)
		}
		channel := Intern("Channel")
		unknown, timeless, n := 0, 0, 0
		s, total := scan(t, f, Options{Name: file}, func(e *Event) {
			if e.Index != n {
				t.Fatalf("event %d has index %d", n, e.Index)
			}
			if n++; e.Source.Product != "windows" || e.Get(channel) == nil {
				unknown++
			}
			if e.Time().Year() < 2019 && e.has("UtcTime", "@timestamp", "EventTime", "TimeCreated") > 0 {
				timeless++
			}
			if n%50 != 0 {
				return
			}
			var m map[string]any
			if err := json.Unmarshal(e.Raw, &m); err != nil || len(m) != len(e.Fields) {
				t.Fatalf("event %d: %d fields of %d members, %v", e.Index, len(e.Fields), len(m), err)
			}
		})
		f.Close()
		if total != want || n != want || unknown > 0 || timeless > 0 {
			t.Errorf("%s: %d events, %d of no known source, %d without a time, want %d", file, total, unknown, timeless, want)
		}
		if s.Format() != NXLog && s.Format() != WindowsJSON || s.Compression() != "gzip" {
			t.Errorf("%s is taken for %s, %s", file, s.Format(), s.Compression())
		}
	}
}

// What the routes of the gold ask for is in the table of sources.
func TestGoldRoutes(t *testing.T) {
	text, err := os.ReadFile(testdata.File(t, "detect", "gold", "sigma_windows_routes.json"))
	if err != nil {
		t.Fatal(err)
	}
	var routes []struct {
		Path, Category, Service string
		Route                   *struct {
			Channel string
			IDs     []int
		}
	}
	if err := json.Unmarshal(text, &routes); err != nil {
		t.Fatal(err)
	}
	for _, r := range routes {
		if r.Route == nil {
			continue
		}
		ids := r.Route.IDs
		if len(ids) == 0 {
			ids = []int{1, 4624}
		}
		for _, id := range ids {
			if s := WindowsSource([]byte(r.Route.Channel), id); !s.Is("windows", r.Category, r.Service) {
				t.Errorf("%s: %s %d is %v", r.Path, r.Route.Channel, id, s)
			}
		}
		// An event of another id is not of the category.
		if s := WindowsSource([]byte(r.Route.Channel), 9999); r.Category != "" && s.Is("windows", r.Category, "") {
			t.Errorf("%s: any event of %s is %s", r.Path, r.Route.Channel, r.Category)
		}
	}
}

// Each lane of events that says its product and category itself has that source.
func TestLanes(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(testdata.Dir(t), "detect", "rsigma-lanes", "*.gz"))
	if err != nil || len(files) == 0 {
		t.Fatal("no lanes", err)
	}
	for _, path := range files {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		product, category, service := Intern("product"), Intern("category"), Intern("service")
		wrong := 0
		_, n := scan(t, f, Options{Name: path}, func(e *Event) {
			if e.Get(product) == nil {
				return
			}
			text := func(n Name) string {
				if f := e.Get(n); f != nil {
					return string(f.Value)
				}
				return ""
			}
			if !e.Source.Is(text(product), text(category), text(service)) {
				wrong++
			}
		})
		f.Close()
		if n != 10_000 || wrong > 0 {
			t.Errorf("%s: %d events, %d of another source than they say", filepath.Base(path), n, wrong)
		}
	}
}

func TestRealCloudTrail(t *testing.T) {
	z, err := zip.OpenReader(testdata.File(t, "detect", "events", "raw", "ec2_proxy_s3_exfiltration.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	f, err := z.File[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]int{}
	s, n := scan(t, bytes.NewReader(data), Options{}, func(e *Event) {
		if !e.Source.Is("aws", "", "cloudtrail") || e.Time().IsZero() {
			t.Errorf("event %d: %v at %v", e.Index, e.Source, e.Time())
		}
		names[string(e.Get(Intern("eventName")).Value)]++
	})
	if s.Format() != CloudTrail || n != bytes.Count(data, []byte{'\n'}) && n != bytes.Count(data, []byte{'\n'})+1 || names["GetObject"] == 0 {
		t.Errorf("%s, %d events: %v", s.Format(), n, names)
	}
}

// The sources of Sigma's rules for Windows are all in the table.
func TestRulesHaveSources(t *testing.T) {
	known := map[string]bool{}
	for service := range windowsServices {
		known["service "+service] = true
	}
	for _, ids := range windowsCategories {
		for _, categories := range ids {
			for _, c := range categories {
				known["category "+c] = true
			}
		}
	}
	missing := map[string]bool{}
	for _, tree := range []string{"rules", "rules-emerging-threats", "rules-threat-hunting"} {
		root := filepath.Join(testdata.Dir(t), "detect", "sigma", tree)
		err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".yml") {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			_, source, _ := strings.Cut(string(text), "\nlogsource:")
			source, _, _ = strings.Cut(source, "\ndetection:")
			if !strings.Contains(source, "product: windows") {
				return nil
			}
			for _, line := range strings.Split(source, "\n") {
				line, _, _ = strings.Cut(strings.TrimSpace(line), " #")
				key, word, _ := strings.Cut(line, ": ")
				if word = strings.TrimSpace(word); (key == "service" || key == "category") && !known[key+" "+word] {
					missing[key+" "+word] = true
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var names []string
	for m := range missing {
		names = append(names, m)
	}
	slices.Sort(names)
	if len(names) > 0 {
		t.Errorf("rules ask for %v, which the table does not have", names)
	}
}
