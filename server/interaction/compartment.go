package interaction

import (
	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// compartment returns the clause "is in the compartment of group". With
// several types a resource is in when it refers by a parameter that puts its
// own type in; self takes in the resource it is the compartment of.
// https://hl7.org/fhir/R4/compartmentdefinition.html
func (s *Service) compartment(group store.Key, types []string, self bool) (search.Clause, error) {
	if len(types) == 0 {
		types = r4.ResourceTypes()
	}
	var clause search.Clause
	if id, ok := s.Registry().Lookup(group.Type, "_id"); ok && self {
		if kind, ok := s.typeClause(group.Type); ok {
			clause.Any = append(clause.Any, []search.Clause{kind, {Param: id, Values: []search.Value{{Raw: group.ID, Code: group.ID}}}})
		}
	}
	for _, typ := range types {
		codes, ok := r4.Compartment(group.Type, typ)
		if !ok {
			continue
		}
		for _, code := range codes {
			p, ok := s.Registry().Lookup(typ, code)
			if !ok || p.Type != "reference" {
				continue
			}
			and := []search.Clause{referenceClause(p, group)}
			if len(types) > 1 {
				if kind, ok := s.typeClause(typ); ok {
					and = append([]search.Clause{kind}, and...)
				}
			}
			clause.Any = append(clause.Any, and)
		}
	}
	if len(clause.Any) == 0 {
		return clause, Refuse(Unknown, fhir.NotSupported, "compartment", fhir.Messagef(
			"there is no such compartment of %s", "%s のコンパートメントにはこのリソース型はありません", group.Type))
	}
	return clause, nil
}

// typeClause returns the clause "is of this type".
func (s *Service) typeClause(resourceType string) (search.Clause, bool) {
	p, ok := s.Registry().Lookup(resourceType, "_type")
	if !ok {
		return search.Clause{}, false
	}
	return search.Clause{Param: p, Values: []search.Value{{Raw: resourceType, Code: resourceType}}}, true
}
