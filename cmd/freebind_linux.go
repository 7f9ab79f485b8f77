package cmd

import "syscall"

// freebind lets a socket have an address that is not there yet, or not any more
// (ip(7), IP_FREEBIND; it is for IPv6 as well): an agent that ends when the network is
// broken could not say so.
func freebind(_, _ string, c syscall.RawConn) error {
	var err error
	if e := c.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.SOL_IP, syscall.IP_FREEBIND, 1)
	}); e != nil {
		return e
	}
	return err
}
