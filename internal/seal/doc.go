// Package seal keeps words for those they are meant for: boxes that only the holders of certain keys open, keys that a
// passphrase opens, receipts of six words, and padding that hides how much was said. It has no input or output, and
// knows no database.
//
// # What it promises
//
// A [Box] opens with the private keys that it was sealed to, for the purpose that it was sealed for, and no other way.
// Who is added later gets a wrap from somebody who can open it; who is taken away keeps what was read before, and opens
// nothing that is sealed afterwards. How many bytes a box has says how long its text is to within twelve in a hundred,
// and nothing below the floor that the caller names. A box is not signed: whoever has a public key can seal to it, and
// a change of the reporter's words by somebody with a reader's key is not seen here.
//
// A [Receipt] has 66 bits and is stretched by PBKDF2; what a server keeps of it is stretched once more, there.
// A key log ([VerifyLog]) is a chain of hashes: it shows that nobody was put in between or taken out of what was shown
// before. Who writes the whole log can write another one; that is what fingerprints, compared by voice or on paper, are for.
//
// Private matching ([MatchKey], [Blind], [TagSet]) answers whether values are in a set: whoever has the key sees neither
// the values nor the answer, and whoever asks takes no answer that is not proved to be by the published key. A list of
// pseudonyms ([PseudonymEntry]) says with which keys members of a community sign, and of no key whose it is.
//
// The same is done in a browser by static/seal.js; both are held to the vectors of RFC 9180, and to each other.
package seal
