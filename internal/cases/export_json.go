package cases

import (
	"time"

	"github.com/polder-exchange/polder/stix"
)

// exportDocument is a case in Polder's own words. People of other organisations are not named.
type exportDocument struct {
	TLP       stix.Marking         `json:"tlp"`
	PAP       string               `json:"pap,omitempty"`
	Made      time.Time            `json:"made"`
	MadeBy    string               `json:"made_by,omitempty"`
	Owner     string               `json:"owner"`
	Case      exportHead           `json:"case"`
	People    []exportPerson       `json:"people"`
	Items     []exportItem         `json:"items"`
	Damage    *exportDamage        `json:"damage,omitempty"`
	Deadlines []exportDeadlineLine `json:"deadlines"`
}

type exportHead struct {
	ID          CaseID       `json:"id"`
	TLP         stix.Marking `json:"tlp"`
	Title       string       `json:"title"`
	Summary     string       `json:"summary"`
	Kind        Kind         `json:"kind"`
	Roads       []Road       `json:"roads"`
	Class       string       `json:"class"`
	Severity    Severity     `json:"severity"`
	Status      Status       `json:"status"`
	Sector      string       `json:"sector"`
	Countries   []string     `json:"countries"`
	CrossBorder bool         `json:"cross_border"`
	Victim      string       `json:"victim,omitempty"`
	Noticed     string       `json:"noticed,omitempty"`
	Occurred    *time.Time   `json:"occurred,omitempty"`
	Ended       *time.Time   `json:"ended,omitempty"`
	Aware       *time.Time   `json:"aware,omitempty"`
	Opened      *time.Time   `json:"opened,omitempty"`
	Closed      *time.Time   `json:"closed,omitempty"`
	Changed     *time.Time   `json:"changed,omitempty"`
}

type exportPerson struct {
	Name string `json:"name"`
	Part Part   `json:"part"`
}

type exportItem struct {
	ID       string       `json:"id"`
	Kind     ItemKind     `json:"kind"`
	TLP      stix.Marking `json:"tlp"`
	Title    string       `json:"title"`
	Text     string       `json:"text,omitempty"`
	At       *time.Time   `json:"at,omitempty"`
	Made     *time.Time   `json:"made,omitempty"`
	MadeBy   string       `json:"made_by,omitempty"`
	Changed  *time.Time   `json:"changed,omitempty"`
	Version  int          `json:"version"`
	Weighs   bool         `json:"weighs,omitempty"`
	Struck   *time.Time   `json:"struck,omitempty"`
	Type     string       `json:"type,omitempty"` // of an observable
	Value    string       `json:"value,omitempty"`
	Bad      bool         `json:"adversary,omitempty"`
	First    *time.Time   `json:"first,omitempty"`
	Last     *time.Time   `json:"last,omitempty"`
	Reason   string       `json:"reason,omitempty"` // of a decision
	By       string       `json:"by,omitempty"`     // who decided, or does a task
	Replaces string       `json:"replaces,omitempty"`
	Done     *time.Time   `json:"done,omitempty"`
	File     *exportFile  `json:"file,omitempty"`
}

type exportFile struct {
	Name    string       `json:"name"`
	Size    int64        `json:"size,omitempty"`
	SHA256  string       `json:"sha256,omitempty"`
	Where   string       `json:"where,omitempty"`
	Custody []exportStep `json:"custody"`
}

type exportStep struct {
	At     time.Time `json:"at"`
	Who    string    `json:"who,omitempty"`
	Did    string    `json:"did"`
	To     string    `json:"to,omitempty"`
	Reason string    `json:"reason,omitempty"`
}

type exportDamage struct {
	TLP        stix.Marking `json:"tlp"`
	Taken      Taken        `json:"taken"`
	What       string       `json:"what"`
	Jewels     []string     `json:"jewels,omitempty"` // names
	Partners   []string     `json:"partners"`
	Products   []string     `json:"products"`
	Platforms  []string     `json:"platforms"`
	Told       []string     `json:"told"`
	Measures   string       `json:"measures"`
	Assessed   *time.Time   `json:"assessed,omitempty"`
	AssessedBy string       `json:"assessed_by,omitempty"`
}

type exportDeadlineLine struct {
	Regulation string     `json:"regulation"`
	What       string     `json:"what"`
	Recipient  string     `json:"recipient"`
	State      string     `json:"state"`
	Due        *time.Time `json:"due,omitempty"`
	Sent       *time.Time `json:"sent,omitempty"`
	Source     string     `json:"source"`
}

// exportWhole is a case in Polder's own words.
func exportWhole(c *exportCase) exportDocument {
	v := c.View
	out := exportDocument{TLP: c.Level, PAP: c.Ask.PAP.Label(), Made: c.Made, MadeBy: c.By, Owner: c.Org.Name, People: []exportPerson{}, Items: []exportItem{}, Deadlines: []exportDeadlineLine{},
		Case: exportHead{v.ID, v.Level, v.Title, v.Summary, v.Kind, append([]Road{}, v.Roads...), v.Class, v.Severity, v.Status, v.Sector, append([]string{}, v.Countries...), v.Crosses, v.Victim, v.Noticed,
			exportTime(v.Occurred), exportTime(v.Ended), exportTime(v.Aware), exportTime(v.Opened), exportTime(v.Closed), exportTime(v.Changed)}}
	for _, m := range c.Members {
		if name := c.memberName(m); name != "" {
			out.People = append(out.People, exportPerson{name, m.Part})
		}
	}
	for _, it := range c.Items {
		out.Items = append(out.Items, c.itemOut(it))
	}
	if d := c.Damage; d != nil {
		out.Damage = &exportDamage{d.Level, d.Taken, d.What, jewelNames(d.Touched), append([]string{}, d.Partners...), append([]string{}, d.Products...), append([]string{}, d.Platforms...), append([]string{}, d.Told...), d.Measures, exportTime(d.Assessed), c.who(d.AssessedBy)}
	}
	for _, d := range c.Deadlines {
		out.Deadlines = append(out.Deadlines, exportDeadlineLine{d.Regulation, d.What, d.Recipient, d.State, exportTime(d.Due), exportTime(d.Sent), d.Source})
	}
	return out
}

// memberName is what a member is called where the reader may read it: a person of the own organisation, or an organisation.
func (c *exportCase) memberName(m Member) string {
	if m.Org != "" {
		return m.Name
	}
	return c.who(m.Person)
}

func (c *exportCase) itemOut(it Item) exportItem {
	out := exportItem{ID: it.ID, Kind: it.Kind, TLP: it.Level, Title: it.Title, Text: it.Text, At: exportTime(it.At), Made: exportTime(it.Made), MadeBy: c.who(it.MadeBy),
		Changed: exportTime(it.Changed), Version: it.Version, Weighs: it.Weighs, Struck: exportTime(it.Struck)}
	if o := it.Observable; o != nil {
		out.Type, out.Value, out.Bad, out.First, out.Last = string(o.Type), o.Value, o.Bad, exportTime(o.First), exportTime(o.Last)
	}
	if d := it.Decision; d != nil {
		out.Reason, out.By, out.Replaces = d.Reason, c.who(d.Person), d.Supersedes
	}
	if t := it.Task; t != nil {
		out.By, out.Done = c.who(t.Owner), exportTime(t.Done)
	}
	if e := it.Evidence; e != nil {
		f := &exportFile{e.Name, e.Size, e.SHA256, e.Where, []exportStep{}}
		for _, s := range e.Custody {
			f.Custody = append(f.Custody, exportStep{s.At.UTC(), c.who(s.Person), s.Did, s.To, s.Reason})
		}
		out.File = f
	}
	return out
}

func jewelNames(all []Jewel) (out []string) {
	for _, j := range all {
		out = append(out, j.Name)
	}
	return out
}
