package stix

import (
	"slices"
	"strings"
)

// extensions checks the extensions of an object: those of the standard that its type knows (predefined), and those
// that an extension-definition describes.
func extensions(predefined props) check {
	return func(c *checker, n int32) {
		if !c.isObject(n) {
			return
		}
		created := ""
		for key, v := range c.d.members(n) {
			back := c.enter(key)
			switch {
			case predefined[key] != nil:
				predefined[key](c, v)
			case TypeOf(key) == "extension-definition" && key != foldID(key):
				c.fail(v, "is written with capitals; write "+foldID(key))
			case TypeOf(key) == "extension-definition":
				c.extension(v)
			case strings.HasSuffix(key, "-ext") && validType(key):
				c.shape(v, &shape{})
			default:
				c.fail(v, "is not an extension; name it by the id of its extension-definition")
			}
			if kind := c.d.textOf(v, "extension_type"); strings.HasPrefix(kind, "new-") {
				if created != "" {
					c.fail(v, "is a second extension that makes a new type, beside "+created+"; keep one")
				}
				created = key
			}
			c.path = c.path[:back]
		}
	}
}

var extensionTypes = []string{"new-sdo", "new-sco", "new-sro", "property-extension", "toplevel-property-extension"}

var definedExtension = shape{
	props:    props{"extension_type": enum(extensionTypes...)},
	required: []string{"extension_type"},
}

func (c *checker) extension(n int32) {
	c.shape(n, &definedExtension)
	kind := c.d.textOf(n, "extension_type")
	if strings.HasPrefix(kind, "new-") && slices.Contains(extensionTypes, kind) && c.table[c.typ] != nil {
		c.failAt(n, "extension_type", "is "+kind+", while "+c.typ+" is a type of the standard; use property-extension")
	}
}
