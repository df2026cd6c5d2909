// Package payback shows contributors what their knowledge did, and communities how they are.
//
// It is a reader of the journal with a cursor of its own, into payback.db, which may be deleted at any time and is made
// again from number 0 with the same numbers. What it finds is counted for one reader at a time, from what that reader may
// see and nothing else; objects are asked of the journal again before they are shown. Of members who give no name nothing
// is counted below five (X28). Rules for scores are a file in the program that people read.
//
//	payback.db          given (what was shared), said (sightings, opinions, notes), taken (withdrawals)
//	polder.db           payback_block (which objects stood in a block list that an organisation took)
//	rules/quality.yaml  the quality score: its four parts, their weights and formulas
package payback
