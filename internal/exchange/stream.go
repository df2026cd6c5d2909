package exchange

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/web"
)

// apiStream is the live stream: Server-Sent Events whose id is the number of X11. A client that was cut off says the
// last one it has, by Last-Event-ID or ?since=, and gets what follows; without either it starts now.
func (s *Service) apiStream(w http.ResponseWriter, r *http.Request) {
	since, err := sinceOf(r)
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	a, community := web.ActorOf(r), r.URL.Query().Get("community")
	names, err := s.aliases(r.Context())
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	var out *web.EventStream
	err = s.Follow(r.Context(), a, community, since, func(batch []journal.Delivery) error {
		if out == nil {
			if out, err = web.OpenStream(w, r); err != nil {
				return err
			}
		}
		if len(batch) == 0 {
			return out.Beat()
		}
		events, err := s.serverEvents(r, batch, names)
		if err != nil {
			return err
		}
		return out.Send(events...)
	})
	if out == nil && err != nil {
		web.Problem(w, r, err)
	}
}

func sinceOf(r *http.Request) (Since, error) {
	text := r.Header.Get("Last-Event-ID")
	if text == "" {
		text = r.URL.Query().Get("since")
	}
	if text == "" {
		return Since{Now: true}, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return Since{}, polder.Errorf(polder.Invalid, "since: %q is not a number that the stream gave; 0 is everything", text)
	}
	return Since{Seq: polder.Seq(n)}, nil
}

func (s *Service) serverEvents(r *http.Request, batch []journal.Delivery, names map[polder.CommunityID]string) ([]web.ServerEvent, error) {
	events := make([]web.ServerEvent, 0, len(batch))
	for _, d := range batch {
		alias, known := names[d.Community]
		if !known {
			fresh, err := s.aliases(r.Context())
			if err != nil {
				return nil, err
			}
			for id, a := range fresh {
				names[id] = a
			}
			alias = names[d.Community]
		}
		data, err := streamData(d, alias)
		if err != nil {
			return nil, err
		}
		name := "object"
		if d.Kind == journal.Withdrawn {
			name = "withdrawn"
		}
		events = append(events, web.ServerEvent{ID: strconv.FormatInt(int64(d.Seq), 10), Name: name, Data: data})
	}
	return events, nil
}

// streamData is the event's JSON on one line; the object's own bytes, but for line breaks between its tokens.
func streamData(d journal.Delivery, alias string) ([]byte, error) {
	if d.Kind == journal.Withdrawn {
		return json.Marshal(eventOf(d, alias))
	}
	var b bytes.Buffer
	b.Grow(len(d.Raw) + 160)
	b.WriteString(`{"seq":` + strconv.FormatInt(int64(d.Seq), 10) + `,"date_added":"` + d.Seq.String() + `","community":"` + alias + `","tlp":"` + d.Level.String() + `","object":`)
	raw := bytes.TrimSpace(d.Raw)
	if bytes.ContainsAny(raw, "\r\n") {
		if err := json.Compact(&b, raw); err != nil {
			return nil, err
		}
	} else {
		b.Write(raw)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
