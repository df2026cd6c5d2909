package names

// Index finds names among many. It is built once and then only read.
type Index struct{}

// Found is a name of an index that met a query.
type Found struct {
	Ref   int32 // as given to [Builder.Add]
	Score float64
}

// Builder collects names for an [Index].
type Builder struct{}

// NewBuilder begins an index.
func NewBuilder() *Builder { return &Builder{} }

// Add adds a name of the party ref. A party may have many names, with one ref or several.
func (b *Builder) Add(ref int32, text string, t Type) {}

// Index ends the building. The builder is of no use afterwards.
func (b *Builder) Index() *Index { return &Index{} }

// Search finds the names that are like q, at least threshold, best first; at most limit. Each ref comes once, with its
// best name.
func (x *Index) Search(q *Name, threshold float64, limit int) []Found { return nil }

// Name is the name by which a found ref met.
func (x *Index) Name(f Found) *Name { return nil }
