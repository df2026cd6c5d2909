package cases

import (
	"crypto/rand"
	"encoding/json"
	"testing"

	"github.com/polder-exchange/polder/internal/seal"
)

// BenchmarkReport is an anonymous report of the smallest class that a device sealed to two readers, taken in and on disk;
// deriving the place of its thread is part of it. Its floor is BenchmarkFsync of internal/db and BenchmarkReceipt.
func BenchmarkReport(b *testing.B) {
	for name, dear := range map[string]bool{"anonymous": true, "named": false} {
		b.Run(name, func(b *testing.B) {
			w := newDeskWorld(b)
			w.acme()
			w.reports.derive = newReportState(ServiceOptions{Secret: deskSecret}).derive
			v := w.view("confidential-adviser")
			text, err := json.Marshal(Answers{What: "A visitor photographed the mask"})
			deskMust(b, err)
			keys := deskKeys(b, v.Readers, v.Log)
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				box, err := seal.Seal(rand.Reader, PurposeReport, text, SealLeast, keys...)
				deskMust(b, err)
				post := ReportPost{To: v.Alias, Box: &box}
				if d := newDevice(w); dear {
					post.Thread = &ReportThread{d.proof, d.key.Public()}
				}
				b.StartTimer()
				if _, err := w.PostReport(b.Context(), deskFrom, post); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkReceipt is one look at a thread of three messages by its receipt, deriving included: what a guess costs.
func BenchmarkReceipt(b *testing.B) {
	w := newDeskWorld(b)
	w.acme()
	w.reports.derive = newReportState(ServiceOptions{Secret: deskSecret}).derive
	v, d := w.view("confidential-adviser"), newDevice(w)
	d.report(v, "x")
	for range 3 {
		w.ask("", "POST", "/api/v1/reports/thread/message", ReportSaid{Proof: d.proof, Box: d.box(v, false, PurposeMessage, "y")}, nil, 200)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.Thread(b.Context(), deskFrom, d.proof); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkInbox is a page of fifty reports of a reader, as it is listed.
func BenchmarkInbox(b *testing.B) {
	w := newDeskWorld(b)
	w.acme()
	v := w.view("confidential-adviser")
	for range 60 {
		newDevice(w).report(v, "x")
	}
	b.ReportAllocs()
	for b.Loop() {
		if all, err := w.Reports(b.Context(), deskPeople["anna"], ReportFilter{}); err != nil || len(all) != 50 {
			b.Fatal(len(all), err)
		}
	}
}
