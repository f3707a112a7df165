// Package intake takes care records in as the files that care software writes:
// the files are mapped, and what comes out is stored as one transaction in the
// sender's name, or nothing is.
package intake

import (
	"context"
	"slices"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/mapping"
	"github.com/kaigofhir/kaigofhir/profiles/care"
	"github.com/kaigofhir/kaigofhir/server/interaction"
	"github.com/kaigofhir/kaigofhir/server/policy"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// Desk takes files in. All fields are required.
type Desk struct {
	Service *interaction.Service
	Now     func() time.Time
	NewID   func() string // UUIDs
}

// Take maps the files and stores the outcome. It refuses them all with every
// problem of every file where a row of any cannot be mapped, and where a file
// was made by another organisation than the caller's. Registering a person
// needs no consent (R26): patients are matched across all there are.
func (d *Desk) Take(ctx context.Context, c interaction.Call, files []mapping.File) (*interaction.Bundle, error) {
	result := mapping.Map(files, mapping.Options{Now: d.Now(), NewID: d.NewID})
	issues := result.Issues()
	if result.Refused > 0 || issues.HasErrors() {
		return nil, interaction.RefuseAll(interaction.Unacceptable, issues)
	}
	if result.Bundle == nil {
		return nil, interaction.Refuse(interaction.Unacceptable, fhir.Structure, "nothing-to-store", fhir.Messagef(
			"the files hold no records", "ファイルに取り込む記録がありません"))
	}
	if err := d.checkAuthors(ctx, c, result.Authors); err != nil {
		return nil, err
	}
	warnings, err := d.checkPeople(ctx, c, result.Bundle)
	if err != nil {
		return nil, err
	}
	issues = append(issues, warnings...)
	if err := d.withdraw(ctx, c, result.Bundle); err != nil {
		return nil, err
	}
	c.Registration, c.Insurer = true, insurerOf(c.Caller, result.Authors)
	b, err := d.Service.Transaction(ctx, c, result.Bundle)
	if err != nil {
		return nil, err
	}
	if len(issues) > 0 && len(b.Entries) > 0 && b.Entries[0].Reply != nil {
		b.Entries[0].Reply.Issues = append(b.Entries[0].Reply.Issues, issues...)
	}
	return b, nil
}

// insurerOf returns the number under which a municipality insures people, once
// checkAuthors has found the number to be its own.
func insurerOf(c policy.Caller, authors []mapping.Identifier) string {
	for _, a := range authors {
		if c.Kind == policy.Municipality && a.System == care.InsurerNumber {
			return a.Value
		}
	}
	return ""
}

// checkAuthors refuses files whose author is not the caller's organisation.
func (d *Desk) checkAuthors(ctx context.Context, c interaction.Call, authors []mapping.Identifier) error {
	if c.Caller.Unrestricted {
		return nil
	}
	own, err := d.identifiers(ctx, c)
	if err != nil {
		return err
	}
	for _, a := range authors {
		if !slices.Contains(own, a) {
			return interaction.Refuse(interaction.Denied, fhir.Security, "token-organization", fhir.Messagef(
				"the access token is that of another organisation: the file was made by number %s, which the token's organisation does not have; nothing was stored",
				"別の組織のアクセストークンです。ファイルの作成者番号 %s はこのトークンの組織の番号ではありません。何も保存していません", a.Value))
		}
	}
	if len(authors) == 0 {
		return interaction.Refuse(interaction.Denied, fhir.Security, "author-missing", fhir.Messagef(
			"the files do not say which organisation made them", "ファイルから作成した組織を判別できません"))
	}
	return nil
}

// identifiers returns the numbers of the caller's organisation.
func (d *Desk) identifiers(ctx context.Context, c interaction.Call) ([]mapping.Identifier, error) {
	if c.Caller.Organization == "" {
		return nil, interaction.Refuse(interaction.Denied, fhir.Security, "token-organization", fhir.Messagef(
			"files are taken from organisations only", "ファイルの取り込みができるのは組織だけです"))
	}
	v, err := d.Service.Read(ctx, c, store.Key{Type: "Organization", ID: c.Caller.Organization})
	if err != nil {
		return nil, interaction.Refuse(interaction.Denied, fhir.Security, "token-organization", fhir.Messagef(
			"the access token's organisation is not registered", "アクセストークンの組織が登録されていません"))
	}
	e, err := fhirjson.Decode(v.JSON, fhirjson.Options{})
	if err != nil {
		return nil, interaction.Internalf(err)
	}
	var list []mapping.Identifier
	for id := range e.All("identifier") {
		list = append(list, mapping.Identifier{System: id.Text("system"), Value: id.Text("value")})
	}
	return list, nil
}
