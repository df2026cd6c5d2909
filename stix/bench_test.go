package stix_test

import (
	"encoding/json"
	"testing"

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
