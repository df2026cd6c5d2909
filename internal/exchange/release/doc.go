// Package release takes out of an object, before it leaves, what its organisation wants to keep: pure rules over the
// object's text and properties, without I/O.
//
// A [Profile] is what an organisation set: the steps it takes, the facts that tell who it is, its walls. [Compile] makes
// [Rules] of it, which any number of goroutines may use.
//
//   - [Rules.Apply] minimises. In text, a fact becomes a neutral word: [organisation], [person], [address], [host],
//     [project]. In a value (an observable, a pattern) a fact is a [Stop]: changing it would change what the object says.
//     Custom properties that nobody keeps are taken out. Identifiers, times, references and markings stay.
//   - [Rules.Breaches] are the walls: forbidden words in any text of any property, and a level beyond the highest.
//   - [Parts] takes the properties that are marked stricter than a level out of an object.
//
// Facts are found in any case, with and without diacritics, zero-width signs and percent signs (as in URLs) between, with
// other separators or none between their words, defanged, and only as whole words: Bakker is not found in Bakkerij. What
// stands in parts of one word that a change of case or a digit sets apart (KlepwerkPortal, klepwerk01) is found too, but in
// digests and other long codes. Applying rules twice is applying them once. The work grows with the length of the object.
//
// It does not read what is encoded within a property: files in base64, pictures, archives. It knows no synonyms,
// no inflected forms and no letters that merely look alike.
package release
