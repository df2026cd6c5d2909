package deadline

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Years of awareness that are counted.
const (
	firstYear = 1990
	lastYear  = 2200
)

// Due are the deadlines of a situation, the earliest first, those without a time last. A word that is not known is an
// [UnknownError], which lists those that are.
func (p Packs) Due(s Situation) ([]Deadline, error) {
	q, err := p.question(s)
	if err != nil {
		return nil, err
	}
	var out []Deadline
	for _, r := range p.packsAt(q.at) {
		c := q.countIn(r)
		for _, rule := range r.Rules {
			if d, ok := c.deadline(rule); ok {
				out = append(out, d)
			}
		}
	}
	sortDeadlines(out)
	return out, nil
}

// sortDeadlines puts the earliest first, and those without a time last.
func sortDeadlines(all []Deadline) {
	slices.SortStableFunc(all, func(a, b Deadline) int {
		switch {
		case sooner(a, b):
			return -1
		case sooner(b, a):
			return 1
		}
		return cmp.Compare(a.ID, b.ID)
	})
}

// sooner tells whether a is due before b; a time is sooner than none.
func sooner(a, b Deadline) bool {
	if a.Due.IsZero() || b.Due.IsZero() {
		return !a.Due.IsZero() && b.Due.IsZero()
	}
	return a.Due.Before(b.Due)
}

// question is a situation whose words were found.
type question struct {
	Situation
	at     place
	sector Term
	kind   Term
}

func (p Packs) question(s Situation) (q question, err error) {
	q.Situation = s
	if q.at, err = p.place(s.Jurisdiction); err != nil {
		return q, err
	}
	if q.sector, err = findTerm(words().sectors, "sector", cmp.Or(s.Sector, "any")); err != nil {
		return q, err
	}
	if q.kind, err = findTerm(words().kinds, "kind", s.Kind); err != nil {
		return q, err
	}
	if y := s.Aware.Year(); y < firstYear || y > lastYear {
		return q, fmt.Errorf("aware: the year %d is not between %d and %d; write when you first knew", y, firstYear, lastYear)
	}
	return q, nil
}

// packsAt are the packs that count at a place: those of the place, and those of the EU for acts that it has none of.
func (p Packs) packsAt(where place) []*readPack {
	b := p.open()
	own := map[string]bool{}
	for _, k := range b.packs {
		own[k.Act] = own[k.Act] || k.Jurisdiction == where.ID
	}
	var out []*readPack
	for _, k := range b.packs {
		if k.Jurisdiction == where.ID || k.Jurisdiction == "EU" && !own[k.Act] {
			out = append(out, b.kept[k.ID])
		}
	}
	return out
}

// counting counts the rules of one pack in one situation.
type counting struct {
	question
	pack     *readPack
	zone     *time.Location
	calendar Calendar
}

func (q question) countIn(r *readPack) counting {
	c := counting{q, r, r.zone, r.calendar}
	if r.Jurisdiction == "EU" && q.at.ID != "EU" {
		c.zone, c.calendar = q.at.location, words().calendars[q.at.Calendar]
	}
	return c
}

// event is when something happened first, if it did. An event of a pack alone is told apart from the same of others.
func (c counting) event(name string) (time.Time, bool) {
	if report, ok := strings.CutPrefix(name, "sent:"); ok {
		if t, ok := c.Events["sent:"+c.pack.ID+"/"+report]; ok && !t.IsZero() {
			return t, true
		}
	}
	t, ok := c.Events[name]
	return t, ok && !t.IsZero()
}

// holds tells whether a rule holds in the situation, and how binding it is.
func (c counting) holds(r Rule) (State, bool) {
	if r.Serious && c.Serious == No || !c.covers(r) {
		return State{}, false
	}
	if _, ok := c.event(r.If); r.If != "" && !ok {
		return State{}, false
	}
	if _, ok := c.event(r.Unless); r.Unless != "" && ok {
		return State{}, false
	}
	return c.stateOf(r)
}

// covers tells whether a rule is about the sector and the kind.
func (c counting) covers(r Rule) bool {
	if slices.ContainsFunc(r.Also, func(a Also) bool {
		return a.Kind == c.kind.ID && (inSectors([]string{a.Sector}, c.sector) || c.sector.ID == "any")
	}) {
		return true
	}
	if !slices.Contains(r.Kinds, c.kind.ID) {
		return false
	}
	if c.sector.ID == "any" {
		return true
	}
	return (len(r.Sectors) == 0 || inSectors(r.Sectors, c.sector)) && !inSectors(r.Not, c.sector)
}

// inSectors tells whether a list of sectors and groups holds a sector.
func inSectors(list []string, s Term) bool {
	return slices.ContainsFunc(list, func(one string) bool { return one == s.ID || slices.Contains(s.Groups, one) })
}

// stateOf is how binding a rule is on the day of awareness; ok is false when it does not hold on that day.
func (c counting) stateOf(r Rule) (State, bool) {
	states := c.pack.States
	if len(states) == 0 {
		states = []State{{From: r.From, To: r.To}}
	}
	day := c.Aware.In(c.zone).Format(time.DateOnly)
	for _, s := range states {
		if day >= s.From && (s.To == "" || day <= s.To) {
			if s.Status == "" || r.Status == Voluntary {
				s.Status = r.Status
			}
			return s, true
		}
	}
	return State{}, false
}

// deadline counts a rule; ok is false when it does not hold.
func (c counting) deadline(r Rule) (Deadline, bool) {
	state, ok := c.holds(r)
	if !ok {
		return Deadline{}, false
	}
	d := c.count(r)
	d.Status, d.Note = state.Status, strings.TrimSpace(r.Note+" "+state.Note)
	if c.sector.ID == "any" && len(r.Sectors) > 0 {
		d.Note = strings.TrimSpace(d.Note + " Only for " + strings.Join(r.Sectors, ", ") + exceptSectors(r.Not) + ".")
	}
	return d, true
}

func exceptSectors(not []string) string {
	if len(not) == 0 {
		return ""
	}
	return " but not " + strings.Join(not, ", ")
}

// count counts a rule, whether or not it holds.
func (c counting) count(r Rule) Deadline {
	d := Deadline{ID: c.pack.ID + "/" + r.ID, Rule: r, Regulation: c.pack.Regulation, Jurisdiction: c.at.ID}
	delay, trigger := c.pack.delays[r.Delay], r.Trigger
	if !delay.Timed() {
		d.Start, d.Why = c.Aware.In(c.zone), "No fixed time: "+r.Delay+"."
		return d
	}
	from, ok := c.happened(trigger)
	if !ok && r.Else != nil {
		delay, trigger, d.Estimated = c.pack.delays[r.Else.Delay], r.Else.Trigger, !r.Else.Settled
		from, ok = c.happened(trigger)
	}
	if !ok {
		if from, ok = c.latest(trigger); !ok {
			d.Waits, d.Why = trigger, delay.String()+" from what has not happened yet: "+eventName(trigger)+"."
			return d
		}
		d.Estimated = true
	}
	rest := r.Rest
	if inSectors(r.RestNot, c.sector) {
		rest = RestNone
	}
	d.Start, d.Hours = from.In(c.zone), delay.Hours()
	d.Due = delay.End(from, c.zone, c.calendar, rest)
	d.Why = c.why(d, delay, trigger, rest)
	if trigger == r.Trigger {
		c.limit(r, &d, rest)
	}
	if r.Else != nil && trigger == r.Else.Trigger && !r.Else.Settled {
		d.Why += " It is counted so because this has not happened yet: " + eventName(r.Trigger) + "."
	}
	return d
}

// happened is when a trigger came, if it did.
func (c counting) happened(trigger string) (time.Time, bool) {
	if trigger == "aware" {
		return c.Aware, true
	}
	return c.event(trigger)
}

// latest is the last moment at which a report that was not sent yet is to be sent.
func (c counting) latest(trigger string) (time.Time, bool) {
	report, ok := strings.CutPrefix(trigger, "sent:")
	if !ok {
		return time.Time{}, false
	}
	var last time.Time
	for _, r := range c.pack.Rules {
		if _, state := c.stateOf(r); r.Report != report || !state || !c.covers(r) {
			continue
		}
		if due := c.count(r).Due; last.IsZero() || !due.IsZero() && due.Before(last) {
			last = due
		}
	}
	return last, !last.IsZero()
}

// limit brings a deadline forward to the rule's second limit, unless that was over before the trigger came.
func (c counting) limit(r Rule, d *Deadline, rest Rest) {
	if r.Cap == nil {
		return
	}
	from, ok := c.happened(r.Cap.Trigger)
	if !ok {
		return
	}
	p := c.pack.delays[r.Cap.Delay]
	end := p.End(from, c.zone, c.calendar, rest)
	plain := p.End(from, c.zone, c.calendar, RestNone)
	if plain.Before(d.Start) {
		d.Why += " The limit of " + p.String() + " from " + eventName(r.Cap.Trigger) + " was over before."
		return
	}
	if end.Before(d.Due) {
		d.Due, d.Start, d.Hours = end, from.In(c.zone), p.Hours()
		d.Why = c.why(*d, p, r.Cap.Trigger, rest) + " That is before " + r.Delay + " from " + eventName(r.Trigger) + "."
	}
}

// why says in a sentence how a deadline was counted.
func (c counting) why(d Deadline, delay Period, trigger string, rest Rest) string {
	from := eventName(trigger)
	if report, ok := strings.CutPrefix(trigger, "sent:"); ok {
		from = "the sending of the report " + report
		if _, sent := c.event(trigger); !sent {
			from = "the last moment of the report " + report + ", which was not sent yet"
		}
	}
	text := fmt.Sprintf("%s from %s (%s)", delay, from, d.Start.Format("2006-01-02 15:04 MST"))
	plain := delay.End(d.Start, c.zone, c.calendar, RestNone)
	switch {
	case !plain.Equal(d.Due):
		text += fmt.Sprintf("; it would end on %s, and moves %s", dayOff(plain, c.calendar), restName(rest))
	case delay.Hours():
		text += "; hours never pause"
	default:
		text += "; it ends with that day"
	}
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

// dayOff says which day a time falls on, and why it is off.
func dayOff(t time.Time, c Calendar) string {
	day := t.Format("Monday 2006-01-02")
	if name, ok := c.Holiday(t); ok {
		day += " (" + name + ")"
	}
	return day
}

func restName(rest Rest) string {
	switch rest {
	case RestNoon:
		return "to noon of the next working day"
	case RestAtw:
		return "to a later working day (Algemene termijnenwet)"
	}
	return "to a later working day (Regulation 1182/71 art. 3(4) and (5))"
}

// eventName is what a trigger is called in a sentence.
func eventName(trigger string) string {
	if trigger == "aware" {
		return "awareness"
	}
	if report, ok := strings.CutPrefix(trigger, "sent:"); ok {
		return "the report " + report
	}
	for _, e := range words().events {
		if e.ID == trigger {
			return e.EN
		}
	}
	return trigger
}
