package fhirpath

// Filtering and projection: https://hl7.org/fhirpath/N1/#filtering-and-projection

func where(ev *evaluation, c *call, in, dst Collection) (Collection, error) {
	err := ev.each(in, func(v Value) (bool, error) {
		t, err := truthOf(ev, c.args[0])
		if t == yes {
			dst = append(dst, v)
		}
		return true, err
	})
	return dst, err
}

func selectItems(ev *evaluation, c *call, in, dst Collection) (Collection, error) {
	err := ev.each(in, func(Value) (bool, error) {
		before := len(dst)
		var err error
		if dst, err = c.args[0].eval(ev, dst); err == nil {
			err = ev.step(len(dst) - before)
		}
		return true, err
	})
	return dst, err
}

// repeat projects again what the projection gave, until nothing new comes.
func repeat(ev *evaluation, c *call, in, dst Collection) (Collection, error) {
	start := len(dst)
	queue := append(ev.scratch(), in...)
	defer func() { ev.release(queue) }()
	for at := 0; at < len(queue); at++ {
		err := ev.each(queue[at:at+1], func(Value) (bool, error) {
			found, err := ev.collect(c.args[0])
			defer ev.release(found)
			if err != nil {
				return false, err
			}
			for _, v := range found {
				if err := ev.step(1 + len(dst) - start); err != nil {
					return false, err
				}
				if !holds(dst[start:], v) {
					dst = append(dst, v)
					queue = append(queue, v)
				}
			}
			return true, nil
		})
		if err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// aggregate folds the items, with the result so far as $total.
// https://hl7.org/fhirpath/N1/#aggregates
func aggregate(ev *evaluation, c *call, in, dst Collection) (Collection, error) {
	var total Collection
	var err error
	if len(c.args) == 2 {
		if total, err = c.args[1].eval(ev, nil); err != nil {
			return dst, err
		}
	}
	saved := ev.frame
	defer func() { ev.frame = saved }()
	for i, v := range in {
		ev.frame = frame{this: v, index: i, total: total}
		next, err := c.args[0].eval(ev, nil)
		if err == nil {
			err = ev.step(len(next) + 1)
		}
		if err != nil {
			return dst, err
		}
		total = next
	}
	return append(dst, total...), nil
}

// iif evaluates only the branch it takes.
func iif(ev *evaluation, c *call, in, dst Collection) (Collection, error) {
	v, err := c.one(in)
	if err != nil {
		return dst, err
	}
	saved := ev.frame
	defer func() { ev.frame = saved }()
	if _, implicit := c.input.(this); !implicit {
		ev.frame.this = v
	}
	t, err := truthOf(ev, c.args[0])
	switch {
	case err != nil:
		return dst, err
	case t == yes:
		return c.args[1].eval(ev, dst)
	case len(c.args) == 3:
		return c.args[2].eval(ev, dst)
	}
	return dst, nil
}
