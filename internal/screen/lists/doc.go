// Package lists reads lists of restricted and of verified parties in the forms their publishers give them, compares
// versions of a list, and keeps a read list on disk.
//
// [Read] and [ReadPath] recognise the form from the content, read the whole list or nothing, and keep each party under
// the list's own id; a party without one gets an id made of its content. What a form lacks (aliases, a date) and what was
// left out, with the reason and the first line, is said in the list's notes, never made up. [Forms] names the forms.
//
// Place of birth, nationality, citizenship and gender are not read from any form, and a country is one of an address, a
// registration or a flag. Where a form mixes those of persons with nationalities (the short form and the CSV of the
// Consolidated Screening List, FollowTheMoney) the countries of persons are left out. A date of birth that is said to be
// approximate becomes a span of two years to either side.
//
// A file is not trusted: gzip and zip are bounded in size and ratio, XML may have no DOCTYPE, no entity of its own, no
// second root and no text around it, JSON no key twice, nesting ends at 64, a record at 16 MiB, a name at 1,000
// characters. UTF-8, UTF-16 and Windows-1252 are told apart; bytes that are no text are refused in XML and JSON and
// noted with their line in tables. [Plausible] doubts a new version that lost its parties, its names or its order of
// columns. Memory grows with what is kept, not with the file: about 350 bytes for a party with a name and an id.
//
// Tried on real files: the Consolidated Screening List in its short form, the XML of the UN, the primary names of the UK
// list, SDN.CSV with a header and an address file, and BODS 0.4. The other forms were written after the schemas that
// their publishers describe and are held to small samples in testdata/forms, with invented parties.
package lists
