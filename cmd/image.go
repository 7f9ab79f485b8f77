package cmd

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/schollz/progressbar/v3"
	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/firmware/image"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/report"
)

func (a *app) imageCommand() *cli.Command {
	return &cli.Command{
		Name: "image", Usage: "look into an SD image or a card before it boots", ArgsUsage: "COMMAND",
		Description: "Examples:\n" +
			"   nbr image inspect result/sd-image/*.raw.zst\n" +
			"   nbr image verify result/sd-image/*.raw.zst router/",
		Subcommands: []*cli.Command{a.inspectCommand(), a.imageVerifyCommand()},
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usage("there is no command %q.%s Try nbr image -help", "image "+c.Args().First(), diag.Suggest(c.Args().First(), []string{"inspect", "verify"}))
			}
			return cli.ShowSubcommandHelp(c)
		},
	}
}

func (a *app) inspectCommand() *cli.Command {
	return &cli.Command{
		Name: "inspect", Usage: "say what is in an image, and what is wrong with it", ArgsUsage: "FILE|DEVICE",
		Description: "Reads a raw image, one compressed with zstd, a card or one of the partitions bl2 and fip\n" +
			"of a running board; - is standard input. Exit code 0 if nothing is wrong, 1 if something\n" +
			"is, 3 if it cannot be read or is no image.\n\n" +
			"Examples:\n" +
			"   nbr image inspect result/sd-image/*.raw.zst\n" +
			"   nbr image inspect /dev/disk/by-partlabel/bl2\n" +
			"   nbr image inspect -json sd.raw | jq .bl2.four_bg",
		Flags:  []cli.Flag{boolFlag("json", "print all of it for programs")},
		Action: a.inspect,
	}
}

func (a *app) imageVerifyCommand() *cli.Command {
	return &cli.Command{
		Name: "verify", Usage: "say whether an image is what a spec promises", ArgsUsage: "IMAGE [DIR]",
		Description: "Judges what can be told before it boots: the partitions, what the board starts from, and\n" +
			"for which memory and medium that was built. Exit code 0 if all checks pass, 1 if one\n" +
			"fails, 3 if none fails but something cannot be told, 2 if the spec is wrong. The spec is\n" +
			deviceSpec + " if that is there and no folder is named, else the current folder.\n\n" +
			"Examples:\n" +
			"   nbr image verify result/sd-image/*.raw.zst router/\n" +
			"   nbr image verify -format junit sd.raw router/ >report.xml",
		Flags: append(varFlag(),
			&cli.StringFlag{Name: "format", Value: "text", Usage: "print the report as `FORM`: text, json, junit or tap"},
			boolFlag("v", "list what passes, too")),
		Action: a.imageVerify,
	}
}

func (a *app) inspect(c *cli.Context) error {
	if c.NArg() != 1 {
		return usage("nbr image inspect takes one file or device")
	}
	img, err := a.readImage(c.Context, c.Args().First())
	if err != nil {
		return err
	}
	out := pageOf(c.Args().First(), img)
	if c.Bool("json") {
		out = diag.MarshalIndent(struct {
			FormatVersion string `json:"format_version"`
			*image.Image
		}{"1.0", img})
	}
	if _, err := a.Stdout.Write(out); err != nil {
		return err
	}
	if len(img.Wrong()) > 0 {
		return exit{code: ExitFailed}
	}
	return nil
}

func (a *app) imageVerify(c *cli.Context) error {
	show, err := a.reportForm(c)
	if err != nil {
		return err
	}
	if c.NArg() < 1 || c.NArg() > 2 {
		return usage("nbr image verify takes one image and the folder of the spec")
	}
	s, err := a.deviceAt(c, c.Args().Get(1))
	if err != nil {
		return err
	}
	img, err := a.readImage(c.Context, c.Args().First())
	if err != nil {
		return err
	}
	if img.Kind != image.KindDisk {
		return exit{ExitUnknown, fmt.Sprintf("%s is a %s alone, and the spec promises a whole image: nbr image inspect says what it is", c.Args().First(), img.Kind)}
	}
	results, err := verify.Eval(firmware.ImagePlan(s.Router, img, "nbr image inspect "+c.Args().First()), firmware.ImageState(img))
	if err != nil {
		return exit{ExitUnknown, err.Error()}
	}
	rep := &report.Report{Router: string(s.Router.Name.V), Results: results}
	w := a.diagWriter(s.Spec, s.dir)
	w.W, w.Color = a.Stdout, a.stdoutColor()
	if err := show(rep, w); err != nil {
		return err
	}
	return exitOf(rep.Summary())
}

// readImage reads a file or a device. One that is read as a stream shows how far it
// is, on a terminal.
func (a *app) readImage(ctx context.Context, file string) (*image.Image, error) {
	img, err := a.openImage(ctx, file)
	if ctx.Err() != nil {
		return nil, exit{ExitUnknown, "interrupted; nothing was judged"}
	}
	var path *os.PathError
	switch {
	case err == nil:
		return img, nil
	case errors.As(err, &path):
		return nil, exit{ExitUnknown, err.Error()}
	default:
		return nil, exit{ExitUnknown, file + ": " + err.Error()}
	}
}

func (a *app) openImage(ctx context.Context, file string) (*image.Image, error) {
	if file == "-" {
		return a.stream(ctx, a.Stdin, -1)
	}
	f, err := a.open(ctx, file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	switch {
	case info.IsDir():
		return nil, errors.New("it is a folder, not an image")
	case info.Mode()&(os.ModeNamedPipe|os.ModeSocket) != 0 || info.Mode()&os.ModeCharDevice != 0:
		return a.stream(ctx, f, -1)
	}
	size, err := f.Seek(0, io.SeekEnd) // stat(2) tells no size of a device
	if err != nil {
		return nil, err
	}
	if image.Compressed(f) {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return nil, err
		}
		return a.stream(ctx, f, size)
	}
	return image.ReadAt(f, size)
}

// open opens a file. A named pipe opens when a program opens its other end: nbr says so
// if that takes a while, and lets go when Ctrl-C is pressed.
func (a *app) open(ctx context.Context, file string) (*os.File, error) {
	type opened struct {
		f   *os.File
		err error
	}
	done := make(chan opened, 1)
	go func() {
		f, err := os.Open(file)
		done <- opened{f, err}
	}()
	wait := time.NewTimer(time.Second)
	defer wait.Stop()
	for {
		select {
		case o := <-done:
			return o.f, o.err
		case <-wait.C:
			fmt.Fprintf(a.Stderr, "nbr: waiting until a program writes to %s\n", file)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// stream reads an image as it comes. It stops at SIGINT, and
// shows how far it is if standard error is a terminal.
func (a *app) stream(ctx context.Context, r io.Reader, size int64) (*image.Image, error) {
	r = watched{ctx, r}
	if f, ok := a.Stderr.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		bar := progressbar.NewOptions64(size, progressbar.OptionSetWriter(f), progressbar.OptionSetDescription("reading"),
			progressbar.OptionShowBytes(true), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish())
		defer bar.Clear()
		r = io.TeeReader(r, bar)
	}
	return image.Read(r)
}

type watched struct {
	ctx context.Context
	r   io.Reader
}

func (w watched) Read(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.r.Read(p)
}

// pageOf is all that was read, for people. What comes from the image is made to
// print: it may come from anywhere.
func pageOf(file string, img *image.Image) []byte {
	var b bytes.Buffer
	packed := ""
	if img.Compressed != "" {
		packed = ", compressed with " + img.Compressed
	}
	kind := map[image.Kind]string{image.KindDisk: "an image", image.KindBL2: "a BL2", image.KindFIP: "a FIP"}[img.Kind]
	fmt.Fprintf(&b, "%s: %s, %s%s\n", plain(file), kind, size(img.Size), packed)
	partitions(&b, img.GPT)
	if l := img.Loader; l != nil {
		rows(&b, "Loader", "kind", l.Kind, "first", cmp.Or(l.First, "none"), "U-Boot", cmp.Or(l.UBoot, "not looked at"))
	}
	if bl := img.BL2; bl != nil {
		intact := "holds"
		if !bl.Intact {
			intact = "does not hold"
		}
		rows(&b, "BL2", "medium", bl.Medium, "size", size(bl.Size), "entry", fmt.Sprintf("%#x", bl.Entry), "SHA-256", intact,
			"Trusted Firmware-A", cmp.Or(bl.TFA, "no version"), "SoC", cmp.Or(bl.SoC, "not known"), "memory", bl.Memory.String(), "DDR4_4BG_MODE", bl.FourBG+": "+bl.FourBGWhy)
	}
	if fip := img.FIP; fip != nil {
		all := []string{"size", size(fip.Size)}
		for _, e := range fip.Entries {
			all = append(all, cmp.Or(e.Name, e.UUID), fmt.Sprintf("%s at byte %#x", size(int64(min(e.Size, 1<<62))), e.Offset))
		}
		rows(&b, "FIP", append(all, "Trusted Firmware-A", cmp.Or(fip.TFA, "no version"), "U-Boot", cmp.Or(fip.UBoot, "no version"),
			"Nix store hash", cmp.Or(fip.UBootHash, "none"), "device tree", cmp.Or(strings.Join(fip.Compatible, ", "), "none"))...)
	}
	found(&b, img.Findings)
	return b.Bytes()
}

func partitions(b *bytes.Buffer, g *image.GPT) {
	if g == nil {
		return
	}
	fmt.Fprintf(b, "\nPartitions (%s table, disk %s)\n", g.From, g.DiskGUID)
	tw := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "  #\tname\tfirst\tlast\tsize\tattributes")
	for _, p := range g.Partitions {
		attrs := "-"
		switch {
		case p.Attributes == 4:
			attrs = "bootable"
		case p.Attributes != 0:
			attrs = fmt.Sprintf("%#x", p.Attributes)
		}
		fmt.Fprintf(tw, "  %d\t%s\t%d\t%d\t%s\t%s\n", p.Number, cmp.Or(plain(p.Name), "-"), p.First, p.Last, size(p.Size()), attrs)
	}
	tw.Flush() // a buffer takes everything
}

func rows(b *bytes.Buffer, title string, all ...string) {
	fmt.Fprintf(b, "\n%s\n", title)
	tw := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for i := 0; i < len(all); i += 2 {
		fmt.Fprintf(tw, "  %s\t%s\n", all[i], plain(all[i+1]))
	}
	tw.Flush()
}

func found(b *bytes.Buffer, all []image.Finding) {
	if len(all) == 0 {
		fmt.Fprintln(b, "\nNothing is wrong with it.")
		return
	}
	b.WriteByte('\n')
	for _, f := range all {
		word := "wrong"
		if f.Note {
			word = "note"
		}
		fmt.Fprintf(b, "%s: %s [%s]\n  %s\n", word, f.What, f.Code, plain(f.Detail))
	}
}

// size is a number of bytes for people, and exact when that is short.
func size(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 10<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return diag.Count(int(n), "byte")
}

// plain is what comes from an image, on one line.
func plain(s string) string {
	return strings.ReplaceAll(diag.Printable(s), "\n", string(unicode.ReplacementChar))
}
