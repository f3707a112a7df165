package store

import "context"

// Eraser is a Store that can erase versions for good, so that they are found
// neither by a request nor, after Compact, in its files. An engine without it
// offers no erasure while it runs.
type Eraser interface {
	// Erase removes versions of each resource named: all but the current one,
	// or, with current, that one too, deleted or not. counts tells how many
	// versions of each went. What is left is durable when it returns. Pages of
	// searches made before expire. Changes does not tell of it: who follows the
	// changes must see a resource deleted before it is erased.
	Erase(ctx context.Context, current bool, list []Erasing) (counts []int, err error)
	// Compact rewrites the files, so that nothing erased is left in them.
	Compact(ctx context.Context) error
}

// Erasing is a resource to erase. Nothing of it is removed where Version is
// neither 0 nor the newest version: somebody has written meanwhile.
type Erasing struct {
	Key     Key
	Version uint64
}
