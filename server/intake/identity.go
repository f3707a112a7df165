package intake

import (
	"context"
	"net/url"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/server/interaction"
	"github.com/kaigofhir/kaigofhir/server/policy"
)

// monthLength is the length of a date down to its month: LIFE exports may hide
// the day of birth.
const monthLength = len("2006-01")

// checkPeople refuses files about a person whose birth month or gender is not
// that of the person stored under the same insured number. A record filed under
// a mistyped number would be read as somebody else's. The check looks at people
// the sender may not see; all it tells is that the three do not fit together.
func (d *Desk) checkPeople(ctx context.Context, c interaction.Call, bundle *fhir.Element) error {
	var issues fhir.Issues
	for entry := range bundle.All("entry") {
		p := entry.Get("resource")
		condition := entry.Text("request", "ifNoneExist")
		if p.ResourceType() != "Patient" || condition == "" {
			continue
		}
		known, err := d.known(ctx, c, condition)
		if err != nil {
			return err
		}
		if known != nil && !samePerson(p, known) {
			issues = append(issues, fhir.Issue{Severity: fhir.Error, Code: fhir.BusinessRule, ID: "person-mismatch", Message: fhir.Messagef(
				"the insured number of a person does not fit the birth date or gender in the file; nothing was stored",
				"被保険者番号とファイルの生年月日または性別が一致しない利用者がいます。何も保存していません")})
		}
	}
	if len(issues) > 0 {
		return interaction.RefuseAll(interaction.Unacceptable, issues)
	}
	return nil
}

// known returns the person stored under the condition of an If-None-Exist, nil
// where there is none, or not one.
func (d *Desk) known(ctx context.Context, c interaction.Call, condition string) (*fhir.Element, error) {
	inside := c
	inside.Caller = policy.Caller{Client: c.Caller.Client, Kind: c.Caller.Kind, Organization: c.Caller.Organization, Unrestricted: true}
	query, err := url.ParseQuery(condition)
	if err != nil {
		return nil, interaction.Internalf(err)
	}
	found, err := d.Service.Search(ctx, inside, interaction.SearchRequest{Type: "Patient", Query: query.Encode()})
	if err != nil || len(found.Entries) != 1 {
		return nil, err
	}
	e, err := fhirjson.Decode(found.Entries[0].Resource, fhirjson.Options{})
	if err != nil {
		return nil, interaction.Internalf(err)
	}
	return e, nil
}

func samePerson(a, b *fhir.Element) bool {
	return agree(a.Text("gender"), b.Text("gender")) && agree(month(a), month(b))
}

func month(p *fhir.Element) string {
	date := p.Text("birthDate")
	return date[:min(monthLength, len(date))]
}

// agree reports whether two values do not contradict each other.
func agree(a, b string) bool { return a == "" || b == "" || a == b }
