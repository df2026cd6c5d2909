package screen

import (
	"strings"
	"testing"
)

// TestRowFaults: a row that cannot be read is refused alone, and the page and the API say which it is and why.
func TestRowFaults(t *testing.T) {
	w := filled(t)
	file := "name,ref,birth\nBrundelwick Photonics,A1,\nZarkontin Ilya,A2,31-02-1990\nMeerwijk Optics,A3,unknown\n=HYPERLINK(1),A4,\nOskar Vint,A5,3 March 1971\n"
	want := []string{"row 2: birth: 31-02-1990 is no date; write 1961, 1961-04 or 1961-04-30", `row 4: "=HYPERLINK(1)" is a formula, not a name; save the file with its values`}
	page := answered(t, "importing on the page", w.upload("contributor", "/screen/parties/import", "c.csv", file, "into", Customers), 200)
	holds(t, page, "3 added", "2 rows were refused", htmlOf(want[0]), htmlOf(want[1]))
	got := answered(t, "importing through the API", w.send("token contributor", "POST", "/api/v1/screen/parties/import?group=customers&name=c.csv", "application/octet-stream", strings.NewReader(file)), 200)
	holds(t, got, `"same":3`, `"refused":2`, want[0], `"row 4: \"=HYPERLINK(1)\" is`)

	to := w.upload("contributor", "/screen/batches", "b.csv", file).Header().Get("Location")
	w.work()
	holds(t, w.see("reader", to), "2 rows were refused", htmlOf(want[0]), htmlOf(want[1]))
	holds(t, w.see("reader", to+"?lang=nl"), "2 regels zijn geweigerd")
	api := "/api/v1" + to
	holds(t, w.see("token reader", api), `"refused":2`, `"done":5`)
	rows := w.see("token reader", api+"/rows?fault=yes")
	holds(t, rows, `"error":"birth: 31-02-1990 is no date`, `"row":4`)
	holdsNot(t, rows, "Brundelwick")
}

// TestManyRowFaults: of many refused rows the first are told, and how many more there are.
func TestManyRowFaults(t *testing.T) {
	w := filled(t)
	file := "name,birth\n" + strings.Repeat("Brundelwick Photonics,99-99-1990\n", 150)
	page := answered(t, "importing", w.upload("contributor", "/screen/parties/import", "c.csv", file, "into", Customers), 200)
	holds(t, page, "150 rows were refused", "row 20: birth", "and 130 more")
	holdsNot(t, page, "row 21:")
	to := w.upload("contributor", "/screen/batches", "b.csv", file).Header().Get("Location")
	w.work()
	page = w.see("reader", to)
	holds(t, page, "150 rows were refused", "row 20: birth", "and 130 more")
	holdsNot(t, page, "row 21:")
}

// TestStatedBirth reads dates as files write them; what is no date stays as it is, so that it can be told.
func TestStatedBirth(t *testing.T) {
	for _, c := range []struct{ text, want, why string }{
		{"1961-04-30", "1961-04-30", "as asked for"},
		{" circa 1961 ", "circa 1961", "as lists write it"},
		{"30-4-1961", "1961-04-30", "the day first"},
		{"4/30/1961", "1961-04-30", "only one of them can be the month"},
		{"04/05/1961", "1961", "which is the month is not known"},
		{"1961-04-30T00:00:00Z", "1961-04-30", "with an hour"},
		{"19610430", "1961-04-30", "without hyphens"},
		{"30 Apr 1961", "1961-04-30", "with a word"},
		{"April 30, 1961", "1961-04-30", "with a word first"},
		{"31-02-1990", "31-02-1990", "no calendar has it"},
		{"1990-02-31", "1990-02-31", "no calendar has it"},
		{"99", "99", "no year"},
		{"unknown", "", "says that it is not known"},
		{"00-00-0000", "", "says that it is not known"},
		{"-", "", "says that it is not known"},
		{strings.Repeat("9", 10_000), clip(strings.Repeat("9", 64), 64), "bounded"},
	} {
		got := statedBirth(c.text)
		if !strings.HasPrefix(got, strings.TrimSuffix(c.want, "…")) || c.want == "" && got != "" || len(got) > 80 {
			t.Errorf("%.20q (%s): %q, want %q", c.text, c.why, got, c.want)
		}
	}
}
