package cases

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/cases/strip"
	"github.com/polder-exchange/polder/internal/web"
)

// The bounds of a form that arrives without script. All of it stays in memory: nothing that can be read is ever written
// to a disk.
const (
	reportMostFiles = 5
	reportMostFile  = 10 << 20
	reportMostAll   = 20 << 20
	reportFormBody  = reportMostAll + 1<<20
	reportMostParts = 64
	reportMostText  = 128 << 10 // of one answer, in bytes
)

// reportUpload are the files of a form.
type reportUpload struct {
	kept    []ReportAttachment
	count   int
	large   bool   // one of them, or all together
	unclean string // one that was to be cleaned and could not be
	total   int
}

// readReportForm reads a form of a browser without script. Only so many large ones are read at once, whatever makes them
// large: what is read of a form is in memory before its sender is counted.
func (p *Pages) readReportForm(r *http.Request) (values url.Values, files reportUpload, err error) {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" || params["boundary"] == "" {
		return nil, files, polder.Errorf(polder.Invalid, "the form is no multipart/form-data; open the page again")
	}
	if r.ContentLength < 0 || r.ContentLength > reportSmall {
		done, err := p.Service.reports.enterLarge(r.Context(), web.From(r))
		if err != nil {
			return nil, files, err
		}
		defer done()
	}
	values = url.Values{}
	parts := multipart.NewReader(r.Body, params["boundary"])
	for n := 0; ; n++ {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || n >= reportMostParts {
			return nil, files, reportUnread(err)
		}
		if part.FormName() == "file" {
			err = files.read(part)
		} else {
			err = readReportText(values, part)
		}
		if err != nil {
			return nil, files, reportUnread(err)
		}
	}
	if values.Get("strip") == "yes" {
		files.clean()
	}
	return values, files, nil
}

// reportUnread is why a form cannot be read: what the door says of a body that is too long or too slow, else that it is
// no form.
func reportUnread(err error) error {
	if _, long := errors.AsType[*http.MaxBytesError](err); long {
		return err
	}
	if polder.KindOf(err) != polder.Internal {
		return err
	}
	return polder.Errorf(polder.Invalid, "the form cannot be read; open the page again")
}

func readReportText(values url.Values, part *multipart.Part) error {
	text, err := io.ReadAll(io.LimitReader(part, reportMostText+1))
	if err != nil {
		return err
	}
	if len(text) > reportMostText {
		return polder.Errorf(polder.TooLarge, "an answer is above %d bytes; write less", reportMostText)
	}
	values.Add(part.FormName(), string(text))
	return nil
}

// read takes a file. Of one that is too large, or one too many, it is only noted that it was there.
func (u *reportUpload) read(part *multipart.Part) error {
	data, err := io.ReadAll(io.LimitReader(part, reportMostFile+1))
	if err != nil {
		return err
	}
	name := part.FileName()
	if name == "" && len(data) == 0 {
		return nil // a browser sends an empty part where no file was chosen
	}
	u.count++
	u.total += len(data)
	if len(data) > reportMostFile || u.total > reportMostAll {
		u.large = true
		u.kept = nil
	}
	if !u.large && u.count <= reportMostFiles {
		u.kept = append(u.kept, ReportAttachment{Name: name, Type: part.Header.Get("Content-Type"), Data: data})
	}
	return nil
}

// clean takes out of the files what they say about their maker. One that cannot be cleaned is not sent unasked.
func (u *reportUpload) clean() {
	for i, file := range u.kept {
		data, _, err := strip.Strip(file.Name, file.Data)
		if err != nil {
			u.unclean = file.Name
			return
		}
		u.kept[i].Data = data
	}
}
