package openssh

import (
	"testing"

	"github.com/nbr-dev/nbr/router"
)

// Each answer is sshd's own (OpenSSH 10.6), asked with these keys.
func TestAcceptedAlgorithms(t *testing.T) {
	const (
		ed25519 router.SSHKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"
		rsa     router.SSHKey = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDDa5GuB4kWphzinlSQUWnpU5IY/XS2n6udr/c/K/SQMM2Ol61XwIEPqKgxdFv2C1rX2JsqQS2+5H9s7KrqFHv09korwHFrmeU6FzixpH0oZ9C6RJ6f4LT269r9TlYeLPHEQGeeNrxCeGXqRiKJJbaVgbgjok3KmRyIiliyE/tZ3UfyiU67ZtoFCAW/BxCPVzQY25VbYNWr1+elbNonUN+axkTN4d3aD+3tAJRfJg3U36eQcypzQAvINffUddroDam6+MXiqKQ9NXZaAoo8MNfi9MQAHBJYBqA+l5V3IcGVFtuoN0ZeLgxAxKKK4x4k6pvj7U5uqJTQxAfHsMcUzZYf"
	)
	for list, want := range map[string]struct{ ed25519, rsa bool }{
		"":                         {true, true},
		"ssh-rsa,ssh-ed25519":      {true, false},
		"ssh-ed*":                  {true, false},
		"-ssh-rsa":                 {true, true},
		"+ssh-rsa":                 {true, true},
		"^ssh-rsa":                 {true, true},
		"rsa-sha2-256,ecdsa-sha2*": {false, true},
		"-sk-*,ssh-ed*":            {false, true},
	} {
		s := map[string][]string{"pubkeyacceptedalgorithms": {list}}
		if got := accepts(s, []router.SSHKey{ed25519}); got != want.ed25519 {
			t.Errorf("%s: %v for a key of Ed25519", list, got)
		}
		if got := accepts(s, []router.SSHKey{rsa}); got != want.rsa {
			t.Errorf("%s: %v for a key of RSA", list, got)
		}
		if got := accepts(s, []router.SSHKey{rsa, ed25519}); got != (want.rsa || want.ed25519) {
			t.Errorf("%s: %v for both", list, got)
		}
	}
}
