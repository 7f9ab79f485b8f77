package nstest

import (
	"testing"
	"time"
)

// Patience bounds waiting for what happens at once on a machine with nothing else to do. It is
// there to end a test that hangs and says nothing of how fast a program is: a machine at many times
// its load must not reach it.
const Patience = 3 * time.Minute

// Wait waits until a condition holds. The test fails with the condition's last error if that takes
// longer than [Patience].
func Wait(t testing.TB, holds func() error) {
	t.Helper()
	for deadline := time.Now().Add(Patience); ; time.Sleep(10 * time.Millisecond) {
		err := holds()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not after %s: %v", Patience, err)
		}
	}
}
