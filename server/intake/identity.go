package intake

import (
	"context"
	"net/url"
	"strings"

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
//
// An insurer's card is not refused: it says who the person under the number is.
// But it warns, because records that others filed before may be of someone else.
func (d *Desk) checkPeople(ctx context.Context, c interaction.Call, bundle *fhir.Element) (warnings fhir.Issues, err error) {
	var refused fhir.Issues
	for entry := range bundle.All("entry") {
		p := entry.Get("resource")
		if p.ResourceType() != "Patient" {
			continue
		}
		condition, put := entry.Text("request", "ifNoneExist"), false
		if condition == "" {
			_, condition, put = strings.Cut(entry.Text("request", "url"), "?")
		}
		known, err := d.known(ctx, c, condition)
		switch {
		case err != nil:
			return nil, err
		case known == nil || samePerson(p, known) && (put || saysWho(p, known)):
		case put:
			warnings = append(warnings, fhir.Issue{Severity: fhir.Warning, Code: fhir.BusinessRule, ID: "person-corrected", Message: fhir.Messagef(
				"a person had another birth date or gender under the same insured number; the card's were stored: check the records filed before",
				"同じ被保険者番号で、生年月日または性別が異なる利用者が登録されていました。被保険者証の内容に更新しましたので、これまでの記録が本人のものか確認してください")})
		default:
			refused = append(refused, fhir.Issue{Severity: fhir.Error, Code: fhir.BusinessRule, ID: "person-mismatch", Message: fhir.Messagef(
				"the insured number of a person does not fit the birth date or gender in the file; nothing was stored",
				"被保険者番号とファイルの生年月日または性別が一致しない利用者がいます。何も保存していません")})
		}
	}
	if len(refused) > 0 {
		return nil, interaction.RefuseAll(interaction.Unacceptable, refused)
	}
	return warnings, nil
}

// known returns the person stored under the condition of an entry, nil
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

// saysWho reports whether a file names the birth month that is known. The
// number alone, which can be counted up, must not lead to a person: who files a
// record about somebody sees that Patient from then on.
func saysWho(p, known *fhir.Element) bool { return month(p) != "" || month(known) == "" }

func month(p *fhir.Element) string {
	date := p.Text("birthDate")
	return date[:min(monthLength, len(date))]
}

// agree reports whether two values do not contradict each other.
func agree(a, b string) bool { return a == "" || b == "" || a == b }
