package node

import (
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/internal/web"
)

// openAPI is the OpenAPI 3.1 description of the REST API, made of what the routes say of themselves.
func openAPI(routes []web.Route) ([]byte, error) {
	registry := huma.NewMapRegistry("#/components/schemas/", schemaName)
	doc := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{Title: "Polder", Version: strings.Fields(cli.Version())[0],
			Description: "The REST API of a Polder node. A token goes as Bearer, or as the password of HTTP Basic under any user name. Errors are problem details (RFC 9457)."},
		Paths: map[string]*huma.PathItem{},
		Components: &huma.Components{Schemas: registry, SecuritySchemes: map[string]*huma.SecurityScheme{
			"token": {Type: "http", Scheme: "bearer"}, "basic": {Type: "http", Scheme: "basic"},
		}},
	}
	for _, r := range routes {
		if r.Doc == nil {
			continue
		}
		item := doc.Paths[r.Pattern]
		if item == nil {
			item = &huma.PathItem{}
			doc.Paths[r.Pattern] = item
		}
		op := operation(registry, r)
		switch r.Method {
		case http.MethodGet:
			item.Get = op
		case http.MethodPost:
			item.Post = op
		case http.MethodPut:
			item.Put = op
		case http.MethodPatch:
			item.Patch = op
		case http.MethodDelete:
			item.Delete = op
		}
	}
	return json.MarshalIndent(doc, "", "  ")
}

// schemaName names a type in the document. Those of cases and of release, which speak in words that others use too, say so.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if strings.HasSuffix(t.PkgPath(), "/internal/cases") && !strings.HasPrefix(name, "Case") {
		return "Cases" + name
	}
	if strings.HasSuffix(t.PkgPath(), "/internal/exchange/release") {
		return "Release" + name
	}
	return name
}

var pathParameter = regexp.MustCompile(`\{([a-z0-9_]+)\}`)

func operation(registry huma.Registry, r web.Route) *huma.Operation {
	op := &huma.Operation{OperationID: r.Exit, Summary: r.Doc.Summary, Description: "Asks for the role: " + r.Need.String() + ".", Responses: map[string]*huma.Response{}}
	for _, m := range pathParameter.FindAllStringSubmatch(r.Pattern, -1) {
		op.Parameters = append(op.Parameters, &huma.Param{Name: m[1], In: "path", Required: true, Schema: &huma.Schema{Type: "string"}})
	}
	for _, name := range slices.Sorted(maps.Keys(r.Doc.Query)) {
		op.Parameters = append(op.Parameters, &huma.Param{Name: name, In: "query", Description: r.Doc.Query[name], Schema: &huma.Schema{Type: "string"}})
	}
	switch {
	case r.Doc.Body != nil:
		op.RequestBody = &huma.RequestBody{Required: true, Content: jsonOf(registry, r.Doc.Body)}
	case r.Doc.Media != "":
		op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{r.Doc.Media: {Schema: &huma.Schema{Type: "string"}}}}
	}
	done := &huma.Response{Description: "Done"}
	switch {
	case r.Doc.Answer != nil:
		done.Content = jsonOf(registry, r.Doc.Answer)
	case r.Doc.Gives != "":
		done.Content = map[string]*huma.MediaType{r.Doc.Gives: {Schema: &huma.Schema{Type: "string"}}}
	}
	op.Responses["2XX"] = done
	op.Responses["default"] = &huma.Response{Description: "Refused", Content: map[string]*huma.MediaType{"application/problem+json": {Schema: registry.Schema(reflect.TypeFor[huma.ErrorModel](), true, "Problem")}}}
	if r.Need > web.Public {
		op.Security = []map[string][]string{{"token": {}}, {"basic": {}}}
	}
	return op
}

func jsonOf(registry huma.Registry, v any) map[string]*huma.MediaType {
	return map[string]*huma.MediaType{"application/json": {Schema: registry.Schema(reflect.TypeOf(v), true, "Body")}}
}
