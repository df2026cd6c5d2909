package taxii

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Root is an API root that a server lists.
type Root struct {
	APIRoot
	URL string // absolute
	Err error  // why it cannot be used; the other fields but URL are empty then
}

// Discover reads the discovery resource.
func (c *Client) Discover(ctx context.Context) (Discovery, error) {
	home, err := c.home()
	if err != nil {
		return Discovery{}, err
	}
	return fetch[Discovery](ctx, c, home)
}

// Roots reads every API root that the server lists, in its order. One that lies on another host is not asked:
// credentials go to the host of the client alone. When URL is an API root itself, it is the only one.
func (c *Client) Roots(ctx context.Context) ([]Root, error) {
	home, err := c.home()
	if err != nil {
		return nil, err
	}
	found, err := fetch[struct {
		APIRoots []string `json:"api_roots"`
		Versions []string `json:"versions"`
	}](ctx, c, home)
	if err != nil {
		return nil, err
	}
	if len(found.APIRoots) == 0 && len(found.Versions) > 0 {
		root, err := fetch[APIRoot](ctx, c, home)
		return []Root{{APIRoot: root, URL: home.String()}}, err
	}
	const most = 100
	var roots []Root
	for _, text := range found.APIRoots[:min(most, len(found.APIRoots))] {
		roots = append(roots, c.root(ctx, home, text))
	}
	return roots, nil
}

func (c *Client) root(ctx context.Context, home *url.URL, text string) Root {
	u, err := home.Parse(text)
	if err != nil || u.Host == "" || u.User != nil {
		return Root{URL: c.clean(text), Err: errors.New("the server lists an API root that is no URL")}
	}
	u = withSlash(u)
	r := Root{URL: withoutQuery(u)}
	if r.APIRoot, r.Err = fetch[APIRoot](ctx, c, u); r.Err == nil && !slices.ContainsFunc(r.Versions, isTAXII) {
		r.Err = fmt.Errorf("API root %s does not speak TAXII 2.1", r.URL)
	}
	return r
}

// Collections lists the collections of an API root.
func (c *Client) Collections(ctx context.Context, root string) ([]Collection, error) {
	u, err := url.Parse(root)
	if err != nil {
		return nil, errors.New("the API root is no URL")
	}
	list, err := fetch[struct {
		Collections []Collection `json:"collections"`
	}](ctx, c, withSlash(u).JoinPath("collections/"))
	return list.Collections, err
}

// fetch reads a resource.
func fetch[T any](ctx context.Context, c *Client, u *url.URL) (T, error) {
	var resource T
	a, err := c.request(ctx, http.MethodGet, u, nil)
	if err != nil {
		return resource, about(http.MethodGet, u, err)
	}
	if err := json.Unmarshal(a.body, &resource); err != nil {
		return resource, about(http.MethodGet, u, fmt.Errorf("the answer is not the JSON it should be: %w", err))
	}
	return resource, nil
}

// Remote is a collection of a server.
type Remote struct {
	Collection
	Root   Root
	client *Client
}

// Find looks for a collection by id, alias or title in every API root of the server. The empty name finds the only
// collection of the server. Its error lists what there is.
func (c *Client) Find(ctx context.Context, name string) (*Remote, error) {
	roots, err := c.Roots(ctx)
	if err != nil {
		return nil, err
	}
	var all []*Remote
	var broken []error
	for _, root := range roots {
		list, err := []Collection(nil), root.Err
		if err == nil {
			list, err = c.Collections(ctx, root.URL)
		}
		if err != nil {
			broken = append(broken, err)
		}
		for _, col := range list {
			all = append(all, c.Remote(root, col))
		}
	}
	for _, is := range []func(*Remote) bool{
		func(r *Remote) bool { return r.ID == name },
		func(r *Remote) bool { return r.Alias == name },
		func(r *Remote) bool { return r.Title == name },
		func(*Remote) bool { return name == "" && len(all) == 1 },
	} {
		if i := slices.IndexFunc(all, is); i >= 0 && (name != "" || len(all) == 1) {
			return all[i], nil
		}
	}
	return nil, errors.Join(append([]error{fmt.Errorf("no collection %q; the server has %s", name, c.names(all))}, broken...)...)
}

// Remote is a collection that is already known.
func (c *Client) Remote(root Root, col Collection) *Remote {
	return &Remote{Collection: col, Root: root, client: c}
}

func (c *Client) names(all []*Remote) string {
	var names []string
	for _, r := range all[:min(len(all), 20)] {
		names = append(names, c.clean(r.Title)+" ("+c.clean(r.ID)+")")
	}
	if len(names) == 0 {
		return "none for you"
	}
	return strings.Join(names, ", ")
}

// at is the URL of a resource of the collection; parts are path segments, each followed by a slash.
func (r *Remote) at(parts ...string) (*url.URL, error) {
	return r.under(append([]string{"collections", r.ID}, parts...)...)
}

func (r *Remote) under(parts ...string) (*url.URL, error) {
	u, err := url.Parse(r.Root.URL)
	if err != nil {
		return nil, errors.New("the API root is no URL")
	}
	path := ""
	for _, p := range parts {
		if !plain(p) || p == "." || p == ".." {
			return nil, fmt.Errorf("%q cannot be part of a path", clip(p))
		}
		path += url.PathEscape(p) + "/"
	}
	return withSlash(u).Parse(path)
}

// Get reads an object: its last version, or the one of the given timestamp.
func (r *Remote) Get(ctx context.Context, object, version string) (json.RawMessage, error) {
	u, err := r.at("objects", object)
	if err != nil {
		return nil, err
	}
	if version != "" {
		u.RawQuery = url.Values{"match[version]": {version}}.Encode()
	}
	var found page
	a, err := r.client.request(ctx, http.MethodGet, u, nil)
	if err == nil {
		found, err = readPage(a.body, "objects")
	}
	if err == nil && len(found.items) == 0 {
		err = Errorf(http.StatusNotFound, "the object has no such version here")
	}
	if err != nil {
		return nil, about(http.MethodGet, u, err)
	}
	return found.items[len(found.items)-1], nil
}

// Delete deletes an object: the versions of the given timestamps, or all.
func (r *Remote) Delete(ctx context.Context, object string, versions ...string) error {
	u, err := r.at("objects", object)
	if err != nil {
		return err
	}
	if len(versions) > 0 {
		u.RawQuery = url.Values{"match[version]": {strings.Join(versions, ",")}}.Encode()
	}
	if _, err = r.client.request(ctx, http.MethodDelete, u, nil); err != nil {
		return about(http.MethodDelete, u, err)
	}
	return nil
}

// Status reads the status of an earlier push.
func (r *Remote) Status(ctx context.Context, id string) (Status, error) {
	u, err := r.under("status", id)
	if err != nil {
		return Status{}, err
	}
	return fetch[Status](ctx, r.client, u)
}
