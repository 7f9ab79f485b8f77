// Package conf turns the blocks of a spec into Go values that remember where
// they were written. A struct with tags is the schema of a block: decoding,
// `nbr schema`, the documentation and completion read the same tags.
//
// A field of a block struct is one of
//
//	Header             filled in: the block's address and where it starts
//	Value[T] List[T]   an attribute; T is a string, bool, int, float64,
//	                   cty.Value (any value), Object or has UnmarshalText
//	Ref[T] Refs[T]     an attribute that names other blocks, linked by Link
//	*S []*S            nested blocks; S is a block struct
//
// and carries the tags
//
//	hcl:"name,kind"    kind is required, optional, label, key or block; a key is
//	                   a label that the key of for_each takes the place of
//	doc:"…"            one sentence for people
//	default:"…"        the value when the attribute is absent
//
// A wrong tag is a bug of the program and panics when the struct is first used.
package conf
