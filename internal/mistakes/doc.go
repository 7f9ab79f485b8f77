// Package mistakes makes the mistakes that people make in specs: one edit of the text of a good
// spec, such as an argument that is left out or the address of the block beside it. It knows the
// language from the schema alone, so a new block is under it from its first day.
//
// What becomes of a mistake is judged in two steps: here by nbr itself, and in package referee
// by the programs, which must take whatever nbr takes.
package mistakes
