// Package match answers whether values are in a set that may not be shown, without learning the values or showing the set.
package match
