package observe

import (
	"context"

	"github.com/nbr-dev/nbr/verify/observe/sockets"
)

// collectors are all there are. Their order is of no meaning.
var collectors = []collector{
	{parts: "board", look: (*looker).board},
	{parts: "kernel", look: (*looker).kernel},
	{parts: "modules", look: (*looker).modules},
	{parts: "system", look: (*looker).system},
	{parts: "links addrs routes neighbours", look: (*looker).network},
	{parts: "rules", look: (*looker).rules},
	{parts: "sysctls", look: (*looker).sysctls},
	{parts: "units", look: (*looker).units},
	{parts: "files", look: (*looker).files},
	{parts: "tables", look: (*looker).tables},
	{parts: "rulesets", look: (*looker).rulesets},
	{parts: "users", look: (*looker).users},
	{parts: "listeners", look: (*looker).listeners},
	{parts: "wireguard", look: (*looker).wireGuard},
	{parts: "clock", look: (*looker).clock},
	{parts: "firmware", look: (*looker).firmware},
	{parts: "watchdog", look: (*looker).watchdog},
	{parts: "name_servers", look: (*looker).nameServers},
	{parts: "journal", look: (*looker).journal},

	{parts: "probes", look: (*looker).probes, ownTime: true},
}

func (l *looker) listeners(ctx context.Context) (err error) {
	l.st.Listeners, err = sockets.Listeners(ctx, l.root())
	return err
}
