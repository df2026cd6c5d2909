package cases

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/polder-exchange/polder/internal/web"
)

// Help are the contacts for people who are pressed, by country: data, not code.
type Help []HelpPlace

// HelpPlace is one file of contacts: those of a country, of the European Union, or of an organisation.
type HelpPlace struct {
	Place    string            `yaml:"place"`           // "nl", "eu", or any word; a file that names one takes the place of the file in the binary
	Order    int               `yaml:"order,omitempty"` // small first
	Name     map[string]string `yaml:"name"`            // by language
	Contacts []HelpContact     `yaml:"contacts"`
}

// HelpContact is somebody who can be called.
type HelpContact struct {
	Name    string            `yaml:"name"`
	Phone   string            `yaml:"phone"`
	Hours   map[string]string `yaml:"hours"` // by language
	For     map[string]string `yaml:"for"`   // what one may call for, by language
	Source  string            `yaml:"source"`
	Checked string            `yaml:"checked"` // when somebody last looked it up: 2026-11-22
}

// HelpShown is a place in one language.
type HelpShown struct {
	Country, Name string
	Contacts      []HelpSaid
}

// HelpSaid is a contact in one language.
type HelpSaid struct{ Name, Phone, Hours, For, Checked string }

// Bounds of a file of contacts.
const (
	helpMostFile     = 64 << 10
	helpMostContacts = 40
)

var (
	helpPlace = regexp.MustCompile(`^[a-z][a-z0-9-]{0,30}$`)
	helpPhone = regexp.MustCompile(`^\+?[0-9][0-9 ()/-]{1,24}$`)
)

// LoadHelp reads the contacts in the binary, and those of each folder in own, whose *.yaml take the place of files of the
// same place. An error names the file and what would be right.
func LoadHelp(own ...fs.FS) (Help, error) {
	inside, err := fs.Sub(reportFiles, "report/help")
	if err != nil {
		return nil, err
	}
	var all Help
	for _, files := range append([]fs.FS{inside}, own...) {
		names, err := fs.Glob(files, "*.yaml")
		if err != nil {
			return nil, fmt.Errorf("read contacts for help: %w", err)
		}
		for _, name := range names {
			place, err := readHelp(files, name)
			if err != nil {
				return nil, fmt.Errorf("read contacts for help: %s: %w", name, err)
			}
			all = slices.DeleteFunc(all, func(p HelpPlace) bool { return p.Place == place.Place })
			all = append(all, place)
		}
	}
	slices.SortStableFunc(all, func(a, b HelpPlace) int {
		return cmp.Or(cmp.Compare(a.Order, b.Order), strings.Compare(a.Place, b.Place))
	})
	return all, nil
}

func readHelp(files fs.FS, name string) (HelpPlace, error) {
	info, err := fs.Stat(files, name)
	if err != nil {
		return HelpPlace{}, err
	}
	if !info.Mode().IsRegular() || info.Size() > helpMostFile {
		return HelpPlace{}, fmt.Errorf("is no file of at most %d bytes; write fewer contacts", helpMostFile)
	}
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return HelpPlace{}, err
	}
	return parseHelp(path.Base(name), text)
}

// parseHelp reads one file of contacts.
func parseHelp(name string, text []byte) (HelpPlace, error) {
	var p HelpPlace
	if len(text) > helpMostFile {
		return p, fmt.Errorf("is longer than %d bytes; write fewer contacts", helpMostFile)
	}
	if err := yaml.UnmarshalWithOptions(text, &p, yaml.Strict()); err != nil {
		return p, fmt.Errorf("is no list of contacts: %s", strings.TrimSpace(yaml.FormatError(err, false, false)))
	}
	if p.Place == "" {
		p.Place = strings.TrimSuffix(name, ".yaml")
	}
	switch {
	case !helpPlace.MatchString(p.Place):
		return p, fmt.Errorf("place %.40q is no word of a-z, 0-9 and \"-\"; write for example nl", p.Place)
	case len(p.Name) == 0:
		return p, fmt.Errorf("has no name; write name: {en: The Netherlands, nl: Nederland}")
	case len(p.Contacts) == 0 || len(p.Contacts) > helpMostContacts:
		return p, fmt.Errorf("has %d contacts; write 1 to %d", len(p.Contacts), helpMostContacts)
	}
	for i, c := range p.Contacts {
		if err := c.check(); err != nil {
			return p, fmt.Errorf("contact %d: %w", i+1, err)
		}
	}
	return p, nil
}

func (c HelpContact) check() error {
	switch {
	case strings.TrimSpace(c.Name) == "":
		return fmt.Errorf("has no name")
	case !helpPhone.MatchString(c.Phone):
		return fmt.Errorf("phone %.40q is no number; write digits and spaces, for example 0800-7000", c.Phone)
	case len(c.For) == 0:
		return fmt.Errorf("does not say what it is for; write for: {en: Crime, without your name}")
	case strings.TrimSpace(c.Source) == "":
		return fmt.Errorf("has no source; write where the number was found")
	}
	if _, err := time.Parse(time.DateOnly, c.Checked); err != nil {
		return fmt.Errorf("checked %.40q is no date; write when the number was looked up: 2026-11-22", c.Checked)
	}
	return nil
}

// In are the contacts in the language of words, in English where a file lacks it.
func (h Help) In(words web.Words) []HelpShown {
	said := func(texts map[string]string) string {
		return cmp.Or(texts[words.Lang()], texts["en"], helpFirst(texts))
	}
	var all []HelpShown
	for _, p := range h {
		shown := HelpShown{Country: p.Place, Name: said(p.Name)}
		for _, c := range p.Contacts {
			day, _ := time.Parse(time.DateOnly, c.Checked) // it was checked
			shown.Contacts = append(shown.Contacts, HelpSaid{c.Name, c.Phone, said(c.Hours), said(c.For), words.T("pressed.checked", "date", reportPageDate(words, day))})
		}
		all = append(all, shown)
	}
	return all
}

// helpFirst is a text in some language, always the same one.
func helpFirst(texts map[string]string) string {
	var langs []string
	for lang := range texts {
		langs = append(langs, lang)
	}
	if len(langs) == 0 {
		return ""
	}
	return texts[slices.Min(langs)]
}
