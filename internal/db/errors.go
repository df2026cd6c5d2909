package db

import (
	"errors"
	"strings"

	"github.com/polder-exchange/polder"
)

// SQLite's result codes that decide something here. The lower eight bits are the class.
const (
	codeBusy      = 5
	codeLocked    = 6
	codeNoMem     = 7
	codeReadOnly  = 8
	codeInterrupt = 9
	codeIO        = 10
	codeCorrupt   = 11
	codeFull      = 13
	codeCantOpen  = 14
	codeProtocol  = 15
	codeNotADB    = 26

	codeIONoMem    = codeIO | 12<<8
	codeIOShmSize  = codeIO | 19<<8 // no room for the log's index
	codeIOShmMap   = codeIO | 21<<8 // no memory for the log's index
	codeIOTempPath = codeIO | 25<<8
)

// code reads the result code of the driver that this package brings.
func code(err error) int {
	var coded interface{ Code() int }
	if errors.As(err, &coded) {
		return coded.Code()
	}
	return 0
}

// fatal tells whether err means that the disk or the file can no longer be trusted (D3).
func (d *DB) fatal(err error) bool {
	switch c := d.o.Code(err); c & 0xff {
	case codeCorrupt, codeNotADB:
		return true
	case codeIO:
		return c != codeIOShmSize && c != codeIOShmMap && c != codeIONoMem && c != codeIOTempPath
	}
	return false
}

// breaks tells whether err may have ended the transaction it happened in: then no further statement of it may run, for
// that would be committed on its own.
func (d *DB) breaks(err error) bool {
	switch d.o.Code(err) & 0xff {
	case codeBusy, codeNoMem, codeReadOnly, codeInterrupt, codeIO, codeCorrupt, codeFull, codeCantOpen, codeProtocol, codeNotADB:
		return true
	}
	return false
}

// see is told every error of every connection; a fatal one ends the database.
func (d *DB) see(err error) error {
	if err != nil && d.fatal(err) {
		d.fail(err)
	}
	return err
}

// translate gives err a kind, where it is the database's and not the caller's.
func (d *DB) translate(err error) error {
	if err == nil {
		return nil
	}
	switch c := d.o.Code(err); {
	case d.fatal(err):
		return polder.Errorf(polder.Unavailable, "the database failed and takes no more writes until the node is started again; whether this one was kept is unknown, so repeat it then: %w", err)
	case c&0xff == codeFull, c == codeIOShmSize:
		return polder.Errorf(polder.Full, "the disk is full; nothing was stored; make room and try again: %w", err)
	case c&0xff == codeBusy, c&0xff == codeLocked:
		return polder.Errorf(polder.Unavailable, "the database is busy with another process; try again: %w", err)
	case d.breaks(err):
		return polder.Errorf(polder.Unavailable, "the database could not take this write; try again: %w", err)
	}
	return err
}

// Unique tells whether err says that a row with the same key is already there.
func Unique(err error) bool {
	return err != nil && strings.Contains(err.Error(), "UNIQUE constraint failed")
}
