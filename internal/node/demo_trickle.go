package node

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// This file keeps the demo alive after the story: every few seconds a member does something believable.

// dice gives numbers that vary and are the same for the same seed.
type dice struct {
	seed, at uint64
}

// roll is a number from 0 to n-1.
func (d *dice) roll(n int) int {
	d.at++
	var in [16]byte
	binary.BigEndian.PutUint64(in[:8], d.seed)
	binary.BigEndian.PutUint64(in[8:], d.at)
	sum := sha256.Sum256(in[:])
	return int(binary.BigEndian.Uint64(sum[:8]) % uint64(n))
}

func pick[T any](d *dice, from []T) T { return from[d.roll(len(from))] }

// everyday is what goes on after the story.
type everyday struct {
	st     *stage
	dice   dice
	recent []string // ids of indicators of the supply chain's community, the last few
	values []string // names among them, which somebody's log may hold
}

func newEveryday(st *stage, seed uint64) *everyday {
	return &everyday{st: st, dice: dice{seed: seed}, recent: []string{st.held["server"]}, values: []string{ordersValue}}
}

// remembered bounds what is spoken of again.
const remembered = 24

// goOn lets the members act until ctx ends, which is how a demo is meant to end.
func (st *stage) goOn(ctx context.Context) error {
	e := newEveryday(st, uint64(st.began.UnixNano()))
	for {
		wait := time.NewTimer(5*time.Second + time.Duration(e.dice.roll(15_000))*time.Millisecond)
		select {
		case <-ctx.Done():
			wait.Stop()
			return nil
		case err := <-st.served:
			return errors.Join(fmt.Errorf("the node stopped"), err)
		case <-wait.C:
		}
		if err := e.act(ctx); err != nil && ctx.Err() == nil {
			return err
		}
	}
}

// act lets one member do one thing. A refusal is part of everyday life: somebody at the console may have withdrawn what
// it is about.
func (e *everyday) act(ctx context.Context) error {
	var err error
	switch n := e.dice.roll(100); {
	case n < 25:
		err = e.events(ctx)
	case n < 45:
		err = e.sighting(ctx)
	case n < 72:
		err = e.indicator(ctx)
	case n < 83:
		err = e.say(ctx, "notes", map[string]any{"abstract": pick(&e.dice, noteTitles), "content": pick(&e.dice, noteTexts)})
	case n < 92:
		err = e.opinion(ctx)
	default:
		err = e.payment(ctx)
	}
	var r *refused
	if errors.As(err, &r) && r.status < http.StatusInternalServerError {
		return nil
	}
	return err
}

func (e *everyday) member() *player { return e.st.players[pick(&e.dice, chainBut(""))] }

func (e *everyday) say(ctx context.Context, kind string, body any) error {
	return e.st.ask(ctx, e.member().writer, "POST", "/api/v1/communities/"+chain+"/objects/"+pick(&e.dice, e.recent)+"/"+kind, body, nil)
}

func (e *everyday) sighting(ctx context.Context) error {
	last := time.Now().UTC().Truncate(time.Second)
	return e.say(ctx, "sightings", map[string]any{
		"count": 1 + e.dice.roll(6), "first_seen": last.Add(-time.Duration(1+e.dice.roll(300)) * time.Minute), "last_seen": last, "description": pick(&e.dice, sightings),
	})
}

func (e *everyday) opinion(ctx context.Context) error {
	o := pick(&e.dice, opinions)
	return e.say(ctx, "opinions", map[string]any{"opinion": o[0], "explanation": o[1]})
}

// indicator shares a new one, as a table of one line, and remembers it for what follows.
func (e *everyday) indicator(ctx context.Context) error {
	who := e.member()
	value, name := fmt.Sprintf("198.51.100.%d", 1+e.dice.roll(190)), pick(&e.dice, addressNames)
	domain := e.dice.roll(2) == 0
	if domain {
		value, name = fmt.Sprintf("%s-%s.example", pick(&e.dice, hosts), pick(&e.dice, short)), pick(&e.dice, domainNames)
	}
	table := fmt.Sprintf("value,name,description,confidence\n%s,%s,%s,%d\n", value, name, pick(&e.dice, indicatorTexts), 40+5*e.dice.roll(12))
	level := "green"
	if who.key == "klepwerk" || e.dice.roll(3) == 0 {
		level = "amber"
	}
	path := "/api/v1/communities/" + chain + "/share?" + url.Values{"tlp": {level}, "name": {"today.csv"}}.Encode()
	var shown struct {
		Objects []struct{ ID string } `json:"objects"`
	}
	if err := e.st.ask(ctx, who.writer, "POST", path+"&preview=1", []byte(table), &shown); err != nil {
		return err
	}
	if err := e.st.ask(ctx, who.writer, "POST", path, []byte(table), nil); err != nil {
		return err
	}
	for _, o := range shown.Objects {
		e.recent = append(e.recent, o.ID)
	}
	e.recent = e.recent[max(0, len(e.recent)-remembered):]
	if domain {
		e.values = append(e.values, value)[max(0, len(e.values)+1-remembered):]
	}
	return nil
}

// events sends some lines of a member's own log: what its gateway was asked for by name in the last minutes. Now and then
// one of the names is known to be bad, and now and then somebody packs files with a password.
func (e *everyday) events(ctx context.Context) error {
	who, now := e.member(), time.Now().UTC()
	if e.dice.roll(5) == 0 {
		return e.send(ctx, who, "workstation", []any{map[string]any{
			"@timestamp": now.Format(time.RFC3339Nano), "Channel": "Microsoft-Windows-Sysmon/Operational", "EventID": 1, "Provider_Name": "Microsoft-Windows-Sysmon",
			"Computer": fmt.Sprintf("ws-%03d.%s.example", 100+e.dice.roll(40), who.key), "Image": `C:\Program Files\7-Zip\7z.exe`, "User": pick(&e.dice, short),
			"CommandLine": fmt.Sprintf(`7z a %s.7z D:\drawings -p%s`, pick(&e.dice, short), pick(&e.dice, short)),
		}})
	}
	bad := -1
	if e.dice.roll(2) == 0 {
		bad = e.dice.roll(5)
	}
	var lines []any
	for i := range 5 {
		name := fmt.Sprintf("%s.%s.example", pick(&e.dice, hosts), who.key)
		if i == bad {
			name = pick(&e.dice, e.values)
		}
		lines = append(lines, map[string]any{
			"timestamp": now.Add(time.Duration(i-5) * 20 * time.Second).Format(time.RFC3339Nano), "host": "gateway-" + fmt.Sprint(1+e.dice.roll(3)), "event_type": "dns", "proto": "UDP",
			"src_ip": fmt.Sprintf("192.0.2.%d", 20+e.dice.roll(60)), "src_port": 50_000 + e.dice.roll(10_000), "dest_ip": "192.0.2.53", "dest_port": 53,
			"dns": map[string]any{"type": "query", "rrname": name, "rrtype": "A"},
		})
	}
	return e.send(ctx, who, "gateway", lines)
}

// send sends lines of a log.
func (e *everyday) send(ctx context.Context, who *player, name string, lines []any) error {
	var log []byte
	for _, l := range lines {
		text, err := json.Marshal(l)
		if err != nil {
			return err
		}
		log = append(append(log, text...), '\n')
	}
	return e.st.ask(ctx, who.writer, "POST", "/api/v1/events?name="+name, log, nil)
}

// payment is the other community's everyday life.
func (e *everyday) payment(ctx context.Context) error {
	who := e.st.players[pick(&e.dice, []string{"bank", "zilt"})]
	table := fmt.Sprintf("value,name,confidence\nbetaal-%s-%s.example,False page for payments,%d\n", pick(&e.dice, short), pick(&e.dice, short), 50+5*e.dice.roll(9))
	return e.st.ask(ctx, who.writer, "POST", "/api/v1/communities/"+finance+"/share?tlp=amber&name=today.csv", []byte(table), nil)
}

var (
	hosts        = []string{"gateway", "update", "cdn", "mirror", "quotes", "parts", "login", "files"}
	addressNames = []string{
		"Scanner of gateways", "Server with the odd greeting", "Tries sessions in turn", "Asks for management pages", "Took a file from a test bench",
		"Neighbour of the command server", "Log-ins at night", "Probes the mail gateway",
	}
	domainNames = []string{
		"False log-in page", "Sender of price lists", "Where a lure leads", "Name that looks like a supplier's", "Copy of a customer portal",
		"Update server that is none", "Name of a day old", "Collects passwords",
	}
	indicatorTexts = []string{
		"Seen twice this week on our edge.", "From a mail to the purchasing department.", "Same certificate as the command server.",
		"Found while looking back over thirty days.", "A supplier told us; we saw it ourselves an hour later.",
	}
	sightings = []string{
		"Stopped at the edge.", "One machine in the test hall; it is off the net now.", "In the logs of the mail gateway.",
		"Looked up and not connected to.", "In old logs, before we had the indicator.",
	}
	noteTitles = []string{"Seen here", "Looked back", "A remark", "For who blocks"}
	noteTexts  = []string{
		"Nothing in our logs of the last ninety days.", "We block it since this morning and nobody has complained.", "The certificate was made on the same day as the others.",
		"It moved to another hoster once before; watch the name too.", "Our supplier sees the same and asks what to do; we sent the advisory on.",
	}
	opinions = [][2]string{
		{"agree", "Fits what we see."}, {"agree", "Same greeting, same hours."}, {"strongly-agree", "Found with us too, by another road."},
		{"neutral", "We cannot tell from our side."}, {"disagree", "The neighbour of this address is harmless; mind the range."},
	}
)
