package kea

import (
	"context"
	"errors"

	"github.com/nbr-dev/nbr/verify/probe"
)

// In an evaluator or a page nothing is looked at, and the library that knows DHCP's messages does not
// build.

func seekOffer(context.Context, probe.Host, client) (offer, error) {
	return offer{}, errors.ErrUnsupported
}

func seekAdvice(context.Context, probe.Host, client6) (advice, error) {
	return advice{}, errors.ErrUnsupported
}
