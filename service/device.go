package service

import (
	"fmt"
	"strings"
)

// DeviceUnit is the unit that systemd has of a network interface while there is one, with its name
// escaped as in a path (systemd.unit(5), "String escaping for inclusion in unit names").
func DeviceUnit(name string) string {
	var b strings.Builder
	for _, c := range []byte(name) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == ':', c == '.':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, `\x%02x`, c)
		}
	}
	return "sys-subsystem-net-devices-" + b.String() + ".device"
}
