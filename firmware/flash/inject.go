package flash

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/nbr-dev/nbr/firmware/image"
)

// An Injection is files that go into the root file system of a card: host keys and
// secrets, which are in no image and no Nix store.
type Injection struct {
	dir    string
	root   *os.Root
	files  []string // relative to /, sorted
	shut   []string // folders that only root may enter
	offset int64    // of the root partition
	tool   string
}

// notKept are folders that are empty after each start, or that only Nix writes.
var notKept = []struct{ dir, why string }{
	{"run", "is in memory and empty after each start: give the secret a path that stays, such as /var/lib/secrets"},
	{"var/run", "is /run, which is in memory and empty after each start: give the secret a path that stays, such as /var/lib/secrets"},
	{"dev", "is in memory and empty after each start"},
	{"proc", "is the kernel's"},
	{"sys", "is the kernel's"},
	{"tmp", "is emptied"},
	{"nix", "can be read by every user, and Nix removes what it has not put there"},
}

// plain are names that debugfs takes as they are.
var plain = regexp.MustCompile(`^[A-Za-z0-9_@%+:,=.-]+$`)

// NewInjection looks at a folder of files, at an image that they are to go into, and
// for debugfs of e2fsprogs, which writes ext4 without mounting it. tool is its path,
// or empty to look for it. Close ends the use of the folder.
func NewInjection(dir string, src Image, img *image.Image, tool string) (*Injection, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	in := &Injection{dir: dir, root: root, tool: tool}
	if err := in.look(src, img); err != nil {
		root.Close()
		return nil, err
	}
	return in, nil
}

// Close ends the use of the folder.
func (in *Injection) Close() error { return in.root.Close() }

// Files are the files, as the router will have them.
func (in *Injection) Files() []string {
	var out []string
	for _, f := range in.files {
		out = append(out, "/"+f)
	}
	return out
}

func (in *Injection) look(src Image, img *image.Image) error {
	if err := fs.WalkDir(in.root.FS(), ".", in.visit); err != nil {
		return err
	}
	if len(in.files) == 0 {
		return fmt.Errorf("%s has no files", in.dir)
	}
	ps := img.GPT.Named("root")
	if len(ps) != 1 {
		return fmt.Errorf("%d partitions of the image are called root, and files go into one", len(ps))
	}
	in.offset = int64(ps[0].First) * sector
	kind, err := fileSystem(src, in.offset)
	if err != nil {
		return err
	}
	if kind != "ext4" {
		return fmt.Errorf("the root partition has %s, and files can be put into ext4 only: no tool writes others without mounting them. "+
			"Put them there when the router runs, or build the image with root_filesystem = \"ext4\" in the spec", kind)
	}
	if in.tool == "" {
		if in.tool, err = findTool(); err != nil {
			return err
		}
	}
	return nil
}

// findTool finds debugfs also where only root's PATH leads to.
func findTool() (string, error) {
	for _, name := range []string{"debugfs", "/usr/sbin/debugfs", "/sbin/debugfs"} {
		if p, err := exec.LookPath(name); err == nil {
			return p, nil
		}
	}
	return "", errors.New("debugfs is needed to put files into an ext4 file system: install e2fsprogs")
}

func (in *Injection) visit(name string, d fs.DirEntry, err error) error {
	if err != nil || name == "." {
		return err
	}
	for _, n := range notKept {
		if name == n.dir || strings.HasPrefix(name, n.dir+"/") {
			return fmt.Errorf("%s: /%s %s", path.Join(in.dir, name), n.dir, n.why)
		}
	}
	if !plain.MatchString(path.Base(name)) {
		return fmt.Errorf("%s: the name %q has characters other than letters, digits and _@%%+:,=.-", in.dir, path.Base(name))
	}
	info, err := d.Info()
	if err != nil {
		return err
	}
	switch {
	case info.IsDir():
		if info.Mode().Perm()&0o077 == 0 {
			in.shut = append(in.shut, name)
		}
	case info.Mode().IsRegular():
		in.files = append(in.files, name)
	default:
		return fmt.Errorf("%s is neither a file nor a folder: put the file itself there", path.Join(in.dir, name))
	}
	return nil
}

// fileSystem is what begins at a byte of the image.
func fileSystem(src Image, offset int64) (string, error) {
	r, err := src.Open()
	if err != nil {
		return "", err
	}
	defer r.Close()
	b := make([]byte, 128<<10)
	if _, err := io.CopyN(io.Discard, r, offset); err != nil {
		return "", fmt.Errorf("reading the image: %w", short(err))
	}
	if _, err := io.ReadFull(r, b); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return "", fmt.Errorf("reading the image: %w", short(err))
	}
	switch {
	case string(b[0x10040:0x10048]) == "_BHRfS_M": // fs/btrfs of Linux, BTRFS_SUPER_INFO_OFFSET
		return "btrfs", nil
	case binary.LittleEndian.Uint16(b[1080:]) == 0xef53: // Documentation/filesystems/ext4/super.rst
		if binary.LittleEndian.Uint32(b[1024+0x60:])&0x40 == 0 { // INCOMPAT_EXTENTS
			return "ext2 or ext3", nil
		}
		return "ext4", nil
	}
	return "a file system that nbr does not know", nil
}

// Write puts the files into the root partition of a card that the image was written
// to, and compares them. An error is an *Error, and none has anything of a file in it.
func (in *Injection) Write(ctx context.Context, card *Card) error {
	if err := in.write(ctx, card); err != nil {
		return &Error{Partly, err}
	}
	return nil
}

func (in *Injection) write(ctx context.Context, card *Card) error {
	for _, name := range in.files {
		if err := interrupted(ctx); err != nil {
			return err
		}
		if err := in.one(ctx, card, name); err != nil {
			return fmt.Errorf("/%s: %w", name, err)
		}
	}
	if err := sync(card); err != nil {
		return err
	}
	for _, name := range in.files {
		if err := in.same(context.WithoutCancel(ctx), card, name); err != nil {
			return fmt.Errorf("/%s: %w", name, err)
		}
	}
	return nil
}

// one puts one file there. An interrupt of nbr does not reach debugfs, which would
// leave the file system damaged.
func (in *Injection) one(ctx context.Context, card *Card, name string) error {
	ctx = context.WithoutCancel(ctx)
	if err := in.folders(ctx, card, path.Dir(name)); err != nil {
		return err
	}
	kind, err := in.stat(ctx, card, name)
	if err != nil {
		return err
	}
	var script []string
	switch kind {
	case "":
	case "regular":
		script = append(script, "rm /"+name)
	default:
		return fmt.Errorf("the image has it already, and it is no file (%s)", kind)
	}
	script = append(script, fmt.Sprintf("write ./%s /%[1]s", name), fmt.Sprintf("sif /%s mode 0100600", name),
		fmt.Sprintf("sif /%s uid 0", name), fmt.Sprintf("sif /%s gid 0", name))
	return in.script(ctx, card, script...)
}

// same compares one file.
func (in *Injection) same(ctx context.Context, card *Card, name string) error {
	want, err := in.root.ReadFile(name)
	if err != nil {
		return err
	}
	got, err := in.debugfs(ctx, card, nil, "-R", "cat /"+name)
	if err != nil {
		return err
	}
	if !bytes.Equal(want, got) {
		return errors.New("it was written, and something else is read")
	}
	return nil
}

// folders makes the folders that are missing, from the top.
func (in *Injection) folders(ctx context.Context, card *Card, dir string) error {
	if dir == "." {
		return nil
	}
	if err := in.folders(ctx, card, path.Dir(dir)); err != nil {
		return err
	}
	kind, err := in.stat(ctx, card, dir)
	switch {
	case err != nil || kind == "directory":
		return err
	case kind != "":
		return fmt.Errorf("/%s is no folder in the image (%s)", dir, kind)
	}
	mode := "040755"
	if slices.Contains(in.shut, dir) {
		mode = "040700"
	}
	return in.script(ctx, card, "mkdir /"+dir, fmt.Sprintf("sif /%s mode %s", dir, mode),
		fmt.Sprintf("sif /%s uid 0", dir), fmt.Sprintf("sif /%s gid 0", dir))
}

var typeLine = regexp.MustCompile(`(?m)^Inode: \d+ +Type: (.+?) +Mode:`)

// stat is what a name is in the image, and "" if it is not there. It has to be asked:
// debugfs makes a folder a second time and leaves the first one unconnected.
func (in *Injection) stat(ctx context.Context, card *Card, name string) (string, error) {
	out, err := in.debugfs(ctx, card, nil, "-R", "stat /"+name)
	if err != nil {
		if strings.Contains(err.Error(), "File not found by ext2_lookup") {
			return "", nil
		}
		return "", err
	}
	m := typeLine.FindSubmatch(out)
	if m == nil {
		return "", errors.New("debugfs does not say what it is in the image")
	}
	return string(m[1]), nil
}

func (in *Injection) script(ctx context.Context, card *Card, lines ...string) error {
	_, err := in.debugfs(ctx, card, strings.NewReader(strings.Join(lines, "\n")+"\n"), "-w", "-f", "-")
	return err
}

// debugfs runs debugfs, which ends with 0 whatever happens. What went wrong is on
// standard error, behind a line with its version.
func (in *Injection) debugfs(ctx context.Context, card *Card, script io.Reader, args ...string) ([]byte, error) {
	var out, said bytes.Buffer
	cmd := exec.CommandContext(ctx, in.tool, append(args, fmt.Sprintf("/dev/fd/3?offset=%d", in.offset))...)
	cmd.ExtraFiles = []*os.File{card.File} // whatever its name has in it, and the same card
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = in.dir, script, &out, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for nbr alone
	cmd.Env = append(os.Environ(), "LC_ALL=C", "DEBUGFS_PAGER=cat", "PAGER=cat")
	err := cmd.Run()
	var wrong []string
	for _, line := range strings.Split(said.String(), "\n") {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "debugfs 1.") {
			wrong = append(wrong, line)
		}
	}
	if len(wrong) > 0 {
		return nil, fmt.Errorf("debugfs: %s", strings.Join(wrong, "; "))
	}
	return out.Bytes(), err
}
