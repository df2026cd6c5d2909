package sigma

import (
	"bytes"
	"strconv"

	"github.com/polder-exchange/polder/event"
)

// walker reads flat JSON lines into events, as little as the tests and benchmarks of this package need, so that they
// measure and judge the engine and not a reader of logs.
type walker struct {
	ev    event.Event
	names map[string]event.Name
}

func newWalker() *walker { return &walker{names: map[string]event.Name{}} }

func (w *walker) name(key []byte) event.Name {
	n, ok := w.names[string(key)]
	if !ok {
		n = event.Intern(string(key))
		w.names[string(key)] = n
	}
	return n
}

// read makes an event of a line. Its source is that of its channel and id, or the one it names itself under product,
// category and service.
func (w *walker) read(line []byte) *event.Event {
	e := &w.ev
	e.Fields, e.Raw, e.Source = e.Fields[:0], line, nil
	i := 0
	skip := func() {
		for i < len(line) && (line[i] == ' ' || line[i] == ',' || line[i] == ':' || line[i] == '{') {
			i++
		}
	}
	var channel, product, category, service []byte
	id := 0
	for {
		skip()
		if i >= len(line) || line[i] != '"' {
			break
		}
		key, _ := text(line, &i)
		skip()
		f := event.Field{Name: w.name(key)}
		switch c := line[i]; {
		case c == '"':
			f.Value, f.Escaped = text(line, &i)
		default:
			end := i + bytes.IndexAny(line[i:], ",} ")
			f.Value = line[i:end]
			i = end
			switch c {
			case 't', 'f':
				f.Kind = event.Bool
			case 'n':
				f.Kind, f.Value = event.Null, nil
			default:
				f.Kind = event.Number
			}
		}
		switch string(key) {
		case "Channel":
			channel = f.Value
		case "EventID":
			id, _ = strconv.Atoi(string(f.Value))
		case "product":
			product = f.Value
		case "category":
			category = f.Value
		case "service":
			service = f.Value
		}
		e.Fields = append(e.Fields, f)
	}
	if product == nil {
		e.Source = event.WindowsSource(channel, id)
	} else {
		e.Source = source(string(product), string(category), string(service))
	}
	return e
}

// text reads a string at i and moves past it.
func text(line []byte, i *int) (s []byte, escaped bool) {
	from := *i + 1
	for at := from; ; {
		q := at + bytes.IndexByte(line[at:], '"')
		back := q
		for line[back-1] == '\\' {
			back--
		}
		if (q-back)%2 == 0 {
			*i = q + 1
			s = line[from:q]
			return s, bytes.IndexByte(s, '\\') >= 0
		}
		at = q + 1
	}
}

var sources = map[string]*event.Source{}

// source is one pointer for each source a test makes.
func source(product, category, service string) *event.Source {
	key := product + "/" + category + "/" + service
	if s := sources[key]; s != nil {
		return s
	}
	s := &event.Source{Product: product}
	if category != "" {
		s.Categories = []string{category}
	}
	if service != "" {
		s.Services = []string{service}
	}
	sources[key] = s
	return s
}
