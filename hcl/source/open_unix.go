//go:build unix

package source

import "syscall"

// nonblock has the opening of a pipe return at once.
const nonblock = syscall.O_NONBLOCK
