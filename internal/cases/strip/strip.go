// Package strip takes out of a file what tells of who made it and where: it is pure, and static/strip.js of package cases
// gives the same bytes.
package strip

import "errors"

// ErrNotCleaned says that a file was not cleaned, so nobody can vouch for what it tells of its maker.
var ErrNotCleaned = errors.New("this kind of file is not cleaned")

// Strip is data without what tells of its maker, and the list of what was removed. name decides nothing but the words of
// an error: the kind is read from data.
func Strip(name string, data []byte) (out []byte, removed []string, err error) {
	return nil, nil, ErrNotCleaned
}
