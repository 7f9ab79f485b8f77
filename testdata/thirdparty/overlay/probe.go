package overlay

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/nbr-dev/nbr/verify/probe"
)

// tunnel is what the kernel says of a VXLAN.
type tunnel struct {
	There bool   `json:"there"`
	ID    int    `json:"id,omitempty"`
	Peer  string `json:"peer,omitempty"`
}

// tunnels asks for an interface by its name.
var tunnels = &probe.Probe[string, tunnel]{Name: "overlay.tunnel", Look: look}

// look asks ip(8), which ends with 1 if there is no such interface.
func look(ctx context.Context, h probe.Host, name string) (tunnel, error) {
	out, err := h.Run(ctx, "ip", "-json", "-details", "link", "show", "dev", name)
	if err != nil {
		return tunnel{}, err
	}
	if out.Exit == 1 {
		return tunnel{}, nil
	}
	return parse(out.Stdout)
}

// parse reads what ip prints of one interface.
func parse(b []byte) (tunnel, error) {
	var links []struct {
		Info struct {
			Data struct {
				ID     int    `json:"id"`
				Remote string `json:"remote"`
			} `json:"info_data"`
		} `json:"linkinfo"`
	}
	if err := json.Unmarshal(b, &links); err != nil {
		return tunnel{}, fmt.Errorf("ip: %w", err)
	}
	if len(links) != 1 {
		return tunnel{}, fmt.Errorf("ip told of %d interfaces, not of one", len(links))
	}
	d := links[0].Info.Data
	return tunnel{There: true, ID: d.ID, Peer: d.Remote}, nil
}
