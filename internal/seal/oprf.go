package seal

import (
	"crypto"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/cloudflare/circl/group"
	"github.com/cloudflare/circl/oprf"
	"github.com/cloudflare/circl/zk/dleq"

	"github.com/polder-exchange/polder/internal/fail"
)

// This file is private matching: the verifiable oblivious function of RFC 9497, in the suite ristretto255-SHA512 and no
// other (the server's side of the others is not constant-time). Whoever has the key never sees a value that is asked
// about, nor what the answer was; whoever asks learns the output of the values asked, and a proof that they were made
// with the published key.

// Sizes of what travels.
const (
	ElementSize   = 32 // bytes of an element: blinded, evaluated, or a public key
	MatchProof    = 64 // bytes of a proof
	MaxMatchValue = 8192
)

// MatchSizes are the sizes of a batch, the largest first. A batch has one of them, filled up with dummies that nobody
// can tell from values, so that its size says how much is asked only to the next of these.
var MatchSizes = []int{1024, 256, 64, 16}

// Errors of private matching. They say nothing of a value.
var (
	ErrElement    = errors.New("an element is not one of ristretto255, or is the identity")
	ErrMatchProof = errors.New("the answer does not prove that it was made with the published key for what was asked")
	ErrMatchSize  = errors.New("a batch has 16, 64, 256 or 1024 elements")
)

var (
	matchSuite = oprf.SuiteRistretto255
	matchGroup = matchSuite.Group()
)

// MatchContext is what an output is bound to: the same value has another output on another node, in another set and in
// another epoch.
type MatchContext struct {
	Node  string
	Set   string
	Epoch uint64
}

// bytes are the context as it stands before each value. No part of it may hold a line break.
func (c MatchContext) bytes() ([]byte, error) {
	if strings.ContainsAny(c.Node+c.Set, "\n\x00") || len(c.Node)+len(c.Set) > 512 {
		return nil, errors.New("private matching: the ids of node and set have no line breaks, and at most 512 bytes")
	}
	return []byte("polder match 1\n" + c.Node + "\n" + c.Set + "\n" + strconv.FormatUint(c.Epoch, 10) + "\n"), nil
}

// input is what the function is computed of for a value.
func (c MatchContext) input(value string) ([]byte, error) {
	head, err := c.bytes()
	if err != nil {
		return nil, err
	}
	if len(value) > MaxMatchValue {
		return nil, fmt.Errorf("private matching: a value has %d bytes; at most %d are taken", len(value), MaxMatchValue)
	}
	return append(head, value...), nil
}

// MatchKey is the secret of one epoch of a set. Whoever has it can try values against the set as he likes.
type MatchKey struct {
	private *oprf.PrivateKey
	public  group.Element
	context MatchContext
}

// NewMatchKey makes the key of an epoch. When rand fails there is no key.
func NewMatchKey(rand io.Reader, c MatchContext) (*MatchKey, error) {
	info, err := c.bytes()
	if err != nil {
		return nil, err
	}
	seed := make([]byte, 32)
	if _, err := io.ReadFull(rand, seed); err != nil {
		return nil, fmt.Errorf("private matching: draw a key: %w", err)
	}
	private, err := oprf.DeriveKey(matchSuite, oprf.VerifiableMode, seed, info)
	if err != nil {
		return nil, fmt.Errorf("private matching: derive a key: %w", err)
	}
	return matchKeyOf(private, c)
}

// ParseMatchKey reads what [MatchKey.Bytes] wrote.
func ParseMatchKey(b []byte, c MatchContext) (*MatchKey, error) {
	private := new(oprf.PrivateKey)
	if err := private.UnmarshalBinary(matchSuite, b); err != nil {
		return nil, errors.New("private matching: this is not a key")
	}
	return matchKeyOf(private, c)
}

// matchKeyOf computes the public key once, so that a key may be used by any number of goroutines.
func matchKeyOf(private *oprf.PrivateKey, c MatchContext) (*MatchKey, error) {
	if _, err := c.bytes(); err != nil {
		return nil, err
	}
	text, err := private.Public().MarshalBinary()
	if err != nil {
		return nil, err
	}
	public, err := parseElement(text)
	if err != nil {
		return nil, err
	}
	return &MatchKey{private: private, public: public, context: c}, nil
}

// Bytes are the secret key, for where it is kept.
func (k *MatchKey) Bytes() ([]byte, error) { return k.private.MarshalBinary() }

// Public is the published key.
func (k *MatchKey) Public() ([]byte, error) { return k.public.MarshalBinaryCompress() }

// Output is the function of a value, for whoever has the key: what a set is made of.
func (k *MatchKey) Output(value string) ([]byte, error) {
	in, err := k.context.input(value)
	if err != nil {
		return nil, err
	}
	return oprf.NewVerifiableServer(matchSuite, k.private).FullEvaluate(in)
}

// Evaluate answers a batch of blinded elements with their images and one proof for all of them. Nothing but their number
// is learnt. Rand is the proof's randomness; when it fails there is no answer.
func (k *MatchKey) Evaluate(rand io.Reader, blinded [][]byte) (evaluated [][]byte, proof []byte, err error) {
	if !slices.Contains(MatchSizes, len(blinded)) {
		return nil, nil, ErrMatchSize
	}
	r, err := randomScalar(rand)
	if err != nil {
		return nil, nil, err
	}
	return k.evaluate(r, blinded)
}

func (k *MatchKey) evaluate(r group.Scalar, blinded [][]byte) (evaluated [][]byte, proof []byte, err error) {
	in, err := parseElements(blinded)
	if err != nil {
		return nil, nil, err
	}
	text, err := k.private.MarshalBinary()
	if err != nil {
		return nil, nil, err
	}
	secret := matchGroup.NewScalar()
	if err := secret.UnmarshalBinary(text); err != nil {
		return nil, nil, err
	}
	out := make([]group.Element, len(in))
	evaluated = make([][]byte, len(in))
	for i, e := range in {
		out[i] = matchGroup.NewElement().Mul(e, secret)
		if evaluated[i], err = out[i].MarshalBinaryCompress(); err != nil {
			return nil, nil, err
		}
	}
	prover := dleq.Prover{Params: dleq.Params{G: matchGroup, H: crypto.SHA512, DST: []byte("OPRFV1-\x01-ristretto255-SHA512")}}
	p, err := prover.ProveBatchWithRandomnessRFC9497(secret, k.public, in, out, r)
	if err != nil {
		return nil, nil, fmt.Errorf("private matching: prove an answer: %w", err)
	}
	proof, err = p.MarshalBinary()
	return evaluated, proof, err
}

// MatchAsk is one batch under way: what was blinded, and how it is opened. It is used once.
type MatchAsk struct {
	client oprf.VerifiableClient
	data   *oprf.FinalizeData
	values int
	// Elements is what is sent.
	Elements [][]byte
}

// Blind blinds values for the holder of a public key, and fills the batch up with dummies to one of [MatchSizes], into
// which they must fit. When rand fails, nothing is sent.
func Blind(rand io.Reader, c MatchContext, public []byte, values []string) (*MatchAsk, error) {
	size, err := batchSize(len(values))
	if err != nil {
		return nil, err
	}
	key, err := ParseMatchPublic(public)
	if err != nil {
		return nil, err
	}
	inputs, blinds := make([][]byte, size), make([]oprf.Blind, size)
	for i := range inputs {
		if i < len(values) {
			inputs[i], err = c.input(values[i])
		} else {
			inputs[i], err = dummyInput(rand)
		}
		if err != nil {
			return nil, err
		}
		if blinds[i], err = randomScalar(rand); err != nil {
			return nil, err
		}
	}
	return blindWith(key, inputs, blinds, len(values))
}

func blindWith(key *oprf.PublicKey, inputs [][]byte, blinds []oprf.Blind, values int) (*MatchAsk, error) {
	a := &MatchAsk{client: oprf.NewVerifiableClient(matchSuite, key), values: values}
	data, request, err := a.client.DeterministicBlind(inputs, blinds)
	if err != nil {
		return nil, fmt.Errorf("private matching: blind: %w", err)
	}
	a.data, a.Elements = data, make([][]byte, len(inputs))
	for i, e := range request.Elements {
		if a.Elements[i], err = e.MarshalBinaryCompress(); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// Finish opens an answer: the outputs of the values, in their order. An answer to something else, by another key,
// without a proof or with the identity in it is refused whole.
func (a *MatchAsk) Finish(evaluated [][]byte, proof []byte) ([][]byte, error) {
	if len(evaluated) != len(a.Elements) || len(proof) != MatchProof {
		return nil, ErrMatchProof
	}
	elements, err := parseElements(evaluated)
	if err != nil {
		return nil, err
	}
	p := new(dleq.Proof)
	if err := p.UnmarshalBinary(matchGroup, proof); err != nil {
		return nil, ErrMatchProof
	}
	outputs, err := a.client.Finalize(a.data, &oprf.Evaluation{Elements: elements, Proof: p})
	if err != nil && fail.Bug("proof-unchecked") {
		outputs, err = oprf.NewClient(matchSuite).Finalize(a.data, &oprf.Evaluation{Elements: elements})
	}
	if err != nil {
		return nil, ErrMatchProof
	}
	return outputs[:a.values], nil
}

// MatchBatches cuts n values into batches of [MatchSizes] so that fewer dummies than the smallest size are needed: what
// is learnt of n is its next multiple of 16. The numbers are of values; each fits its batch.
func MatchBatches(n int) []int {
	var out []int
	for _, size := range MatchSizes {
		for ; n >= size; n -= size {
			out = append(out, size)
		}
	}
	if n > 0 {
		out = append(out, n)
	}
	return out
}

// batchSize is the smallest size into which n values fit.
func batchSize(n int) (int, error) {
	if n < 1 || n > MatchSizes[0] {
		return 0, fmt.Errorf("private matching: a batch holds from 1 to %d values", MatchSizes[0])
	}
	for _, size := range slices.Backward(MatchSizes) {
		if n <= size {
			return size, nil
		}
	}
	return 0, ErrMatchSize
}

// ParseMatchPublic reads a public key.
func ParseMatchPublic(b []byte) (*oprf.PublicKey, error) {
	if _, err := parseElement(b); err != nil {
		return nil, err
	}
	key := new(oprf.PublicKey)
	if err := key.UnmarshalBinary(matchSuite, b); err != nil {
		return nil, ErrElement
	}
	return key, nil
}

// MatchFingerprint is what people compare of the key of an epoch: six groups of five digits.
func MatchFingerprint(public []byte) string {
	h := sha256.Sum256(append([]byte("polder match key 1\n"), public...))
	groups := make([]string, 6)
	for i := range groups {
		var n [8]byte
		copy(n[3:], h[5*i:5*i+5])
		groups[i] = fmt.Sprintf("%05d", binary.BigEndian.Uint64(n[:])%100000)
	}
	return strings.Join(groups, " ")
}

func parseElements(all [][]byte) ([]group.Element, error) {
	out := make([]group.Element, len(all))
	for i, b := range all {
		e, err := parseElement(b)
		if err != nil {
			return nil, err
		}
		out[i] = e
	}
	return out, nil
}

// parseElement takes the one encoding of an element that is not the identity.
func parseElement(b []byte) (group.Element, error) {
	if !canonical(b) {
		return nil, ErrElement
	}
	e := matchGroup.NewElement()
	if err := e.UnmarshalBinary(b); err != nil || e.IsIdentity() {
		return nil, ErrElement
	}
	return e, nil
}

// canonical tells whether b is a field element in its one spelling (below 2^255-19, little-endian) and not negative, as
// RFC 9496 asks of encodings.
func canonical(b []byte) bool {
	if len(b) != ElementSize || b[0]&1 == 1 || b[31] > 0x7f {
		return false
	}
	if b[31] < 0x7f {
		return true
	}
	for _, x := range b[1:31] {
		if x != 0xff {
			return true
		}
	}
	return b[0] < 0xed
}

// randomScalar draws a scalar that is not zero, from 64 bytes of rand so that none is likelier than another.
func randomScalar(rand io.Reader) (group.Scalar, error) {
	var wide [64]byte
	if _, err := io.ReadFull(rand, wide[:]); err != nil {
		return nil, fmt.Errorf("private matching: draw a blind: %w", err)
	}
	s := matchGroup.HashToScalar(wide[:], []byte("polder match scalar 1"))
	if s.IsZero() {
		return nil, errors.New("private matching: drew zero")
	}
	return s, nil
}

// dummyInput is what fills a batch up. Its prefix keeps it apart from every value.
func dummyInput(rand io.Reader) ([]byte, error) {
	b := make([]byte, 32)
	if _, err := io.ReadFull(rand, b); err != nil {
		return nil, fmt.Errorf("private matching: draw a dummy: %w", err)
	}
	return append([]byte("polder match dummy\n"), b...), nil
}
