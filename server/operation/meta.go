package operation

import (
	"context"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/server/interaction"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// maxMeta bounds how many resources $meta of a type or the system looks at.
const maxMeta = 10000

// meta returns the profiles, tags and security labels of a resource, or of all
// resources of a type or of the system that the caller sees.
// https://hl7.org/fhir/R4/resource-operation-meta.html
func (e *Env) meta() Operation {
	return Operation{
		Name: "meta", Definition: "http://hl7.org/fhir/OperationDefinition/Resource-meta", System: true, Type: true, Instance: true,
		Run: func(ctx context.Context, c interaction.Call, in Input) (*interaction.Reply, error) {
			if in.ID == "" {
				return e.metaOfAll(ctx, c, in.Type)
			}
			r, err := e.read(ctx, c, in)
			if err != nil {
				return nil, err
			}
			return metaOf(r), nil
		},
	}
}

// metaOfAll gathers each label once.
func (e *Env) metaOfAll(ctx context.Context, c interaction.Call, resourceType string) (*interaction.Reply, error) {
	all := fhir.NewResource("Basic")
	meta := all.Add("meta")
	ask, seen := interaction.SearchRequest{Type: resourceType, Query: "_elements=id&_count=1000&_total=accurate"}, map[string]bool{}
	for ask.Query != "" {
		b, err := e.Service.Search(ctx, c, ask)
		if err != nil {
			return nil, err
		}
		if b.Total > maxMeta {
			return nil, interaction.Refuse(interaction.Unacceptable, fhir.TooCostly, "meta-too-many", fhir.Messagef(
				"there are more than %d resources", "リソースが %d 件を超えています", maxMeta))
		}
		for _, entry := range b.Entries {
			if entry.Mode != "match" {
				continue
			}
			r, err := decode(entry.Resource)
			if err != nil {
				return nil, err
			}
			for _, l := range r.Get("meta").Children {
				if k := labelKey(l); labels[l.Name] && l.Text("code") != "SUBSETTED" && !seen[k] {
					seen[k] = true
					add(meta, l)
				}
			}
		}
		ask.Query = b.Next()
	}
	return metaOf(all), nil
}

// metaAdd adds profiles, tags and security labels, which makes a new version.
// https://hl7.org/fhir/R4/resource-operation-meta-add.html
func (e *Env) metaAdd() Operation {
	return e.metaChange("meta-add", func(meta, given *fhir.Element) {
		for _, c := range given.Children {
			if labels[c.Name] && !has(meta, c) {
				add(meta, c)
			}
		}
	})
}

// metaDelete takes them away again.
// https://hl7.org/fhir/R4/resource-operation-meta-delete.html
func (e *Env) metaDelete() Operation {
	return e.metaChange("meta-delete", func(meta, given *fhir.Element) {
		for _, c := range given.Children {
			if labels[c.Name] {
				drop(meta, c)
			}
		}
	})
}

// labels are the parts of meta these operations are about.
var labels = map[string]bool{"profile": true, "tag": true, "security": true}

func (e *Env) metaChange(name string, change func(meta, given *fhir.Element)) Operation {
	return Operation{
		Name: name, Definition: "http://hl7.org/fhir/OperationDefinition/Resource-" + name, Instance: true, Writes: true,
		Run: func(ctx context.Context, c interaction.Call, in Input) (*interaction.Reply, error) {
			given := in.Element("meta")
			if given == nil {
				return nil, missing("meta")
			}
			w, err := e.Service.Patch(ctx, c, store.Key{Type: in.Type, ID: in.ID}, func(r *fhir.Element) (*fhir.Element, error) {
				meta := r.Get("meta")
				if meta == nil {
					meta = r.Add("meta")
				}
				change(meta, given)
				return r, nil
			}, interaction.Condition{})
			if err != nil {
				return nil, err
			}
			r, err := decode(w.Version.JSON)
			if err != nil {
				return nil, err
			}
			return metaOf(r), nil
		},
	}
}

func metaOf(r *fhir.Element) *interaction.Reply {
	out := newResult()
	p := out.Add("parameter").Set("name", "return")
	value := p.Add("valueMeta")
	if meta := r.Get("meta"); meta != nil {
		value.Children = meta.Clone().Children
	}
	return out.reply()
}

// labelKey is the same for labels that are the same: profiles by value, codings
// by system and code.
func labelKey(l *fhir.Element) string {
	return l.Name + " " + l.Value + " " + l.Text("system") + "|" + l.Text("code")
}

func same(a, b *fhir.Element) bool { return labelKey(a) == labelKey(b) }

func has(meta, label *fhir.Element) bool {
	for c := range meta.All(label.Name) {
		if same(c, label) {
			return true
		}
	}
	return false
}

func add(meta, label *fhir.Element) {
	c := meta.Add(label.Name)
	c.Kind, c.Value, c.Children = label.Kind, label.Value, label.Clone().Children
}

func drop(meta, label *fhir.Element) {
	kept := meta.Children[:0]
	for _, c := range meta.Children {
		if !same(c, label) {
			kept = append(kept, c)
		}
	}
	meta.Children = kept
}
