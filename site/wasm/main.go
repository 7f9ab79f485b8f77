//go:build js

// Wasm is nbr in the page: the worker of the page calls its function nbr with a request and gets the answer.
package main

import (
	"syscall/js"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
	"github.com/nbr-dev/nbr/site/page"
)

func main() {
	p, err := page.New(&service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()})
	if err != nil {
		panic(err) // the program is not composed well
	}
	js.Global().Set("nbr", js.FuncOf(func(_ js.Value, args []js.Value) any {
		return string(p.Answer([]byte(args[0].String())))
	}))
	js.Global().Call("nbrReady")
	select {} // the worker calls
}
