package node

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/detect"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/notify"
	"github.com/polder-exchange/polder/internal/web"
)

// Folders and files of detection in the data folder. What they hold is the telemetry of the node's organisations.
const (
	rulesFolder  = "rules"
	eventsFolder = "events"
	outboxFile   = "alerts-outbox.db"
)

// detection is what the node runs of it.
type detection struct {
	service  *detect.Service
	detector *detect.Detector
	intake   *detect.Intake
	notifier *detect.Notifier
	folders  []*detect.Folder
}

// openDetection opens what takes events in, judges them and keeps alerts.
func (n *Node) openDetection(ctx context.Context) error {
	d := &n.detection
	if err := detect.Migrate(ctx, n.DB); err != nil {
		return err
	}
	x := forDetection{n.Exchange}
	d.service = detect.NewService(detect.ServiceOptions{DB: n.DB, Audit: n.Audit, Now: n.now, Objects: x, Release: x, Accounts: n.Accounts, Log: n.log})
	gate, err := n.gate()
	if err != nil {
		return err
	}
	d.detector, err = detect.NewDetector(detect.DetectorOptions{
		Service: d.service, Journal: n.Journal, Own: n.own, Now: n.now, Log: n.log, Rules: filepath.Join(n.Dir, rulesFolder), Gate: gate,
		Dir: filepath.Join(n.Dir, detect.HistoryDir), History: n.Config.History.bounds(),
	})
	if err != nil {
		return err
	}
	n.atEnd(d.detector.Close)
	d.intake, err = detect.OpenIntake(ctx, detect.IntakeOptions{
		Dir: filepath.Join(n.Dir, eventsFolder), Service: d.service, Judge: d.detector, Now: n.now, Log: n.log, Room: n.DB.Room,
	})
	if err != nil {
		return err
	}
	n.atEnd(d.intake.Close)
	for _, w := range n.Config.Watch {
		if _, err := n.Accounts.Org(ctx, polder.OrgID(w.Org)); err != nil {
			return polder.Errorf(polder.Invalid, "watch: %s is not an organisation of this node; see polder org list", w.Org)
		}
		d.folders = append(d.folders, detect.NewFolder(detect.FolderOptions{
			Dir: w.Folder, Done: w.Done, Org: polder.OrgID(w.Org), Intake: d.intake, Checker: checkerFor{d.detector, polder.OrgID(w.Org)}, Service: d.service, Now: n.now, Log: n.log,
		}))
	}
	return nil
}

// openAlertNotifier sets up messages about alerts, over the same ways out as those of the exchange, and log servers.
func (n *Node) openAlertNotifier(ctx context.Context, site *web.Site, senders map[notify.Channel]notify.Sender) error {
	outbox, err := db.Open(ctx, filepath.Join(n.Dir, outboxFile), db.Options{Log: n.log, Now: n.now})
	if err != nil {
		return err
	}
	n.atEnd(outbox.Close)
	secret, err := n.Accounts.NodeKey(ctx, "detect.off")
	if err != nil {
		return err
	}
	n.detection.notifier = detect.NewNotifier(detect.NotifierOptions{
		Service: n.detection.service, Accounts: n.Accounts, Outbox: outbox, Site: site, URL: n.Config.address(), Secret: secret, Senders: senders, Log: n.log,
	})
	return n.detection.notifier.Migrate(ctx)
}

// mountDetection adds the pages, the REST API and what spans pages.
func (n *Node) mountDetection(site *web.Site) []web.Route {
	d := &n.detection
	pages := d.service.Pages(site, detect.PagesOptions{Checker: d.detector, Overview: d.detector, Notifier: d.notifier, Intake: d.intake})
	site.AddNav(pages.Nav()...)
	site.AddCards(pages)
	site.AddPanels(pages)
	site.AddSearches(pages)
	return append(detect.NewAPI(d.service, d.intake).Routes(), pages.Routes()...)
}

// own is what an organisation may see now, in its own right.
func (n *Node) own(ctx context.Context, org polder.OrgID) (polder.Sight, map[polder.CommunityID]string, error) {
	a := polder.Actor{Org: org, Role: polder.RoleReader}
	sight, err := n.Exchange.Sight(ctx, a)
	if err != nil {
		return polder.Sight{}, nil, err
	}
	ms, err := n.Accounts.MembershipsOf(ctx, a)
	aliases := map[polder.CommunityID]string{}
	for _, m := range ms {
		aliases[m.Community.ID] = m.Alias
	}
	return sight, aliases, err
}

// gate is the lists of values that are no hits: the built-in ones, and those of the folder, if it is there. Names and
// networks for documentation are hits: nobody has them in his events but in an exercise.
func (n *Node) gate() (*indicator.Gate, error) {
	g := indicator.NewGate()
	g.AddBuiltin(indicator.ListDocumentation)
	dir := filepath.Join(n.Dir, warningFolder)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return g, nil
	}
	if _, err := g.LoadFS(os.DirFS(dir)); err != nil {
		n.log.Warn("some warninglists gate only in part", "reason", err)
	}
	return g, nil
}

// History says how telemetry is kept for hunting back. The zero value keeps 90 days, at most 20 GiB an organisation.
type History struct {
	Days       int  `yaml:"days"`        // 90
	MaxGiB     int  `yaml:"max_gib"`     // of an organisation; 20
	ValuesOnly bool `yaml:"values_only"` // keep the values that an indicator can name, not the events
}

// bounds are those of the configuration, or the usual ones.
func (h History) bounds() detect.HistoryBounds {
	b := detect.HistoryBounds{Keep: 90 * 24 * time.Hour, MaxBytes: 20 << 30, ValuesOnly: h.ValuesOnly}
	if h.Days > 0 {
		b.Keep = time.Duration(h.Days) * 24 * time.Hour
	}
	if h.MaxGiB > 0 {
		b.MaxBytes = int64(h.MaxGiB) << 30
	}
	return b
}

// Watch is a folder of logs that is taken in for an organisation.
type Watch struct {
	Org    string `yaml:"org"`    // its identity
	Folder string `yaml:"folder"` // its files, not those of folders below it
	Done   string `yaml:"done"`   // where files go that were read; without it they stay
}

// checkerFor checks logs for one organisation.
type checkerFor struct {
	*detect.Detector
	org polder.OrgID
}

// forDetection is the exchange as detection needs it.
type forDetection struct{ exchange *exchange.Service }

// See is what [detect.Objects] asks for.
func (x forDetection) See(ctx context.Context, by polder.Actor, refs []detect.Ref) (map[detect.Ref]detect.Object, error) {
	byCommunity := map[string][]string{}
	for _, r := range refs {
		byCommunity[r.Community] = append(byCommunity[r.Community], r.ID)
	}
	out := map[detect.Ref]detect.Object{}
	for community, ids := range byCommunity {
		seen, err := x.exchange.Glimpses(ctx, by, community, ids)
		if err != nil {
			return nil, err
		}
		for _, g := range seen {
			out[detect.Ref{Community: community, ID: g.ID}] = detect.Object{
				Ref: detect.Ref{Community: g.Community, ID: g.ID}, Type: g.Type, Title: g.Title, Href: g.Href, CommunityName: g.CommunityName,
				By: g.By, Level: g.Level, PAP: g.PAP, Confidence: g.Confidence, Revoked: g.Revoked, Until: g.Until,
			}
		}
	}
	return out, nil
}

// Relations is what [detect.Objects] asks for.
func (x forDetection) Relations(ctx context.Context, by polder.Actor, ref detect.Ref, limit int) ([]detect.Relation, error) {
	near, err := x.exchange.Around(ctx, by, ref.ID, limit)
	if err != nil {
		return nil, err
	}
	out := make([]detect.Relation, len(near))
	for i, r := range near {
		out[i] = detect.Relation{Text: r.Text, Type: r.Type, Title: r.Title, Href: r.Href, Level: r.Level}
	}
	return out, nil
}

// sighting is a detection's sighting as the exchange makes it.
func sighting(s detect.Sighting, preview bool) exchange.Sighting {
	return exchange.Sighting{
		About: exchange.About{ID: s.ID, Community: s.Community, Named: s.Named, Confirmed: s.Confirmed, Key: s.Key, Preview: preview},
		Count: s.Count, First: s.First, Last: s.Last, Text: s.Text,
	}
}

// Preview is what [detect.Release] asks for.
func (x forDetection) Preview(ctx context.Context, by polder.Actor, s detect.Sighting) (detect.Leaving, error) {
	r, err := x.exchange.MakeSighting(ctx, by, sighting(s, true))
	if err != nil {
		return detect.Leaving{}, err
	}
	if len(r.Items) == 0 {
		return detect.Leaving{}, unshared(r)
	}
	out := detect.Leaving{Raw: r.Items[0].Raw, Level: r.Items[0].Level, Readers: len(r.Items[0].Readers)}
	for _, w := range r.Warnings {
		out.Warnings = append(out.Warnings, w.Reason)
	}
	return out, nil
}

// Share is what [detect.Release] asks for.
func (x forDetection) Share(ctx context.Context, by polder.Actor, s detect.Sighting) (string, error) {
	r, err := x.exchange.MakeSighting(ctx, by, sighting(s, false))
	if err != nil {
		return "", err
	}
	if r.Stored+r.Duplicates == 0 || len(r.Items) == 0 {
		return "", unshared(r)
	}
	return r.Items[0].ID, nil
}

// unshared is why a share came to nothing.
func unshared(r exchange.Result) error {
	for _, no := range r.Refused {
		return polder.Errorf(polder.Invalid, "%s", no.Error)
	}
	for _, w := range r.Warnings {
		if w.Held {
			return polder.Errorf(polder.Conflict, "%s; confirm to share it nevertheless", w.Reason)
		}
	}
	return polder.Errorf(polder.Invalid, "nothing was shared")
}

// Check is what [detect.Checker] asks for.
func (c checkerFor) Check(ctx context.Context, name string, in io.Reader, found func(*detect.Finding) error) (detect.Examined, error) {
	return c.CheckFor(ctx, c.org, name, in, found)
}

// runDetection does what detection does by itself until ctx ends.
func (n *Node) runDetection(ctx context.Context, all *sync.WaitGroup) {
	d := &n.detection
	all.Go(func() { d.service.Run(ctx) })
	all.Go(func() { d.detector.Run(ctx) })
	all.Go(func() { d.notifier.Run(ctx) })
	all.Go(func() {
		if err := d.intake.Run(ctx); err != nil {
			n.log.Error("judging has stopped", "error", err)
		}
	})
	for _, f := range d.folders {
		all.Go(func() { f.Run(ctx) })
	}
}
