package detect

import (
	"errors"
	"io"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
)

const (
	maxUpload    = 1_000_000_000 // bytes of a log that is checked on the page
	checkTimeout = 20 * time.Minute
	maxSigns     = 200 // that the answer names
)

var errNoChecker = polder.Errorf(polder.NotFound, "no logs are checked on this node")

// checkPage asks for a log: have we been hit?
func (p *Pages) checkPage(w http.ResponseWriter, r *http.Request) error {
	words := web.WordsOf(r)
	return p.showCheck(w, r, pageView{}, words.T("detect.check"), words.T("detect.check.lede"), nil)
}

func (p *Pages) showCheck(w http.ResponseWriter, r *http.Request, v pageView, title, lede string, failed error) error {
	if p.more.Checker == nil {
		return errNoChecker
	}
	words := web.WordsOf(r)
	v.Alerts = append(v.Alerts, notDone(words, failed)...)
	f := form{Action: "/check", Files: true, Submit: words.T("detect.check.do"), Primary: true, Note: words.T("detect.check.note", "size", words.Size(maxUpload))}
	if web.ActorOf(r).Role.OnObjects() >= polder.RoleContributor { // before the file: what follows it is read too late
		f.Fields = append(f.Fields, web.Field{Name: "keep", Label: words.T("detect.check.keep"), Many: true, Options: []web.Option{{Value: "yes", Label: words.T("detect.check.keep-yes"), Chosen: true}}})
	}
	f.Fields = append(f.Fields, web.Field{Name: "log", Label: words.T("detect.check.file"), Help: words.T("detect.check.file-help"), Type: "file", Required: true})
	known, err := p.knowing(r)
	if err != nil {
		return err
	}
	v.beside(panel(words.T("detect.check.another"), "", "form", f), panel(words.T("detect.check.with"), "", "facts", knowingPairs(words, known)))
	if len(v.Main) == 0 {
		v.Main, v.Aside = v.Aside, nil
	}
	p.site.Render(w, r, web.Page{Template: "detect/page", Title: title, Lede: lede, Status: statusFor(failed), Data: v})
	return nil
}

// knowing is what a log of whoever asks is held against.
func (p *Pages) knowing(r *http.Request) (Knowing, error) {
	if p.more.Overview == nil {
		return p.more.Checker.Knowing(), nil
	}
	o, err := p.more.Overview.Overview(r.Context(), web.ActorOf(r))
	return o.Knowing, err
}

func knowingPairs(words web.Words, k Knowing) []web.Pair {
	rules := words.T("detect.check.rules", "n", k.Rules+k.Correlations)
	if k.BuiltIn {
		rules = words.T("detect.check.built-in", "n", k.Rules+k.Correlations)
	}
	return []web.Pair{{Term: words.T("detect.knowledge.rules"), Text: rules}, {Term: words.T("detect.knowledge.indicators"), Text: words.T("detect.check.indicators", "n", k.Indicators+k.Patterns)}}
}

// checkLog reads a log while it arrives and says in plain words what was found. Nothing of the log is kept but, where
// that is asked for, what was found.
func (p *Pages) checkLog(w http.ResponseWriter, r *http.Request) error {
	if p.more.Checker == nil {
		return errNoChecker
	}
	select {
	case p.check <- struct{}{}:
		defer func() { <-p.check }()
	default:
		return polder.Errorf(polder.Limited, "as many logs as this node checks at a time are being checked; send yours again in a minute")
	}
	name, keep, in, err := logOf(r)
	if web.Mendable(err) {
		return p.showCheck(w, r, pageView{}, web.WordsOf(r).T("detect.check"), "", err)
	}
	if err != nil {
		return err
	}
	by := web.ActorOf(r)
	keep = keep && by.Role.OnObjects() >= polder.RoleContributor
	var report Report
	var found []Finding
	record := func() error {
		_, err := p.Record(r.Context(), by.Org, found)
		found = found[:0]
		return err
	}
	x, err := p.more.Checker.Check(r.Context(), name, in, func(f *Finding) error {
		report.Add(f)
		if !keep {
			return nil
		}
		if found = append(found, *f); len(found) < recordBatch {
			return nil
		}
		return record()
	})
	if err == nil {
		err = record()
	}
	if err != nil {
		return err
	}
	report.Files = []Examined{x}
	return p.answer(w, r, &report, x, keep)
}

// logOf finds the file in a form that is read as it arrives. The fields before the file are read, those behind it not.
func logOf(r *http.Request) (name string, keep bool, in io.Reader, err error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return "", false, nil, polder.Errorf(polder.Invalid, "the form holds no file; choose a log and send it")
	}
	for range 10 {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			if web.Status(err) != http.StatusInternalServerError {
				return "", false, nil, err
			}
			return "", false, nil, polder.Errorf(polder.Invalid, "the form cannot be read to its end: %w; send it again", err)
		}
		switch part.FormName() {
		case "keep":
			text, err := io.ReadAll(io.LimitReader(part, 10))
			if err != nil {
				return "", false, nil, err
			}
			keep = string(text) == "yes"
		case "log":
			if name = path.Base(strings.ReplaceAll(part.FileName(), `\`, "/")); part.FileName() == "" {
				return "", false, nil, polder.Errorf(polder.Invalid, "no file was chosen; choose a log and send it")
			}
			return clipped(name, 200), keep, part, nil
		}
	}
	return "", false, nil, polder.Errorf(polder.Invalid, "the form holds no file; choose a log and send it")
}

// answer says what was found, the answer first.
func (p *Pages) answer(w http.ResponseWriter, r *http.Request, report *Report, x Examined, kept bool) error {
	words := web.WordsOf(r)
	verdict := map[Verdict]string{NothingRead: "nothing-read", NoSign: "no-sign", Unlikely: "unlikely", Perhaps: "perhaps", Probably: "probably"}[report.Verdict()]
	class := map[Verdict]string{NothingRead: "warn", Perhaps: "warn", Probably: "bad"}[report.Verdict()]
	signs := report.Signs()
	v := pageView{Alerts: []web.Alert{{Class: class, Title: words.T("detect.verdict." + verdict), Text: words.T("detect.verdict." + verdict + ".text")}}}
	if kept && len(signs) > 0 {
		v.Alerts[0].Links = []web.Link{{Text: words.T("detect.check.kept"), Href: "/alerts"}}
	}
	list := entries{Empty: web.Empty{Icon: "check", Title: words.T("detect.verdict.no-signs"), Text: words.T("detect.verdict.no-signs-text")}}
	for _, s := range signs[:min(len(signs), maxSigns)] {
		lines := []string{words.T("detect.times", "n", int(s.Count))}
		if !s.First.IsZero() {
			lines[0] += " · " + words.T("detect.between", "first", s.First, "last", s.Last)
		}
		if at := strings.Trim(s.Hosts.String()+" · "+s.Accounts.String(), " ·"); at != "" {
			lines = append(lines, at)
		}
		for _, e := range s.Evidence[:min(len(s.Evidence), 3)] {
			lines = append(lines, e.Field+": "+clipped(e.Value, 200))
		}
		title := s.Title
		if s.Kind == ByIndicator {
			title = web.Defang(title)
		}
		list.Rows = append(list.Rows, entry{Icon: kindIcon(s.Kind), Title: orDefault(title, s.ID), Lines: lines, Mark: levelMark(words, levelAt(s.Level.rank())), TLP: s.Origin.Level})
	}
	v.add(panel(words.T("detect.check.signs"), words.T("detect.check.signs-count", "n", len(signs)), "entries", list))
	if report.Verdict() >= Perhaps {
		v.add(panel(words.T("detect.next"), "", "numbered", []string{words.T("detect.step.isolate"), words.T("detect.step.keep"), words.T("detect.step.ask")}))
	}
	v.add(panel(words.T("detect.check.read"), "", "facts", examinedPairs(words, x)))
	return p.showCheck(w, r, v, words.T("detect.check.question"), words.T("detect.check.answer", "file", x.File, "n", int(x.Events)), nil)
}

// examinedPairs is what was read of a log.
func examinedPairs(words web.Words, x Examined) []web.Pair {
	pairs := []web.Pair{{Term: words.T("detect.check.file"), Text: x.File}, {Term: words.T("detect.check.format"), Text: strings.Trim(orDefault(x.Format, words.T("detect.check.unknown"))+", "+x.Compression, ", ")},
		{Term: words.T("detect.source.events"), Text: words.Number(x.Events)}, {Term: words.T("detect.check.unreadable"), Text: words.Number(x.Unreadable)}}
	if !x.First.IsZero() {
		pairs = append(pairs, web.Pair{Term: words.T("detect.check.span"), Text: words.T("detect.between", "first", x.First, "last", x.Last)})
	}
	for _, said := range x.Trouble {
		pairs = append(pairs, web.Pair{Term: words.T("detect.check.trouble"), Text: said})
	}
	return pairs
}
