package leaktest

import (
	"slices"
	"strconv"
	"strings"
)

// insideQuery is a random search for contained Observations, or for Observations of
// both kinds, and what it must find.
func (p *play) insideQuery(v viewer) (query string, want []string) {
	mark := pick(p.dice, []string{"red", "green", "blue"})
	mode, as := pick(p.dice, []string{"true", "both"}), pick(p.dice, []string{"", "container", "contained"})
	for _, r := range p.records {
		if r.deleted || !p.sees(v, r) {
			continue
		}
		itself, within := mode == "both" && r.typ == "Observation" && r.mark == mark, r.inside == mark
		if itself || within && as != "contained" {
			want = append(want, r.key())
		}
		if within && as == "contained" {
			want = append(want, r.key()+"#inside")
		}
	}
	slices.Sort(want)
	query = "Observation?code=urn:leak|" + mark + "&_contained=" + mode
	if as != "" {
		query += "&_containedType=" + as
	}
	return query, want
}

// contained asks for Observations in records of all types, some of which the
// viewer does not see. Who has no scope for Observations is told of none.
func (p *play) contained(v viewer) {
	query, want := p.insideQuery(v)
	a, ok := p.ask(v, query+pick(p.dice, []string{"&_count=1000", "&_count=3"}))
	if !ok {
		return
	}
	p.is(a, v, p.through(v.client, a, p.fullURLs), want)
}

// fullURLs are those of the matches of a page, under the base: those of contained
// resources too, which have no key.
func (p *play) fullURLs(a *answer) (found []string) {
	for e := range p.parse(a).All("entry") {
		if e.Text("search", "mode") == "match" {
			found = append(found, strings.TrimPrefix(e.Text("fullUrl"), base+"/"))
		}
	}
	return found
}

func (p *play) containedCount(v viewer) {
	query, want := p.insideQuery(v)
	a, ok := p.ask(v, query+pick(p.dice, []string{"&_summary=count", "&_count=1"}))
	if !ok {
		return
	}
	if got := p.parse(a).Text("total"); got != strconv.Itoa(len(want)) {
		p.system.t.Errorf("%s: total %q, want %d", a.request, got, len(want))
	}
}
