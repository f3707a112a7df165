package form

import (
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/mapping/codes"
	"github.com/kaigofhir/kaigofhir/profiles/care"
)

// Person is what a form says about an insured person.
type Person struct {
	Insurer, Insured string
	Name, Kana       string
	BirthDate        string // FHIR date
	Gender           string // FHIR code
	Postal, Address  string
	Phone            string
	Deceased         string // FHIR date
}

// Office is what a form says about an organisation.
type Office struct {
	Number          string // ten digits
	Kind            string // of care.OrganizationKindSystem, "" to tell by the number
	Name            string
	Postal, Address string
	Phone, Fax      string
}

// Patient adds the person to the transaction, to be created where unknown.
// Only the insurer's card updates people: see PutPatient. What another file
// said of the person before is completed, not changed.
func (b *Bundle) Patient(p Person) Ref {
	if ref, old, ok := b.Find("Patient", care.InsuredNumber, codes.Insured(p.Insurer, p.Insured)); ok {
		p.complete(old)
		return ref
	}
	return b.Create(p.resource(b), care.InsuredNumber, codes.Insured(p.Insurer, p.Insured), "")
}

// PutPatient adds the person to the transaction, to be created or updated.
func (b *Bundle) PutPatient(p Person) Ref {
	return b.Put(p.resource(b), care.InsuredNumber, codes.Insured(p.Insurer, p.Insured), "")
}

func (p Person) resource(b *Bundle) *fhir.Element {
	r := fhir.NewResource("Patient")
	r.Add("meta").Add("profile").SetValue(care.PatientProfile)
	Identify(r, care.InsuredNumber, codes.Insured(p.Insurer, p.Insured))
	r.Set("active", "true")
	p.complete(r)
	Link(r, "managingOrganization", b.Insurer(p.Insurer, ""))
	return r
}

// complete fills in what a resource does not say yet.
func (p Person) complete(r *fhir.Element) {
	if r.Get("name") == nil {
		AddNames(r, p.Name, p.Kana)
	}
	if r.Get("telecom") == nil {
		phone(r, "phone", p.Phone)
	}
	for _, e := range [][2]string{{"gender", p.Gender}, {"birthDate", p.BirthDate}, {"deceasedDateTime", p.Deceased}} {
		if r.Get(e[0]) == nil {
			r.Set(e[0], e[1])
		}
	}
	if r.Get("address") == nil {
		address(r, p.Postal, p.Address)
	}
}

// Insurer adds the municipality of that number.
func (b *Bundle) Insurer(number, name string) Ref {
	return b.organization(care.InsurerNumber, Office{Number: number, Kind: care.KindMunicipality, Name: name})
}

// Office adds the office or medical institution of that number.
func (b *Bundle) Office(o Office) Ref {
	system, kind := codes.OrganizationSystem(o.Number)
	if o.Kind == "" || system == care.MedicalInstitution {
		o.Kind = kind
	}
	return b.organization(system, o)
}

func (b *Bundle) organization(system string, o Office) Ref {
	if ref, old, ok := b.Find("Organization", system, o.Number); ok {
		complete(old, o)
		ref.Display = o.Name
		return ref
	}
	r := fhir.NewResource("Organization")
	r.Add("meta").Add("profile").SetValue(care.OrganizationProfile)
	Identify(r, system, o.Number)
	r.Set("active", "true")
	if c, ok := codes.OrganizationKinds().Lookup(o.Kind); ok {
		Coded(r, "type", codes.OrganizationKinds(), c)
	}
	complete(r, o)
	return b.Create(r, system, o.Number, o.Name)
}

// complete fills in what a resource does not say yet. An organisation must have
// a name or an identifier (org-1); it has the latter.
func complete(r *fhir.Element, o Office) {
	if r.Get("name") == nil {
		r.Set("name", o.Name)
	}
	if r.Get("telecom") == nil {
		phone(r, "phone", o.Phone)
		phone(r, "fax", o.Fax)
	}
	if r.Get("address") == nil {
		address(r, o.Postal, o.Address)
	}
}

// AddNames adds a person's name in ideographs and in kana, as JP Core writes
// them: iso21090-EN-representation IDE and SYL.
// https://jpfhir.jp/fhir/core/
func AddNames(r *fhir.Element, name, kana string) {
	for _, n := range []struct{ text, representation string }{{name, "IDE"}, {kana, "SYL"}} {
		if n.text == "" {
			continue
		}
		h := r.Add("name")
		Extend(h, "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation").Set("valueCode", n.representation)
		h.Set("use", "official").Set("text", n.text)
		if parts := strings.FieldsFunc(n.text, func(r rune) bool { return r == ' ' || r == '　' }); len(parts) > 1 {
			h.Set("family", parts[0])
			for _, given := range parts[1:] {
				h.Add("given").SetValue(given)
			}
		}
	}
}

func phone(r *fhir.Element, system, value string) {
	if value != "" {
		r.Add("telecom").Set("system", system).Set("value", value)
	}
}

func address(r *fhir.Element, postal, text string) {
	if postal == "" && text == "" {
		return
	}
	r.Add("address").Set("text", text).Set("postalCode", postal).Set("country", "JP")
}

// Gender turns 1 (male) and 2 (female) into a FHIR code.
func Gender(written string) string {
	switch written {
	case "1":
		return "male"
	case "2":
		return "female"
	}
	return ""
}
