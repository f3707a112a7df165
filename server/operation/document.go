package operation

import (
	"context"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/server/interaction"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// document makes the document of a Composition: a Bundle of it and of what it
// refers to. With persist=true the Bundle is stored too.
// https://hl7.org/fhir/R4/composition-operation-document.html
func (e *Env) document() Operation {
	return Operation{
		Name: "document", Definition: "http://hl7.org/fhir/OperationDefinition/Composition-document",
		Instance: true, Types: []string{"Composition"}, Run: e.runDocument,
	}
}

// maxDocument bounds the resources of a document.
const maxDocument = 2000

func (e *Env) runDocument(ctx context.Context, c interaction.Call, in Input) (*interaction.Reply, error) {
	persist := in.Text("persist") == "true"
	if persist && !in.Post {
		return nil, interaction.Refuse(interaction.Unallowed, fhir.NotSupported, "operation-post", fhir.Messagef(
			"%s changes data and is called with POST", "%s はデータを変更するため POST で呼び出してください", "$document?persist=true"))
	}
	composition, err := e.read(ctx, c, in)
	if err != nil {
		return nil, err
	}
	b := fhir.NewResource("Bundle").Set("type", "document")
	b.Set("timestamp", e.Now().UTC().Format("2006-01-02T15:04:05.000Z"))
	b.Add("identifier").Set("system", "urn:ietf:rfc:3986").Set("value", "urn:uuid:"+e.NewID())
	if err := e.fill(ctx, c, b, composition); err != nil {
		return nil, err
	}
	if !persist {
		return &interaction.Reply{Resource: b}, nil
	}
	w, err := e.Service.Create(ctx, c, "Bundle", b, nil)
	if err != nil {
		return nil, err
	}
	return &interaction.Reply{Effect: w.Effect, Version: w.Version, Show: true}, nil
}

// fill adds the composition and, breadth first, every resource of this server
// that it leads to and the caller may see.
func (e *Env) fill(ctx context.Context, c interaction.Call, b, composition *fhir.Element) error {
	add := func(r *fhir.Element) {
		entry := b.Add("entry")
		entry.Set("fullUrl", c.Base+"/"+r.ResourceType()+"/"+r.ID())
		entry.AddResource("resource", r)
	}
	have := map[store.Key]bool{{Type: "Composition", ID: composition.ID()}: true}
	queue := references(composition)
	add(composition)
	for len(queue) > 0 {
		key := queue[0]
		queue = queue[1:]
		if have[key] || !interaction.IsResourceType(key.Type) || !interaction.ValidID(key.ID) {
			continue
		}
		have[key] = true
		v, err := e.Service.Read(ctx, c, key)
		if err != nil {
			if interaction.AsRefusal(err).Reason == interaction.Internal {
				return err
			}
			continue // not here, or not for this caller
		}
		r, err := decode(v.JSON)
		if err != nil {
			return err
		}
		if len(have) > maxDocument {
			return interaction.Refuse(interaction.Unacceptable, fhir.TooCostly, "document-too-large", fhir.Messagef(
				"the document would have more than %d resources", "ドキュメントのリソースが %d 件を超えます", maxDocument))
		}
		add(r)
		queue = append(queue, references(r)...)
	}
	return nil
}

// references lists the literal local references of a resource.
func references(r *fhir.Element) []store.Key {
	var keys []store.Key
	r.Walk(func(e *fhir.Element) bool {
		if e.Type != nil && e.Type.Name == "Reference" {
			if typ, id, ok := strings.Cut(e.Text("reference"), "/"); ok && !strings.Contains(id, "/") {
				keys = append(keys, store.Key{Type: typ, ID: id})
			}
		}
		return true
	})
	return keys
}
