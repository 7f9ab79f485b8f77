package inject

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/mdlayher/packet"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/verify/probe"
)

// An injector has packets arrive at this machine: the kernel receives the frames that it
// is given as if they had come in on a link, and what this machine sends in answer is
// heard. So a router can ask its own daemons what a remote host would be told, which no
// socket does: what a machine sends to itself goes through lo and its rules.
//
// The way in is the one by which BPF_PROG_TEST_RUN lets an XDP program look at real
// frames and then has the network stack take those that it passes
// (Documentation/bpf/bpf_prog_run.rst, "Running XDP programs in live frame mode"):
// the link's hooks, the firewall, sockets and forwarding see a frame that was
// received. Nothing is transmitted on the link itself. Of a bridge, the frame comes in
// on the bridge and not on one of its ports, whose own rules (nftables' family
// bridge) it does not pass.
type injector struct {
	link int // where frames come in
	pass *ebpf.Program
	tap  *packet.Conn
}

// openInjector opens a link for packets to arrive. What leaves on the link tap, or on all
// if that is 0, and passes the program is heard.
func openInjector(link, tap int, program []bpf.Instruction) (*injector, error) {
	conn, err := openTap(tap, program)
	if err != nil {
		return nil, injectionError("hear what leaves on a link", "CAP_NET_RAW", err)
	}
	pass, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Type:         ebpf.XDP,
		License:      "MIT",
		Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, xdpPass), asm.Return()},
	})
	if err != nil {
		return nil, errors.Join(injectionError("make a packet arrive", "CAP_BPF and CAP_NET_ADMIN", err), conn.Close())
	}
	return &injector{link: link, pass: pass, tap: conn}, nil
}

// openTap hears what the program lets through of a link, or of all if that is 0, from the
// network header on, whatever the link puts in front.
func openTap(link int, program []bpf.Instruction) (*packet.Conn, error) {
	code, err := bpf.Assemble(program)
	if err != nil {
		return nil, err
	}
	return packet.Listen(&net.Interface{Index: link}, packet.Datagram, unix.ETH_P_ALL, &packet.Config{Filter: code})
}

// injectionError says what would help.
func injectionError(what, capabilities string, err error) error {
	switch {
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("no permission to %s: it takes %s, and no user namespace", what, capabilities)
	case errors.Is(err, ebpf.ErrNotSupported), errors.Is(err, unix.ENOSYS):
		return fmt.Errorf("this kernel cannot %s: %w", what, err)
	}
	return fmt.Errorf("cannot %s: %w", what, err)
}

func (i *injector) Close() error { return errors.Join(i.tap.Close(), i.pass.Close()) }

// xdpPass is XDP_PASS of include/uapi/linux/bpf.h: the network stack is to have it.
const xdpPass = 2

// xdpMD is struct xdp_md of include/uapi/linux/bpf.h.
type xdpMD struct{ Data, DataEnd, DataMeta, IngressIfindex, RxQueueIndex, EgressIfindex uint32 }

// inject makes a frame arrive.
func (i *injector) inject(frame []byte) error {
	_, err := i.pass.Run(&ebpf.RunOptions{
		Data:    frame,
		Context: xdpMD{DataEnd: uint32(len(frame)), IngressIfindex: uint32(i.link)},
		Repeat:  1,
		Flags:   unix.BPF_F_TEST_XDP_LIVE_FRAMES,
	})
	if errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("this kernel cannot make a packet arrive: it takes Linux 5.18: %w", err)
	}
	if err != nil {
		return injectionError("make a packet arrive", "CAP_BPF and CAP_NET_ADMIN", err)
	}
	return nil
}

// hear hands what a tap hears to answers until that says that it is one, or the time is over.
func hear(ctx context.Context, tap *packet.Conn, d time.Duration, answers func([]byte) bool) (bool, error) {
	if err := tap.SetDeadline(time.Time{}); err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	// All waiting on the tap ends with the context.
	defer context.AfterFunc(ctx, func() { _ = tap.SetDeadline(time.Unix(1, 0)) })()
	buf := make([]byte, 1<<16)
	for {
		n, _, err := tap.ReadFrom(buf)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return false, nil
		case err != nil:
			return false, fmt.Errorf("cannot hear a link: %w", err)
		case answers(buf[:n]):
			return true, nil
		}
	}
}

// A match is a value that a packet must have.
type match struct {
	load []bpf.Instruction
	want uint32
}

// extension is what the kernel knows of a packet beside its bytes.
func extension(e bpf.Extension, want uint32) match {
	return match{[]bpf.Instruction{bpf.LoadExtension{Num: e}}, want}
}

// at is a byte of a packet, counted from the network header.
func at(b probe.Byte) match {
	return match{[]bpf.Instruction{bpf.LoadAbsolute{Off: b.Offset, Size: 1}}, uint32(b.Value)}
}

// only is a program that lets packets through that pass a filter. Those that this machine
// sends are told from those that it receives by the jump that rejects. A router forwards
// gigabits: what does not fit must not wake the program.
func only(reject bpf.JumpTest, filter probe.Filter) []bpf.Instruction {
	return accept(reject, extension(bpf.ExtType, unix.PACKET_OUTGOING), filter)
}

// passing is only of both directions. What belongs to a VLAN on the link is not the link's own.
func passing(filter probe.Filter) []bpf.Instruction {
	return accept(bpf.JumpNotEqual, extension(bpf.ExtVLANTagPresent, 0), filter)
}

// accept is a program that lets packets through that the first match's jump does not reject, and that
// pass a filter.
func accept(reject bpf.JumpTest, first match, filter probe.Filter) []bpf.Instruction {
	matches := []match{first, extension(bpf.ExtProto, uint32(filter.EtherType))}
	for _, b := range filter.Bytes {
		matches = append(matches, at(b))
	}
	end := 1 // of the program, after the instruction that accepts
	for _, m := range matches {
		end += len(m.load) + 1
	}
	var code []bpf.Instruction
	for _, m := range matches {
		code = append(code, m.load...)
		code = append(code, bpf.JumpIf{Cond: reject, Val: m.want, SkipTrue: uint8(end - len(code) - 1)})
		reject = bpf.JumpNotEqual // of all but the first
	}
	return append(code, bpf.RetConstant{Val: 1 << 16}, bpf.RetConstant{Val: 0})
}
