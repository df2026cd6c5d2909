package stix

import "strconv"

// WithCreated is the object with another created timestamp; all other bytes and their order stay. modified must not
// lie before it.
func (o Object) WithCreated(text string) (Object, error) {
	if o.doc == nil {
		return Object{}, errNoObject
	}
	return o.with("created", strconv.Quote(text))
}
