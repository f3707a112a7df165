package sharing

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"

	"gopkg.in/yaml.v3"
)

// file is matrix.yaml as written.
type file struct {
	Version     string            `yaml:"version"`
	Documents   map[string]string `yaml:"documents"`
	Switches    []Switch          `yaml:"switches"`
	Actors      []Named           `yaml:"actors"`
	CommonTypes []string          `yaml:"common_types"`
	Forms       []form            `yaml:"forms"`
}

type form struct {
	Named       `yaml:",inline"`
	Category    string         `yaml:"category"`
	Types       []string       `yaml:"types"`
	Parts       []Named        `yaml:"parts"`
	AuthorsAlso []alsoAuthor   `yaml:"authors_also"`
	Cells       map[Actor]cell `yaml:"cells"`
}

type alsoAuthor struct {
	Actor    Actor    `yaml:"actor"`
	Relation Relation `yaml:"relation"`
	Source   string   `yaml:"source"`
}

// cell is one effect, or the two sides of a split cell.
type cell struct {
	side         `yaml:",inline"`
	Author       *side `yaml:"author"`
	CareProvider *side `yaml:"care_provider"`
	Other        *side `yaml:"other"`
}

type side struct {
	Effect Effect            `yaml:"effect"`
	When   map[string]Effect `yaml:"when"`
	Types  []string          `yaml:"types"`
	Source string            `yaml:"source"`
	Rules  []string          `yaml:"rules"`
}

// Parse reads a matrix file, strictly: unknown keys, actors, effects, rules and
// switches, missing cells and codes given twice are errors.
func Parse(data []byte) (*Matrix, error) {
	f := new(file)
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(f); err != nil {
		return nil, fmt.Errorf("sharing: %w", err)
	}
	on := map[string]bool{}
	for _, s := range f.Switches {
		if _, twice := on[s.Name]; twice || s.Name == "" || s.About == "" {
			return nil, fmt.Errorf("sharing: switch %q is given twice or says nothing", s.Name)
		}
		on[s.Name] = s.Default
	}
	return f.matrix(on)
}

// matrix resolves the file under the setting of its switches.
func (f *file) matrix(on map[string]bool) (*Matrix, error) {
	m := &Matrix{Version: f.Version, Documents: f.Documents, Actors: f.Actors,
		Switches: f.Switches, on: on, index: map[string]int{}, file: f}
	if len(f.Actors) == 0 || len(f.Forms) == 0 {
		return nil, errors.New("sharing: the matrix has no actors or no forms")
	}
	for i := range f.Forms {
		rows, err := f.rows(&f.Forms[i], on)
		if err != nil {
			return nil, fmt.Errorf("sharing: form %q: %w", f.Forms[i].Code, err)
		}
		for _, r := range rows {
			if _, twice := m.index[r.Code]; twice || r.Code == "" || r.En == "" || r.Ja == "" {
				return nil, fmt.Errorf("sharing: form %q is given twice or has no name", r.Code)
			}
			m.index[r.Code] = len(m.Rows)
			m.Rows = append(m.Rows, r)
		}
	}
	return m, nil
}

// rows returns the row of a form, followed by those of its parts.
func (f *file) rows(in *form, on map[string]bool) ([]Row, error) {
	types := slices.Concat(f.CommonTypes, in.Types)
	slices.Sort(types)
	row := Row{Named: in.Named, Category: in.Category, Types: slices.Compact(types)}
	for actor := range in.Cells {
		if !f.hasActor(actor) {
			return nil, fmt.Errorf("%q is not an actor", actor)
		}
	}
	for _, a := range f.Actors {
		c, ok := in.Cells[Actor(a.Code)]
		if !ok {
			return nil, fmt.Errorf("no cell for %s", a.Code)
		}
		cells, err := c.resolve(Actor(a.Code), on)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.Code, err)
		}
		row.Cells = append(row.Cells, cells...)
	}
	for _, also := range in.AuthorsAlso {
		if !f.hasActor(also.Actor) || also.Relation != CareProvider || also.Source == "" {
			return nil, fmt.Errorf("authors_also %q: bad actor, relation or source", also.Actor)
		}
		row.AlsoAuthors = append(row.AlsoAuthors, Cell{Actor: also.Actor, Relation: also.Relation, Effect: Author, Source: also.Source})
	}
	rows := []Row{row}
	for _, p := range in.Parts {
		part := row
		part.Named, part.Parent = p, in.Code
		rows = append(rows, part)
	}
	return rows, nil
}

func (f *file) hasActor(a Actor) bool {
	return slices.ContainsFunc(f.Actors, func(n Named) bool { return n.Code == string(a) })
}

// resolve returns the one or two cells that a cell of the file stands for.
func (c cell) resolve(a Actor, on map[string]bool) ([]Cell, error) {
	split := map[Relation]*side{AuthorOf: c.Author, CareProvider: c.CareProvider, OtherThan: c.Other}
	maps.DeleteFunc(split, func(_ Relation, s *side) bool { return s == nil })
	if len(split) == 0 {
		one, err := c.side.resolve(a, AnyRelation, on)
		return []Cell{one}, err
	}
	if c.Effect != "" || len(split) != 2 || c.Other == nil {
		return nil, errors.New("a split cell has author or care_provider on one side and other on the other side")
	}
	var cells []Cell
	for _, rel := range []Relation{AuthorOf, CareProvider, OtherThan} {
		if split[rel] == nil {
			continue
		}
		one, err := split[rel].resolve(a, rel, on)
		if err != nil {
			return nil, err
		}
		cells = append(cells, one)
	}
	return cells, nil
}

func (s *side) resolve(a Actor, rel Relation, on map[string]bool) (Cell, error) {
	effect := s.Effect
	if len(s.When) > 1 {
		return Cell{}, errors.New("one switch for a cell, no more")
	}
	for name, e := range s.When {
		set, known := on[name]
		if !known || !e.valid() {
			return Cell{}, fmt.Errorf("there is no switch %q or effect %q", name, e)
		}
		if set {
			effect = e
		}
	}
	if !s.Effect.valid() || s.Source == "" {
		return Cell{}, fmt.Errorf("effect %q is unknown or has no source", s.Effect)
	}
	for _, r := range s.Rules {
		if _, ok := RuleByNumber(r); !ok {
			return Cell{}, fmt.Errorf("there is no rule %q", r)
		}
	}
	return Cell{Actor: a, Relation: rel, Effect: effect, Types: s.Types, Source: s.Source, Rules: s.Rules}, nil
}

func (e Effect) valid() bool { return slices.Contains([]Effect{Author, Shared, Consent, None}, e) }
