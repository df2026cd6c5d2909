package seal

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"
)

const ledgerNode = "identity--00000000-0000-4000-8000-000000000001"

// ledgerTree is a log in memory.
type ledgerTree struct {
	hashes []tlog.Hash
	size   int64
}

func (l *ledgerTree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		out[i] = l.hashes[x]
	}
	return out, nil
}

func (l *ledgerTree) add(leaf tlog.Hash) {
	more, err := tlog.StoredHashesForRecordHash(l.size, leaf, l)
	if err != nil {
		panic(err)
	}
	l.hashes = append(l.hashes, more...)
	l.size++
}

func (l *ledgerTree) checkpoint(size, seq int64) Checkpoint {
	root, err := tlog.TreeHash(size, l)
	if err != nil {
		panic(err)
	}
	return Checkpoint{Origin: LogOrigin(ledgerNode, "0123456789abcdef"), Size: size, Root: root, Seq: seq}
}

func ledgerKey(n byte) (ed25519.PublicKey, func([]byte) ([]byte, error)) {
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize))
	return private.Public().(ed25519.PublicKey), func(m []byte) ([]byte, error) { return ed25519.Sign(private, m), nil }
}

func ledgerLeaf(n int64) Leaf {
	return Leaf{Seq: n, Community: "8c39ae5c-0a8a-4c0a-9a58-2c0d3a1f8f11", ID: "indicator--00000000-0000-4000-8000-000000000001", Version: "2026-01-01T00:00:00.000Z", Digest: [32]byte{byte(n)}}
}

// cosignedNote is a checkpoint signed by its log and one witness, and the keys of both.
func cosignedNote(t testing.TB, c Checkpoint) ([]byte, []LogKey) {
	t.Helper()
	public, sign := ledgerKey(1)
	other, witness := ledgerKey(2)
	keys := []LogKey{LogKeyOf(c.Origin, public), WitnessKeyOf("identity--00000000-0000-4000-8000-000000000002", other)}
	raw, err := SignCheckpoint(c, LogSigner{Key: keys[0], Make: sign})
	if err != nil {
		t.Fatal(err)
	}
	s, err := OpenCheckpoint(raw, keys[0])
	if err != nil {
		t.Fatal(err)
	}
	raw, err = Cosign(s, LogSigner{Key: keys[1], At: time.Unix(1_800_000_000, 0), Make: witness}, keys...)
	if err != nil {
		t.Fatal(err)
	}
	return raw, keys
}

// TestLedgerLaws: every leaf of a log is proved, every earlier log is how a later one began, and no byte of a proof or of
// a checkpoint can be changed: at most the signature of a witness becomes one of somebody unknown.
func TestLedgerLaws(t *testing.T) {
	secret := []byte("the node's secret")
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.Int64Range(1, 60).Draw(rt, "deliveries")
		log, at := &ledgerTree{}, map[int64]int64{}
		for seq := range n {
			at[seq] = log.size
			log.add(ledgerLeaf(seq).Hash(LeafNonce(secret, seq)))
			for _, decoy := range Decoys(secret, seq) {
				log.add(decoy)
			}
		}
		raw, keys := cosignedNote(t, log.checkpoint(log.size, n-1))
		seq := rapid.Int64Range(0, n-1).Draw(rt, "seq")
		path, err := tlog.ProveRecord(log.size, at[seq], log)
		if err != nil {
			rt.Fatal(err)
		}
		proof := LeafProof{ledgerLeaf(seq), LeafNonce(secret, seq), at[seq], path, raw}.Marshal()
		provedLeaf(rt, proof, keys)
		early := rapid.Int64Range(1, log.size).Draw(rt, "earlier size")
		first, _ := cosignedNote(t, log.checkpoint(early, 0))
		grown, err := tlog.ProveTree(log.size, early, log)
		if err != nil {
			rt.Fatal(err)
		}
		growth := GrowthProof{first, raw, grown}.Marshal()
		provedGrowth(rt, growth, keys)
		for _, file := range [][]byte{proof, growth} {
			changed := bytes.Clone(file)
			changed[rapid.IntRange(0, len(file)-1).Draw(rt, "byte")] ^= byte(rapid.IntRange(1, 255).Draw(rt, "by"))
			if leaf, err := ParseLeafProof(changed); err == nil {
				if s, err := leaf.Verify(keys...); err == nil && s.Unknown == 0 {
					rt.Fatalf("a changed proof verifies:\n%s", changed)
				}
			}
			if p, err := ParseGrowthProof(changed); err == nil {
				if a, b, err := p.Verify(keys...); err == nil && a.Unknown+b.Unknown == 0 {
					rt.Fatalf("a changed proof of growth verifies:\n%s", changed)
				}
			}
		}
	})
}

func provedLeaf(rt *rapid.T, raw []byte, keys []LogKey) {
	p, err := ParseLeafProof(raw)
	if err != nil {
		rt.Fatal(err)
	}
	s, err := p.Verify(keys...)
	if err != nil || len(s.Cosigners) != 1 || s.Cosigners[0].At.Unix() != 1_800_000_000 {
		rt.Fatalf("%v, cosigned by %v", err, s.Cosigners)
	}
}

func provedGrowth(rt *rapid.T, raw []byte, keys []LogKey) {
	p, err := ParseGrowthProof(raw)
	if err != nil {
		rt.Fatal(err)
	}
	if _, _, err := p.Verify(keys...); err != nil {
		rt.Fatal(err)
	}
}

// TestLeafHides: leaves, nonces and decoys of the same deliveries under another secret, or of other deliveries under the
// same, have nothing in common; each field of a delivery counts.
func TestLeafHides(t *testing.T) {
	base, nonce := ledgerLeaf(7), LeafNonce([]byte("a"), 7)
	seen := map[tlog.Hash]string{base.Hash(nonce): "the leaf itself"}
	for why, hash := range map[string]tlog.Hash{
		"another nonce":     base.Hash(LeafNonce([]byte("b"), 7)),
		"another number":    Leaf{8, base.Community, base.Kind, base.ID, base.Version, base.Digest}.Hash(nonce),
		"another community": Leaf{7, "x", base.Kind, base.ID, base.Version, base.Digest}.Hash(nonce),
		"a withdrawal":      Leaf{7, base.Community, 1, base.ID, base.Version, base.Digest}.Hash(nonce),
		"another object":    Leaf{7, base.Community, 0, base.ID + "0", base.Version, base.Digest}.Hash(nonce),
		"a text moved":      Leaf{7, base.Community + "i", 0, strings.TrimPrefix(base.ID, "i"), base.Version, base.Digest}.Hash(nonce),
		"another version":   Leaf{7, base.Community, 0, base.ID, "", base.Digest}.Hash(nonce),
		"other content":     Leaf{7, base.Community, 0, base.ID, base.Version, [32]byte{9}}.Hash(nonce),
	} {
		if other, twice := seen[hash]; twice {
			t.Errorf("%s and %s have one hash", why, other)
		}
		seen[hash] = why
	}
	all := 0
	for seq := range int64(2000) {
		decoys := Decoys([]byte("a"), seq)
		if len(decoys) > decoysAtMost {
			t.Fatalf("%d decoys", len(decoys))
		}
		all += len(decoys)
		for _, d := range decoys {
			if other, twice := seen[d]; twice {
				t.Fatalf("a decoy of %d is that of %s", seq, other)
			}
			seen[d] = "a decoy"
		}
	}
	if all < 6500 || all > 7500 {
		t.Errorf("%d decoys for 2,000 deliveries, not about 7,000", all)
	}
}

// TestCheckpointRefuses: what is no checkpoint, or not in its one form, is refused with a reason.
func TestCheckpointRefuses(t *testing.T) {
	good := (&ledgerTree{}).checkpoint(0, 5)
	good.Size = 12
	text := good.Text()
	root := base64.StdEncoding.EncodeToString(good.Root[:])
	if c, err := ParseCheckpoint(text); err != nil || c != good {
		t.Fatalf("%v, %+v", err, c)
	}
	for why, bad := range map[string]string{
		"empty":                  "",
		"no sequence":            strings.Replace(text, "seq 5\n", "", 1),
		"one more line":          text + "more\n",
		"no last line break":     strings.TrimSuffix(text, "\n"),
		"leading zero":           strings.Replace(text, "\n12\n", "\n012\n", 1),
		"plus sign":              strings.Replace(text, "\n12\n", "\n+12\n", 1),
		"negative size":          strings.Replace(text, "\n12\n", "\n-12\n", 1),
		"size beyond all":        strings.Replace(text, "\n12\n", "\n9007199254740993\n", 1),
		"another origin":         strings.Replace(text, originPrefix, "example.org/", 1),
		"no lineage":             strings.Replace(text, "/0123456789abcdef", "/", 1),
		"space in origin":        strings.Replace(text, "identity", "iden tity", 1),
		"short root":             strings.Replace(text, root, root[:40], 1),
		"trailing bits in root":  strings.Replace(text, root, root[:42]+"B=", 1),
		"sequence with fraction": strings.Replace(text, "seq 5", "seq 5.0", 1),
		"carriage return":        strings.Replace(text, "seq 5", "seq 5\r", 1),
	} {
		if c, err := ParseCheckpoint(bad); err == nil {
			t.Errorf("%s: taken as %+v", why, c)
		}
	}
}

// TestOpenCheckpoint: who must have signed, and what a stranger's signature is worth.
func TestOpenCheckpoint(t *testing.T) {
	log := &ledgerTree{}
	log.add(ledgerLeaf(1).Hash(nil))
	raw, keys := cosignedNote(t, log.checkpoint(1, 1))
	stranger, strange := ledgerKey(3)
	for name, c := range map[string]struct {
		keys []LogKey
		note func() []byte
		ok   bool
		why  string
	}{
		"log and witness": {keys, func() []byte { return raw }, true, ""},
		"log alone":       {keys[:1], func() []byte { return raw }, true, "the witness is unknown, and counts for nothing"},
		"witness alone":   {keys[1:], func() []byte { return raw }, false, "a witness says nothing of who keeps the log"},
		"nobody":          {nil, func() []byte { return raw }, false, "no key is known"},
		"other key":       {[]LogKey{LogKeyOf(keys[0].Name(), stranger)}, func() []byte { return raw }, false, "another key of the same name is another signer"},
		"a witness's key": {[]LogKey{LogKeyOf(ledgerNode, keys[0].Public())}, func() []byte { return raw }, false, "the name must be that of the log"},
		"other log's name": {[]LogKey{LogKeyOf(LogOrigin(ledgerNode, "ff"), stranger)}, func() []byte {
			n := note.Note{Text: log.checkpoint(1, 1).Text()}
			signed, err := note.Sign(&n, noteSigner{LogSigner{Key: LogKeyOf(LogOrigin(ledgerNode, "ff"), stranger), Make: strange}})
			if err != nil {
				t.Fatal(err)
			}
			return signed
		}, false, "a log signs for itself alone"},
		"too long": {keys, func() []byte { return append(bytes.Repeat([]byte("x"), MaxNote), raw...) }, false, "bounded"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := OpenCheckpoint(c.note(), c.keys...)
			if (err == nil) != c.ok {
				t.Fatalf("%v; %s", err, c.why)
			}
			if err == nil && len(s.Cosigners)+s.Unknown != 1 {
				t.Fatalf("%d cosigners, %d unknown; %s", len(s.Cosigners), s.Unknown, c.why)
			}
		})
	}
	for _, k := range keys {
		if got, err := ParseLogKey(k.String()); err != nil || got.String() != k.String() || got.KeyHash() != k.KeyHash() {
			t.Errorf("key %s reads as %v, %v", k, got, err)
		}
		if _, err := ParseLogKey(strings.Replace(k.String(), "+", "+0", 1)); err == nil {
			t.Error("a key with another hash was taken")
		}
	}
	if v, err := note.NewVerifier(keys[0].String()); err != nil || v.KeyHash() != keys[0].KeyHash() {
		t.Errorf("other programs do not read the key of a log: %v", err)
	}
}

func FuzzParseCheckpoint(f *testing.F) {
	f.Add((&ledgerTree{}).checkpoint(0, 3).Text())
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := ParseCheckpoint(text); err == nil && c.Text() != text {
			t.Fatalf("%q reads as %q", text, c.Text())
		}
	})
}

func FuzzOpenCheckpoint(f *testing.F) {
	log := &ledgerTree{}
	log.add(ledgerLeaf(1).Hash(nil))
	raw, keys := cosignedNote(f, log.checkpoint(1, 1))
	f.Add(raw)
	f.Fuzz(func(t *testing.T, in []byte) {
		s, err := OpenCheckpoint(in, keys...)
		if err == nil && s.Checkpoint != log.checkpoint(1, 1) {
			t.Fatalf("somebody forged %q", in)
		}
	})
}

func FuzzParseLogKey(f *testing.F) {
	public, _ := ledgerKey(1)
	f.Add(LogKeyOf(LogOrigin(ledgerNode, "00"), public).String())
	f.Fuzz(func(t *testing.T, line string) {
		if k, err := ParseLogKey(line); err == nil && k.String() != line {
			t.Fatalf("%q reads as %q", line, k)
		}
	})
}

func FuzzParseProofs(f *testing.F) {
	f.Add(LeafProof{Leaf: ledgerLeaf(1), Nonce: make([]byte, NonceSize)}.Marshal())
	f.Add(GrowthProof{}.Marshal())
	f.Fuzz(func(t *testing.T, in []byte) {
		if p, err := ParseLeafProof(in); err == nil && !bytes.Equal(p.Marshal(), in) {
			t.Fatalf("%q is not its own form", in)
		}
		if p, err := ParseGrowthProof(in); err == nil && !bytes.Equal(p.Marshal(), in) {
			t.Fatalf("%q is not its own form", in)
		}
	})
}
