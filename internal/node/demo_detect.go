package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/detect"
	"github.com/polder-exchange/polder/stix"
)

// This file is the part of the story in which the members hold what they share against their own logs.

// Values of the story's logs that scenes speak of.
const (
	ordersValue = "sync.lens-catalogue.example" // what Okular shares and Klepwerk's gateway asks for
	dropValue   = "drop.kiln-drawings.example"  // what Meridiaan met before anybody knew it
	gatewayHost = "192.0.2.1"                   // that gateway
	leakRule    = "310d6165-bc09-4c11-bbc6-be6f6058d7f5"
)

// dropTime is when Meridiaan met it, by the files.
var dropTime = time.Date(2026, 2, 24, 18, 41, 12, 640e6, time.UTC)

// detecting are the scenes of detection.
func detecting() []scene {
	return []scene{
		{name: "orders", says: "Okular shares, without its name and at TLP:AMBER, the name that the back door asks for orders", by: "okular", sees: chainBut("okular"),
			do: shareFile("okular", chain, "orders.json", "tlp=amber"), check: keepOrders},
		{name: "found-live", says: "Klepwerk's gateway sends its own log: the name stands in it, and an alert in the queue", do: takeIn("klepwerk", "gateway.ndjson"), check: foundLive},
		{name: "sighting-back", says: "its office manager confirms the alert and shares the sighting: how often and when, nothing else", by: "klepwerk", sees: chainBut("klepwerk"),
			do: sightBack, check: onlyCounts},
		{name: "it-helped", says: "Okular sees on its indicator's page that it helped, and not whom", do: nothing, check: itHelped},
		{name: "know-how", says: "a workstation of Meridiaan: a new stick, then forty drawings on it; Polder's own rules notice", do: takeIn("meridiaan", "workstation.ndjson"), check: knowHow},
		{name: "looked-back", says: "Universiteit Maasland shares a name, and Meridiaan's logs of last week turn out to hold it", by: "maasland", sees: chainBut("maasland"),
			do: shareFile("maasland", chain, "drop.csv", "tlp=amber"), check: lookedBack},
		{name: "own-logs-only", says: "who may not see an indicator has no alert of it, though its logs hold the value", do: elsewhere, check: ownAlertsOnly},
	}
}

// keepOrders remembers Okular's indicator.
func keepOrders(_ context.Context, st *stage) error {
	for _, h := range st.players["klepwerk"].seen.between(0, math.MaxInt64) {
		if stix.TypeOf(h.id) == "indicator" && strings.Contains(h.body, ordersValue) {
			st.held["orders"] = h.id
			return nil
		}
	}
	return fmt.Errorf("the indicator did not arrive")
}

// takeIn sends a log of a part's own by the REST API, and waits until it is judged.
func takeIn(key, name string) func(context.Context, *stage) (polder.Seq, error) {
	return func(ctx context.Context, st *stage) (polder.Seq, error) {
		text, err := st.text(name)
		if err != nil {
			return 0, err
		}
		return 0, st.takeIn(ctx, key, name, text)
	}
}

func (st *stage) takeIn(ctx context.Context, key, name string, text []byte) error {
	source := strings.TrimSuffix(name, ".ndjson")
	err := st.ask(ctx, st.players[key].reader, "POST", "/api/v1/events?name="+source, text, nil)
	if err := demands(http.StatusForbidden, err); err != nil {
		return fmt.Errorf("a token that only reads sends a log: %w", err)
	}
	var got struct{ Events int }
	if err := st.ask(ctx, st.players[key].writer, "POST", "/api/v1/events?name="+source, text, &got); err != nil {
		return err
	}
	if want := strings.Count(string(text), "\n"); got.Events != want {
		return fmt.Errorf("%d events were taken in of %d", got.Events, want)
	}
	return st.until(ctx, "the log is judged", func() (bool, error) { return st.node.detection.intake.Waiting() == 0, nil })
}

// until waits for something, at most patience.
func (st *stage) until(ctx context.Context, what string, there func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		if ok, err := there(); ok || err != nil {
			return err
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("it did not come about within %v that %s", patience, what)
		}
	}
}

// alarm is an alert as the REST API tells it to its organisation.
type alarm struct {
	ID, Kind, Rule, Title, Level, TLP, Host, State, Sighting string
	Count                                                    int
	First                                                    time.Time `json:"first_seen"`
	Last                                                     time.Time `json:"last_seen"`
	Origin                                                   struct{ Object, Community string }
	Alerts                                                   []struct {
		File     string
		Evidence []detect.Evidence
		Events   []string
	}
}

// alarms are the alerts of a part.
func (st *stage) alarms(ctx context.Context, key string) ([]alarm, error) {
	var got struct{ Alerts []alarm }
	err := st.ask(ctx, st.players[key].reader, "GET", "/api/v1/alerts?limit=200", nil, &got)
	return got.Alerts, err
}

// alarm waits for the alert of a part about a rule or an indicator, and reads all of it.
func (st *stage) alarm(ctx context.Context, key, rule string) (one alarm, err error) {
	err = st.until(ctx, key+" has the alert", func() (bool, error) {
		all, err := st.alarms(ctx, key)
		i := slices.IndexFunc(all, func(a alarm) bool { return a.Rule == rule })
		if i < 0 || err != nil {
			return false, err
		}
		return true, st.ask(ctx, st.players[key].reader, "GET", "/api/v1/alerts/"+all[i].ID, nil, &one)
	})
	return one, err
}

// foundLive checks the alert that Klepwerk's log raised, its evidence and its way back to the shared object.
func foundLive(ctx context.Context, st *stage) error {
	a, err := st.alarm(ctx, "klepwerk", st.held["orders"])
	if err != nil {
		return err
	}
	st.held["alert"] = a.ID
	switch {
	case a.Kind != "indicator" || a.Level != "high" || a.TLP != "amber" || a.State != "new" || a.Host != gatewayHost || a.Count != 6:
		return fmt.Errorf("the alert is %+v", a)
	case a.Origin.Object != st.held["orders"] || a.Origin.Community != chain:
		return fmt.Errorf("the alert leads back to %+v", a.Origin)
	case len(a.Alerts) != 6 || len(a.Alerts[0].Evidence) != 1 || a.Alerts[0].Evidence[0] != detect.Evidence{Field: "tls.sni", Value: ordersValue} || len(a.Alerts[0].Events) != 1:
		return fmt.Errorf("its evidence is %+v", a.Alerts)
	}
	person, err := st.visit(ctx, "klepwerk")
	if err != nil {
		return err
	}
	if err := person.shows(ctx, "/alerts", []string{"/alerts/" + a.ID}, nil); err != nil {
		return err
	}
	return person.shows(ctx, "/alerts/"+a.ID, []string{"/objects/" + st.held["orders"], "tls.sni", tidegate}, []string{st.players["okular"].name})
}

// sightBack confirms the alert and shares it as a sighting, as a person does at the console.
func sightBack(ctx context.Context, st *stage) (polder.Seq, error) {
	person, err := st.visit(ctx, "klepwerk")
	if err != nil {
		return 0, err
	}
	at, before := "/alerts/"+st.held["alert"], st.players["klepwerk"].seen.between(0, math.MaxInt64)
	err = errors.Join(
		person.send(ctx, at+"/state", url.Values{"state": {"confirmed"}, "reason": {"It is our gateway; it goes off the net today."}}),
		person.shows(ctx, at+"/sighting", []string{"first_seen", gatewayHost}, nil), // what leaves, beside what stays
		person.send(ctx, at+"/sighting", url.Values{}),
	)
	if err != nil {
		return 0, err
	}
	last := before[len(before)-1].seq
	if err := st.players["klepwerk"].seen.until(ctx, last+1, patience); err != nil {
		return 0, err
	}
	news := st.players["klepwerk"].seen.between(last, math.MaxInt64)
	st.held["sighting"] = news[0].id
	return news[len(news)-1].seq, nil
}

// onlyCounts checks what left: how often and when, and nothing of the log.
func onlyCounts(ctx context.Context, st *stage) error {
	heard := st.players["okular"].seen.between(0, math.MaxInt64)
	left := heard[len(heard)-1]
	var got struct {
		Object struct {
			Ref   string    `json:"sighting_of_ref"`
			Count int       `json:"count"`
			First time.Time `json:"first_seen"`
			Last  time.Time `json:"last_seen"`
		} `json:"object"`
	}
	if err := json.Unmarshal([]byte(left.body), &got); err != nil {
		return err
	}
	a, err := st.alarm(ctx, "klepwerk", st.held["orders"])
	switch o := got.Object; {
	case err != nil:
		return err
	case left.id != st.held["sighting"] || a.Sighting != left.id || a.State != "confirmed":
		return fmt.Errorf("%s left, and the alert is %+v", left.id, a)
	case o.Ref != st.held["orders"] || o.Count != 6 || !o.First.Equal(a.First.Truncate(time.Millisecond)) || !o.Last.Equal(a.Last.Truncate(time.Millisecond)):
		return fmt.Errorf("it says %+v", o)
	}
	for _, own := range []string{"gateway", "192.0.2.", "198.51.100.", "tls", "off the net"} {
		if strings.Contains(left.body, own) {
			return fmt.Errorf("%q left with it: %s", own, left.body)
		}
	}
	return nil
}

// itHelped checks what the contributor reads on the page of its indicator.
func itHelped(ctx context.Context, st *stage) error {
	person, err := st.visit(ctx, "okular")
	if err != nil {
		return err
	}
	klepwerk := st.players["klepwerk"]
	return person.shows(ctx, "/objects/"+st.held["orders"], []string{st.held["sighting"]}, []string{klepwerk.name, string(klepwerk.org.ID), gatewayHost})
}

// knowHow checks the gravest of the alerts that rules raised.
func knowHow(ctx context.Context, st *stage) error {
	a, err := st.alarm(ctx, "meridiaan", leakRule)
	if err != nil {
		return err
	}
	if a.Kind != "correlation" || a.Level != "critical" || a.TLP != "" || a.Host != "ws-217.meridiaan.example" || len(a.Alerts) != 1 || len(a.Alerts[0].Events) < 2 {
		return fmt.Errorf("the alert is %+v", a)
	}
	err = st.ask(ctx, st.players["meridiaan"].writer, "GET", "/api/v1/alerts/"+a.ID+"/sighting", nil, nil)
	return demands(http.StatusConflict, err) // one's own rules concern nobody else
}

// lookedBack checks the alert on an event that is older than the indicator.
func lookedBack(ctx context.Context, st *stage) error {
	var id string
	for _, h := range st.players["meridiaan"].seen.between(0, math.MaxInt64) {
		if strings.Contains(h.body, dropValue) {
			id = h.id
		}
	}
	a, err := st.alarm(ctx, "meridiaan", id)
	if err != nil {
		return err
	}
	if want := dropTime.Add(st.began.Sub(storyTime).Truncate(time.Second)); a.Count != 1 || !a.First.Equal(want) || a.Alerts[0].Evidence[0].Value != dropValue {
		return fmt.Errorf("the alert is %+v; the event was at %s", a, want)
	}
	return nil
}

// elsewhere sends a log that holds Okular's value and the CSIRT's, which is RED, as the bank and as Okular.
func elsewhere(ctx context.Context, st *stage) (polder.Seq, error) {
	for _, key := range []string{"bank", "okular"} {
		if _, err := takeIn(key, "elsewhere.ndjson")(ctx, st); err != nil {
			return 0, fmt.Errorf("%s: %w", key, err)
		}
	}
	return 0, nil
}

// ownAlertsOnly checks that everybody has alerts of what it may see and of its own logs, and reads nobody else's.
func ownAlertsOnly(ctx context.Context, st *stage) error {
	all, err := st.alarms(ctx, "okular")
	if err != nil || len(all) != 1 || all[0].Rule != st.held["orders"] {
		return fmt.Errorf("the alerts of Okular, who may not see the RED object, are %+v: %v", all, err)
	}
	for _, key := range partsBut("klepwerk", "meridiaan", "okular") {
		if all, err := st.alarms(ctx, key); err != nil || len(all) > 0 {
			return fmt.Errorf("%s has the alerts %+v: %w", key, all, err)
		}
	}
	for _, key := range partsBut("klepwerk") {
		err := st.ask(ctx, st.players[key].writer, "GET", "/api/v1/alerts/"+st.held["alert"], nil, nil)
		if err := demands(http.StatusNotFound, err); err != nil {
			return fmt.Errorf("%s asks for Klepwerk's alert: %w", key, err)
		}
	}
	return nil
}
