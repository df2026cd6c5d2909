package node

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/stix"
)

// part is an organisation of the demo. A role of none in a community means that it is no member.
type part struct {
	key, name, country, sector string
	widest                     stix.Marking
	chain, finance             polder.Role
	people                     []guest
}

// guest is somebody who logs in.
type guest struct {
	email, name string
	role        polder.Role
}

// The communities of the demo.
const (
	chainName, chain     = "Chip supply chain", "chip-supply-chain"
	financeName, finance = "Payments", "payments"
)

// cast is who takes part. Names and addresses belong to nobody.
var cast = []part{
	{key: "csirt", name: "National CSIRT", country: "NL", sector: "government-national", chain: polder.RoleSteward, finance: polder.RoleSteward,
		people: []guest{{"desk@csirt.example", "Marit Oosterling", polder.RoleSteward}}},
	{key: "meridiaan", name: "Meridiaan Lithografie", country: "NL", sector: "technology", chain: polder.RoleContributor,
		people: []guest{{"analyst@meridiaan.example", "Joris van Aalst", polder.RoleContributor}, {"reader@meridiaan.example", "Selin Aydin", polder.RoleReader}}},
	{key: "okular", name: "Okular Optik", country: "DE", sector: "manufacturing", chain: polder.RoleContributor,
		people: []guest{{"soc@okular.example", "Frieda Lindner", polder.RoleContributor}, {"export@okular.example", "Jens Albers", polder.RoleSteward}}},
	{key: "klepwerk", name: "Klepwerk", country: "NL", sector: "manufacturing", widest: stix.Amber, chain: polder.RoleContributor,
		people: []guest{{"office@klepwerk.example", "Wim Dekkers", polder.RoleContributor}, {"export@klepwerk.example", "Noor Hendriks", polder.RoleSteward}}},
	{key: "maasland", name: "Universiteit Maasland", country: "NL", sector: "education", chain: polder.RoleContributor,
		people: []guest{{"cert@maasland.example", "Ilse Thijssen", polder.RoleContributor}, {"lab@maasland.example", "Kofi Mensah", polder.RoleReader}}},
	{key: "bank", name: "Noordermeer Bank", country: "NL", sector: "financial-services", finance: polder.RoleContributor,
		people: []guest{{"fraud@noordermeer.example", "Ruben Castelijns", polder.RoleContributor}}},
	{key: "zilt", name: "Zilt Betaaldiensten", country: "BE", sector: "financial-services", finance: polder.RoleContributor,
		people: []guest{{"soc@zilt.example", "Lotte Peeters", polder.RoleContributor}}},
}

// login is a line of the table of log-ins.
type login struct {
	Org      string `json:"organisation"`
	Role     string `json:"role"`
	Email    string `json:"email"`
	Password string `json:"password"`
}

// player is a part that is on stage.
type player struct {
	part
	org            polder.Org
	writer, reader string          // tokens
	officer        string          // a token that its steward made
	person         polder.PersonID // of the steward
	seen           *feed
}

// stage is a node that serves, with everybody on it.
type stage struct {
	node    *Node
	dir     string
	url     string // as people write it
	at      string // where it listens; what the members ask goes there
	players map[string]*player
	logins  []login
	feeds   *feeds
	http    *http.Client
	began   time.Time
	held    map[string]string // what scenes keep for later ones: ids, by a name

	visitors map[string]*visitor // who is logged in, by address

	host     string              // a token of the organisation that runs the hub
	outposts map[string]*outpost // nodes beside the hub
	log      io.Writer

	served <-chan error
	cancel context.CancelFunc
}

// demoPassword makes log-ins quick: the accounts live as long as the demo, and their passwords are random.
var demoPassword = accounts.PasswordCost{MemoryKiB: 4 * 1024, Passes: 1, Lanes: 1}

// openStage makes a node in an empty folder, opens it on an address of this machine and lets everybody listen.
func openStage(ctx context.Context, dir, listen string, log io.Writer) (st *stage, err error) {
	st = &stage{
		dir: filepath.Join(dir, "node"), players: map[string]*player{}, held: map[string]string{}, visitors: map[string]*visitor{}, began: time.Now(), outposts: map[string]*outpost{}, log: log,
		http: &http.Client{Timeout: time.Minute, Transport: &http.Transport{}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
	st.feeds = &feeds{}
	defer func() {
		if err != nil {
			err = errors.Join(err, st.close())
		}
	}()
	if err := st.people(ctx); err != nil {
		return st, err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
	if err != nil {
		return st, polder.Errorf(polder.Unavailable, "--listen: %w; choose another port, or leave it out for a free one", err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	st.url, st.at = "http://localhost:"+port, "http://"+l.Addr().String()
	if st.node, err = Open(ctx, st.dir, Config{Listen: listen, LogLevel: "error", PublicURL: st.url}.filled(), Options{Log: log, Password: demoPassword}); err != nil {
		return st, errors.Join(err, l.Close())
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx)) // ctx's end closes the stage in order
	served := make(chan error, 1)
	st.cancel, st.served = cancel, served
	go func() {
		served <- st.node.Serve(run, l)
		close(served)
	}()
	for _, p := range cast {
		who := st.players[p.key]
		if who.seen, err = st.feeds.listen(ctx, st.at, who.reader); err != nil {
			return st, fmt.Errorf("%s listens: %w", p.name, err)
		}
	}
	return st, nil
}

// people makes organisations, communities, people and tokens, as an administrator at the machine would.
func (st *stage) people(ctx context.Context) (err error) {
	s, err := OpenStore(ctx, st.dir, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	a := accounts.New(s.DB, s.Audit, accounts.Options{Password: demoPassword})
	made, err := a.Init(ctx, "Demo hub", "NL")
	if err != nil {
		return err
	}
	admins, err := a.People(ctx, accounts.Local(), made.Org.ID)
	if err != nil {
		return err
	}
	where := map[string]polder.Community{}
	for _, name := range []string{chainName, financeName} {
		c, err := a.AddCommunity(ctx, accounts.Local(), name, stix.None)
		if err != nil {
			return err
		}
		where[c.Alias] = c
	}
	for _, p := range cast {
		if err := st.enter(ctx, a, p, where); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	if err := st.dikeWatch(ctx, a, made.Org); err != nil {
		return err
	}
	return st.welcome(ctx, a, made.Org, admins[0], made.Password)
}

// enter brings one organisation on stage.
func (st *stage) enter(ctx context.Context, a *accounts.Service, p part, where map[string]polder.Community) error {
	org, err := a.AddOrg(ctx, accounts.Local(), accounts.NewOrg{Name: p.name, Country: p.country, Sector: p.sector, Widest: p.widest})
	if err != nil {
		return err
	}
	who := &player{part: p, org: org}
	for alias, role := range map[string]polder.Role{chain: p.chain, finance: p.finance} {
		if role == polder.RoleNone {
			continue
		}
		if _, err := a.Join(ctx, accounts.Local(), where[alias].ID, org.ID, role); err != nil {
			return err
		}
	}
	if _, who.writer, err = a.CreateToken(ctx, accounts.Local(), accounts.NewToken{Org: org.ID, Role: max(p.chain, p.finance), Name: "analysis tools"}); err != nil {
		return err
	}
	if _, who.reader, err = a.CreateToken(ctx, accounts.Local(), accounts.NewToken{Org: org.ID, Role: polder.RoleReader, Name: "live feed"}); err != nil {
		return err
	}
	for _, g := range p.people {
		person, password, err := a.AddPerson(ctx, accounts.Local(), accounts.NewPerson{Org: org.ID, Email: g.email, Name: g.name, Role: g.role})
		if err != nil {
			return err
		}
		if err := st.welcome(ctx, a, org, person, password); err != nil {
			return err
		}
		if g.role != polder.RoleSteward {
			continue
		}
		by := polder.Actor{Org: org.ID, Person: person.ID, Name: person.Name, Role: person.Role}
		if _, who.officer, err = a.CreateToken(ctx, by, accounts.NewToken{Org: org.ID, Role: polder.RoleSteward, Name: "own commands"}); err != nil {
			return err
		}
		who.person = person.ID
	}
	st.players[p.key] = who
	return nil
}

// welcome changes a person's first password to one that is quick to type, as the person would at the first log-in.
func (st *stage) welcome(ctx context.Context, a *accounts.Service, org polder.Org, p accounts.Person, first string) error {
	l, err := welcomed(ctx, a, org, p, first)
	st.logins = append(st.logins, l)
	return err
}

func welcomed(ctx context.Context, a *accounts.Service, org polder.Org, p accounts.Person, first string) (login, error) {
	password, err := typeable(rand.Reader)
	if err != nil {
		return login{}, err
	}
	by := polder.Actor{Org: org.ID, Person: p.ID, Name: p.Name, Role: p.Role}
	return login{org.Name, p.Role.String(), p.Email, password}, a.ChangePassword(ctx, by, first, password, "")
}

// short are words that are quick to type.
var short = strings.Fields("akker berg boot brug dijk duin eend gans gras haven heide hert kade klei kreek lamp land meer molen mist oever olm polder reiger riet schip sloot sluis stroom terp turf veen vis vlet vuur water weide wilg wind zand zee zeil")

// typeable is a random password: two words and five digits.
func typeable(random io.Reader) (string, error) {
	var b [8]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", err
	}
	n := int(b[2])<<16 | int(b[3])<<8 | int(b[4])
	return fmt.Sprintf("%s-%s-%05d", short[int(b[0])%len(short)], short[int(b[1])%len(short)], n%100_000), nil
}

// close ends the streams and the node. It may be called at any point of the opening.
func (st *stage) close() error {
	st.feeds.stop()
	st.http.CloseIdleConnections()
	var err error
	for _, o := range st.outposts {
		err = errors.Join(err, o.close())
	}
	if st.cancel != nil {
		st.cancel()
		err = errors.Join(err, <-st.served)
	}
	if st.node != nil {
		err = errors.Join(err, st.node.Close())
	}
	return err
}

// refused is an answer of the node that is no success.
type refused struct {
	status int
	text   string
}

func (r *refused) Error() string { return fmt.Sprintf("answered %d: %s", r.status, r.text) }

// ask makes a request with a token and reads the answer into a value, if there is one to read into. body is sent as it
// is when it is bytes, and as JSON otherwise.
func (st *stage) ask(ctx context.Context, token, method, path string, body, into any) error {
	var in io.Reader
	switch b := body.(type) {
	case nil:
	case []byte:
		in = bytes.NewReader(b)
	default:
		text, err := json.Marshal(b)
		if err != nil {
			return err
		}
		in = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, st.at+path, in)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := st.http.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 32<<20))
	switch {
	case err != nil:
		return err
	case answer.StatusCode >= 300:
		return &refused{answer.StatusCode, string(text)}
	}
	switch v := into.(type) {
	case nil:
		return nil
	case *string:
		*v = string(text)
		return nil
	}
	return json.Unmarshal(text, into)
}

// command runs a command of this program as a member would, and returns what it prints.
func (st *stage) command(ctx context.Context, key string, args ...string) (string, error) {
	return run(ctx, append(args, "--node", st.at, "--token", st.players[key].writer)...)
}

// run runs a command of this program and returns what it prints.
func run(ctx context.Context, args ...string) (string, error) {
	var out, errs bytes.Buffer
	if code := cli.Run(ctx, args, strings.NewReader(""), &out, &errs, Commands()...); code != 0 {
		return out.String(), fmt.Errorf("polder %s ended with %d: %s", args[0], code, strings.TrimSpace(errs.String()))
	}
	return out.String(), nil
}

// file writes a file of the story where commands can read it.
func (st *stage) file(name string) (string, error) {
	text, err := st.text(name)
	if err != nil {
		return "", err
	}
	path := filepath.Join(filepath.Dir(st.dir), name)
	return path, os.WriteFile(path, text, 0o600)
}

// partsBut are those of all parts, but some.
func partsBut(but ...string) (out []string) {
	for _, p := range cast {
		if !slices.Contains(but, p.key) {
			out = append(out, p.key)
		}
	}
	return out
}
