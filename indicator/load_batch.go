package indicator

// LoadBatch is how many values a loader puts into a [Table] at once: large enough that a bulk load costs little, small
// enough that what waits takes little memory.
const LoadBatch = 1 << 17
