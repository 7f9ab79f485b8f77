package firmware

import (
	"fmt"
	"slices"

	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
)

// lowerUEFI sets the options of a machine with firmware of its own. What is the same for all of
// them is in nbr/uefi.nix: the boot loader, the file systems by their labels, the image, the VM.
func (b *Block) lowerUEFI(r *router.Router, m *nixgen.Module, p *Profile) {
	board := service.Origin(r.System.Addr, r.BoardID.Range)
	m.Imports = append(m.Imports, nixgen.At{From: board, Expr: nixgen.Path("../nbr/uefi.nix")}, nixgen.Path("../nbr/kernel.nix"))
	m.Set(board, nixgen.Str(p.System), "nixpkgs", "hostPlatform")
	if r.Memory.Set {
		m.Set(service.Origin(r.System.Addr, r.Memory.Range), nixgen.Int(r.Memory.V>>20), "nbr", "vm", "memory")
	}
	if b.Card.Set {
		m.Set(service.Origin(b.Addr, b.Card.Range), nixgen.Int(b.Card.V>>20), "nbr", "vm", "disk")
	}
	for i, port := range r.Ports() {
		mac := port.MAC.V
		if !port.MAC.Set {
			mac = trialMAC(i)
		}
		m.Add(service.Origin(port.Addr, port.Def), []string{"nbr", "vm", "ports"}, nixgen.Attrs{
			nixgen.Bind(nixgen.Str(mac), "mac"),
			nixgen.Bind(nixgen.Str(port.Name), "name"),
			nixgen.Bind(nixgen.Bool(leadsOut(r, port)), "upstream"),
		})
	}
	b.lowerKernel(r, m, p)
}

// trialMAC is the address of a port in the VM where the spec says none: administered locally,
// then nbr in ASCII.
func trialMAC(i int) router.MAC {
	return router.MAC(fmt.Sprintf("02:6e:62:72:%02x:%02x", i>>8, i&0xff))
}

// leadsOut tells whether an upstream is on a port, or on a link that needs it.
func leadsOut(r *router.Router, l router.Link) bool {
	if slices.ContainsFunc(r.On(l), (*router.Network).Upstream) {
		return true
	}
	return slices.ContainsFunc(r.Made, func(on router.Link) bool {
		s := on.Spec()
		return (s.On.Target == l || s.Kind == "ppp" && s.Via.Target == l || slices.Contains(s.Ports.All(), l)) && leadsOut(r, on)
	})
}
