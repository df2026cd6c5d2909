package history

import (
	"time"

	"github.com/parquet-go/parquet-go"
)

// row is an event as it lies in a segment. Names are those of OCSF where it has one; what is not known is null.
type row struct {
	Time int64 `parquet:"time,optional,timestamp(microsecond),delta"`
	// ID tells equal records apart from the same record read twice. It is not stable from one store to another.
	ID        uint64 `parquet:"id"`
	ClassUID  int32  `parquet:"class_uid,dict"`
	ClassName string `parquet:"class_name,dict"`

	Metadata    metadata     `parquet:"metadata"`
	Device      device       `parquet:"device"`
	User        user         `parquet:"user"`
	Src         endpoint     `parquet:"src_endpoint"`
	Dst         endpoint     `parquet:"dst_endpoint"`
	Process     process      `parquet:"process"`
	File        file         `parquet:"file"`
	Query       query        `parquet:"query"`
	URL         urlText      `parquet:"url"`
	Observables []observable `parquet:"observables,list"`

	// Raw is the record as it was received. Fields says where the event's fields lie in it; see layout.
	Raw    []byte `parquet:"raw_data,optional,zstd"`
	Fields []byte `parquet:"raw_fields,optional,zstd"`
}

type metadata struct {
	Product   string `parquet:"product,optional,dict"`
	LogName   string `parquet:"log_name,optional,dict"`
	Format    string `parquet:"log_format,optional,dict"`
	File      string `parquet:"log_file,optional,dict"`
	Index     int64  `parquet:"sequence,delta"`
	Processed int64  `parquet:"processed_time,timestamp(microsecond),delta"`
}

type device struct {
	Hostname string `parquet:"hostname,optional,dict"`
}

type user struct {
	Name string `parquet:"name,optional,dict"`
}

type endpoint struct {
	IP       string `parquet:"ip,optional,dict"`
	Port     int32  `parquet:"port,optional,dict"`
	Hostname string `parquet:"hostname,optional,dict"`
}

type process struct {
	Path    string `parquet:"path,optional,dict"`
	CmdLine string `parquet:"cmd_line,optional,dict"`
	Parent  string `parquet:"parent_path,optional,dict"`
}

type file struct {
	Name   string `parquet:"name,optional,dict"`
	Path   string `parquet:"path,optional,dict"`
	MD5    string `parquet:"md5,optional,dict"`
	SHA1   string `parquet:"sha1,optional,dict"`
	SHA256 string `parquet:"sha256,optional,dict"`
}

type query struct {
	Hostname string `parquet:"hostname,optional,dict"`
}

type urlText struct {
	Text string `parquet:"url_string,optional,dict"`
}

// observable is a value in the event that an indicator can name, and the field in which it stands.
type observable struct {
	Name  string `parquet:"name,dict"`
	Type  string `parquet:"type,dict"`
	Value string `parquet:"value,dict"`
}

// observablesPath is where the values lie in the file.
var (
	valuePath = []string{"observables", "list", "element", "value"}
	typePath  = []string{"observables", "list", "element", "type"}
)

// bloomed are the columns that have a bloom filter, for other readers and for our own.
func bloomed() []parquet.BloomFilterColumn {
	var all []parquet.BloomFilterColumn
	for _, path := range [][]string{
		valuePath, {"src_endpoint", "ip"}, {"dst_endpoint", "ip"}, {"query", "hostname"}, {"url", "url_string"},
		{"file", "md5"}, {"file", "sha1"}, {"file", "sha256"}, {"file", "name"}, {"user", "name"}, {"device", "hostname"},
	} {
		all = append(all, parquet.SplitBlockFilter(10, path...))
	}
	return all
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

// size is about how much memory the row takes.
func (r *row) size() int {
	n := 600 + len(r.Raw) + len(r.Fields)
	for i := range r.Observables {
		n += 48 + len(r.Observables[i].Value)
	}
	return n
}
