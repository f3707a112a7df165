package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/rawbytes"
	"github.com/knadh/koanf/v2"
)

// configFile gives flags their values from a YAML file. A key of the file is a
// flag's name; flags of the command line win over the environment, which wins
// over the file. `kaigofhir serve --help` is the one reference of all three.
type configFile struct {
	values *koanf.Koanf
	getenv func(string) string
}

// loadConfig reads a configuration file; it is kong's loader of --config.
func (a *app) loadConfig(r io.Reader) (kong.Resolver, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	k := koanf.New("/")
	if err := k.Load(rawbytes.Provider(text), yaml.Parser()); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return &configFile{values: k, getenv: a.getenv}, nil
}

// Validate refuses keys that no flag of any command has.
func (f *configFile) Validate(app *kong.Application) error {
	var known []string
	for _, node := range app.Leaves(false) {
		for _, flag := range node.Flags {
			known = append(known, flag.Name)
		}
	}
	for _, key := range f.values.Keys() {
		if !slices.Contains(known, key) {
			return fmt.Errorf("configuration: %q is not a setting (kaigofhir serve --help lists them)", key)
		}
	}
	return nil
}

// Resolve returns the file's value of a flag, nil where the environment has
// one or the file has none.
func (f *configFile) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, env := range flag.Envs {
		if f.getenv(env) != "" {
			return nil, nil
		}
	}
	if !f.values.Exists(flag.Name) {
		return nil, nil
	}
	if list := f.values.Strings(flag.Name); len(list) > 0 {
		return strings.Join(list, ","), nil
	}
	return f.values.String(flag.Name), nil
}
