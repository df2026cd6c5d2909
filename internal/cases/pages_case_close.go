package cases

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// This file moves a case on, says what it touches and what was taken, and closes it.

// caseStatusDraft is what the form of a step holds.
type caseStatusDraft struct {
	Status        Status
	Reason        string
	Nothing, Late bool
}

// caseStatusPage moves a case on, closes it, or opens it again.
func (p *Pages) caseStatusPage(w http.ResponseWriter, r *http.Request) error {
	c, err := p.caseSheetOf(r)
	if err != nil {
		return err
	}
	return p.showCaseStatus(w, r, c, caseStatusDraft{}, nil)
}

// caseSteps are the states that a case can go to from one.
func caseSteps(from Status) []Status {
	if from == StatusClosed {
		return []Status{StatusOpen}
	}
	return slices.DeleteFunc(slices.Clone(caseStatuses), func(s Status) bool { return s == from })
}

func (p *Pages) showCaseStatus(w http.ResponseWriter, r *http.Request, c *caseSheet, d caseStatusDraft, failed error) error {
	if !c.works() || c.Header {
		return polder.Errorf(polder.Forbidden, "you read this case; who leads it moves it on")
	}
	t, v := c.words.T, caseView{}
	f := caseForm{Action: c.home + "/status", Submit: t("cases.status.move.do"), Primary: true, Back: c.home, Hidden: []web.Hidden{{Name: "version", Value: strconv.Itoa(c.Version)}}}
	steps := caseSteps(c.Status)
	status := web.Field{Name: "status", Label: t("cases.status.to"), Class: "across", Required: true}
	for _, s := range steps {
		status.Options = append(status.Options, web.Option{Value: string(s), Label: t("cases.status." + string(s)), Help: t("cases.status." + string(s) + ".means"), Chosen: s == d.Status || len(steps) == 1})
	}
	f.Fields = []web.Field{status, {Name: "reason", Label: t("cases.why"), Help: t("cases.status.why-help"), Value: d.Reason, Rows: 3, Max: 4000}}
	if c.Status != StatusClosed {
		f.Fields = append(f.Fields, web.Field{Name: "nothing", Label: t("cases.close.nothing"), Help: t("cases.close.nothing-help"), Many: true, Class: "across", Options: []web.Option{{Value: "yes", Label: t("cases.close.nothing-yes"), Chosen: d.Nothing}}},
			web.Field{Name: "late", Label: t("cases.close.late"), Help: t("cases.close.late-help"), Many: true, Class: "across", Options: []web.Option{{Value: "yes", Label: t("cases.close.late-yes"), Chosen: d.Late}}})
		v.beside(caseBlock(t("cases.close.before"), "", "case-marks", []web.Mark{{Icon: "target", Text: t("cases.close.assess"), Href: c.home + "/damage"}, {Icon: "clock", Text: t("cases.close.clocks"), Href: c.home}, {Icon: "check", Text: t("cases.close.reopen")}}))
	} else if c.leads() {
		v.beside(caseBlock(t("cases.archive"), "", "case-form", c.archiveForm()))
	}
	if conflict, stale := errors.AsType[*CaseConflict](failed); stale && conflict.Case != nil {
		f.Hidden[0].Value = strconv.Itoa(conflict.Case.Version)
	}
	if !caseBlame(&f, failed) {
		v.Alerts = caseNotDone(c.words, failed)
	}
	v.Errors = f.errors()
	v.add(caseBlock(t("cases.status.move"), t("cases.status.now", "status", t("cases.status."+string(c.Status))), "case-form", f))
	p.site.Render(w, r, web.Page{Template: "cases/case", Title: t("cases.status.title"), TLP: c.Level, Crumbs: caseCrumbs(c.words, c.CaseView), Status: caseStatus(failed), Data: v})
	return nil
}

// archiveForm puts a closed case away, or takes it out again.
func (c *caseSheet) archiveForm() caseForm {
	if c.Archived.IsZero() {
		return caseForm{Action: c.home + "/archive", Submit: c.words.T("cases.archive.do"), Note: c.words.T("cases.archive.note"), Hidden: []web.Hidden{{Name: "away", Value: "yes"}}}
	}
	return caseForm{Action: c.home + "/archive", Submit: c.words.T("cases.archive.undo"), Hidden: []web.Hidden{{Name: "away", Value: "no"}}}
}

func (p *Pages) setCaseStatus(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	c, err := p.caseSheetOf(r)
	if err != nil {
		return err
	}
	version, err := strconv.Atoi(values.Get("version"))
	if err != nil {
		return polder.Errorf(polder.Invalid, "the form does not say which state you saw; open the page again")
	}
	d := caseStatusDraft{Status: Status(values.Get("status")), Reason: strings.TrimSpace(caseLines(values.Get("reason"))), Nothing: values.Get("nothing") == "yes", Late: values.Get("late") == "yes"}
	_, err = p.SetCaseStatus(r.Context(), c.by, c.ID, CaseStatusChange{Status: d.Status, Reason: d.Reason, Nothing: d.Nothing, Late: d.Late, Version: version})
	if web.Mendable(err) {
		return p.showCaseStatus(w, r, c, d, err)
	}
	if err != nil {
		return err
	}
	return p.caseDone(w, r, c.home, "cases.status.moved", "status", c.words.T("cases.status."+string(d.Status)))
}

func (p *Pages) archiveCase(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	away, said := values.Get("away") == "yes", "cases.archive.out"
	if away {
		said = "cases.archive.away"
	}
	if _, err := p.ArchiveCase(r.Context(), web.ActorOf(r), CaseID(r.PathValue("id")), away); err != nil {
		return err
	}
	return p.caseDone(w, r, casePath("/cases", r.PathValue("id")), said)
}

// caseJewels says which crown jewels a case touches.
func (p *Pages) caseJewels(w http.ResponseWriter, r *http.Request) error {
	c, err := p.caseSheetOf(r)
	if err != nil {
		return err
	}
	d, err := p.Damage(r.Context(), c.by, c.ID)
	if err != nil {
		return err
	}
	var chosen []string
	for _, j := range d.Touched {
		chosen = append(chosen, j.ID)
	}
	field, err := p.caseJewelsField(r.Context(), c.words, c.by, chosen)
	if err != nil {
		return err
	}
	t, v := c.words.T, caseView{}
	if len(field.Options) == 0 {
		v.add(caseBlock(t("cases.jewels"), "", "case-nothing", web.Empty{Icon: "target", Title: t("cases.jewel.none"), Text: t("cases.jewel.none-text"), Actions: []web.Action{{Label: t("cases.tab.jewels"), Href: "/cases/jewels"}}}))
	} else {
		v.add(caseBlock(t("cases.jewels"), "", "case-form", caseForm{Action: c.home + "/jewels", Submit: t("cases.jewels.do"), Primary: true, Back: c.home, Fields: []web.Field{field}, Note: t("cases.jewels.note")}))
	}
	p.site.Render(w, r, web.Page{Template: "cases/case", Title: t("cases.jewels.title"), TLP: c.Level, Crumbs: caseCrumbs(c.words, c.CaseView), Data: v})
	return nil
}

func (p *Pages) touchCaseJewels(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	if _, err := p.TouchJewels(r.Context(), web.ActorOf(r), CaseID(r.PathValue("id")), values["jewels"]); err != nil {
		return err
	}
	return p.caseDone(w, r, casePath("/cases", r.PathValue("id")), "cases.jewels.touched")
}

// caseDamageDraft is a damage assessment as it was typed: lists one on each line.
type caseDamageDraft struct {
	Taken                                               Taken
	What, Partners, Products, Platforms, Told, Measures string
	Jewels                                              []string
	Level                                               stix.Marking
	Version                                             int
}

func caseDamageDraftOf(v url.Values) caseDamageDraft {
	trim := func(name string) string { return strings.TrimSpace(caseLines(v.Get(name))) }
	d := caseDamageDraft{Taken: Taken(v.Get("taken")), What: trim("what"), Partners: trim("partners"), Products: trim("products"), Platforms: trim("platforms"), Told: trim("told"), Measures: trim("measures"), Jewels: v["jewels"]}
	d.Level, _ = stix.ParseMarking(v.Get("tlp")) // none that is known: the service takes the case's
	d.Version, _ = strconv.Atoi(v.Get("version"))
	return d
}

// caseDamageDraftFrom is the form of an assessment: as it stands, or what the jewels propose.
func caseDamageDraftFrom(v DamageView) caseDamageDraft {
	from := v.Damage
	if !v.Signed {
		from.Partners, from.Products, from.Platforms = v.Proposed.Partners, v.Proposed.Products, v.Proposed.Platforms
		for _, j := range v.Touched {
			from.Jewels = append(from.Jewels, j.ID)
		}
	}
	line := func(all []string) string { return strings.Join(all, "\n") }
	return caseDamageDraft{from.Taken, from.What, line(from.Partners), line(from.Products), line(from.Platforms), line(from.Told), from.Measures, from.Jewels, from.Level, from.Version}
}

func (d caseDamageDraft) damage() Damage {
	return Damage{Taken: d.Taken, Jewels: d.Jewels, What: d.What, Partners: caseValueLines(d.Partners), Products: caseValueLines(d.Products), Platforms: caseValueLines(d.Platforms), Told: caseValueLines(d.Told), Measures: d.Measures, Level: d.Level, Version: d.Version}
}

// caseTakens are what an assessment can say was taken.
var caseTakens = []Taken{TakenNothing, TakenMaybe, TakenSome, TakenAll}

// caseDamage is the page of the damage assessment.
func (p *Pages) caseDamage(w http.ResponseWriter, r *http.Request) error {
	c, err := p.caseSheetOf(r)
	if err != nil {
		return err
	}
	v, err := p.Damage(r.Context(), c.by, c.ID)
	if err != nil {
		return err
	}
	return p.showCaseDamage(w, r, c, v, caseDamageDraftFrom(v), nil)
}

func (p *Pages) showCaseDamage(w http.ResponseWriter, r *http.Request, c *caseSheet, was DamageView, d caseDamageDraft, failed error) error {
	t, v := c.words.T, caseView{}
	if conflict, stale := errors.AsType[*CaseConflict](failed); stale && conflict.Damage != nil {
		was, d.Version = *conflict.Damage, conflict.Damage.Version
		v.Alerts = append(v.Alerts, caseConflictAlert(c.words))
		v.across(caseConflictBlock(c.words, c.names.person(was.AssessedBy, c.Org), was.Assessed, caseDamageDiffers(c.words, caseDamageDraftFrom(was), d)))
	} else if !caseDamageBlamed(failed) {
		v.Alerts = append(v.Alerts, caseNotDone(c.words, failed)...)
	}
	if was.Signed {
		v.add(caseBlock(t("cases.damage.says"), t("cases.by", "at", was.Assessed, "who", c.names.person(was.AssessedBy, c.Org)), "case-facts", caseDamageRows(c.words, was)))
	}
	if c.works() && c.Status != StatusClosed {
		f, err := c.damageForm(d)
		if err != nil {
			return err
		}
		caseBlame(&f, failed)
		v.Errors = f.errors()
		v.add(caseBlock(t("cases.damage.form"), "", "case-form", f))
	} else if !was.Signed {
		v.add(caseBlock(t("cases.damage"), "", "case-nothing", web.Empty{Icon: "question", Title: t("cases.damage.none"), Text: t("cases.damage.none-text")}))
	}
	marks := []web.Mark{}
	for _, j := range was.Touched {
		marks = append(marks, web.Mark{Icon: "target", Text: j.Name, Href: casePath("/cases/jewels", j.ID)})
	}
	if len(marks) == 0 {
		marks = append(marks, web.Mark{Icon: "question", Text: t("cases.jewels.none-touched"), Href: c.home + "/jewels"})
	}
	v.beside(caseBlock(t("cases.jewels.title"), "", "case-marks", marks))
	p.site.Render(w, r, web.Page{Template: "cases/case", Title: t("cases.damage"), Lede: t("cases.damage.lede"), TLP: caseStricter(c.Level, was.Level), Crumbs: caseCrumbs(c.words, c.CaseView), Status: caseStatus(failed), Data: v})
	return nil
}

// caseDamageBlamed tells whether an error belongs to a field of the assessment.
func caseDamageBlamed(err error) bool {
	if err == nil {
		return false
	}
	name, _, _ := strings.Cut(err.Error(), ": ")
	return slices.Contains([]string{"taken", "what", "partners", "products", "platforms", "told", "measures", "jewels", "tlp"}, name)
}

func caseDamageRows(words web.Words, d DamageView) []web.Pair {
	t := words.T
	rows := []web.Pair{{Term: t("cases.taken"), Text: t("cases.taken." + string(d.Taken)), TLP: d.Level}}
	for _, f := range []struct{ key, text string }{{"cases.damage.what", d.What}, {"cases.damage.partners", strings.Join(d.Partners, ", ")}, {"cases.damage.products", strings.Join(d.Products, ", ")}, {"cases.damage.platforms", strings.Join(d.Platforms, ", ")}, {"cases.damage.told", strings.Join(d.Told, ", ")}, {"cases.damage.measures", d.Measures}} {
		if f.text != "" {
			rows = append(rows, web.Pair{Term: t(f.key), Text: f.text})
		}
	}
	return rows
}

func caseDamageDiffers(words web.Words, there, yours caseDamageDraft) []caseDiffer {
	var d caseDiffs
	t := words.T
	d.add(t("cases.taken"), caseWord(words, "cases.taken.", there.Taken), caseWord(words, "cases.taken.", yours.Taken))
	d.add(t("cases.damage.what"), there.What, yours.What)
	d.add(t("cases.damage.partners"), there.Partners, yours.Partners)
	d.add(t("cases.damage.products"), there.Products, yours.Products)
	d.add(t("cases.damage.platforms"), there.Platforms, yours.Platforms)
	d.add(t("cases.damage.told"), there.Told, yours.Told)
	d.add(t("cases.damage.measures"), there.Measures, yours.Measures)
	return d
}

func (c *caseSheet) damageForm(d caseDamageDraft) (caseForm, error) {
	t := c.words.T
	taken := web.Field{Name: "taken", Label: t("cases.taken"), Class: "across", Required: true, Options: caseOptions(caseTakens, d.Taken, func(k Taken) string { return t("cases.taken." + string(k)) })}
	lines := func(name, value string) web.Field {
		return web.Field{Name: name, Label: t("cases.damage." + name), Help: t("cases.damage.lines"), Value: value, Rows: 3, Max: caseMaxText}
	}
	jewels, err := c.p.caseJewelsField(c.ctx, c.words, c.by, d.Jewels)
	f := caseForm{Action: c.home + "/damage", Submit: t("cases.damage.do"), Primary: true, Back: c.home, Note: t("cases.damage.note"), Hidden: []web.Hidden{{Name: "version", Value: strconv.Itoa(d.Version)}}, Fields: []web.Field{taken,
		{Name: "what", Label: t("cases.damage.what"), Help: t("cases.damage.what-help"), Value: d.What, Rows: 4, Max: caseMaxText}}}
	if len(jewels.Options) > 0 {
		f.Fields = append(f.Fields, jewels)
	}
	level := casePlainLevels(caseLevelField(c.words, caseLevelOr(d.Level, c.Level), c.Access.Ceiling))
	level.Help = t("cases.item.level-help")
	f.Fields = append(f.Fields, lines("partners", d.Partners), lines("products", d.Products), lines("platforms", d.Platforms), lines("told", d.Told), web.Field{Name: "measures", Label: t("cases.damage.measures"), Value: d.Measures, Rows: 4, Max: caseMaxText}, level)
	return f, err
}

func (p *Pages) assessCaseDamage(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	c, err := p.caseSheetOf(r)
	if err != nil {
		return err
	}
	d := caseDamageDraftOf(values)
	_, err = p.AssessDamage(r.Context(), c.by, c.ID, d.damage())
	if web.Mendable(err) {
		was, readErr := p.Damage(r.Context(), c.by, c.ID)
		if readErr != nil {
			return readErr
		}
		return p.showCaseDamage(w, r, c, was, d, err)
	}
	if err != nil {
		return err
	}
	return p.caseDone(w, r, c.home, "cases.damage.done")
}
