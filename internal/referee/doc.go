// Package referee asks the real programs whether what nbr generates is right: a spec goes in,
// Nix evaluates the modules that it becomes, and IfState, nft, Kea, Knot Resolver, sshd, chronyd
// and dhcpcd get the values in the form that NixOS gives them. Then packets, leases, answers
// and logins show that the router does what its spec says.
//
// At last all of them come up together, with systemd, and nbr verify is asked what it makes of
// the router while it is healthy and while one thing after the other is broken.
//
// There is nothing to import here: the package is its tests, on the benches of nstest and lab.
package referee
