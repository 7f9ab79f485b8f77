package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/firmware/flash"
	"github.com/nbr-dev/nbr/firmware/image"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/report"
)

func (a *app) flashCommand() *cli.Command {
	return &cli.Command{
		Name: "flash", Usage: "write an image to a card, and compare it", ArgsUsage: "IMAGE DEVICE [DIR]",
		Description: "Refuses a device that is in use, that is too small or that is not removable, says what is\n" +
			"on it and asks. Writes, reads all of it back and puts the second partition table to the\n" +
			"end of the card. IMAGE is raw or compressed with zstd; DEVICE may be a file of a card's\n" +
			"size. With the spec of a folder the image is verified first. Exit code 1 if the image is not what the spec promises or the card has not what\n" +
			"was written, 3 if it cannot be written.\n\n" +
			"Examples:\n" +
			"   nbr flash result/sd-image/*.raw.zst /dev/sdX router/\n" +
			"   nbr flash -inject secrets/ sd.raw /dev/sdX\n" +
			"   nbr flash -firmware-only result/sd-image/*.raw.zst /dev/mmcblk0",
		Flags: append(varFlag(),
			boolFlag("firmware-only", "write only the partitions bl2 and fip of a card that exists; the old ones are saved"),
			&cli.StringFlag{Name: "inject", Usage: "put the files below `DIR`, such as etc/ssh/ssh_host_ed25519_key, into the root partition (ext4)"},
			boolFlag("force", "the device need not be removable"),
			boolFlag("yes", "do not ask")),
		Action: a.flash,
	}
}

// A flashing is one run of nbr flash.
type flashing struct {
	*app
	file   string
	img    *image.Image
	src    flash.Image
	device *flash.Device
	router *router.Router // nil without a spec
	force  bool
	yes    bool
}

func (a *app) flash(c *cli.Context) error {
	switch {
	case c.NArg() < 2 || c.NArg() > 3:
		return usage("nbr flash takes an image, a device and the folder of a spec")
	case c.Bool("firmware-only") && c.IsSet("inject"):
		return usage("-firmware-only does not write the root partition, into which -inject puts files")
	case c.NArg() < 3 && c.IsSet("var"):
		return usage("-var is for a spec: name its folder after the device")
	}
	f := &flashing{app: a, file: c.Args().Get(0), force: c.Bool("force"), yes: c.Bool("yes")}
	if !f.yes && !f.canAsk() {
		return usage("no terminal to ask on whether to write %s. -yes writes it without asking", c.Args().Get(1))
	}
	err := f.run(c)
	var bad *flash.Error
	var code exit
	switch {
	case err == nil, errors.As(err, &code):
		return err
	case errors.As(err, &bad) && bad.Left == flash.Differs:
		return exit{ExitFailed, err.Error()}
	}
	return exit{ExitUnknown, err.Error()}
}

func (f *flashing) run(c *cli.Context) error {
	var spec loaded
	if c.NArg() == 3 {
		var err error
		if spec, err = f.deviceIn(c, c.Args().Get(2)); err != nil {
			return err
		}
		f.router = spec.Router
	}
	if err := f.look(c); err != nil {
		return err
	}
	if f.router != nil {
		if err := f.promised(spec); err != nil {
			return err
		}
	}
	if c.Bool("firmware-only") {
		return f.firmware(c.Context)
	}
	if err := f.device.Refuse(flash.Need{Size: f.src.Size, Force: f.force}); err != nil {
		return err
	}
	return f.all(c.Context, c.String("inject"))
}

// look reads the image, after the device could be refused.
func (f *flashing) look(c *cli.Context) error {
	info, err := os.Stat(f.file)
	if err != nil {
		return err
	}
	if f.device, err = flash.Look(c.Args().Get(1)); err != nil {
		return err
	}
	if to, err := os.Stat(f.device.Path); err != nil {
		return err
	} else if os.SameFile(info, to) {
		return fmt.Errorf("%s is the image itself", f.device.Path)
	}
	if !info.Mode().IsRegular() && info.Mode().Type() != os.ModeDevice {
		return fmt.Errorf("%s is neither a file nor a block device, and an image is read twice: save it in a file", f.file)
	}
	need := flash.Need{Force: f.force}
	if c.Bool("firmware-only") {
		need.Parts = []int{0} // which they are is not known yet
	}
	if err := f.device.Refuse(need); err != nil {
		return err
	}
	f.img, err = f.readImage(c.Context, f.file)
	if c.Context.Err() != nil {
		return errors.New("interrupted; nothing was written")
	} else if err != nil {
		return err
	}
	if f.img.Kind != image.KindDisk {
		return fmt.Errorf("%s is a %s alone, and a whole image is needed", f.file, f.img.Kind)
	}
	if !c.Bool("firmware-only") { // which makes sure that the firmware is whole, and takes the saved one, of which no more is there
		for _, w := range f.img.Wrong(image.GPTCutOff) {
			return fmt.Errorf("%s: %s: %s; nothing was written", f.file, w.What, plain(w.Detail))
		}
	}
	f.src = flash.Image{Size: f.img.Size, Open: func() (io.ReadCloser, error) { return unpacked(f.file) }}
	return nil
}

// unpacked opens what is inside of an image.
func unpacked(file string) (io.ReadCloser, error) {
	in, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	r, err := image.Unpack(in)
	if err != nil {
		in.Close()
		return nil, err
	}
	return twice{r, in}, nil
}

type twice struct {
	io.ReadCloser
	under io.Closer
}

func (t twice) Close() error { return errors.Join(t.ReadCloser.Close(), t.under.Close()) }

// promised fails if the image is not what the spec promises. What cannot be told is
// shown and holds nothing up.
func (f *flashing) promised(s loaded) error {
	results, err := verify.Eval(firmware.ImagePlan(s.Router, f.img, "nbr image inspect "+f.file), firmware.ImageState(f.img))
	if err != nil {
		return err
	}
	rep := &report.Report{Router: string(s.Router.Name.V), Results: results}
	w := f.diagWriter(s.Spec, s.dir)
	w.W, w.Color = f.Stdout, f.stdoutColor()
	if err := rep.Text(w, false); err != nil {
		return err
	}
	if rep.Summary().Fail > 0 {
		return exit{ExitFailed, "the image is not what the spec promises; nothing was written"}
	}
	return nil
}

// all writes the whole image.
func (f *flashing) all(ctx context.Context, inject string) error {
	var in *flash.Injection
	if inject != "" {
		var err error
		if in, err = flash.NewInjection(inject, f.src, f.img, ""); err != nil {
			return fmt.Errorf("%w; nothing was written", err)
		}
		defer in.Close()
	}
	card, err := flash.Open(f.device, flash.Need{Size: f.src.Size, Force: f.force})
	if err != nil {
		return err
	}
	defer card.Close()
	for _, w := range f.img.Findings {
		fmt.Fprintf(f.Stdout, "the image: %s: %s\n", w.What, plain(w.Detail))
	}
	if err := f.ask(ctx, card, fmt.Sprintf("Write %s (%s) to %s? All that is on it is lost.", f.file, size(f.src.Size), f.device.Path)); err != nil {
		return err
	}
	defer f.hold(ctx)()
	show, done := f.progress()
	res, err := flash.Write(ctx, card, f.src, show)
	done()
	if err != nil {
		return err
	}
	if in != nil {
		if err := in.Write(ctx, card); err != nil {
			return err
		}
	}
	f.written(res, in)
	if err := card.Reread(); err != nil {
		fmt.Fprintf(f.Stderr, "nbr: the kernel does not read the partition table anew (%v): take the card out before you use it here\n", err)
	}
	if f.device.EMMC && f.img.BL2 != nil {
		fmt.Fprintln(f.Stderr, "nbr: a board starts from the boot partition of an eMMC, which is a device of its own and was not written: this BL2 is for cards")
	}
	return f.next()
}

func (f *flashing) written(res *flash.Result, in *flash.Injection) {
	fmt.Fprintf(f.Stdout, "%s has the image: %s, written and compared", f.device.Path, size(res.Written))
	if res.Moved {
		fmt.Fprint(f.Stdout, "; the second partition table is at its end")
	}
	fmt.Fprintln(f.Stdout)
	if in != nil {
		for _, name := range in.Files() {
			fmt.Fprintf(f.Stdout, "put into its root partition: %s\n", plain(name))
		}
	}
}

// next says how to start the board from the card.
func (f *flashing) next() error {
	boards := firmware.Recognise(f.img)
	if f.router != nil {
		boards = []*firmware.Profile{firmware.ProfileOf(f.router.Board.ID)}
	}
	tw := tabwriter.NewWriter(f.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw)
	for _, t := range firmware.FirstStart(boards, f.router) {
		fmt.Fprintf(tw, "%s\t%s\n", t.About, t.Text)
	}
	return tw.Flush()
}
