// Package lists reads lists of restricted and of verified parties in the forms their publishers give them.
//
// [Read] recognises the form, reads the whole list or nothing, and keeps each party under the list's own id. What a form
// lacks (aliases, a date) is said in the list's notes, never made up.
package lists
