package deadline

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// Form is what a report asks for: a neutral list of fields that any authority's own form wants in one shape or another.
type Form struct {
	ID     string      `yaml:"id" json:"id"`
	EN     string      `yaml:"en" json:"en"` // its title
	NL     string      `yaml:"nl" json:"nl"`
	Fields []FormField `yaml:"fields" json:"fields"`
}

// FormField is one field of a form.
type FormField struct {
	ID       string `yaml:"id" json:"id"`
	EN       string `yaml:"en" json:"en"`
	NL       string `yaml:"nl" json:"nl"`
	From     string `yaml:"from" json:"from"` // the fact that fills it: "case.summary"
	Required bool   `yaml:"required" json:"required"`
}

// In is what the form is called in a language.
func (f Form) In(lang string) string { return Term{EN: f.EN, NL: f.NL}.In(lang) }

// In is what the field is called in a language.
func (f FormField) In(lang string) string { return Term{EN: f.EN, NL: f.NL}.In(lang) }

// Facts are what is known of a case, by path: "case.summary", "organisation.name". They are texts, written as the
// authority is to read them.
type Facts map[string]string

// Filled is a form with what is known. As JSON it is {"id", "en", "nl", "fields": [{"id", "en", "nl", "from", "required",
// "value", "missing"}], "missing": [ids of required fields without a value]}.
type Filled struct {
	ID      string        `json:"id"`
	EN      string        `json:"en"`
	NL      string        `json:"nl"`
	Fields  []FilledField `json:"fields"`
	Missing []string      `json:"missing"` // ids of required fields that are empty
}

// FilledField is a field with its value.
type FilledField struct {
	FormField
	Value   string `json:"value"`
	Missing bool   `json:"missing"` // it is required, and empty
}

// MaxFact is how many bytes of one fact go into a form.
const MaxFact = 20_000

// Fill fills a form with facts. What is not known stays empty; required fields without a value are named.
func Fill(f Form, facts Facts) Filled {
	out := Filled{ID: f.ID, EN: f.EN, NL: f.NL, Fields: []FilledField{}, Missing: []string{}}
	for _, field := range f.Fields {
		v := strings.TrimSpace(strings.ToValidUTF8(facts[field.From], "\uFFFD"))
		if len(v) > MaxFact {
			v = strings.ToValidUTF8(v[:MaxFact], "") + "…"
		}
		missing := field.Required && v == ""
		if missing {
			out.Missing = append(out.Missing, field.ID)
		}
		out.Fields = append(out.Fields, FilledField{field, v, missing})
	}
	return out
}

// FormNamed is a form by its id.
func FormNamed(id string) (Form, bool) {
	f, ok := words().forms[id]
	f.Fields = slices.Clone(f.Fields)
	return f, ok
}

// FormIDs are the ids of all forms, sorted.
func FormIDs() []string { return formIDs() }

func formIDs() []string { return slices.Sorted(maps.Keys(words().forms)) }

// formFile is a file of forms: fields that several share are named once, and the forms list them.
type formFile struct {
	Fields []FormField  `yaml:"fields"`
	Forms  []formListed `yaml:"forms"`
}

// formListed is a form as a file lists it: ids of fields; with "!" behind it the field is required.
type formListed struct {
	ID     string   `yaml:"id"`
	EN     string   `yaml:"en"`
	NL     string   `yaml:"nl"`
	Fields []string `yaml:"fields"`
}

// readForms reads the folder of forms. A file may use the fields of fields.yaml beside its own.
func readForms(files fs.FS, into map[string]Form) error {
	sub, err := fs.Sub(files, "forms")
	if err != nil {
		return err
	}
	names, err := yamlFiles(sub)
	if err != nil {
		return err
	}
	fields := map[string]FormField{}
	var all []formListed
	for _, name := range names {
		var one formFile
		src, err := readYAML(sub, name, &one)
		if err != nil {
			return err
		}
		for i, f := range one.Fields {
			if _, twice := fields[f.ID]; twice || f.ID == "" || f.EN == "" || f.NL == "" || f.From == "" {
				return src.errorAt(fmt.Sprintf("$.fields[%d]", i), "field %q is there already, or lacks id, en, nl or from", f.ID)
			}
			fields[f.ID] = f
		}
		all = append(all, one.Forms...)
	}
	for _, l := range all {
		form := Form{ID: l.ID, EN: l.EN, NL: l.NL}
		for _, id := range l.Fields {
			id, required := strings.CutSuffix(id, "!")
			f, ok := fields[id]
			if !ok {
				return fmt.Errorf("%s: form %s: field %q is not there", path.Join("forms", l.ID), l.ID, id)
			}
			f.Required = required
			form.Fields = append(form.Fields, f)
		}
		if _, twice := into[l.ID]; twice || len(form.Fields) == 0 || l.EN == "" || l.NL == "" {
			return fmt.Errorf("form %q is there twice, or lacks a title or fields", l.ID)
		}
		into[l.ID] = form
	}
	return nil
}
