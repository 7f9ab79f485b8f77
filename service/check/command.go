package check

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/nbr-dev/nbr/verify/probe"
)

// A command is a program and its arguments, as a list of JSON.
type command string

func newCommand(args []string) command {
	b, err := json.Marshal(args)
	if err != nil {
		panic(err) // strings have a JSON form
	}
	return command(b)
}

// args are the program and its arguments.
func (c command) args() []string {
	var out []string
	if err := json.Unmarshal([]byte(c), &out); err != nil {
		panic(fmt.Sprintf("%q is no list: %s", string(c), err)) // newCommand wrote it
	}
	return out
}

// MarshalJSON makes it a list in the question's key.
func (c command) MarshalJSON() ([]byte, error) { return []byte(c), nil }

// A run is a command and how long it may take.
type run struct {
	Command command `json:"command"`
	Timeout int     `json:"timeout"` // seconds
}

// An outcome is how a command ended.
type outcome struct {
	Exit   int    `json:"exit"`
	Output string `json:"output,omitempty"` // the first 4 KiB of its standard output, and whether there was more
}

// outcomeOf runs the command of a block. That it took too long, or was ended by a signal,
// is the reason why nothing is known.
var outcomeOf = &probe.Probe[run, outcome]{Name: "check.command", UserCommand: true, Look: look}

// mostOutput is how much of what a command says is kept; cut is said in place of the rest.
const (
	mostOutput = 4 << 10
	cut        = "… (cut after 4 KiB)"
)

func look(ctx context.Context, h probe.Host, r run) (outcome, error) {
	soon, cancel := context.WithTimeout(ctx, time.Duration(r.Timeout)*time.Second)
	defer cancel()
	args := r.Command.args()
	out, err := h.Run(soon, args[0], args[1:]...)
	switch {
	case err != nil && soon.Err() != nil:
		return outcome{}, fmt.Errorf("it took longer than %d s", r.Timeout)
	case err != nil && !errors.Is(err, probe.ErrOutput):
		return outcome{}, err
	}
	return outcome{out.Exit, head(out.Stdout)}, nil
}

// head is the beginning of a text, without the half of a character at its end, and says so if there is more.
func head(b []byte) string {
	more := ""
	if len(b) > mostOutput {
		more = cut
		b = b[:mostOutput]
		for range utf8.UTFMax - 1 {
			if r, n := utf8.DecodeLastRune(b); r != utf8.RuneError || n != 1 {
				break
			}
			b = b[:len(b)-1]
		}
	}
	return strings.ToValidUTF8(string(b), string(utf8.RuneError)) + more
}
