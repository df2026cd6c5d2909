package lists

import (
	"strings"

	"github.com/polder-exchange/polder/names"
)

const (
	ukTitle  = "UK Sanctions List"
	ukSource = "Foreign, Commonwealth & Development Office, UK"
)

// ukType is the type as British lists say it.
func ukType(s string) names.Type {
	switch strings.ToLower(clean(s)) {
	case "individual":
		return names.Person
	case "entity":
		return names.Company
	case "ship":
		return names.Vessel
	}
	return names.Any
}

func isUKNames(h *head) bool {
	return h.header("Unique ID", "Name", "Regime Name", "Type", "Sanctions Imposed")
}

// readUKNames reads the file of primary names.
func readUKNames(s *source, b *builder) error {
	b.about(ukTitle+", primary names", ukSource, "", "")
	b.note("this form holds primary names alone: aliases, dates of birth and addresses are not known")
	return readColumns(s, b, ',', []string{"Unique ID", "Name"}, func(line int, get func(string) string) error {
		return b.add(line, Entry{
			ID: get("Unique ID"), Type: ukType(get("Type")), Name: get("Name"), Programmes: splitList(get("Regime Name"), "|"),
			Means: get("Sanctions Imposed"), Listed: wholeDay(get("Date Designated"), dayFirst),
		})
	})
}
