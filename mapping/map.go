package mapping

import (
	"bytes"
	"path"
	"slices"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/mapping/csvform"
	"github.com/kaigofhir/kaigofhir/mapping/form"
	"github.com/kaigofhir/kaigofhir/mapping/forms/careplan"
	"github.com/kaigofhir/kaigofhir/mapping/forms/insuredcard"
	"github.com/kaigofhir/kaigofhir/mapping/forms/life"
	"github.com/kaigofhir/kaigofhir/mapping/forms/opinion"
)

// Map maps files. Each is recognised by its official name and, failing that,
// by its content; files of one care plan belong together and are mapped as
// one. Map never panics, whatever the files hold.
func Map(files []File, opts Options) Result {
	ctx := &form.Context{Bundle: form.NewBundle(opts.NewID, opts.Now), Report: &form.Report{}}
	groups := map[*reader][]form.File{}
	for _, f := range files {
		f.Name = baseName(f.Name)
		r := recognise(f)
		if r == nil {
			ctx.Report.Refuse(Problem{File: f.Name, ID: "file-unknown", Message: unknownMessage()})
			continue
		}
		groups[r] = append(groups[r], f)
	}
	for i := range readers {
		if group := groups[&readers[i]]; len(group) > 0 {
			readers[i].read(ctx, group)
		}
	}
	problems := inOrder(files, ctx.Report.Problems)
	if n := ctx.Report.Omitted; n > 0 {
		problems = append(problems, Problem{Severity: fhir.Error, ID: "too-many", Message: fhir.Messagef(
			"there are %d more problems, which are not listed", "このほかに %d 件の問題がありますが、表示を省略しました。", n)})
	}
	return Result{
		Bundle: ctx.Bundle.Resource(), Forms: ctx.Forms, Authors: ctx.Authors,
		Problems: problems, Refused: ctx.Report.Refused,
	}
}

// reader is one kind of files.
type reader struct {
	name, example string // what the form is called; an official file name
	recognise     func(name string, first csvform.Row) bool
	read          func(ctx *form.Context, files []form.File)
}

// readers are the forms that can be read, the surest to recognise first.
var readers = []reader{
	{"主治医意見書", "4719900013_2026041001.csv", opinion.Recognise, each(opinion.Map)},
	{"居宅サービス計画書", "UP1KYO_4779900010_43_4779900028_15_20260405093000.CSV", careplan.Recognise, careplan.Map},
	{"LIFE", "SERVICE_USER_INFO_20260501.csv", life.Recognise, life.Map},
	{"介護保険被保険者証", "介護保険被保険者証_131011_20260401090000.csv", insuredcard.Recognise, each(insuredcard.Map)},
}

func each(one func(*form.Context, form.File)) func(*form.Context, []form.File) {
	return func(ctx *form.Context, files []form.File) {
		for _, f := range files {
			one(ctx, f)
		}
	}
}

func recognise(f form.File) *reader {
	first := firstRow(f.Data)
	for i := range readers {
		if readers[i].recognise(f.Name, first) {
			return &readers[i]
		}
	}
	return nil
}

// firstRow reads the first row of a file in whatever encoding it is.
func firstRow(data []byte) csvform.Row {
	const enough = 16 << 10
	if len(data) > enough {
		data = data[:enough]
		if i := bytes.LastIndexByte(data, '\n'); i > 0 {
			data = data[:i+1]
		}
	}
	text, _, _ := csvform.Decode(data, csvform.ShiftJIS, csvform.UTF8)
	rows := csvform.Parse(text)
	if len(rows) == 0 {
		return csvform.Row{}
	}
	return rows[0]
}

func baseName(name string) string { return path.Base(strings.ReplaceAll(name, `\`, "/")) }

func unknownMessage() fhir.Message {
	var en, ja []string
	for _, r := range readers {
		en, ja = append(en, r.example), append(ja, r.name+"（"+r.example+"）")
	}
	return fhir.Message{
		En: "neither the name nor the content of the file is that of a form this server reads; file names look like " + strings.Join(en, ", "),
		Ja: "ファイル名からも内容からも様式を判別できません。取り込める様式とファイル名の例：" + strings.Join(ja, "、"),
	}
}

// inOrder sorts problems by file as handed in, then by line and column,
// keeping what was found together together.
func inOrder(files []File, problems []Problem) []Problem {
	place := make(map[string]int, len(files))
	for i, f := range files {
		if _, ok := place[baseName(f.Name)]; !ok {
			place[baseName(f.Name)] = i
		}
	}
	slices.SortStableFunc(problems, func(a, b Problem) int {
		for _, d := range [...]int{place[a.File] - place[b.File], a.Line - b.Line, a.Column - b.Column} {
			if d != 0 {
				return d
			}
		}
		return 0
	})
	return problems
}
