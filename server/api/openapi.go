package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"

	"github.com/kaigofhir/kaigofhir/fhir/r4"
	"github.com/kaigofhir/kaigofhir/server/operation"
)

// object is a JSON object of the description.
type object = map[string]any

// openAPI answers the OpenAPI 3.1 description of the service. Like the
// CapabilityStatement it is made from what is registered: the table of routes,
// the search parameters, the operations. https://spec.openapis.org/oas/v3.1.0
func openAPI(x *exchange) error {
	st := x.api.description()
	x.Header("ETag", st.etag)
	x.Header("Cache-Control", "public, max-age=300")
	if strings.Contains(x.GetHeader("If-None-Match"), st.etag) {
		x.Writer.WriteHeader(http.StatusNotModified)
		x.Writer.WriteHeaderNow()
		return nil
	}
	x.write(http.StatusOK, "application/vnd.oai.openapi+json;version=3.1", st.data)
	return nil
}

// newDescription returns a function that makes the description at its first
// call and keeps it.
func newDescription(a *API) func() *statement {
	return sync.OnceValue(func() *statement {
		data, err := json.Marshal(a.describeService())
		if err != nil {
			panic("api: the description of the service: " + err.Error()) // maps of strings always marshal
		}
		return &statement{data: data, etag: contentTag(data)}
	})
}

func (a *API) describeService() object {
	paths := object{}
	for _, r := range routes() {
		path := openPath(r.path)
		item, _ := paths[path].(object)
		if item == nil {
			item = object{}
			paths[path] = item
		}
		item[strings.ToLower(r.method)] = a.describeRoute(r)
	}
	for _, name := range r4.ResourceTypes() {
		paths["/"+name] = object{"get": a.describeSearch(name)}
	}
	for _, o := range a.operations() {
		describeOperation(paths, &o)
	}
	doc := object{
		"openapi": "3.1.0",
		"info": object{
			"title": "kaigofhir", "version": a.cfg.Version,
			"summary": "FHIR R4 for Japan's long-term care (介護)",
			"license": object{"name": "Apache-2.0", "identifier": "Apache-2.0"},
		},
		"paths":      paths,
		"components": object{"schemas": schemas(), "responses": responses()},
	}
	if a.cfg.BaseURL != "" {
		doc["servers"] = []object{{"url": a.cfg.BaseURL}}
	}
	if !a.cfg.Open {
		doc["components"].(object)["securitySchemes"] = object{"smart": object{
			"type": "oauth2", "flows": object{"clientCredentials": object{"tokenUrl": a.cfg.TokenURL, "scopes": object{}}},
		}}
		doc["security"] = []object{{"smart": []string{}}}
	}
	return doc
}

// openPath turns gin's parameters into OpenAPI's.
func openPath(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if name, ok := strings.CutPrefix(p, ":"); ok {
			parts[i] = "{" + name + "}"
		}
	}
	if path = strings.Join(parts, "/"); path == "" {
		return "/"
	}
	return path
}

func (a *API) describeRoute(r route) object {
	var params []object
	for _, p := range strings.Split(r.path, "/") {
		if name, ok := strings.CutPrefix(p, ":"); ok {
			params = append(params, object{"name": name, "in": "path", "required": true, "schema": pathSchema(name)})
		}
	}
	o := object{"operationId": operationID(r), "responses": routeResponses(r)}
	if len(r.codes) > 0 {
		o["summary"] = strings.Join(r.codes, ", ")
	}
	if len(params) > 0 {
		o["parameters"] = params
	}
	if r.method == http.MethodPost || r.method == http.MethodPut || r.method == http.MethodPatch {
		o["requestBody"] = object{"content": content(bodyTypes(r)...)}
	}
	if r.public {
		o["security"] = []object{}
	}
	return o
}

// operationID names a route uniquely: the method and the path in words.
func operationID(r route) string {
	words := strings.FieldsFunc(r.path, func(c rune) bool { return c == '/' || c == ':' || c == '.' })
	return strings.Join(append([]string{strings.ToLower(r.method)}, words...), "-")
}

func pathSchema(name string) object {
	switch name {
	case "type":
		return object{"type": "string", "description": "A resource type of FHIR R4, or a $operation."}
	case "id":
		return object{"type": "string", "description": "The id of a resource, or a $operation.", "pattern": `^(\$[a-z-]+|[A-Za-z0-9\-.]{1,64})$`}
	case "version":
		return object{"type": "string", "pattern": "^[0-9]+$"}
	}
	return object{"type": "string"}
}

func bodyTypes(r route) []string {
	switch {
	case strings.HasSuffix(r.path, "_search"):
		return []string{"application/x-www-form-urlencoded"}
	case r.method == http.MethodPatch:
		return patchFormats
	}
	return []string{"application/fhir+json", "application/fhir+xml"}
}

func content(types ...string) object {
	c := object{}
	for _, t := range types {
		c[t] = object{"schema": object{"$ref": "#/components/schemas/Resource"}}
		if !strings.Contains(t, "fhir") {
			c[t] = object{}
		}
	}
	return c
}

func routeResponses(r route) object {
	ok := object{"$ref": "#/components/responses/Resource"}
	all := object{"default": object{"$ref": "#/components/responses/OperationOutcome"}}
	switch {
	case r.method == http.MethodDelete:
		all["204"] = object{"description": "Deleted."}
	case r.method == http.MethodPut || r.method == http.MethodPatch:
		all["200"], all["201"] = ok, ok
	case r.method == http.MethodPost && r.path == "/:type":
		all["201"] = ok
	default:
		all["200"] = ok
	}
	return all
}

// describeSearch describes the search on one type with its own parameters.
func (a *API) describeSearch(name string) object {
	var params []object
	for _, p := range a.parameters(name) {
		params = append(params, object{
			"name": p.Code, "in": "query", "description": p.Type + " parameter, " + p.URL,
			"schema": object{"type": "array", "items": object{"type": "string"}}, "explode": true,
		})
	}
	return object{
		"operationId": "search-" + name, "tags": []string{name}, "summary": "Search " + name, "parameters": params,
		"responses": object{
			"200":     object{"$ref": "#/components/responses/Resource"},
			"default": object{"$ref": "#/components/responses/OperationOutcome"},
		},
	}
}

// describeOperation adds the paths of a $operation.
func describeOperation(paths object, o *operation.Operation) {
	add := func(path string, params ...object) {
		call := object{
			"operationId": o.Name + strings.ReplaceAll(strings.ReplaceAll(path, "/", "-"), "$", ""),
			"summary":     "$" + o.Name, "externalDocs": object{"url": o.Definition},
			"responses": object{
				"200":     object{"$ref": "#/components/responses/Resource"},
				"default": object{"$ref": "#/components/responses/OperationOutcome"},
			},
		}
		if o.Job {
			delete(call["responses"].(object), "200")
			call["responses"].(object)["202"] = object{"description": "Accepted; Content-Location is where to ask for the result."}
		}
		if len(params) > 0 {
			call["parameters"] = params
		}
		post := object{"requestBody": object{"content": content("application/fhir+json", "application/fhir+xml")}}
		item := object{}
		for k, v := range call {
			post[k] = v
		}
		item["post"] = post
		if !o.Writes {
			get := object{}
			for k, v := range call {
				get[k] = v
			}
			get["operationId"] = "get-" + call["operationId"].(string)
			item["get"] = get
		}
		paths[path] = item
	}
	id := object{"name": "id", "in": "path", "required": true, "schema": pathSchema("id")}
	types := o.Types
	if len(types) == 0 {
		types = []string{"Resource"}
	}
	if o.System {
		add("/$" + o.Name)
	}
	for _, t := range types {
		if o.Type && t != "Resource" {
			add("/" + t + "/$" + o.Name)
		}
		if o.Instance && t != "Resource" {
			add("/"+t+"/{id}/$"+o.Name, id)
		}
	}
}

func schemas() object {
	return object{"Resource": object{
		"type": "object", "required": []string{"resourceType"}, "externalDocs": object{"url": "https://hl7.org/fhir/R4/json.html"},
		"properties": object{"resourceType": object{"type": "string", "enum": r4.ResourceTypes()}},
	}}
}

func responses() object {
	both := content("application/fhir+json", "application/fhir+xml")
	return object{
		"Resource":         object{"description": "A resource; for searches, histories and batches a Bundle.", "content": both},
		"OperationOutcome": object{"description": "What is wrong, in English and Japanese.", "content": both},
	}
}
