package nstest

import (
	"os"
	"syscall"
)

// WriteFile is [os.WriteFile] of a program that is to be run at once, while other tests start
// others.
//
// What is open for writing cannot be run (execve(2), ETXTBSY), and a process that is started
// while the file is written has it open, too, until it becomes its program. The lock is the
// one that [syscall.ForkExec] holds until then.
func WriteFile(path string, content []byte, mode os.FileMode) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	return os.WriteFile(path, content, mode)
}
