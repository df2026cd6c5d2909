package indicator

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// Bounds of what LoadFS and LoadTar read.
const (
	maxListBytes = 64 << 20
	maxLists     = 2000
)

// mispKinds are the kinds that an attribute type of MISP means to a warning list.
var mispKinds = map[string][]Kind{
	"ip-src": {IPv4, IPv6, CIDR}, "ip-dst": {IPv4, IPv6, CIDR}, "domain": {Domain}, "hostname": {Domain}, "domain|ip": {Domain, IPv4, IPv6},
	"url": {URL}, "uri": {URL}, "link": {URL}, "email": {Email}, "email-src": {Email}, "email-dst": {Email}, "target-email": {Email},
	"md5": {MD5}, "sha1": {SHA1}, "sha256": {SHA256}, "sha512": {SHA512}, "filename": {Filename}, "AS": {ASN}, "mutex": {Mutex},
	"regkey": {RegistryKey}, "whois-registrant-email": {Email}, "dns-soa-email": {Email}, "email-reply-to": {Email},
	"x509-fingerprint-md5": {CertHash}, "x509-fingerprint-sha1": {CertHash}, "x509-fingerprint-sha256": {CertHash},
	"imphash": {Imphash}, "ja3-fingerprint-md5": {JA3}, "user-agent": {UserAgent}, "hostname|port": {Domain}, "mac-address": {MAC}, "vulnerability": {CVE},
}

// ReadWarningList reads a MISP warning list (a list.json). applies is false when none of the kinds of attribute that it
// is for is known here, such as telephone numbers: then it is no use.
func ReadWarningList(r io.Reader) (l List, applies bool, err error) {
	var file struct {
		Name        string   `json:"name"`
		Description string   `json:"description"`
		Type        string   `json:"type"`
		Attributes  []string `json:"matching_attributes"`
		List        []string `json:"list"`
	}
	limited := io.LimitReader(r, maxListBytes+1)
	d := json.NewDecoder(limited)
	if err := d.Decode(&file); err != nil {
		if d.InputOffset() > maxListBytes {
			return List{}, false, fmt.Errorf("the list has more than %d bytes", maxListBytes)
		}
		return List{}, false, fmt.Errorf("this is no MISP warning list: %w", err)
	}
	l = List{Name: file.Name, Reason: file.Description, Matching: Matching(file.Type), Entries: file.List}
	if l.Name == "" || file.List == nil {
		return List{}, false, errors.New(`this is no MISP warning list: it has no "name" or no "list"`)
	}
	if file.Type == "" {
		l.Matching = MatchString
	}
	for _, a := range file.Attributes {
		first, _, _ := strings.Cut(a, "|")
		l.Kinds = append(l.Kinds, mispKinds[first]...)
		if first != a {
			l.Kinds = append(l.Kinds, mispKinds[a]...)
		}
	}
	return l, len(file.Attributes) == 0 || len(l.Kinds) > 0, nil
}

// LoadFS adds every list.json below the root of a folder, as the MISP project lays them out, and those of every .tar.gz in it. What cannot be used is
// told in the error, one text for each; the rest is in force. loaded counts the lists that are.
func (w *Warnings) LoadFS(folder fs.FS) (loaded int, err error) { return loadFS(folder, w.Add) }

func loadFS(folder fs.FS, add func(List) error) (loaded int, err error) {
	var problems []error
	walked := fs.WalkDir(folder, ".", func(name string, d fs.DirEntry, err error) error {
		archive := strings.HasSuffix(name, ".tar.gz") || strings.HasSuffix(name, ".tgz")
		if err != nil || d.IsDir() || path.Base(name) != "list.json" && !archive {
			return err
		}
		f, err := folder.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		if !archive {
			return loadList(name, f, add, &loaded, &problems)
		}
		more, err := loadTar(f, add)
		loaded += more
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", name, err))
		}
		return nil
	})
	return loaded, errors.Join(append(problems, walked)...)
}

// LoadTar adds every list.json of a .tar.gz, under the terms of [Warnings.LoadFS].
func (w *Warnings) LoadTar(r io.Reader) (loaded int, err error) { return loadTar(r, w.Add) }

func loadTar(r io.Reader, add func(List) error) (loaded int, err error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return 0, fmt.Errorf("this is no .tar.gz: %w", err)
	}
	var problems []error
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		if err == io.EOF {
			return loaded, errors.Join(problems...)
		}
		if err != nil {
			return loaded, errors.Join(append(problems, fmt.Errorf("the archive is damaged: %w", err))...)
		}
		if h.Typeflag != tar.TypeReg || path.Base(h.Name) != "list.json" {
			continue
		}
		if err := loadList(h.Name, t, add, &loaded, &problems); err != nil {
			return loaded, errors.Join(append(problems, err)...)
		}
	}
}

// loadList adds one list. The error ends the loading; problems of the list itself do not.
func loadList(name string, r io.Reader, add func(List) error, loaded *int, problems *[]error) error {
	if *loaded >= maxLists {
		return fmt.Errorf("there are more than %d lists; remove those that are not needed", maxLists)
	}
	l, applies, err := ReadWarningList(r)
	if err == nil && applies {
		err = add(l)
		*loaded++
	}
	if err != nil {
		*problems = append(*problems, fmt.Errorf("%s: %w", name, err))
	}
	return nil
}

// leftOut gathers the entries of a list that cannot be used.
type leftOut struct {
	count int
	told  []error
}

const mostTold = 10 // a list of another format has no entry that fits

func (l *leftOut) add(entry string, err error) {
	if l.count++; l.count <= mostTold {
		l.told = append(l.told, fmt.Errorf("entry %s is left out: %w", show(entry), err))
	}
}

func (l *leftOut) err(list string) error {
	if l.count == 0 {
		return nil
	}
	if more := l.count - len(l.told); more > 0 {
		l.told = append(l.told, fmt.Errorf("and %d more entries", more))
	}
	return fmt.Errorf("list %s: %w", show(list), errors.Join(l.told...))
}
