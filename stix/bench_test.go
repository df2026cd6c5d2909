package stix_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/polder-exchange/polder/stix"
)

// BenchmarkParse reads every object of ATT&CK: what is checked, beside the floor of decoding the same bytes with
// encoding/json. One operation is one object.
func BenchmarkParse(b *testing.B) {
	objects := loadAttack(b)
	each := func(b *testing.B, work func(raw []byte) error) {
		b.SetBytes(attack.size / int64(len(objects)))
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			if err := work(objects[i%len(objects)]); err != nil {
				b.Fatal(err)
			}
			i++
		}
	}
	b.Run("floor=encoding-json", func(b *testing.B) {
		each(b, func(raw []byte) error {
			var v map[string]any
			return json.Unmarshal(raw, &v)
		})
	})
	b.Run("parse", func(b *testing.B) {
		each(b, func(raw []byte) error {
			_, err := stix.Parse(raw)
			return err
		})
	})
	b.Run("parse+digest", func(b *testing.B) {
		each(b, func(raw []byte) error {
			o, err := stix.Parse(raw)
			if err == nil {
				_, err = o.Digest()
			}
			return err
		})
	})
	b.Run("parse+mark+digest", func(b *testing.B) {
		each(b, func(raw []byte) error {
			o, err := stix.Parse(raw)
			if err != nil {
				return err
			}
			if o, err = o.WithMarking(stix.Amber); err == nil {
				_, err = o.DigestWithoutLevel()
			}
			return err
		})
	})
}

// BenchmarkReader streams the whole of ATT&CK as one bundle, beside the floor of decoding its objects one by one with
// encoding/json. One operation is the bundle.
func BenchmarkReader(b *testing.B) {
	var bundle bytes.Buffer
	w := stix.WriteBundle(&bundle)
	for _, raw := range loadAttack(b) {
		if err := w.Add(raw); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	b.Run("floor=encoding-json", func(b *testing.B) {
		b.SetBytes(int64(bundle.Len()))
		b.ReportAllocs()
		for b.Loop() {
			n := 0
			d := json.NewDecoder(bytes.NewReader(bundle.Bytes()[bytes.IndexByte(bundle.Bytes(), '['):]))
			if _, err := d.Token(); err != nil {
				b.Fatal(err)
			}
			for d.More() {
				var v map[string]any
				if err := d.Decode(&v); err != nil {
					b.Fatal(err)
				}
				n++
			}
			if n != attackObjects {
				b.Fatal(n)
			}
		}
	})
	b.Run("reader", func(b *testing.B) {
		b.SetBytes(int64(bundle.Len()))
		b.ReportAllocs()
		for b.Loop() {
			if n, errs := drain(stix.NewReader(bytes.NewReader(bundle.Bytes()), stix.Limits{})); n != attackObjects || len(errs) > 0 {
				b.Fatal(n, errs)
			}
		}
	})
}

// BenchmarkCanonical writes the canonical form of every object of ATT&CK, beside the floor of another implementation.
func BenchmarkCanonical(b *testing.B) {
	objects := loadAttack(b)
	for _, v := range []struct {
		name string
		work func(raw []byte) error
	}{
		{"floor=jsontext", func(raw []byte) error { v := jsontext.Value(bytes.Clone(raw)); return v.Canonicalize() }},
		{"canonical", func(raw []byte) error { _, err := stix.Canonical(raw); return err }},
	} {
		b.Run(v.name, func(b *testing.B) {
			b.SetBytes(attack.size / int64(len(objects)))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if err := v.work(objects[i%len(objects)]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
