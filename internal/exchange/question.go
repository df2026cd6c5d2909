package exchange

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
)

// A question to the community (rule X23) is a STIX extension object of this type. It is blind by default and answered
// by notes, opinions and sightings that refer to it.
const questionType = "x-polder-question"

// questionExtension is the id of the extension definition that says what a question is.
const questionExtension = "extension-definition--4b8a5f5e-3c0e-4c4e-9d5b-6a1f0c2d7e31"

// questionDefinition is that definition. Its bytes never change, so that everybody brings the same.
const questionDefinition = `{"type":"extension-definition","spec_version":"2.1","id":"` + questionExtension + `","created_by_ref":"identity--7f0a6d52-5d0b-4d3e-8a87-2f3c1b9e6d10","created":"2026-11-01T00:00:00.000Z","modified":"2026-11-01T00:00:00.000Z","name":"Question to a community","description":"A question that members of a sharing community answer with notes, opinions and sightings that refer to it. Properties: question (string, required), content (string), status (open or closed, required), valid_until (timestamp, required), object_refs (list of identifiers).","schema":"https://github.com/polder-exchange/polder/blob/main/docs/extensions.md","version":"1.0.0","extension_types":["new-sdo"]}`

// Ask is a question that somebody wants to put to a community.
type Ask struct {
	Community string
	Question  string // one line
	Text      string
	About     []string // ids of objects in sight
	Until     time.Time
	Level     stix.Marking
	To        []polder.OrgID
	Named     bool
	Confirmed bool
	Override  string // why it leaves although a value in it stops it
}

// QuestionState is how a question stands.
type QuestionState string

const (
	Open     QuestionState = "open"
	Answered QuestionState = "answered" // open, and somebody answered
	Closed   QuestionState = "closed"   // by who asked
	Expired  QuestionState = "expired"
)

// Question is a question as a reader sees it.
type Question struct {
	Delivery journal.Delivery
	Question string
	Text     string
	About    []string
	Until    time.Time
	State    QuestionState
	Mine     bool
	Answers  []journal.Delivery
}

// maxQuestion is the longest time that a question stays open.
const maxQuestion = 90 * 24 * time.Hour

// Ask puts a question to a community.
func (s *Service) Ask(ctx context.Context, a polder.Actor, q Ask) (Result, error) {
	q.Question = strings.TrimSpace(q.Question)
	now := s.now()
	switch {
	case q.Question == "" || len(q.Question) > 300:
		return Result{}, polder.Errorf(polder.Invalid, "question: write it in one line of at most 300 characters")
	case q.Until.IsZero():
		q.Until = now.Add(14 * 24 * time.Hour)
	case !q.Until.After(now) || q.Until.After(now.Add(maxQuestion)):
		return Result{}, polder.Errorf(polder.Invalid, "until: give a time within the next 90 days")
	}
	for _, id := range q.About {
		if _, err := s.inSight(ctx, a, q.Community, id); err != nil {
			return Result{}, err
		}
	}
	raw, err := s.made(questionType, func(o *stix.Members) {
		o.Set("question", q.Question)
		o.Set("content", q.Text)
		o.Set("status", "open")
		o.Set("valid_until", q.Until)
		o.Set("object_refs", q.About)
		setQuestionExtension(o)
	})
	if err != nil {
		return Result{}, err
	}
	return s.Share(ctx, a, Request{
		Community: q.Community, Objects: []Incoming{{Raw: []byte(questionDefinition)}, {Raw: raw, Made: true}}, Level: q.Level, To: q.To, Named: q.Named, Confirmed: q.Confirmed, Override: q.Override,
	})
}

func setQuestionExtension(o *stix.Members) {
	o.Set("extensions", func(e *stix.Members) {
		e.Set(questionExtension, func(x *stix.Members) { x.Set("extension_type", "new-sdo") })
	})
}

// CloseQuestion closes a question that the actor's organisation asked.
func (s *Service) CloseQuestion(ctx context.Context, a polder.Actor, community, id string) (Result, error) {
	q, err := s.Question(ctx, a, community, id)
	if err != nil {
		return Result{}, err
	}
	if !q.Mine {
		return Result{}, polder.Errorf(polder.Forbidden, "only who asked closes a question")
	}
	o, err := stix.Parse(q.Delivery.Raw)
	if err != nil {
		return Result{}, err
	}
	raw, err := s.made(questionType, func(m *stix.Members) {
		m.Set("id", id)
		m.Set("created", o.Created.Text)
		m.Set("created_by_ref", o.CreatedByRef)
		for _, p := range []string{"question", "content"} {
			m.Set(p, json.RawMessage(o.Property(p)))
		}
		m.Set("status", "closed")
		for _, p := range []string{"valid_until", "object_refs", "object_marking_refs"} {
			m.Set(p, json.RawMessage(o.Property(p)))
		}
		setQuestionExtension(m)
	})
	if err != nil {
		return Result{}, err
	}
	r := Request{Community: community, Objects: []Incoming{{Raw: raw, Made: true}}, Level: q.Delivery.Level, Confirmed: true}
	if !q.Delivery.Nominal.Except() {
		r.to = q.Delivery.Nominal.Listed()
	}
	return s.Share(ctx, a, r)
}

// Question is one question with its answers, as the actor sees them.
func (s *Service) Question(ctx context.Context, a polder.Actor, community, id string) (Question, error) {
	d, err := s.inSight(ctx, a, community, id)
	if err != nil {
		return Question{}, err
	}
	if d.Type() != questionType {
		return Question{}, polder.Errorf(polder.NotFound, "no such question, or none that you may see, in this community")
	}
	return s.question(ctx, a, d)
}

// Questions are those that the actor sees in a community (in all of its communities when empty), newest first, at most
// limit.
func (s *Service) Questions(ctx context.Context, a polder.Actor, community string, limit int) ([]Question, error) {
	sight, err := s.SightIn(ctx, a, community)
	if err != nil {
		return nil, err
	}
	var all []journal.Delivery
	q := journal.Query{Types: []string{questionType}, Limit: 1000}
	for {
		page, err := s.journal.Page(ctx, sight, q)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Deliveries...)
		if !page.More {
			break
		}
		q.After = all[len(all)-1].Seq
	}
	all = all[max(0, len(all)-limit):]
	out := make([]Question, 0, len(all))
	for i := len(all) - 1; i >= 0; i-- {
		q, err := s.question(ctx, a, all[i])
		if err != nil {
			return nil, err
		}
		out = append(out, q)
	}
	return out, nil
}

// question reads a delivery as a question and finds its answers.
func (s *Service) question(ctx context.Context, a polder.Actor, d journal.Delivery) (Question, error) {
	var v struct {
		Question   string    `json:"question"`
		Content    string    `json:"content"`
		Status     string    `json:"status"`
		ValidUntil time.Time `json:"valid_until"`
		ObjectRefs []string  `json:"object_refs"`
	}
	if err := json.Unmarshal(d.Raw, &v); err != nil {
		return Question{}, err
	}
	q := Question{Delivery: d, Question: v.Question, Text: v.Content, About: v.ObjectRefs, Until: v.ValidUntil, Mine: d.Custodian == a.Org && a.Org != ""}
	var err error
	if q.Answers, _, err = s.Referring(ctx, a, d.ID, 200); err != nil {
		return Question{}, err
	}
	q.State = stateOf(v.Status, v.ValidUntil, len(q.Answers), s.now())
	return q, nil
}

// stateOf: closed wins, then time, then whether anybody answered.
func stateOf(status string, until time.Time, answers int, now time.Time) QuestionState {
	switch {
	case status == "closed":
		return Closed
	case !until.IsZero() && !until.After(now):
		return Expired
	case answers > 0:
		return Answered
	}
	return Open
}
