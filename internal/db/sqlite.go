package db

import (
	"database/sql/driver"
	"strings"
	"sync"

	"modernc.org/sqlite"

	"github.com/polder-exchange/polder/internal/fail"
)

// settings hold for every connection of ours. They are constants: a _pragma value is SQL text.
const settings = "_defensive=1&_dqs=0&_busy_timeout=10000&_foreign_keys=1" +
	"&_pragma=trusted_schema(0)" + // what a hostile file's views and triggers may call
	"&_pragma=cell_size_check(1)" + // notice damage when a page is read
	"&_pragma=temp_store(2)" + // nothing is spilled to a folder outside
	"&_pragma=mmap_size(0)" // a failing disk is an error then, not the death of the process; and it measured slower

// Pages kept in memory, in KiB for a connection. A page of 1,000 rows took a reader as long with 2 MiB as with 32, since
// the operating system keeps them too; the writer's random inserts into indexes gain.
const (
	readerCache = "&_pragma=cache_size(-4096)"
	writerCache = "&_pragma=cache_size(-16384)"
)

// Rebuildable is an [Options.DSN] for what can be made again, an index: commits are atomic and in order, but the last
// ones may be missing after a power loss. It keeps less in memory.
func Rebuildable(path string, readonly bool) string {
	name := strings.Replace(dsn(path, readonly), "&_synchronous=FULL", "&_synchronous=NORMAL", 1)
	return strings.NewReplacer(writerCache, "&_pragma=cache_size(-6144)", readerCache, "&_pragma=cache_size(-1024)").Replace(name)
}

// dsn is the name under which the driver opens path.
func dsn(path string, readonly bool) string {
	name := fileURL(path)
	if readonly {
		return name + "?mode=ro&_query_only=1&" + settings + readerCache
	}
	sync := "FULL"
	if fail.Bug("sync-normal") {
		sync = "NORMAL"
	}
	// The writer empties the log itself, since the automatic way hides its errors.
	return name + "?_txlock=immediate&_journal_mode=WAL&_synchronous=" + sync +
		"&_pragma=wal_autocheckpoint(0)&_pragma=journal_size_limit(67108864)&_pragma=secure_delete(1)&" + settings + writerCache
}

var once sync.Once

func ownConnector(dsn string) (driver.Connector, error) {
	once.Do(func() {
		sqlite.StrictPragmas(true)
		// Where it can be had, a lock belongs to the open file and not to the process: nobody who opens and closes the
		// file by accident takes it away. Elsewhere the rules of the package comment must do.
		_, _ = sqlite.OFDLocking(true)
	})
	return sqlite.NewConnector(dsn)
}
