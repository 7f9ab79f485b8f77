package reference

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/hcl/conf"
)

// A Function is what there is to say of a function of the language.
type Function struct {
	Name, Signature string
	Doc             string // what it does, without a full stop
	Example         string // a call; empty if there is none
}

// Functions are those of the language, sorted by name.
func Functions() []Function {
	var out []Function
	all := conf.Functions(nil)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		f := all[name]
		var params []string
		for _, p := range f.Params() {
			params = append(params, p.Name)
		}
		if v := f.VarParam(); v != nil {
			params = append(params, v.Name+"…")
		}
		out = append(out, Function{
			Name: name, Signature: name + "(" + strings.Join(params, ", ") + ")",
			Doc: cmp.Or(calls[name].doc, strings.TrimSuffix(f.Description(), ".")), Example: calls[name].call,
		})
	}
	return out
}

// calls has an example for each function of the language, and what the function does unless it says so itself:
// those of cty are for programmers.
var calls = map[string]struct{ call, doc string }{
	"abs":             {`abs(-3)`, "The number without its sign"},
	"can":             {`can(tonumber("lan"))`, "Whether the expression has a value"},
	"ceil":            {`ceil(1.2)`, "The next whole number, upwards"},
	"chomp":           {`chomp("lan\n")`, "The text without line breaks at its end"},
	"chunklist":       {`chunklist([1, 2, 3], 2)`, "The list in lists of at most so many elements"},
	"cidrcontains":    {`cidrcontains("10.0.0.0/8", "10.1.2.3")`, ""},
	"cidrhost":        {`cidrhost("192.168.178.1/24", 10)`, ""},
	"cidrnetmask":     {`cidrnetmask("172.16.0.0/12")`, ""},
	"cidrsubnet":      {`cidrsubnet("10.0.0.0/16", 8, 30)`, ""},
	"cidrsubnets":     {`cidrsubnets("10.0.0.0/16", 8, 8, 4)`, ""},
	"coalesce":        {`coalesce(null, "lan")`, "The first argument that is not null"},
	"coalescelist":    {`coalescelist([], ["lan"])`, "The first list that is not empty"},
	"compact":         {`compact(["lan", "", "wan"])`, "The list without empty texts"},
	"concat":          {`concat(["lan"], ["wan"])`, "The lists as one, in their order"},
	"contains":        {`contains(["lan", "wan"], "lan")`, "Whether the list holds the value"},
	"csvdecode":       {`csvdecode("name,id\nkids,20")`, "The rows of a table (RFC 4180), named by its first row"},
	"distinct":        {`distinct([1, 2, 1])`, "The list without repetitions"},
	"element":         {`element(["a", "b"], 3)`, "The element with this number, counted around the end"},
	"flatten":         {`flatten([["a"], ["b", "c"]])`, "The list with the elements of lists inside it in their place"},
	"floor":           {`floor(1.8)`, "The next whole number, downwards"},
	"format":          {`format("%s-%02d", "ap", 7)`, "The text with values in the places of its verbs, as printf has them"},
	"formatlist":      {`formatlist("port-%d", [1, 2])`, "The same for each element of lists"},
	"indent":          {`indent(2, "a\nb")`, "The text with so many spaces before all lines but the first"},
	"index":           {`index(["a", "b"], "b")`, ""},
	"join":            {`join(", ", ["a", "b"])`, "The texts as one, with a separator"},
	"jsondecode":      {`jsondecode("{\"id\": 20}")`, "The value that a JSON text describes"},
	"jsonencode":      {`jsonencode({ id = 20 })`, "The value as a JSON text"},
	"keys":            {`keys({ b = 1, a = 2 })`, "The keys of a map, sorted"},
	"length":          {`length(["a", "b"])`, "How many elements there are"},
	"log":             {`log(16, 2)`, "The logarithm of the number to the base"},
	"lookup":          {`lookup({ a = 1 }, "b", 0)`, "The value of a key, or the default where there is none"},
	"lower":           {`lower("LAN")`, "The text in lower case"},
	"max":             {`max(1, 3, 2)`, "The largest of the numbers"},
	"merge":           {`merge({ a = 1 }, { b = 2 })`, "The maps as one; the last one that has a key wins"},
	"min":             {`min(1, 3, 2)`, "The smallest of the numbers"},
	"parseint":        {`parseint("ff", 16)`, "The number that the text is in this base"},
	"pow":             {`pow(2, 10)`, "The number to this power"},
	"range":           {`range(10, 13)`, "Numbers from the first up to the second, which is not among them"},
	"regex":           {`regex("[0-9]+", "lan42")`, "The first match (RE2), or its groups; an error if there is none"},
	"regexall":        {`regexall("[0-9]", "a1b2")`, "All matches, an empty list if there are none"},
	"replace":         {`replace("a.b", ".", "-")`, "The text with each occurrence of one part replaced by another"},
	"reverse":         {`reverse([1, 2])`, "The list backwards"},
	"setintersection": {`setintersection(["a", "b"], ["b"])`, "What all sets have"},
	"setproduct":      {`setproduct(["a", "b"], [1])`, "Each element of the one set with each of the others"},
	"setsubtract":     {`setsubtract(["a", "b"], ["b"])`, "What the first set has and the second has not"},
	"setunion":        {`setunion(["a"], ["b"])`, "What any of the sets has"},
	"signum":          {`signum(-3)`, "-1, 0 or 1, as the number's sign is"},
	"slice":           {`slice(["a", "b", "c"], 0, 2)`, "The elements from the first number up to the second, which is not among them"},
	"sort":            {`sort(["b", "a"])`, "The texts in the order of their characters"},
	"split":           {`split(",", "a,b")`, "The parts of the text between separators"},
	"strlen":          {`strlen("lan")`, "How many characters the text has"},
	"strrev":          {`strrev("nal")`, "The text backwards"},
	"substr":          {`substr("router", 0, 3)`, "So many characters of the text, from this one on"},
	"title":           {`title("hello world")`, "The text with a capital letter in each word"},
	"tobool":          {`tobool("true")`, "The value as a bool"},
	"tolist":          {`tolist(toset(["a", "a"]))`, "The value as a list"},
	"tomap":           {`tomap({ a = 1 })`, "The value as a map"},
	"tonumber":        {`tonumber("42")`, "The value as a number"},
	"toset":           {`toset(["a", "a"])`, "The value as a set: sorted, each element once"},
	"tostring":        {`tostring(42)`, "The value as a text"},
	"trim":            {`trim("--lan--", "-")`, "The text without any of these characters at both its ends"},
	"trimprefix":      {`trimprefix("br-lan", "br-")`, "The text without this beginning"},
	"trimspace":       {`trimspace(" lan ")`, "The text without space at both its ends"},
	"trimsuffix":      {`trimsuffix("a.example.", ".")`, "The text without this end"},
	"try":             {`try(tonumber("lan"), 0)`, "The first expression that has a value"},
	"upper":           {`upper("lan")`, "The text in upper case"},
	"values":          {`values({ b = 1, a = 2 })`, "The values of a map, in the order of its keys"},
	"zipmap":          {`zipmap(["a", "b"], [1, 2])`, "A map of keys and the values at the same places"},
}
