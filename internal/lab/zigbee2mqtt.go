package lab

import (
	"os"
	"syscall"
	"testing"
)

// Zigbee2MQTT puts the released Zigbee2MQTT into the router's file system, and returns the words that start it; or
// skips the test where it is [Absent].
func (r *Root) Zigbee2MQTT(t testing.TB) []string {
	t.Helper()
	const at = "/usr/lib/zigbee2mqtt"
	if err := os.Mkdir(r.Path(at), 0o755); err != nil {
		t.Fatal(err)
	}
	mount(t, part(t, "zigbee2mqtt"), "", r.Path(at), syscall.MS_BIND, "")
	return []string{"node", at + "/node_modules/zigbee2mqtt/cli.js"}
}
