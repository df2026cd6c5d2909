package stix_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/polder-exchange/polder/stix"
)

func seed(f *testing.F) {
	f.Helper()
	for _, raw := range samples(f) {
		f.Add(raw)
	}
	for _, s := range []string{
		"", "null", "[]", "{}", campaign(""), campaign(`,"x":[[[[1e400]]]]`), campaign(`,"name":"\ud800"`), url(1),
		bundleHead + `"objects":[` + url(1) + "," + url(2) + "]}", "[" + url(1) + ",]", object20("malware", `,"name":"x","labels":["a"]`),
		`{"type":"bundle","spec_version":"2.0","objects":[` + object20("indicator", `,"pattern":"[a:b='c'] START 'x'"`) + "]}",
		string(stix.Definition(stix.Red)), "\ufeff" + url(1) + "\n" + url(2),
	} {
		f.Add([]byte(s))
	}
}

// FuzzParse: what is taken is kept as it is, and everything that can be asked of it has an answer.
func FuzzParse(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		o, err := stix.Parse(raw)
		if errs := stix.Check(raw); (len(errs) > 0) != (err != nil) {
			t.Fatalf("Parse says %v, Check %v", err, errs)
		}
		if err != nil {
			if e, ok := err.(*stix.Error); !ok || e.Line < 1 || e.Text == "" {
				t.Fatalf("error %#v", err)
			}
			return
		}
		if !bytes.Equal(o.Raw(), raw) || stix.TypeOf(o.ID) != o.Type {
			t.Fatalf("%+v", o)
		}
		again, err := stix.Parse(o.Raw())
		if err != nil || digest(t, again) != digest(t, o) {
			t.Fatal(err)
		}
		o.Refs()
		o.PAP()
		o.Version()
		stix.Hints(raw)
		level, err := o.Level()
		if err != nil || level != stix.None {
			return
		}
		marked, err := o.WithMarking(stix.Amber)
		if err != nil {
			return // a standard marking definition stays as it is
		}
		if bare(t, marked) != bare(t, o) || digest(t, marked) == digest(t, o) {
			t.Fatalf("%s\n%s", o.Raw(), marked.Raw())
		}
	})
}

// FuzzCanonical: the canonical form is its own.
func FuzzCanonical(f *testing.F) {
	seed(f)
	for _, s := range []string{"1e21", "-0.0", "9007199254740993", `"\ud83d\ude00"`, `{"\ufb33":1,"\ud83d\ude00":2}`, "295147905179352825856"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		first, err := stix.Canonical(raw)
		if err != nil {
			return
		}
		again, err := stix.Canonical(first)
		if err != nil || !bytes.Equal(again, first) {
			t.Fatalf("%s became %s, %v", first, again, err)
		}
	})
}

// FuzzReader: a stream ends, whatever is in it, and is the same in pieces.
func FuzzReader(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		limits := stix.Limits{ObjectBytes: 1000}
		whole, pieced := stix.NewReader(bytes.NewReader(raw), limits), stix.NewReader(pieces{bytes.NewReader(raw), 3}, limits)
		for n := 0; ; n++ {
			a, at, err := whole.Next()
			b, bt, other := pieced.Next()
			if (err == io.EOF) != (other == io.EOF) || err == nil && other == nil && (at != bt || !bytes.Equal(a.Raw(), b.Raw())) {
				t.Fatalf("%v %v %s\n%v %v %s", at, err, a.Raw(), bt, other, b.Raw())
			}
			if err == io.EOF {
				return
			}
			if n > len(raw)+2 {
				t.Fatalf("%d objects in %d bytes", n, len(raw))
			}
		}
	})
}

// FuzzUpgrade20: what is upgraded is of 2.1, and stays as it is the second time.
func FuzzUpgrade20(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		first, err := stix.Upgrade20(raw)
		if err != nil {
			return
		}
		again, err := stix.Upgrade20(first)
		if err != nil || !bytes.Equal(again, first) || stix.IsSTIX20(first) {
			t.Fatalf("%s became %s, then %s, %v", raw, first, again, err)
		}
	})
}
