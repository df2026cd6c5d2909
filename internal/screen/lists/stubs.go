package lists

type Mapping struct{}

func isOFACXML(h *head) bool                       { return false }
func readOFACXML(s *source, b *builder) error      { return nil }
func isOFACAdvanced(h *head) bool                  { return false }
func readOFACAdvanced(s *source, b *builder) error { return nil }
func isEUXML(h *head) bool                         { return false }
func readEUXML(s *source, b *builder) error        { return nil }
func isUKXML(h *head) bool                         { return false }
func readUKXML(s *source, b *builder) error        { return nil }
func isFTM(h *head) bool                           { return false }
func readFTM(s *source, b *builder) error          { return nil }
func isBODS(h *head) bool                          { return false }
func readBODS(s *source, b *builder) error         { return nil }
func isEUCSV(h *head) bool                         { return false }
func readEUCSV(s *source, b *builder) error        { return nil }
func isUKCSV(h *head) bool                         { return false }
func readUKCSV(s *source, b *builder) error        { return nil }
func isOFSI(h *head) bool                          { return false }
func readOFSI(s *source, b *builder) error         { return nil }
func isTargetsCSV(h *head) bool                    { return false }
func readTargetsCSV(s *source, b *builder) error   { return nil }
func isTable(h *head) bool                         { return false }
func readTable(s *source, b *builder) error        { return nil }
func isPlain(h *head) bool                         { return false }
func readPlain(s *source, b *builder) error        { return nil }
