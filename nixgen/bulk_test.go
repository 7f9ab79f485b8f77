package nixgen

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
)

func TestBulk(t *testing.T) {
	dir := os.Getenv("BULK")
	for i := range 60000 {
		r := rand.New(rand.NewPCG(uint64(i), 11))
		os.WriteFile(fmt.Sprintf("%s/%d.nix", dir, i), Print(randomExpr(r, i%3==0)), 0o644)
	}
}
