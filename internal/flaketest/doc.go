// Package flaketest holds the tests of whole flakes: the generated ones and nbr's
// own, evaluated and checked by the real Nix over stand-ins of their inputs.
package flaketest
