package cmd_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/internal/lab"
)

// neovimScript is what a user of Neovim does with a spec of two files, of which one is wrong.
const neovimScript = `
local function say(...)
  io.stdout:write(table.concat(vim.tbl_map(tostring, { ... }), " ") .. "\n")
end
local function await(what, f)
  if not vim.wait(60000, f, 10) then error(what .. " does not come") end
end
vim.cmd("filetype on")
vim.cmd.edit("zones.hcl")
vim.cmd.edit("router.hcl")
local buf = vim.api.nvim_get_current_buf()
await("the server", function() return #vim.lsp.get_clients({ bufnr = buf, name = "nbr" }) == 1 end)
local client = vim.lsp.get_clients({ bufnr = buf })[1]

-- What is wrong is shown, where it is.
local function errors() return vim.diagnostic.get(buf, { severity = vim.diagnostic.severity.ERROR }) end
await("the diagnostic", function() return #errors() > 0 end)
for _, d in ipairs(errors()) do
  say("diagnostic", d.lnum + 1, d.col + 1, d.code, d.message)
end

-- The word is completed, as the omnifunc does it.
vim.api.nvim_win_set_cursor(0, { 10, 13 })
local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
for _, r in pairs(vim.lsp.buf_request_sync(buf, "textDocument/completion", params, 60000)) do
  for _, i in ipairs(r.result.items) do say("offers", i.label) end
end

-- The fix that the diagnostic knows.
local before = vim.api.nvim_buf_get_changedtick(buf)
vim.lsp.buf.code_action({ apply = true })
await("the fix", function() return vim.api.nvim_buf_get_changedtick(buf) > before end)
await("the good spec", function() return #errors() == 0 end)
say("fixed", vim.api.nvim_buf_get_lines(buf, 9, 10, true)[1])

-- A rename changes the other file, too.
vim.api.nvim_win_set_cursor(0, { 9, 10 })
before = vim.api.nvim_buf_get_changedtick(buf)
vim.lsp.buf.rename("home")
await("the rename", function() return vim.api.nvim_buf_get_changedtick(buf) > before end)
say("renamed", vim.api.nvim_buf_get_lines(buf, 8, 9, true)[1])
say("renamed", vim.fn.getbufline("zones.hcl", 2)[1])
client:stop()
await("the end", function() return client:is_stopped() end)
`

// Neovim, told of nbr as docs/editors.md says, shows what is wrong with a spec, completes, mends and renames.
func TestNeovim(t *testing.T) {
	page, err := os.ReadFile("../docs/editors.md")
	if err != nil {
		t.Fatal(err)
	}
	_, config, _ := strings.Cut(string(page), "```lua\n")
	config, _, ok := strings.Cut(config, "```")
	if !ok {
		t.Fatal("docs/editors.md has no configuration of Neovim")
	}
	bin, dir := t.TempDir(), t.TempDir()
	if out, err := exec.Command("go", "build", "-o", filepath.Join(bin, "nbr"), "./nbr").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, text := range map[string]string{
		"router.hcl": "router \"r\" {\n  board         = \"bananapi-bpir4\"\n  memory        = \"8GiB\"\n  state_version = \"26.05\"\n  console_only  = true\n}\n\n" +
			"# größer 😀\nnetwork \"lan\" {\n  link = port.laan1\n  ipv4 = \"10.0.0.1/24\"\n}\n",
		"zones.hcl": "zone \"lan\" {\n  networks = [network.lan]\n}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := lab.Neovim(t, dir, bin+":/usr/bin:/bin", config+neovimScript)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"diagnostic 10 10 no-such-reference No such block. port.laan1 is not defined.",
		"offers port.lan1\n",
		"fixed   link = port.lan1\n",
		"renamed network \"home\" {\n",
		"renamed   networks = [network.home]\n",
	} {
		if !strings.Contains(out+"\n", want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
}
