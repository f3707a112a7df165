package embedded

// Tiny makes every plan of a search happen with a handful of resources.
func (o Options) Tiny() Options {
	o.plan = planLimits{probes: []int{1, 3}, nearSteps: 1, union: 3, driving: 2, rejects: 2, set: 8}
	return o
}
