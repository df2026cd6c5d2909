package strip

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// canary is what no cleaned file may hold.
const canary = "Canary Anna de Vries 52.3731N"

// sample is a file that tells of its maker.
type sample struct {
	name    string
	data    []byte
	removed []string
}

func samples(t testing.TB) []sample {
	return []sample{
		{"turned.jpg", photo(t, 6), []string{"EXIF", "XMP", "comments", "colour profile", "other data", "what follows the end"}},
		{"straight.jpg", photo(t, 1), []string{"EXIF", "XMP", "comments", "colour profile", "other data", "what follows the end"}},
		{"shot.png", screenshot(t), []string{"text", "EXIF", "time", "colour profile", "other data", "what follows the end"}},
		{"moving.gif", moving(t), []string{"comments", "XMP", "other data", "what follows the end"}},
		{"photo.webp", webpSample(), []string{"EXIF", "XMP", "colour profile", "other data"}},
		{"book.xlsx", workbook(t), []string{"document properties", "names"}},
		{"letter.docx", letter(t), []string{"document properties", "names", "paths", "EXIF", "XMP", "comments", "colour profile", "other data", "what follows the end", "printers"}},
		{"note.odt", note(t), []string{"document properties", "names", "printers"}},
	}
}

// TestStrip: nothing that tells of the maker is left, what was removed is said, cleaning again changes nothing, and
// decoders that others wrote open what comes out.
func TestStrip(t *testing.T) {
	for _, s := range samples(t) {
		t.Run(s.name, func(t *testing.T) {
			before := bytes.Clone(s.data)
			out, removed, err := Strip(s.name, s.data)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(before, s.data) {
				t.Error("what was given has changed")
			}
			if bytes.Contains(unfolded(t, out), []byte("Canary")) {
				t.Errorf("it still holds the canary: %q", unfolded(t, out))
			}
			slices.Sort(removed)
			slices.Sort(s.removed)
			if !slices.Equal(removed, s.removed) {
				t.Errorf("removed %q, want %q", removed, s.removed)
			}
			again, nothing, err := Strip(s.name, out)
			if err != nil || !bytes.Equal(again, out) {
				t.Errorf("cleaning twice is not cleaning once: %v", err)
			}
			if !strings.Contains(s.name, "x") && !strings.HasSuffix(s.name, ".odt") && len(nothing) > 0 {
				t.Errorf("the second time it removes %q", nothing)
			}
			opens(t, s.name, s.data, out)
		})
	}
}

// unfolded is data with the parts of an archive after it.
func unfolded(t *testing.T, data []byte) []byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return data
	}
	all := slices.Clone(data)
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r)
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		if f.Comment != "" || len(f.Extra) > 0 || f.Modified.Year() > 1980 {
			t.Errorf("%s keeps a comment, extra fields or its time", f.Name)
		}
		all = append(all, body...)
	}
	return all
}

func opens(t *testing.T, name string, before, after []byte) {
	t.Helper()
	switch {
	case strings.HasSuffix(name, ".xlsx"):
		book, err := excelize.OpenReader(bytes.NewReader(after))
		if err != nil {
			t.Fatal(err)
		}
		if v, err := book.GetCellValue("Sheet1", "A1"); v != "what was measured" || err != nil {
			t.Errorf("the cell says %q, %v", v, err)
		}
	case strings.HasSuffix(name, ".jpg"), strings.HasSuffix(name, ".png"), strings.HasSuffix(name, ".gif"):
		a, _, err := image.Decode(bytes.NewReader(before))
		if err != nil {
			t.Fatal(err)
		}
		b, _, err := image.Decode(bytes.NewReader(after))
		if err != nil {
			t.Fatal(err)
		}
		for y := range a.Bounds().Dy() {
			for x := range a.Bounds().Dx() {
				if a.At(x, y) != b.At(x, y) {
					t.Fatalf("the picture differs at %d, %d", x, y)
				}
			}
		}
	}
}

// TestStripOrientation: how a photo was held is all that stays of its EXIF block.
func TestStripOrientation(t *testing.T) {
	out, _, err := Strip("a.jpg", photo(t, 6))
	if err != nil || orientation(out[bytes.Index(out, []byte("Exif"))+6:]) != 6 {
		t.Errorf("the photo forgot how it was held: %v", err)
	}
	if out, _, _ = Strip("a.jpg", photo(t, 1)); bytes.Contains(out, []byte("Exif")) {
		t.Error("a photo that was held upright keeps an EXIF block")
	}
}

// TestStripRefuses: what is not cleaned is an error that says so; no bytes come out.
func TestStripRefuses(t *testing.T) {
	docx := letter(t)
	for _, c := range []struct {
		name, says string
		data       []byte
		why        string
	}{
		{"a.pdf", "PDF", []byte("%PDF-1.7 …"), "a PDF keeps its history"},
		{"a.heic", "not known", []byte("\x00\x00\x00\x18ftypheic"), "unknown kinds are not cleaned"},
		{"empty", "not known", nil, "nothing is no kind"},
		{"a.jpg", "damaged", []byte{0xff, 0xd8, 0xff, 0xe1, 0xff, 0xff, 1}, "a segment that goes beyond the end"},
		{"a.jpg", "damaged", photo(t, 1)[:300], "cut off"},
		{"a.png", "damaged", screenshot(t)[:60], "cut off"},
		{"a.png", "damaged", append([]byte("\x89PNG\r\n\x1a\n"), 0xff, 0xff, 0xff, 0xff, 'I', 'H', 'D', 'R', 0, 0, 0, 0), "a chunk of 4 GiB"},
		{"a.gif", "damaged", moving(t)[:20], "cut off"},
		{"a.webp", "damaged", []byte("RIFF\xff\xff\xff\xffWEBP"), "longer than the file"},
		{"a.zip", "no office document", archive(t, map[string]string{"a.txt": "x"}), "an archive of anything"},
		{"a.docm", "macros", archive(t, map[string]string{"[Content_Types].xml": "<a/>", "word/vbaProject.bin": "x"}), "macros hold names of machines"},
		{"a.docx", "other documents", archive(t, map[string]string{"[Content_Types].xml": "<a/>", "word/embeddings/oleObject1.bin": "x"}), "a document in a document"},
		{"a.docx", "same name", archive(t, map[string]string{"[Content_Types].xml": "<a/>", "docProps/core.xml": "x", "docprops/CORE.xml": "y"}), "programs differ in which they read"},
		{"a.docx", "encoding", archive(t, map[string]string{"[Content_Types].xml": "\xff\xfe<\x00"}), "UTF-16 would hide names from us"},
		{"a.docx", "no kind", archive(t, map[string]string{"[Content_Types].xml": "<a/>", "word/media/a.jpg": "no picture"}), "a picture that is none"},
		{"a.docx", "damaged", docx[:len(docx)-30], "cut off"},
		{"big.jpg", "64 MiB", make([]byte, Most+1), "too large"},
		{"bomb.docx", "32 MiB", archive(t, map[string]string{"[Content_Types].xml": strings.Repeat(" ", 20<<20), "word/a.xml": strings.Repeat(" ", 20<<20)}), "unfolds to more than may be held"},
	} {
		out, removed, err := Strip(c.name, c.data)
		if !errors.Is(err, ErrNotCleaned) || out != nil || removed != nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "vouch") {
			t.Errorf("%s: %v, want an error that says %q: %s", c.name, err, c.says, c.why)
		}
	}
}

// FuzzStrip: whatever comes in, what comes out has no more bytes than went in by far, and is clean when cleaned again.
func FuzzStrip(f *testing.F) {
	for _, s := range samples(f) {
		f.Add(s.data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		out, _, err := Strip("f", data)
		if err != nil {
			if !errors.Is(err, ErrNotCleaned) {
				t.Fatal(err)
			}
			return
		}
		again, _, err := Strip("f", out)
		if err != nil || !bytes.Equal(out, again) {
			t.Fatalf("cleaning twice differs: %v", err)
		}
	})
}

func picture() *image.Paletted {
	m := image.NewPaletted(image.Rect(0, 0, 24, 16), color.Palette{color.White, color.Black, color.RGBA{200, 30, 30, 255}})
	for i := range m.Pix {
		m.Pix[i] = uint8(i % 3)
	}
	return m
}

func segment(marker byte, body string) []byte {
	return append(append([]byte{0xff, marker}, binary.BigEndian.AppendUint16(nil, uint16(len(body)+2))...), body...)
}

// photo is a JPEG as a phone makes it.
func photo(t testing.TB, turned byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture(), nil); err != nil {
		t.Fatal(err)
	}
	exif := "Exif\x00\x00II*\x00\x08\x00\x00\x00\x02\x00\x0f\x01\x02\x00\x1e\x00\x00\x00\x26\x00\x00\x00\x12\x01\x03\x00\x01\x00\x00\x00" + string(turned) + "\x00\x00\x00\x00\x00\x00\x00" + canary
	d := b.Bytes()
	out := slices.Clone(d[:2])
	for _, s := range [][]byte{segment(0xe1, exif), segment(0xe1, "http://ns.adobe.com/xap/1.0/\x00"+canary), segment(0xe2, "ICC_PROFILE\x00\x01\x01"+canary), segment(0xed, "Photoshop 3.0\x00"+canary), segment(0xfe, canary)} {
		out = append(out, s...)
	}
	return append(append(out, d[2:]...), canary...)
}

func chunk(kind, body string) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	b = append(append(b, kind...), body...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

func screenshot(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, picture()); err != nil {
		t.Fatal(err)
	}
	d := b.Bytes()
	out := slices.Clone(d[:33]) // with IHDR
	for _, k := range []string{"tEXt", "zTXt", "iTXt", "eXIf", "tIME", "iCCP", "prVt"} {
		out = append(out, chunk(k, canary)...)
	}
	return append(append(append(out, chunk("gAMA", "\x00\x00\xb1\x8f")...), d[33:]...), canary...)
}

func moving(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, &gif.GIF{Image: []*image.Paletted{picture(), picture()}, Delay: []int{5, 5}}); err != nil {
		t.Fatal(err)
	}
	d := b.Bytes()
	at := 13 + colours(d[10])
	block := func(s string) string { return string(rune(len(s))) + s }
	out := slices.Clone(d[:at])
	out = append(out, "\x21\xfe"+block(canary)+"\x00"...)
	out = append(out, "\x21\xff\x0bXMP DataXMP"+block(canary)+"\x00"...)
	out = append(out, "\x21\xff\x0bMADEBYANNA1"+block(canary)+"\x00"...)
	return append(append(out, d[at:]...), canary...)
}

func webpSample() []byte {
	piece := func(kind, body string) string {
		s := kind + string(binary.LittleEndian.AppendUint32(nil, uint32(len(body)))) + body
		if len(body)%2 == 1 {
			s += "\x00"
		}
		return s
	}
	body := "WEBP" + piece("VP8X", "\x2c\x00\x00\x00\x17\x00\x00\x0f\x00\x00") + piece("ICCP", canary) + piece("VP8L", "\x2f\x17\xc0\x03\x00") + piece("EXIF", canary) + piece("XMP ", canary) + piece("ABCD", canary)
	return []byte("RIFF" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(body)))) + body)
}

func archive(t testing.TB, parts map[string]string) []byte {
	t.Helper()
	var names []string
	for n := range parts {
		names = append(names, n)
	}
	slices.Sort(names)
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, n := range names {
		h := &zip.FileHeader{Name: n, Method: zip.Deflate, Comment: canary}
		if n == "mimetype" {
			h.Method = zip.Store
		}
		w, err := z.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, parts[n]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.SetComment(canary); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func workbook(t testing.TB) []byte {
	t.Helper()
	book := excelize.NewFile()
	for _, err := range []error{
		book.SetCellValue("Sheet1", "A1", "what was measured"),
		book.SetDocProps(&excelize.DocProperties{Creator: canary, LastModifiedBy: canary, Title: canary}),
		book.SetAppProps(&excelize.AppProperties{Company: canary}),
		book.AddComment("Sheet1", excelize.Comment{Cell: "A1", Author: canary, Text: "look at this"}),
		book.AddTable("Sheet1", &excelize.Table{Range: "B1:C3", Name: "Figures"}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	b, err := book.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func letter(t testing.TB) []byte {
	return archive(t, map[string]string{
		"[Content_Types].xml":                 `<Types/>`,
		"docProps/core.xml":                   `<dc:creator>` + canary + `</dc:creator>`,
		"docProps/app.xml":                    `<Company>` + canary + `</Company>`,
		"docProps/custom.xml":                 canary,
		"docProps/thumbnail.jpeg":             string(photo(t, 1)),
		"word/document.xml":                   `<w:p><w:ins w:id="1" w:author="` + canary + `" w:date="2026-01-01"><w:r><w:t>Größe 12 µm, author="stays in text"</w:t></w:r></w:ins></w:p>`,
		"word/comments.xml":                   `<w:comment w:initials='Canary' w:author='` + canary + `'/>`,
		"word/people.xml":                     `<w15:person w15:author="` + canary + `"><w15:presenceInfo w15:providerId="AD" w15:userId="` + canary + `"/></w15:person>`,
		"word/_rels/settings.xml.rels":        `<Relationship Target="file:///C:\Users\` + canary + `\a.dotx"/><Relationship Target="C:\Users\` + canary + `"/><Relationship Target="media/image1.jpg"/>`,
		"word/media/image1.jpg":               string(photo(t, 3)),
		"xl/printerSettings/printer1.bin":     canary,
		"xl/workbook.xml":                     `<x15ac:absPath url="C:\Users\` + canary + `\" xmlns:x15ac="a"/>`,
		"xl/persons/person.xml":               `<person displayName="` + canary + `" id="{1}" userId="` + canary + `"/>`,
		"ppt/commentAuthors.xml":              `<p:cmAuthorLst><p:cmAuthor id="1" name="` + canary + `" initials="CA"/></p:cmAuthorLst>`,
		"xl/tables/table1.xml":                `<table displayName="Figures"/>`,
		"word/media/image2.png":               string(chunkless(t)),
		"word/theme/theme1.xml":               `<a:theme name="Office"/>`,
		"customXml/item1.xml":                 `<b:Author><b:Last>x</b:Last></b:Author>`,
		"word/fonts/font1.odttf":              "\x00\x01\x02",
		"word/_rels/document.xml.rels":        `<Relationship Target="https://example.org/a"/>`,
		"xl/comments1.xml":                    `<authors><author>` + canary + `</author></authors>`,
		"word/footnotes.xml":                  `<w:t>no names</w:t>`,
		"word/glossary/document.xml":          `<w:del w:author="` + canary + `"/>`,
		"ppt/presProps.xml":                   `<p:presentationPr/>`,
		"xl/sharedStrings.xml":                `<si><t>ü</t></si>`,
		"word/webSettings.xml":                "\xef\xbb\xbf<w:webSettings/>",
		"word/numbering.xml":                  ``,
		"word/styles.xml":                     `<w:styles/>`,
		"word/endnotes.xml":                   `<w:endnotes/>`,
		"word/header1.xml":                    `<w:hdr/>`,
		"word/settings.xml":                   `<w:settings><w:rsids/></w:settings>`,
		"word/fontTable.xml":                  `<w:fonts/>`,
		"xl/worksheets/_rels/sheet1.xml.rels": `<Relationship Target="../printerSettings/printer1.bin"/>`,
	})
}

// chunkless is a picture with nothing to remove, which is copied as it is compressed.
func chunkless(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, picture()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func note(t testing.TB) []byte {
	return archive(t, map[string]string{
		"mimetype":                 "application/vnd.oasis.opendocument.text",
		"META-INF/manifest.xml":    `<manifest:manifest/>`,
		"meta.xml":                 canary,
		"content.xml":              `<office:annotation><dc:creator>` + canary + `</dc:creator><meta:creator-initials>Canary</meta:creator-initials><text:p>stays</text:p></office:annotation>`,
		"settings.xml":             `<config:config-item config:name="PrinterName" config:type="string">` + canary + `</config:config-item>`,
		"styles.xml":               `<office:styles/>`,
		"Thumbnails/thumbnail.png": string(chunkless(t)),
	})
}
