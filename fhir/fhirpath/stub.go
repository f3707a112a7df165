package fhirpath

type node interface{}

// CompileWith is Compile with options.
func CompileWith(expression string, opts Options) (*Expression, error) { panic("contract") }

// Append evaluates the expression on a value and appends the result to dst.
func (x *Expression) Append(dst Collection, env *Env, focus Value) (Collection, error) {
	panic("contract")
}

func (b Boolean) String() string   { panic("contract") }
func (s String) String() string    { panic("contract") }
func (i Integer) String() string   { panic("contract") }
func (n Node) String() string      { panic("contract") }
func (d *Decimal) String() string  { panic("contract") }
func (t *TypeInfo) String() string { panic("contract") }
