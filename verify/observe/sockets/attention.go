package sockets

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A thread is what /proc/PID/task/TID/stat tells of one (proc_pid_stat(5)).
type thread struct {
	state byte
	ran   uint64 // in ticks of the clock, which are hundredths of a second
}

// parseThread reads the file. The program's name may have brackets in it.
func parseThread(b []byte) (t thread, err error) {
	text := string(b)
	f := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(f) < 13 || len(f[0]) != 1 {
		return t, errors.New("too short")
	}
	t.state = f[0][0]
	for _, field := range f[11:13] { // of the program and of the kernel for it
		n, err := strconv.ParseUint(field, 10, 64)
		if err != nil {
			return t, fmt.Errorf("time: %w", err)
		}
		t.ran += n
	}
	return t, nil
}

// switches are the lines of /proc/PID/task/TID/status that tell how many times a thread has
// given the processor away (proc_pid_status(5)).
func switches(status []byte) string {
	var b strings.Builder
	for line := range strings.Lines(string(status)) {
		if strings.Contains(line, "voluntary_ctxt_switches:") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// enough is how long a thread that has read a question runs until it has answered, in ticks:
// what it knows it looks up in less than a thousandth of that.
const enough = 10

// done tells whether a thread has nothing left to do: it waits for the next question, or is
// no more, or has been running for long enough since it ran for so many ticks.
func (t thread) done(since uint64) bool {
	return strings.IndexByte("SIZX", t.state) >= 0 || t.ran >= since+enough
}
