package seal

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/cloudflare/circl/oprf"
)

func oprfHex(t *testing.T, text string) (out [][]byte) {
	t.Helper()
	for one := range strings.SplitSeq(text, ",") {
		b, err := hex.DecodeString(one)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b)
	}
	return out
}

// TestMatchVectors holds both sides to the vectors of RFC 9497, appendix A.1.2 (ristretto255-SHA512, mode VOPRF).
func TestMatchVectors(t *testing.T) {
	seed := bytes.Repeat([]byte{0xa3}, 32)
	private, err := oprf.DeriveKey(matchSuite, oprf.VerifiableMode, seed, []byte("test key"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := matchKeyOf(private, MatchContext{})
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := key.Bytes(); hex.EncodeToString(got) != "e6f73f344b79b379f1a0dd37e07ff62e38d9f71345ce62ae3a9bc60b04ccd909" {
		t.Fatalf("secret key %x", got)
	}
	public, _ := key.Public()
	if hex.EncodeToString(public) != "c803e2cc6b05fc15064549b5920659ca4a77b2cca6f04f6b357009335476ad4e" {
		t.Fatalf("public key %x", public)
	}
	for _, v := range []struct{ name, in, blind, blinded, evaluated, r, proof, out string }{
		{"one byte", "00", "64d37aed22a27f5191de1c1d69fadb899d8862b58eb4220029e036ec4c1f6706",
			"863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945", "aa8fa048764d5623868679402ff6108d2521884fa138cd7f9c7669a9a014267e",
			"222a5e897cf59db8145db8d16e597e8facb80ae7d4e26d9881aa6f61d645fc0e",
			"ddef93772692e535d1a53903db24367355cc2cc78de93b3be5a8ffcc6985dd066d4346421d17bf5117a2a1ff0fcb2a759f58a539dfbe857a40bce4cf49ec600d",
			"b58cfbe118e0cb94d79b5fd6a6dafb98764dff49c14e1770b566e42402da1a7da4d8527693914139caee5bd03903af43a491351d23b430948dd50cde10d32b3c"},
		{"seventeen bytes", "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "64d37aed22a27f5191de1c1d69fadb899d8862b58eb4220029e036ec4c1f6706",
			"cc0b2a350101881d8a4cba4c80241d74fb7dcbfde4a61fde2f91443c2bf9ef0c", "60a59a57208d48aca71e9e850d22674b611f752bed48b36f7a91b372bd7ad468",
			"222a5e897cf59db8145db8d16e597e8facb80ae7d4e26d9881aa6f61d645fc0e",
			"401a0da6264f8cf45bb2f5264bc31e109155600babb3cd4e5af7d181a2c9dc0a67154fabf031fd936051dec80b0b6ae29c9503493dde7393b722eafdf5a50b02",
			"8a9a2f3c7f085b65933594309041fc1898d42d0858e59f90814ae90571a6df60356f4610bf816f27afdd84f47719e480906d27ecd994985890e5f539e7ea74b6"},
		{"a batch of two", "00,5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a",
			"64d37aed22a27f5191de1c1d69fadb899d8862b58eb4220029e036ec4c1f6706,222a5e897cf59db8145db8d16e597e8facb80ae7d4e26d9881aa6f61d645fc0e",
			"863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945,90a0145ea9da29254c3a56be4fe185465ebb3bf2a1801f7124bbbadac751e654",
			"aa8fa048764d5623868679402ff6108d2521884fa138cd7f9c7669a9a014267e,cc5ac221950a49ceaa73c8db41b82c20372a4c8d63e5dded2db920b7eee36a2a",
			"419c4f4f5052c53c45f3da494d2b67b220d02118e0857cdbcf037f9ea84bbe0c",
			"cc203910175d786927eeb44ea847328047892ddf8590e723c37205cb74600b0a5ab5337c8eb4ceae0494c2cf89529dcf94572ed267473d567aeed6ab873dee08",
			"b58cfbe118e0cb94d79b5fd6a6dafb98764dff49c14e1770b566e42402da1a7da4d8527693914139caee5bd03903af43a491351d23b430948dd50cde10d32b3c,8a9a2f3c7f085b65933594309041fc1898d42d0858e59f90814ae90571a6df60356f4610bf816f27afdd84f47719e480906d27ecd994985890e5f539e7ea74b6"},
	} {
		t.Run(v.name, func(t *testing.T) {
			inputs := oprfHex(t, v.in)
			var blinds []oprf.Blind
			for _, b := range oprfHex(t, v.blind) {
				s := matchGroup.NewScalar()
				if err := s.UnmarshalBinary(b); err != nil {
					t.Fatal(err)
				}
				blinds = append(blinds, s)
			}
			pub, err := ParseMatchPublic(public)
			if err != nil {
				t.Fatal(err)
			}
			ask, err := blindWith(pub, inputs, blinds, len(inputs))
			if err != nil || !slices.EqualFunc(ask.Elements, oprfHex(t, v.blinded), bytes.Equal) {
				t.Fatalf("blinded %x, %v", ask.Elements, err)
			}
			r := matchGroup.NewScalar()
			if err := r.UnmarshalBinary(oprfHex(t, v.r)[0]); err != nil {
				t.Fatal(err)
			}
			evaluated, proof, err := key.evaluate(r, ask.Elements)
			if err != nil || !slices.EqualFunc(evaluated, oprfHex(t, v.evaluated), bytes.Equal) || hex.EncodeToString(proof) != v.proof {
				t.Fatalf("evaluated %x with %x, %v", evaluated, proof, err)
			}
			out, err := ask.Finish(evaluated, proof)
			if err != nil || !slices.EqualFunc(out, oprfHex(t, v.out), bytes.Equal) {
				t.Fatalf("outputs %x, %v", out, err)
			}
		})
	}
}

var oprfContext = MatchContext{Node: "identity--1", Set: "set--1", Epoch: 3}

func oprfKey(t testing.TB, c MatchContext) (*MatchKey, []byte) {
	t.Helper()
	k, err := NewMatchKey(rand.Reader, c)
	if err != nil {
		t.Fatal(err)
	}
	public, err := k.Public()
	if err != nil {
		t.Fatal(err)
	}
	return k, public
}

// TestMatchRound holds that whoever asks gets what whoever has the key computes, in this context and no other.
func TestMatchRound(t *testing.T) {
	k, public := oprfKey(t, oprfContext)
	kept, err := k.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if k, err = ParseMatchKey(kept, oprfContext); err != nil {
		t.Fatal(err)
	}
	values := []string{"192.0.2.1", "gate.example", ""}
	ask, err := Blind(rand.Reader, oprfContext, public, values)
	if err != nil || len(ask.Elements) != 16 {
		t.Fatalf("%d elements, %v; 3 values are filled up to 16", len(ask.Elements), err)
	}
	evaluated, proof, err := k.Evaluate(rand.Reader, ask.Elements)
	if err != nil {
		t.Fatal(err)
	}
	out, err := ask.Finish(evaluated, proof)
	if err != nil || len(out) != len(values) {
		t.Fatalf("%d outputs, %v", len(out), err)
	}
	for i, v := range values {
		if want, err := k.Output(v); err != nil || !bytes.Equal(out[i], want) {
			t.Errorf("%q: %x, the key says %x, %v", v, out[i], want, err)
		}
	}
	for _, c := range []MatchContext{{"identity--2", "set--1", 3}, {"identity--1", "set--2", 3}, {"identity--1", "set--1", 4}} {
		other, err := ParseMatchKey(kept, c)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := other.Output(values[0]); bytes.Equal(got, out[0]) {
			t.Errorf("the same output in %+v: outputs must be bound to node, set and epoch", c)
		}
	}
	again, err := Blind(rand.Reader, oprfContext, public, values)
	if err != nil || bytes.Equal(again.Elements[0], ask.Elements[0]) {
		t.Error("the same value was blinded to the same element twice")
	}
}

// TestS32ElementsRefused: the identity, elements in another spelling and what is no element are refused by both sides.
func TestS32ElementsRefused(t *testing.T) {
	k, public := oprfKey(t, oprfContext)
	ask, err := Blind(rand.Reader, oprfContext, public, []string{"a"})
	if err != nil {
		t.Fatal(err)
	}
	evaluated, proof, err := k.Evaluate(rand.Reader, ask.Elements)
	if err != nil {
		t.Fatal(err)
	}
	good := ask.Elements[0]
	odd := slices.Clone(good)
	odd[0] |= 1
	high := slices.Clone(good)
	high[31] |= 0x80
	for _, c := range []struct {
		name string
		bad  []byte
	}{
		{"the identity", make([]byte, 32)},
		{"the identity, written as p", append(append([]byte{0xed}, bytes.Repeat([]byte{0xff}, 30)...), 0x7f)},
		{"a negative number", odd},
		{"the top bit set", high},
		{"31 bytes", good[:31]},
		{"33 bytes", append(slices.Clone(good), 0)},
		{"nothing", nil},
		{"no point of the curve", append([]byte{2}, make([]byte, 31)...)},
	} {
		t.Run(c.name, func(t *testing.T) {
			sent := slices.Clone(ask.Elements)
			sent[7] = c.bad
			if _, _, err := k.Evaluate(rand.Reader, sent); !errors.Is(err, ErrElement) {
				t.Errorf("the server took it: %v", err)
			}
			got := slices.Clone(evaluated)
			got[7] = c.bad
			if _, err := ask.Finish(got, proof); !errors.Is(err, ErrElement) {
				t.Errorf("the client took it: %v", err)
			}
			if _, err := Blind(rand.Reader, oprfContext, c.bad, []string{"a"}); err == nil {
				t.Error("it was taken as a key")
			}
		})
	}
}

// TestS32AnswersRefused: an answer by another key, without a proof, to another question or in another order is refused.
func TestS32AnswersRefused(t *testing.T) {
	k, public := oprfKey(t, oprfContext)
	other, _ := oprfKey(t, oprfContext)
	ask, err := Blind(rand.Reader, oprfContext, public, []string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	before, err := Blind(rand.Reader, oprfContext, public, []string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	evaluated, proof, _ := k.Evaluate(rand.Reader, ask.Elements)
	replayed, replayedProof, _ := k.Evaluate(rand.Reader, before.Elements)
	byOther, otherProof, _ := other.Evaluate(rand.Reader, ask.Elements)
	swapped := slices.Clone(evaluated)
	swapped[0], swapped[1] = swapped[1], swapped[0]
	for _, c := range []struct {
		name      string
		evaluated [][]byte
		proof     []byte
	}{
		{"another key", byOther, otherProof},
		{"another key with the proof of this one", byOther, proof},
		{"a replayed answer", replayed, replayedProof},
		{"no proof", evaluated, nil},
		{"a proof of zeros", evaluated, make([]byte, 64)},
		{"a proof that is no scalar", evaluated, bytes.Repeat([]byte{0xff}, 64)},
		{"swapped", swapped, proof},
		{"one too few", evaluated[:15], proof},
		{"what was asked, sent back", ask.Elements, proof},
	} {
		if out, err := ask.Finish(c.evaluated, c.proof); err == nil || out != nil {
			t.Errorf("%s: was taken", c.name)
		}
	}
	if _, err := ask.Finish(evaluated, proof); err != nil {
		t.Errorf("the right answer: %v", err)
	}
}

// failing gives some bytes and then fails.
type failing struct{ left int }

func (f *failing) Read(b []byte) (int, error) {
	if f.left <= 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n := min(f.left, len(b))
	f.left -= n
	return n, nil
}

// TestS32RandomnessFails: without randomness there is no key, no blind, no dummy and no proof, at whatever read it fails.
func TestS32RandomnessFails(t *testing.T) {
	k, public := oprfKey(t, oprfContext)
	ask, err := Blind(rand.Reader, oprfContext, public, []string{"a"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewMatchKey(&failing{31}, oprfContext); err == nil {
		t.Error("a key without randomness")
	}
	for n := 0; n < 16*64+15*32; n += 32 {
		if _, err := Blind(&failing{n}, oprfContext, public, []string{"a"}); err == nil {
			t.Fatalf("blinded with %d bytes of randomness", n)
		}
	}
	if _, _, err := k.Evaluate(&failing{63}, ask.Elements); err == nil {
		t.Error("a proof without randomness")
	}
	if _, err := NewTagSet(&failing{100}, []uint64{1}); err == nil {
		t.Error("a set that tells its size")
	}
}

// TestMatchBatches: whatever the number, fewer than 16 dummies, and sizes from the list alone.
func TestMatchBatches(t *testing.T) {
	for n := range 5000 {
		values, elements := 0, 0
		for _, v := range MatchBatches(n) {
			size, err := batchSize(v)
			if err != nil {
				t.Fatalf("%d: a batch of %d: %v", n, v, err)
			}
			values, elements = values+v, elements+size
		}
		if values != n || elements-n > 15 || elements%16 != 0 {
			t.Fatalf("%d values became %d in %d elements", n, values, elements)
		}
	}
	k, _ := oprfKey(t, oprfContext)
	for _, n := range []int{0, 1, 15, 17, 1025, 2048} {
		if _, _, err := k.Evaluate(rand.Reader, make([][]byte, n)); !errors.Is(err, ErrMatchSize) {
			t.Errorf("a batch of %d was answered: %v", n, err)
		}
	}
}

// FuzzMatchElement: whatever bytes come, they are refused or are the one spelling of an element.
func FuzzMatchElement(f *testing.F) {
	_, public := oprfKey(f, oprfContext)
	f.Add(public)
	f.Add(make([]byte, 32))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := parseElement(b)
		if err != nil {
			return
		}
		if back, err := e.MarshalBinaryCompress(); err != nil || !bytes.Equal(back, b) {
			t.Errorf("%x was read as %x", b, back)
		}
	})
}

// BenchmarkMatchEvaluate is the server's side of a batch of 1,024.
func BenchmarkMatchEvaluate(b *testing.B) {
	k, public := oprfKey(b, oprfContext)
	ask, err := Blind(rand.Reader, oprfContext, public, oprfValues(1024))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, _, err := k.Evaluate(rand.Reader, ask.Elements); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(1024*float64(b.N)/b.Elapsed().Seconds(), "elements/s")
}

// BenchmarkMatchEvaluateCircl is the same by the library alone.
func BenchmarkMatchEvaluateCircl(b *testing.B) {
	k, public := oprfKey(b, oprfContext)
	ask, err := Blind(rand.Reader, oprfContext, public, oprfValues(1024))
	if err != nil {
		b.Fatal(err)
	}
	elements, err := parseElements(ask.Elements)
	if err != nil {
		b.Fatal(err)
	}
	server := oprf.NewVerifiableServer(matchSuite, k.private)
	for b.Loop() {
		if _, err := server.Evaluate(&oprf.EvaluationRequest{Elements: elements}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(1024*float64(b.N)/b.Elapsed().Seconds(), "elements/s")
}

// BenchmarkMatchOutput is what publishing a value costs.
func BenchmarkMatchOutput(b *testing.B) {
	k, _ := oprfKey(b, oprfContext)
	for b.Loop() {
		if _, err := k.Output("gate.example"); err != nil {
			b.Fatal(err)
		}
	}
}

func oprfValues(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = "host-" + hex.EncodeToString([]byte{byte(i >> 8), byte(i)}) + ".example"
	}
	return out
}
