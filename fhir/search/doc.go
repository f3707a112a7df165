// Package search turns FHIR search into data: query strings into a typed
// Query, resources into index keys, and it evaluates a Query on resources
// naively, as the oracle of the storage engines.
// https://hl7.org/fhir/R4/search.html
//
//	registry, err := search.New(search.Options{BaseURL: "https://fhir.example.jp/r4"})
//	keys, err := registry.Keys(patient)                          // when it is written
//	request, err := registry.Parse("Patient", "name=やまだ&gender=male") // when it is asked for
//	ranges, negate, err := request.Query.Where[0].Ranges()
//
// A key is a parameter's code, 00, a kind and bytes that sort as the value
// does. An engine stores keys as they are and reads the ranges of a clause; it
// finds the same resources as Match, which looks at content and at no key. One
// file per type of parameter holds how its values are found, keyed, compared
// and written in a query: token.go, string.go, date.go, number.go, quantity.go,
// reference.go, uri.go, composite.go, fulltext.go, near.go. Contained resources
// have their keys among those of their container; see contained.go.
//
// # What R4 leaves open
//
//   - Strings are folded for Japanese users; see Fold and Variants. A name
//     or address in parts is also found as a whole, family name first where it
//     is written in kana or kanji.
//   - Codes are compared without regard to case, systems with.
//   - The code system of an element of type code is that of its required
//     binding.
//   - A date without a zone is meant in the zone of Options (Japan).
//   - Decimals are compared in 24 digits. Quantities in UCUM units are compared
//     in a canonical unit; those with a comparator are the range they may be in.
//   - A reference to the server's own base is local. resolve() looks at the
//     reference alone, never at the target.
//   - A criterion without a value is ignored.
//   - Dates sort by their start; what has no value sorts last.
//   - Distances of near are those on a sphere; 10 km where none is given.
//   - _text and _content look for words and, in Japanese, for pairs of
//     characters; all must occur, in any order.
//
// # What is not supported
//
// With _contained, sorting by anything but _lastUpdated, _has and _list;
// functional lists (_list=$…), named queries (_query), filters within the path of a
// _filter, and includes over canonical URLs and into contained resources. All but
// the last are refused.
//
// # What is looked up while a query is read
//
// Value sets, hierarchies of references and chains over canonical URLs are
// resolved by Parse, from the resources that Registry.With gives it: a Query is
// about keys alone. A criterion may lead to 1,000 resources that way,
// a query to 5,000.
//
// # Limits
//
// A criterion stands for at most 10,000 codes of value sets and code systems.
// A text asked for has at most 120 bytes folded, except under :exact; the first
// 32 KiB of a string are searched; a chain has at most Options.MaxChain links;
// a composite has at most 512 combinations per element.
//
// # Expressions
//
// The expressions of R4's parameters are, but for Patient.deceased, unions of
// paths with as(), where(resolve() is T), where(name='value'), extension(url)
// and [0]. These are compiled to direct walks over the elements; what is more is
// left to package fhirpath, several times slower (see path.go).
package search
