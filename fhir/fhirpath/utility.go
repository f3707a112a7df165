package fhirpath

import "time"

// Utility functions: https://hl7.org/fhirpath/N1/#utility-functions

// trace hands the input, or what the second argument makes of it, to Env.Trace.
func trace(ev *evaluation, c *call, in, dst Collection) (Collection, error) {
	if ev.env.Trace != nil {
		if err := ev.trace(c, in); err != nil {
			return dst, err
		}
	}
	return append(dst, in...), nil
}

func (ev *evaluation) trace(c *call, in Collection) error {
	name, _, err := ev.argText(c, 0)
	if err != nil {
		return err
	}
	if len(c.args) == 1 {
		ev.env.Trace(name, in)
		return nil
	}
	var shown Collection
	err = ev.each(in, func(Value) (bool, error) {
		var err error
		shown, err = c.args[1].eval(ev, shown)
		return true, err
	})
	ev.env.Trace(name, shown)
	return err
}

func (ev *evaluation) now(c *call) (time.Time, error) {
	if ev.env.Now.IsZero() {
		return time.Time{}, noHook(c.name + "()")
	}
	return ev.env.Now, nil
}

func now(ev *evaluation, c *call, _, dst Collection) (Collection, error) {
	t, err := ev.now(c)
	if err != nil {
		return dst, err
	}
	return append(dst, NewDateTime(t)), nil
}

func today(ev *evaluation, c *call, _, dst Collection) (Collection, error) {
	t, err := ev.now(c)
	if err != nil {
		return dst, err
	}
	return append(dst, NewDateTime(t).toDate()), nil
}

func timeOfDay(ev *evaluation, c *call, _, dst Collection) (Collection, error) {
	t, err := ev.now(c)
	if err != nil {
		return dst, err
	}
	d := NewDateTime(t)
	return append(dst, &Time{moment{
		hour: d.hour, minute: d.minute, second: d.second,
		nanos: d.nanos, digits: d.digits, precision: Second,
	}}), nil
}

// typeOf returns the type of every item.
// https://hl7.org/fhirpath/N1/#reflection
func typeOf(_ *evaluation, _ *call, in, dst Collection) (Collection, error) {
	for _, v := range in {
		dst = append(dst, typeInfo(v))
	}
	return dst, nil
}
