package node

// What no exit of cases shows, in words.
const (
	sealedExit = "holds boxes and who reads; TestS29Node reads the node for their words"
	asksByPost = "asked by POST; see TestS5Cases and TestS3Cases"
)

// caseExits are the ways out of reports, cases, deadlines and jewels by HTTP, by name, with what else GET is asked.
// [TestS4Cases] walks them. A route whose exit is nowhere fails [TestS4Canary].
var caseExits = map[string]exit{
	"cases.api.report": {none: sealedExit}, "cases.api.report.say": {none: sealedExit}, "cases.api.report.thread": {none: sealedExit}, "cases.api.report.desks": {none: "desks that are listed"}, "cases.api.report.desk": {none: "is asked by the alias that it shows"},
	"cases.api.inbox": {none: sealedExit}, "cases.api.inbox.one": {none: sealedExit}, "cases.api.inbox.acknowledge": {none: sealedExit}, "cases.api.inbox.close": {none: sealedExit}, "cases.api.inbox.reopen": {none: sealedExit},
	"cases.api.inbox.answer": {none: sealedExit}, "cases.api.inbox.case": {none: sealedExit}, "cases.api.inbox.wraps": {none: sealedExit}, "cases.api.inbox.file": {none: sealedExit}, "cases.api.inbox.remove": {none: sealedExit},
	"cases.api.desks": {shows: true}, "cases.api.desk": {none: "is asked by the alias that it shows"}, "cases.api.desk.open": {none: asksByPost}, "cases.api.desk.change": {none: asksByPost}, "cases.api.desk.close": {none: asksByPost},
	"cases.api.desk.reader": {none: asksByPost}, "cases.api.desk.confirm": {none: asksByPost}, "cases.api.desk.unread": {none: asksByPost}, "cases.api.keys": {none: "one's own keys, locked"}, "cases.api.key.put": {none: asksByPost}, "cases.api.key.relock": {none: asksByPost}, "cases.api.key.challenge": {none: "a box that opens with one's own key"},

	"cases.api.case":        {shows: true, queries: []string{"?open=yes", "?sort=severity", "?sort=changed", "?archived=yes", "?limit=1", "?status=closed", "?text=zq", "?kind=incident"}},
	"cases.api.case.titles": {none: "stewards list nothing until the settings let them"}, "cases.api.case.tasks": {shows: true}, "cases.api.case.naming": {none: asksByPost}, "cases.api.case.settings": {none: "what an organisation chose"},
	"cases.api.case.orphaned": {none: "days of cases that nobody leads; see TestOrphanDoors"}, "cases.orphaned": {none: asksByPost}, "cases.report.release": {none: "asked by POST; see TestReleaseOfReport"},
	"cases.api.case.one": {shows: true}, "cases.api.case.status": {none: asksByPost}, "cases.api.case.archive": {none: asksByPost}, "cases.api.case.announce": {none: asksByPost},
	"cases.api.case.history": {shows: true}, "cases.api.case.similar": {none: "shows titles of cases that share a value; of these, hidden's alone, to its lead"}, "cases.api.case.members": {none: "names and ceilings"},
	"cases.api.case.damage": {shows: true}, "cases.api.case.jewels": {none: asksByPost},
	"cases.api.case.items": {shows: true, queries: []string{"?struck=yes", "?oldest=yes&limit=3", "?kind=observable,evidence&struck=yes", "?text=zq"}}, "cases.api.case.item": {shows: true}, "cases.api.case.item.history": {shows: true},
	"cases.api.case.item.done": {none: asksByPost}, "cases.api.case.item.strike": {none: asksByPost}, "cases.api.case.item.erase": {none: asksByPost}, "cases.api.case.item.lookup": {none: "shows what the exchange and other cases know of a value"},
	"cases.api.case.evidence": {none: asksByPost}, "cases.api.case.evidence.file": {shows: true}, "cases.api.case.evidence.custody": {none: asksByPost},

	"cases.api.deadline.compute": {none: "what the law asks, of no case"}, "cases.api.deadline.open": {shows: true, queries: []string{"?late=yes"}}, "cases.api.deadline.list": {shows: true}, "cases.api.deadline.form": {shows: true}, "cases.api.deadline.pdf": {shows: true},
	"cases.api.deadline.profile": {none: asksByPost}, "cases.api.deadline.aware": {none: asksByPost}, "cases.api.deadline.event": {none: asksByPost}, "cases.api.deadline.struck": {none: asksByPost},
	"cases.api.deadline.sent": {none: asksByPost}, "cases.api.deadline.excused": {none: asksByPost}, "cases.api.deadline.reopened": {none: asksByPost},

	"cases.api.jewel": {shows: true, queries: []string{"?text=zq", "?removed=yes", "?limit=1"}}, "cases.api.jewel.one": {shows: true}, "cases.api.jewel.import": {none: asksByPost}, "cases.api.jewel.restore": {none: asksByPost}, "cases.api.jewel.history": {shows: true},
	"cases.api.export": {shows: true, queries: exportQueries()}, "cases.api.shared": {shows: true}, "cases.api.shared.one": {shows: true}, "cases.api.shared.reply": {none: asksByPost},
	"cases.api.sharings": {none: "names and ceilings"}, "cases.api.share": {none: asksByPost}, "cases.api.unshare": {none: asksByPost}, "cases.api.release": {none: asksByPost}, "cases.api.cross-border": {none: "of contact points that are told through the exchange; here is none"},

	"cases.report form": {none: "the same for everybody who knows the address"}, "cases.report readers": {none: public}, "cases.report thread": {none: sealedExit}, "cases.report pressed": {none: public}, "cases.report closed": {none: public}, "cases.report mail": {none: public},
	"cases.desk.queue": {none: sealedExit}, "cases.desk.report": {none: sealedExit}, "cases.desk.key": {none: "one's own keys, locked"}, "cases.desk.desks": {shows: true}, "cases.desk.desk": {none: "is asked by the alias that it shows"},
	"cases.desk.open": {none: asksByPost}, "cases.desk.change": {none: asksByPost}, "cases.desk.close": {none: asksByPost}, "cases.desk.reader": {none: asksByPost}, "cases.desk.confirm": {none: asksByPost}, "cases.desk.remove": {none: asksByPost}, "cases.desk.poster": {none: "is asked by the alias that it shows"},

	"cases.list": {shows: true, queries: []string{"?open=yes", "?sort=severity", "?text=zq"}}, "cases.new": {none: "an empty form"}, "cases.settings": {none: "what an organisation chose"}, "cases.border": {stewards: true, none: "contact points that an organisation chose, among the members"},
	"cases.shared": {shows: true}, "cases.shared.case": {shows: true}, "cases.case": {shows: true}, "cases.case.item": {shows: true}, "cases.case.upload": {none: asksByPost},
	"cases.deadline.open": {shows: true, queries: []string{"?late=yes"}}, "cases.deadline.assistant": {none: "what the law asks, of no case"}, "cases.deadline.case": {shows: true}, "cases.deadline.form": {shows: true}, "cases.deadline.pdf": {shows: true}, "cases.deadline.json": {shows: true},
	"cases.deadline.profile": {none: asksByPost}, "cases.deadline.aware": {none: asksByPost}, "cases.deadline.event": {none: asksByPost}, "cases.deadline.struck": {none: asksByPost},
	"cases.deadline.sent": {none: asksByPost}, "cases.deadline.excused": {none: asksByPost}, "cases.deadline.reopened": {none: asksByPost}, "cases.jewels": {shows: true}, "cases.jewel": {shows: true},
}

// exportQueries are all kinds of file of a case, with and without a ceiling, and with the word for RED.
func exportQueries() (out []string) {
	for _, file := range []string{"pdf", "stix", "stix&named=yes", "veris", "rsit", "csv", "csv&table=timeline", "csv&table=observables", "csv&table=rsit", "json"} {
		for _, most := range []string{"", "&ceiling=clear", "&ceiling=amber", "&ceiling=red", "&ceiling=red&red=yes"} {
			out = append(out, "?format="+file+most)
		}
	}
	return out
}
