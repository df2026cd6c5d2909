package seal

import "testing"

// badKeys are texts that are no public key to seal to.
var badKeys = []struct{ text, why string }{
	{"", "nothing"},
	{"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "the zero point"},
	{"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "a point of order 1 on the curve's other form"},
	{"4Ot6fDtBuK4WVuP68Z_EatoJjeucMrH9hmIFFl9JuAA", "a point of order 8"},
	{"X5yVvKNQjCSx0LFVnIPvWwREXMRYHI6G2CJO3dCfEVc", "the other point of order 8"},
	{"7P_______________________________________38", "p-1, of order 2"},
	{"7f_______________________________________38", "p, which is zero again"},
	{"7v_______________________________________38", "p+1, which is one again"},
	{"CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIA", "the base point with the bit that does not count"},
	{"CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB", "bits behind the end"},
	{"CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "padded"},
	{"CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "one character short"},
	{"CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA+A", "the other alphabet of base64"},
	{"CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\nA", "a line end"},
	{"CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA A", "a space"},
}

func TestBadKeys(t *testing.T) {
	for _, c := range badKeys {
		if k, err := ParsePublicKey(c.text); err == nil {
			t.Errorf("%s: %q was read as %x", c.why, c.text, k[:])
		}
	}
}
