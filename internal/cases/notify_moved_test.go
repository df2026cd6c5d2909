package cases

import (
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/notify"
	"github.com/polder-exchange/polder/stix"
)

// TestS6MovedIsNotTold (S6): who reads for a desk or works on a case, and has moved to another organisation since, gets no
// message about it any more.
func TestS6MovedIsNotTold(t *testing.T) {
	desks, files := newDeskWorld(t), newCaseWorld(t)
	desks.acme()
	c := files.open(stix.Green, "Lens holder")
	for _, row := range []struct {
		why  string
		s    *Service
		m    notify.Message
		org  polder.OrgID
		told bool
	}{
		{"a reader", desks.Service, notify.Message{To: deskPeople["anna"].Person, About: aboutDesk + "confidential-adviser"}, deskPeople["anna"].Org, true},
		{"a reader who has moved", desks.Service, notify.Message{To: deskPeople["anna"].Person, About: aboutDesk + "confidential-adviser"}, deskPeople["olaf"].Org, false},
		{"a colleague", desks.Service, notify.Message{To: deskPeople["dirk"].Person, About: aboutDesk + "confidential-adviser"}, deskPeople["dirk"].Org, false},
		{"a desk that is none", desks.Service, notify.Message{To: deskPeople["anna"].Person, About: aboutDesk + "none"}, deskPeople["anna"].Org, false},
		{"a lead", files.Service, notify.Message{To: lead.Person, About: aboutCase + string(c.ID)}, lead.Org, true},
		{"a lead who has moved", files.Service, notify.Message{To: lead.Person, About: aboutCase + string(c.ID)}, wafers, false},
		{"a colleague who was not let in", files.Service, notify.Message{To: worker.Person, About: aboutCase + string(c.ID)}, worker.Org, false},
	} {
		n := &Notifier{o: NotifierOptions{Service: row.s}}
		if told, err := n.still(t.Context(), row.m, row.org); err != nil || told != row.told {
			t.Errorf("%s: told %t (%v), want %t", row.why, told, err, row.told)
		}
	}
}
