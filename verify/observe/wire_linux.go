package observe

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
)

// A wire is the other end of a link, without the link's wire: frames that it sends
// are received by this machine's kernel as if they had come in there, and it hears
// what this machine sends in answer. So a router can ask its own daemons what a
// stranger would be told, which no socket does: what a machine sends to itself goes
// through lo and its rules.
//
// The way in is the one by which BPF_PROG_TEST_RUN lets an XDP program look at real
// frames and then has the network stack take those that it passes
// (Documentation/bpf/bpf_prog_run.rst, "Running XDP programs in live frame mode"):
// the link's hooks, the firewall, sockets and forwarding see a frame that was
// received. Nothing is transmitted on the link itself. Of a bridge, the frame comes in
// on the bridge and not on one of its ports, whose own rules (nftables' family
// bridge) it does not pass.
type wire struct {
	link int // where frames come in
	pass *ebpf.Program
	tap  *packet.Conn
}

// openWire opens the other end of a link. It hears what leaves on the link tap, or on
// all if that is 0, and fits the filter.
func openWire(link, tap int, filter []match) (*wire, error) {
	return openWireOf(link, tap, leaving(filter))
}

// openWireOf is openWire with the program of the tap.
func openWireOf(link, tap int, program []bpf.Instruction) (*wire, error) {
	conn, err := openTap(tap, program)
	if err != nil {
		return nil, wireError("hear what leaves on a link", "CAP_NET_RAW", err)
	}
	pass, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Type:         ebpf.XDP,
		License:      "MIT",
		Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, xdpPass), asm.Return()},
	})
	if err != nil {
		return nil, errors.Join(wireError("make a packet arrive", "CAP_BPF and CAP_NET_ADMIN", err), conn.Close())
	}
	return &wire{link: link, pass: pass, tap: conn}, nil
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

// wireError says in words what a person may do about it.
func wireError(what, capabilities string, err error) error {
	switch {
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("no permission to %s: it takes %s, and no user namespace", what, capabilities)
	case errors.Is(err, ebpf.ErrNotSupported), errors.Is(err, unix.ENOSYS):
		return fmt.Errorf("this kernel cannot %s: %w", what, err)
	}
	return fmt.Errorf("cannot %s: %w", what, err)
}

func (w *wire) Close() error { return errors.Join(w.tap.Close(), w.pass.Close()) }

// xdpPass is XDP_PASS of include/uapi/linux/bpf.h: the network stack is to have it.
const xdpPass = 2

// xdpMD is struct xdp_md of include/uapi/linux/bpf.h.
type xdpMD struct{ Data, DataEnd, DataMeta, IngressIfindex, RxQueueIndex, EgressIfindex uint32 }

// inject makes a frame arrive.
func (w *wire) inject(frame []byte) error {
	_, err := w.pass.Run(&ebpf.RunOptions{
		Data:    frame,
		Context: xdpMD{DataEnd: uint32(len(frame)), IngressIfindex: uint32(w.link)},
		Repeat:  1,
		Flags:   unix.BPF_F_TEST_XDP_LIVE_FRAMES,
	})
	if errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("this kernel cannot make a packet arrive: it takes Linux 5.18: %w", err)
	}
	if err != nil {
		return wireError("make a packet arrive", "CAP_BPF and CAP_NET_ADMIN", err)
	}
	return nil
}

// exchange makes a frame arrive, and again whenever a time is over without an answer.
// It hands what leaves to answers until that says that it is one.
func (w *wire) exchange(ctx context.Context, frame []byte, times []time.Duration, answers func([]byte) bool) (bool, error) {
	for _, d := range times {
		if err := w.inject(frame); err != nil {
			return false, err
		}
		if answered, err := hear(ctx, w.tap, d, answers); answered || err != nil || ctx.Err() != nil {
			return answered, err
		}
	}
	return false, nil
}

// hear hands what a tap hears to answers until that says that it is one, or the time is over.
func hear(ctx context.Context, tap *packet.Conn, d time.Duration, answers func([]byte) bool) (bool, error) {
	if err := tap.SetDeadline(time.Time{}); err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	defer closeWith(ctx, tap)()
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

// at is a number of so many bytes in the IPv4 header.
func at(off uint32, size int, want uint32) match {
	return match{[]bpf.Instruction{bpf.LoadAbsolute{Off: off, Size: size}}, want}
}

// behind is a number behind the IPv4 header, whose length is in its first byte.
func behind(off uint32, size int, want uint32) match {
	return match{[]bpf.Instruction{bpf.LoadMemShift{Off: 0}, bpf.LoadIndirect{Off: off, Size: size}}, want}
}

// leaving is a program that lets IPv4 packets through that this machine sends and
// that have all the values.
func leaving(matches []match) []bpf.Instruction {
	return only(bpf.JumpNotEqual, append([]match{extension(bpf.ExtProto, etherIPv4)}, matches...))
}

// only is a program that lets packets through that have all the values. Those that this
// machine sends are told from those that it receives by the jump that rejects. A router
// forwards gigabits: what does not fit must not wake the program.
func only(reject bpf.JumpTest, matches []match) []bpf.Instruction {
	matches = append([]match{extension(bpf.ExtType, unix.PACKET_OUTGOING)}, matches...)
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
