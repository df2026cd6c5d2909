package seal

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"

	"golang.org/x/mod/sumdb/tlog"
)

// Leaf is what a transparency log commits to of one delivery. What stands in the log is a hash of it and of a nonce, so
// that the log tells nobody what was delivered, and whoever holds the delivery and its nonce finds it there.
type Leaf struct {
	Seq       int64    // the number that the log's node gave the delivery
	Community string   // id
	Kind      byte     // 0 an object, 1 a withdrawal
	ID        string   // of the object
	Version   string   // the instant of the version, "" for observables
	Digest    [32]byte // of the object, as [stix.Object.Digest]; zero for a withdrawal
}

// NonceSize is how many bytes a nonce has.
const NonceSize = 32

const (
	leafPrefix   = "polder leaf 1\n"
	noncePrefix  = "polder leaf nonce 1\n"
	countPrefix  = "polder decoy count 1\n"
	decoyPrefix  = "polder decoy 1\n"
	decoysAtMost = 7
)

// Hash is the hash of the leaf's record in the Merkle tree: that of a fixed word and of SHA-256 over nonce and leaf.
func (l Leaf) Hash(nonce []byte) tlog.Hash {
	buf := make([]byte, 0, 256)
	text := func(s string) {
		buf = binary.AppendUvarint(buf, uint64(len(s)))
		buf = append(buf, s...)
	}
	text(string(nonce))
	buf = binary.BigEndian.AppendUint64(buf, uint64(l.Seq))
	buf = append(buf, l.Kind)
	text(l.Community)
	text(l.ID)
	text(l.Version)
	buf = append(buf, l.Digest[:]...)
	sum := sha256.Sum256(buf)
	return leafRecord(sum[:])
}

func leafRecord(blinded []byte) tlog.Hash {
	return tlog.RecordHash(append([]byte(leafPrefix), blinded...))
}

// LeafNonce opens the commitment to delivery seq of the node that has this secret.
func LeafNonce(secret []byte, seq int64) []byte {
	return leafMAC(secret, noncePrefix, seq, 0)
}

// Decoys are the leaves that stand behind that of delivery seq and commit to nothing: none to seven, which only the
// holder of the secret can tell from others. They blur how many deliveries a log has.
func Decoys(secret []byte, seq int64) []tlog.Hash {
	n := int(leafMAC(secret, countPrefix, seq, 0)[0]) & decoysAtMost
	out := make([]tlog.Hash, n)
	for i := range out {
		out[i] = leafRecord(leafMAC(secret, decoyPrefix, seq, byte(i)))
	}
	return out
}

func leafMAC(secret []byte, use string, seq int64, i byte) []byte {
	m := hmac.New(sha256.New, secret)
	var number [9]byte
	binary.BigEndian.PutUint64(number[:], uint64(seq))
	number[8] = i
	m.Write([]byte(use))
	m.Write(number[:])
	return m.Sum(nil)
}
