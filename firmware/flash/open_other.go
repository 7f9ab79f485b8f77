//go:build !linux

package flash

import (
	"errors"
	"os"
)

// A Card is an open device or file.
type Card struct{ *os.File }

var errLinux = errors.New("nbr writes cards on Linux only: what is mounted and what is removable it knows from there")

// Look says what a device or a file is.
func Look(string) (*Device, error) { return nil, errLinux }

// Open opens a device that Look has seen.
func Open(*Device, Need) (*Card, error) { return nil, errLinux }

// Claim keeps other programs off partitions.
func (c *Card) Claim([]int) error { return errLinux }

// Size is in bytes.
func (c *Card) Size() int64 { return 0 }

// Sync writes what waits in memory and forgets it.
func (c *Card) Sync() error { return errLinux }

// Reread has the kernel read the partition table anew.
func (c *Card) Reread() error { return errLinux }
