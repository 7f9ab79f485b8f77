package systemd

import (
	"context"
	"errors"
	"os"
	"strconv"

	sd "github.com/coreos/go-systemd/v22/dbus"
	"github.com/godbus/dbus/v5"

	"github.com/nbr-dev/nbr/verify/observe/root"
)

// busSocket is DBUS_SYSTEM_BUS_DEFAULT_ADDRESS of the D-Bus specification, without
// /var, which is a link.
const busSocket = "/run/dbus/system_bus_socket"

// dial connects to the bus until the context ends.
func dial(ctx context.Context, r root.Root, opts ...dbus.ConnOption) (*dbus.Conn, error) {
	c, err := dbus.Dial("unix:path="+dbus.EscapeBusAddressValue(r.Path(busSocket)), append(opts, dbus.WithContext(ctx))...)
	if err != nil {
		return nil, err
	}
	// By number: a name would be looked up through nsswitch.
	if err := c.Auth([]dbus.Auth{dbus.AuthExternal(strconv.Itoa(os.Getuid()))}); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	if err := c.Hello(); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// connect is for what go-systemd can ask.
func connect(ctx context.Context, r root.Root) (*sd.Conn, error) {
	return sd.NewConnection(func() (*dbus.Conn, error) { return dial(ctx, r) })
}
