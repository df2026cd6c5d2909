// Package indicator knows the values that defenders exchange: addresses, names, URLs, hashes and their like.
//
// [Find] takes them out of free text, defanged forms such as hxxp://evil[.]example included. [Normalise] gives each
// value the one spelling under which it is stored, compared and looked up. [Pattern] and [FromPattern] go to STIX
// patterns and back. [ReadCSV] reads a list that somebody keeps in a spreadsheet. [Warnings] says which values must
// never become blocks, and why. [WritePlain], [WriteSuricata], [WriteZeek], [WriteRPZ] and [WriteCSV] write block lists
// in which one indicator is exactly one record, whatever its value or its description says.
//
// The package asks no network: whether a name exists or an address answers is none of its business.
package indicator
