// Command fhirgen turns the npm package hl7.fhir.r4.examples into the tables
// that package fhir/r4 embeds. It is a tool for developers of kaigofhir; the
// program itself never needs it.
//
//	fhirgen -source DIR|FILE.tgz [-out fhir/r4] [-examples testdata/fhir-r4]
package main

import (
	"flag"
	"fmt"
	"log/slog"
	"os"
)

func main() {
	source := flag.String("source", "", "unpacked npm package hl7.fhir.r4.examples, or its .tgz")
	out := flag.String("out", "fhir/r4", "folder of package r4")
	examples := flag.String("examples", "", "folder for the examples the tests use; none: leave them")
	flag.Parse()
	if err := run(*source, *out, *examples); err != nil {
		slog.Error("fhirgen", "err", err)
		os.Exit(1)
	}
}

// run reads the package and writes every generated file.
func run(source, out, examples string) error {
	if source == "" {
		return fmt.Errorf("-source is missing")
	}
	files, err := readPackage(source)
	if err != nil {
		return fmt.Errorf("reading %s: %w", source, err)
	}
	if examples != "" {
		if err := writeExamples(examples, files); err != nil {
			return fmt.Errorf("examples: %w", err)
		}
	}
	outputs, err := generate(files)
	if err != nil {
		return err
	}
	return writeAll(out, files, outputs)
}

// generate makes the embedded files of package r4. The same package gives the
// same bytes.
func generate(files []file) ([]output, error) {
	defs, err := buildDefinitions(files)
	if err != nil {
		return nil, err
	}
	tables, err := encodeTable(defs)
	if err != nil {
		return nil, err
	}
	index, blocks, err := packConformance(files)
	if err != nil {
		return nil, err
	}
	return []output{
		{"definitions.gob.zst", tables},
		{"conformance.gob.zst", index},
		{"conformance.blocks.zst", blocks},
	}, nil
}
