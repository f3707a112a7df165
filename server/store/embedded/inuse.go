package embedded

import (
	"errors"
	"fmt"
	"syscall"
)

// ErrInUse is what Open says of a folder that another process has open.
var ErrInUse = errors.New("the store is in use by another process")

// inUse recognises a lock that another process holds.
func inUse(err error) error {
	if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EACCES) {
		return fmt.Errorf("%w: %w", ErrInUse, err)
	}
	return err
}
