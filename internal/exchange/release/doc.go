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
// Facts are found in any case, with and without diacritics, in letters of other scripts that look alike, in full width,
// with zero-width signs between, with other separators or none between their words, defanged, and in the escapes of URLs,
// JSON, HTML and mail; and only as whole words: Bakker is not found in Bakkerij. A name takes a legal form, the endings of
// inflected words and any word for &, and may stand in a compound of a usual word (Klepwerknetwerk). What stands in parts
// of one word that a change of case or a digit sets apart (KlepwerkPortal, klepwerk01) is found too, but in digests, UUIDs
// and other long codes. Base64 is read, the first 256 KiB of a text. Applying rules twice is applying them once. The work
// grows with the length of the object.
//
// A family name is a person's when a form of address, an initial, or what belongs before it (de, van der) stands there.
// Alone it stays, and is a [Doubt]: a person decides. So is a single word of an organisation's name, the name of a domain
// without its end, and a version that would be an own address. No doubt is silent: [Rules.Examine] tells them all, up to
// [MaxDoubts] an object.
//
// It does not read archives, pictures, or base64 of anything but text. It knows no synonyms, no given names alone, and no
// look-alikes beyond single letters of Latin, Cyrillic, Greek and Armenian.
package release
