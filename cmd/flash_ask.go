package cmd

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/nbr-dev/nbr/firmware/flash"
	"github.com/nbr-dev/nbr/firmware/image"
)

func (f *flashing) canAsk() bool {
	in, ok := f.Stdin.(*os.File)
	return ok && term.IsTerminal(int(in.Fd()))
}

// ask says what is on the card and has its name typed.
func (f *flashing) ask(ctx context.Context, card *flash.Card, question string) error {
	var b bytes.Buffer
	name := cmp.Or(f.device.Name, filepath.Base(f.device.Path))
	fmt.Fprintf(&b, "%s: %s", f.device.Path, size(f.device.Size))
	if f.device.Model != "" {
		fmt.Fprintf(&b, ", %s", plain(f.device.Model))
	}
	now, err := image.ReadAt(card, card.Size())
	switch {
	case err != nil:
		fmt.Fprintf(&b, "; %s\n", plain(err.Error()))
	case now.GPT == nil:
		fmt.Fprintf(&b, "; on it is a %s alone\n", now.Kind)
	default:
		b.WriteByte('\n')
		partitions(&b, now.GPT)
	}
	if _, err := f.Stdout.Write(b.Bytes()); err != nil || f.yes {
		return err
	}
	fmt.Fprintf(f.Stderr, "%s Type the device's name, %s, to go on: ", question, name)
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(f.Stdin).ReadString('\n') // what is not the name is no
		answer <- line
	}()
	select {
	case got := <-answer:
		if got = strings.TrimSpace(got); got == name || got == f.device.Path {
			return nil
		}
		return errors.New("that is not its name; nothing was written")
	case <-ctx.Done():
		return errors.New("interrupted; nothing was written")
	}
}

// hold has nbr come to its own end after Ctrl-C, until the returned function is
// called: what is on its way to a card cannot be called back.
func (f *flashing) hold(ctx context.Context) func() {
	if f.Held != nil {
		f.Held.Store(true)
	}
	said := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(said)
		fmt.Fprintln(f.Stderr, "\nnbr: stopping, as soon as the card has taken what it was given")
	})
	return sync.OnceFunc(func() {
		if !stop() { // what it says comes before what follows
			<-said
		}
		if f.Held != nil {
			f.Held.Store(false)
		}
	})
}

// progress shows how far a step is, if standard error is a terminal. The second
// function ends that.
func (f *flashing) progress() (flash.Progress, func()) {
	out, ok := f.Stderr.(*os.File)
	if !ok || !term.IsTerminal(int(out.Fd())) {
		return func(flash.Step, int64, int64) {}, func() {}
	}
	var bar *progressbar.ProgressBar
	var now flash.Step
	done := func() {
		if bar != nil {
			bar.Clear() // nothing is left to be said about it
		}
	}
	return func(step flash.Step, n, total int64) {
		if step != now {
			done()
			now = step
			bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(out), progressbar.OptionSetDescription(string(step)),
				progressbar.OptionShowBytes(true), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
		}
		bar.Set64(n)
	}, done
}
