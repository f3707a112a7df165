package demo

import (
	_ "embed"
	"html/template"
	"net/http"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Parse(pageText))

type pageRow struct {
	Form, Code string
	Cells      []Cell
}

type pageTable struct {
	Stage, Japanese string
	Rows            []pageRow
}

// ServeHTTP shows the tables made so far as a small page without scripts.
func (b *Board) ServeHTTP(rw http.ResponseWriter, _ *http.Request) {
	tables, orgs := b.state()
	var view struct {
		Organizations []*Organization
		Tables        []pageTable
	}
	view.Organizations = orgs
	for _, t := range tables {
		pt := pageTable{Stage: string(t.Stage), Japanese: japanese[t.Stage]}
		for i, f := range forms {
			pt.Rows = append(pt.Rows, pageRow{f.japanese, f.code, t.Cells[i*len(orgs) : (i+1)*len(orgs)]})
		}
		view.Tables = append(view.Tables, pt)
	}
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	rw.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	_ = page.Execute(rw, view) // an error here is a browser that went away
}
