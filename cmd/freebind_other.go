//go:build !linux

package cmd

import "syscall"

// freebind is of Linux, and so is a router.
func freebind(string, string, syscall.RawConn) error { return nil }
