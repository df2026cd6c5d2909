// Package stix reads, checks and writes STIX 2.1: objects with the bytes they came in, identifiers, timestamps,
// TLP and PAP markings, bundles as a stream, and the canonical form of RFC 8785.
//
// # Reading
//
// [Parse] takes one object, and takes it only if it is right: strict JSON (RFC 7493: unique names, valid UTF-8, one value,
// bounded depth and size), and every rule of the standard that one object alone must meet. An [Object] is a decoded
// envelope beside the received bytes. The bytes are never re-formatted, so unknown properties and the precision of
// timestamps survive; the envelope has every identifier in lower case, so that two spellings of one id compare equal.
// An [Error] names the property and says what would be right. [Check] gives all errors of an object instead of the
// first, and [Hints] what the standard advises and does not demand, such as the words of its open vocabularies.
// [NewReader] reads bundles, TAXII envelopes, lists and JSON lines of any length in little memory, and goes on behind an
// object that is wrong.
//
// Where the standard says SHOULD, this package is lenient; in these four points it is stricter than the standard, so that
// no two readers take an object for different things:
//
//   - the version-5 id of an observable must be the one of its properties;
//   - a definition of TLP or PAP must be the one that OASIS publishes, under the id that it has there;
//   - an integer must be exact in double precision, and a number within its range;
//   - a timestamp has at most 32 digits of fraction.
//
// # Equality
//
// [Object.Digest] is equal for objects that say the same, however they are written: it is made of the canonical form
// ([Canonical]), with the standard's timestamps as the instants that they name. [Object.DigestWithoutLevel] leaves out the
// TLP. [Object.Version] names a version of an object by the instant of modified.
//
// # Writing
//
// [Make] makes an object, [WriteBundle] a bundle. [Object.WithMarking] and [Object.WithCreator] change one property and
// leave every other byte. [Upgrade20] turns STIX 2.0 into 2.1.
//
// # What it does not do
//
// It resolves no reference: rules that concern several objects, such as who may version one, are the caller's. It does not
// read the pattern of an indicator; package stix/pattern does.
package stix
