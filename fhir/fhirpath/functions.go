package fhirpath

// definition is what the parser knows of a function: how many arguments it
// takes and what does its work.
type definition struct {
	min, max int
	fn       function
	test     test
	typed    bool // is, as, ofType: the argument is a type
	// make builds the node where a call or testCall would not do.
	make func(c *call) (node, error)
}

// build returns the node of a call.
func (d *definition) build(c *call) (node, error) {
	switch {
	case d.make != nil:
		return d.make(c)
	case d.test != nil:
		return &testCall{*c, d.test}, nil
	}
	return c, nil
}

func lookup(name string) (*definition, bool) {
	d, ok := definitions[name]
	return d, ok
}

// definitions is every function by name. It is never changed.
var definitions = map[string]*definition{
	// https://hl7.org/fhirpath/N1/#existence
	"empty":      {make: makeEmpty},
	"exists":     {max: 1, make: makeExists},
	"all":        {min: 1, max: 1, test: all},
	"allTrue":    {test: allTrue},
	"anyTrue":    {test: anyTrue},
	"allFalse":   {test: allFalse},
	"anyFalse":   {test: anyFalse},
	"subsetOf":   {min: 1, max: 1, test: subsetOf},
	"supersetOf": {min: 1, max: 1, test: supersetOf},
	"count":      {fn: count},
	"distinct":   {fn: distinct},
	"isDistinct": {test: isDistinct},
	// https://hl7.org/fhirpath/N1/#filtering-and-projection
	"where":  {min: 1, max: 1, fn: where},
	"select": {min: 1, max: 1, fn: selectItems},
	"repeat": {min: 1, max: 1, fn: repeat},
	"ofType": {typed: true},
	// https://hl7.org/fhirpath/N1/#subsetting
	"single":    {fn: single},
	"first":     {fn: first},
	"last":      {fn: last},
	"tail":      {fn: tail},
	"skip":      {min: 1, max: 1, fn: skip},
	"take":      {min: 1, max: 1, fn: take},
	"intersect": {min: 1, max: 1, fn: intersect},
	"exclude":   {min: 1, max: 1, fn: exclude},
	"sort":      {max: 16, fn: sortItems},
	// https://hl7.org/fhirpath/N1/#combining
	"union":   {min: 1, max: 1, make: makeUnion},
	"combine": {min: 1, max: 1, fn: combine},
	// https://hl7.org/fhirpath/N1/#conversion
	"iif":                {min: 2, max: 3, fn: iif},
	"toBoolean":          {fn: convertTo(toBoolean)},
	"toInteger":          {fn: convertTo(toInteger)},
	"toDecimal":          {fn: convertTo(toDecimal)},
	"toString":           {fn: convertTo(toString)},
	"toDate":             {fn: convertTo(toDate)},
	"toDateTime":         {fn: convertTo(toDateTime)},
	"toTime":             {fn: convertTo(toTime)},
	"toQuantity":         {max: 1, fn: toQuantityIn},
	"convertsToBoolean":  {test: convertsTo(toBoolean)},
	"convertsToInteger":  {test: convertsTo(toInteger)},
	"convertsToDecimal":  {test: convertsTo(toDecimal)},
	"convertsToString":   {test: convertsTo(toString)},
	"convertsToDate":     {test: convertsTo(toDate)},
	"convertsToDateTime": {test: convertsTo(toDateTime)},
	"convertsToTime":     {test: convertsTo(toTime)},
	"convertsToQuantity": {max: 1, test: convertsToQuantity},
	// https://hl7.org/fhirpath/N1/#string-manipulation
	"indexOf":        {min: 1, max: 1, fn: indexOf},
	"lastIndexOf":    {min: 1, max: 1, fn: lastIndexOf},
	"substring":      {min: 1, max: 2, fn: substring},
	"startsWith":     {min: 1, max: 1, test: startsWith},
	"endsWith":       {min: 1, max: 1, test: endsWith},
	"contains":       {min: 1, max: 1, test: containsText},
	"upper":          {fn: upper},
	"lower":          {fn: lower},
	"replace":        {min: 2, max: 2, fn: replace},
	"matches":        {min: 1, max: 1, make: makeMatches},
	"matchesFull":    {min: 1, max: 1, make: makeMatches},
	"replaceMatches": {min: 2, max: 2, make: makeReplaceMatches},
	"length":         {fn: length},
	"toChars":        {fn: toChars},
	"trim":           {fn: trim},
	"split":          {min: 1, max: 1, fn: split},
	"join":           {max: 1, fn: join},
	"encode":         {min: 1, max: 1, fn: encode},
	"decode":         {min: 1, max: 1, fn: decode},
	"escape":         {min: 1, max: 1, fn: escapeText},
	"unescape":       {min: 1, max: 1, fn: unescapeText},
	// https://hl7.org/fhirpath/N1/#math
	"abs":      {fn: abs},
	"ceiling":  {fn: ceiling},
	"exp":      {fn: exp},
	"floor":    {fn: floor},
	"ln":       {fn: ln},
	"log":      {min: 1, max: 1, fn: log},
	"power":    {min: 1, max: 1, fn: power},
	"round":    {max: 1, fn: round},
	"sqrt":     {fn: sqrt},
	"truncate": {fn: truncateNumber},
	// https://hl7.org/fhirpath/N1/#tree-navigation
	"children":    {fn: children},
	"descendants": {fn: descendants},
	// https://hl7.org/fhirpath/N1/#utility-functions
	"trace":     {min: 1, max: 2, fn: trace},
	"now":       {fn: now},
	"today":     {fn: today},
	"timeOfDay": {fn: timeOfDay},
	// https://hl7.org/fhirpath/N1/#boolean-logic
	"not": {make: makeNot},
	// https://hl7.org/fhirpath/N1/#aggregates
	"aggregate": {min: 1, max: 2, fn: aggregate},
	// https://hl7.org/fhirpath/N1/#types
	"is":   {typed: true},
	"as":   {typed: true},
	"type": {fn: typeOf},
	// https://hl7.org/fhirpath/ (after N1, for trial use)
	"lowBoundary":  {max: 1, fn: lowBoundary},
	"highBoundary": {max: 1, fn: highBoundary},
	"precision":    {fn: precision},
	"comparable":   {min: 1, max: 1, test: comparable},
	// https://hl7.org/fhir/R4/fhirpath.html#functions
	"extension":         {min: 1, max: 1, fn: extension},
	"hasExtension":      {min: 1, max: 1, test: hasExtension},
	"hasValue":          {test: hasValue},
	"getValue":          {fn: getValue},
	"resolve":           {fn: resolve},
	"elementDefinition": {fn: notAvailable},
	"slice":             {min: 2, max: 2, fn: notAvailable},
	"checkModifiers":    {min: 1, max: 64, fn: checkModifiers},
	"conformsTo":        {min: 1, max: 1, test: conformsTo},
	"memberOf":          {min: 1, max: 1, test: memberOf},
	"subsumes":          {min: 1, max: 1, test: subsumes},
	"subsumedBy":        {min: 1, max: 1, test: subsumedBy},
	"htmlChecks":        {test: htmlChecks},
}
