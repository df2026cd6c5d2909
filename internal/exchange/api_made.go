package exchange

import (
	"net/http"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// The routes by which sightings, opinions, notes and questions are made without writing STIX. A client that does not know
// whether its request arrived sends it again with the same Idempotency-Key.
func (s *Service) madeRoutes() []web.Route {
	return []web.Route{
		{Method: "POST", Pattern: "/api/v1/communities/{community}/objects/{id}/sightings", Need: web.Contributor, Exit: "api.sighting", Handler: s.apiSighting, Doc: &web.Doc{Summary: "Say that an object was seen", Body: sightingBody{}, Answer: madeAnswer{}}},
		{Method: "POST", Pattern: "/api/v1/communities/{community}/objects/{id}/opinions", Need: web.Contributor, Exit: "api.opinion", Handler: s.apiOpinion, Doc: &web.Doc{Summary: "Say how far you agree with an object", Body: opinionBody{}, Answer: madeAnswer{}}},
		{Method: "POST", Pattern: "/api/v1/communities/{community}/objects/{id}/notes", Need: web.Contributor, Exit: "api.note", Handler: s.apiNote, Doc: &web.Doc{Summary: "Write a note about an object, or answer a question", Body: noteBody{}, Answer: madeAnswer{}}},
		{Method: "POST", Pattern: "/api/v1/communities/{community}/questions", Need: web.Contributor, Exit: "api.ask", Handler: s.apiAsk, Doc: &web.Doc{Summary: "Put a question to a community", Body: askBody{}, Answer: madeAnswer{}}},
		{Method: "GET", Pattern: "/api/v1/questions", Need: web.Reader, Exit: "api.questions", Handler: s.apiQuestions, Doc: &web.Doc{Summary: "The questions that you may see", Query: map[string]string{"community": "alias; all of yours without it"}, Answer: questionList{}}},
		{Method: "POST", Pattern: "/api/v1/communities/{community}/questions/{id}/close", Need: web.Contributor, Exit: "api.question.close", Handler: s.apiCloseQuestion, Doc: &web.Doc{Summary: "Close a question that you asked", Answer: madeAnswer{}}},
	}
}

// aboutBody is what the bodies of answers share.
type aboutBody struct {
	TLP      string `json:"tlp"`
	Named    bool   `json:"named"`
	Confirm  bool   `json:"confirm"`
	Override string `json:"override"` // why it leaves although a value in it stops it
}

func (b aboutBody) about(r *http.Request) (About, error) {
	level, err := levelOf(b.TLP)
	return About{ID: r.PathValue("id"), Community: r.PathValue("community"), Level: level, Named: b.Named, Confirmed: b.Confirm, Override: b.Override, Key: r.Header.Get("Idempotency-Key")}, err
}

// readAbout decodes the body of an answer, and says what the answer is about.
func readAbout(r *http.Request, into any, shared *aboutBody) (About, error) {
	if err := web.ReadJSON(r, into); err != nil {
		return About{}, err
	}
	return shared.about(r)
}

func levelOf(text string) (stix.Marking, error) {
	if text == "" {
		return stix.None, nil
	}
	m, err := stix.ParseMarking(text)
	if err != nil {
		return m, polder.Errorf(polder.Invalid, "tlp: %w", err)
	}
	return m, nil
}

// madeAnswer names what was made.
type madeAnswer struct {
	ID  string     `json:"id"`
	Seq polder.Seq `json:"seq"`
}

// answerMade writes what came of making an object.
func answerMade(w http.ResponseWriter, r *http.Request, res Result, err error) {
	switch {
	case err != nil:
		web.Problem(w, r, err)
	case len(res.Refused) > 0:
		web.Problem(w, r, polder.Errorf(polder.Invalid, "%s", res.Refused[0].Error))
	case res.Stopped():
		web.Problem(w, r, polder.Errorf(polder.Conflict, "nothing is stored yet: %s", stopsOf(res)))
	case res.Waits():
		web.Problem(w, r, polder.Errorf(polder.Conflict, "nothing is stored yet: %s; send it again with confirm if it is right", res.Warnings[0].Reason))
	default:
		id := ""
		if n := len(res.Items); n > 0 {
			id = res.Items[n-1].ID
		}
		web.WriteJSON(w, http.StatusCreated, madeAnswer{id, res.Seq})
	}
}

// sightingBody is a sighting as it is sent.
type sightingBody struct {
	aboutBody
	Count       int       `json:"count"`
	First       time.Time `json:"first_seen"`
	Last        time.Time `json:"last_seen"`
	Description string    `json:"description"`
	Blocked     bool      `json:"blocked"` // it stands in a block list of yours
}

func (s *Service) apiSighting(w http.ResponseWriter, r *http.Request) {
	var body sightingBody
	about, err := readAbout(r, &body, &body.aboutBody)
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	res, err := s.MakeSighting(r.Context(), web.ActorOf(r), Sighting{About: about, Count: body.Count, First: body.First, Last: body.Last, Text: body.Description, Blocked: body.Blocked})
	answerMade(w, r, res, err)
}

// opinionBody is an opinion as it is sent.
type opinionBody struct {
	aboutBody
	Opinion     string `json:"opinion"`
	Explanation string `json:"explanation"`
}

func (s *Service) apiOpinion(w http.ResponseWriter, r *http.Request) {
	var body opinionBody
	about, err := readAbout(r, &body, &body.aboutBody)
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	res, err := s.MakeOpinion(r.Context(), web.ActorOf(r), Opinion{About: about, Value: body.Opinion, Text: body.Explanation})
	answerMade(w, r, res, err)
}

// noteBody is a note as it is sent.
type noteBody struct {
	aboutBody
	Abstract string `json:"abstract"`
	Content  string `json:"content"`
}

func (s *Service) apiNote(w http.ResponseWriter, r *http.Request) {
	var body noteBody
	about, err := readAbout(r, &body, &body.aboutBody)
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	res, err := s.MakeNote(r.Context(), web.ActorOf(r), Note{About: about, Abstract: body.Abstract, Text: body.Content})
	answerMade(w, r, res, err)
}

// askBody is a question as it is sent.
type askBody struct {
	aboutBody
	Question   string         `json:"question"`
	Content    string         `json:"content"`
	ObjectRefs []string       `json:"object_refs"`
	Until      time.Time      `json:"valid_until"`
	To         []polder.OrgID `json:"to"`
}

func (s *Service) apiAsk(w http.ResponseWriter, r *http.Request) {
	var body askBody
	if err := web.ReadJSON(r, &body); err != nil {
		web.Problem(w, r, err)
		return
	}
	level, err := levelOf(body.TLP)
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	res, err := s.Ask(r.Context(), web.ActorOf(r), Ask{
		Community: r.PathValue("community"), Question: body.Question, Text: body.Content, About: body.ObjectRefs, Until: body.Until, Level: level, To: body.To, Named: body.Named, Confirmed: body.Confirm, Override: body.Override,
	})
	answerMade(w, r, res, err)
}

// questionItem is a question in a list.
type questionItem struct {
	ID        string        `json:"id"`
	Community string        `json:"community"`
	TLP       string        `json:"tlp"`
	Question  string        `json:"question"`
	Content   string        `json:"content,omitempty"`
	State     QuestionState `json:"state"`
	Until     time.Time     `json:"valid_until"`
	Mine      bool          `json:"mine"`
	Answers   int           `json:"answers"`
}

type questionList struct {
	Questions []questionItem `json:"questions"`
}

func (s *Service) apiQuestions(w http.ResponseWriter, r *http.Request) {
	qs, err := s.Questions(r.Context(), web.ActorOf(r), r.URL.Query().Get("community"), 200)
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	names, err := s.aliases(r.Context())
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	out := []questionItem{}
	for _, q := range qs {
		d := q.Delivery
		out = append(out, questionItem{d.ID, names[d.Community], d.Level.String(), q.Question, q.Text, q.State, q.Until, q.Mine, len(q.Answers)})
	}
	web.WriteJSON(w, http.StatusOK, questionList{out})
}

func (s *Service) apiCloseQuestion(w http.ResponseWriter, r *http.Request) {
	res, err := s.CloseQuestion(r.Context(), web.ActorOf(r), r.PathValue("community"), r.PathValue("id"))
	answerMade(w, r, res, err)
}
